"""JSON documents that are one object: which rows they hold, and which reading is reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]

ROWS = [(1, "x"), (2, None)]


def _codes(made: Outcome) -> list[str]:
    return [warning.code for warning in made.processed.warnings]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}, "rows_in_member"),
        (
            {"index": [0, 1], "columns": ["a", "b"], "data": [[1, "x"], [2, None]]},
            "rows_in_member",
        ),
        ({"total": 2, "rows": [[1, "x"], [2, None]], "fields": ["a", "b"]}, "rows_in_member"),
        ({"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": None}}, "columns_in_members"),
        ({"a": [1, 2], "b": ["x", None]}, "columns_in_members"),
        ({"table": {"a": [1, 2], "b": ["x", None]}}, "columns_in_members"),
        ({"response": {"items": [{"a": 1, "b": "x"}, {"a": 2, "b": None}]}}, "rows_in_member"),
        ({"n": 2, "r": {"i": [{"a": 1, "b": "x"}, {"a": 2}], "k": {"l": [{}]}}}, "rows_in_member"),
    ],
)
def test_rows_and_columns_of_one_object(transform: Transform, document: Any, code: str) -> None:
    made = transform(json.dumps(document), "table.json")
    assert list(made.types) == ["a", "b"]
    assert made.rows == ROWS
    assert _codes(made) == [code]


@pytest.mark.parametrize("keys", [("u", "v"), ("0", "1"), ("a.b", 'say "it\'s"')])
def test_objects_alike_are_rows(transform: Transform, keys: tuple[str, str]) -> None:
    document = {keys[0]: {"a": 1, "b": "x"}, keys[1]: {"a": 2, "b": None}}
    made = transform(json.dumps(document), "table.json")
    assert list(made.types) == ["key", "a", "b"]
    assert made.rows == [(key, *row) for key, row in zip(keys, ROWS, strict=True)]
    assert _codes(made) == ["rows_in_members"]


def test_thousands_of_objects_are_rows(transform: Transform) -> None:
    document = {f"n{number}": {"key": number, "b": "x"} for number in range(3_000)}
    made = transform(json.dumps(document), "table.json")
    assert made.types == {"key": "VARCHAR", "key_2": "BIGINT", "b": "VARCHAR"}
    assert made.rows[2_999] == ("n2999", 2_999, "x")


def test_labels_of_rows_stay(transform: Transform) -> None:
    document = {"columns": ["a", "Index"], "index": ["u", "v"], "data": [[1, "x"], [2, None]]}
    made = transform(json.dumps(document), "table.json")
    assert list(made.types) == ["index", "a", "index_2"]
    assert made.rows == [("u", 1, "x"), ("v", 2, None)]


def test_numbers_of_rows_stay_where_they_are_none(transform: Transform) -> None:
    made = transform('{"a": {"3": 1, "7": 2}, "Index": {"3": 5, "7": 6}}', "table.json")
    assert made.types == {"index": "VARCHAR", "a": "BIGINT", "index_2": "BIGINT"}
    assert made.rows == [("3", 1, 5), ("7", 2, 6)]


@pytest.mark.parametrize(
    "document",
    [
        {"db": {"host": "x", "port": 1}, "log": {"level": "y"}},
        {"tags": ["a", "b"], "ids": [1, 2, 3]},
        {"users": [{"a": 1}], "orders": [{"b": 2}]},
        {"a": {"0": 1}},
        {"a": {}, "b": {}},
        {"names": ["a", "b"], "rows": [[1], [2], [3]]},
    ],
)
def test_other_objects_are_one_row(transform: Transform, document: Any) -> None:
    made = transform(json.dumps(document), "table.json")
    assert made.processed.details["rows"] == 1
    assert _codes(made) == ["one_object"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"x": 1}, "a": {"x": 2}}',
        '{"a": {"0": 1, "0": 2}, "b": {"0": 1, "0": 3}}',
        '{"a": {"x": 1, "x": 2}, "b": {"x": 1, "x": 3}}',
    ],
)
def test_a_name_twice_is_a_fault(transform: Transform, text: str) -> None:
    with pytest.raises(RejectedError, match="twice"):
        transform(text, "table.json")


@pytest.mark.parametrize("text", ["{}", "[{}, {}]", "{}\n{}\n"])
def test_empty_objects_are_no_table(transform: Transform, text: str) -> None:
    with pytest.raises(RejectedError, match="objects of the file are empty"):
        transform(text, "table.json")


def test_values_of_several_types_are_reported(transform: Transform) -> None:
    made = transform('[{"id": 1, "b": [1]}, {"id": "2", "b": {"c": 1}}]', "table.json")
    assert made.rows == [("1", "[1]"), ('"2"', '{"c":1}')]
    (reported,) = made.processed.warnings
    assert (reported.code, "'id' and others" in reported.message) == ("mixed_as_json", True)


def test_values_of_several_types_below_the_top_are_reported(transform: Transform) -> None:
    made = transform('{"data": [{"id": 1}, {"id": "2"}]}', "table.json")
    assert made.rows == [("1",), ('"2"',)]
    assert _codes(made) == ["rows_in_member", "mixed_as_json"]
    assert made.processed.details["reading"] == {"rows": "data"}


def test_names_that_differ_in_case_are_reported(transform: Transform) -> None:
    made = transform('[{"A": 1}, {"a": 2}]', "table.json")
    assert made.rows == [(1, None), (None, 2)]
    assert _codes(made) == ["names_differ_in_case"]
    assert _codes(transform('[{"a_1": 1, "a": 2}]', "table.json")) == []


@pytest.mark.parametrize("number", ["1e400", "-1E+400", "1e-400"])
def test_a_number_that_no_double_holds_stays(transform: Transform, number: str) -> None:
    made = transform(f'[{{"a": {number}}}, {{"a": 1.5e100}}, {{"a": 0e999}}]', "table.json")
    assert [row[0] for row in made.rows] == [number, "1.5e+100", "0.0"]
    assert _codes(made) == ["long_numbers"]


def test_a_number_that_no_double_holds_is_found_far_behind(transform: Transform) -> None:
    rows = '{"a": 1, "b": "1e999"}\n' * 60_000
    made = transform(rows + '{"a": 1e999, "b": "x"}\n', "table.json")
    assert made.rows[-1] == ("1e999", "x")
    assert made.rows[0] == ("1", "1e999")
