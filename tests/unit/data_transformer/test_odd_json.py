from __future__ import annotations

from typing import Any

import pytest

from data_transformer import documents
from uploads.processing import RejectedError

Transform = Any


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty_file: The file is empty."),
        (" \n\t ", "empty_file: The file holds no text."),
        ("[]", "no_objects: The array is empty."),
        ("[1, 2]", "no_objects: The array holds values that are no objects."),
        ('[{"a": 1}, 2]', "no_objects: The array holds values that are no objects."),
        ('[[{"a": 1}]]', "no_objects: The array holds values that are no objects."),
        ("null", "no_objects: The file holds values, but no objects to make rows of."),
        ("5", "no_objects: The file holds values, but no objects to make rows of."),
        ("1\n2\n", "no_objects: The file holds values, but no objects to make rows of."),
        ('[{"a": 1},]', "invalid_json: The JSON is broken at line 1, column 11: a value is"),
        ('[{"a": 1}', "invalid_json: The JSON is broken at line 1, column 10: the file ends"),
        ('[{"a": 1}] 2', "invalid_json: The JSON is broken at line 1, column 12: each"),
        (b'[{"a": "\xff"}]', "invalid_json: The JSON is broken at line 1, column 9: the bytes"),
    ],
)
def test_no_table_is_rejected(transform: Transform, content: str | bytes, reason: str) -> None:
    with pytest.raises(RejectedError) as caught:
        transform(content, "table.json")
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('[{"a": 1}, {"a": 2}]', [(1,), (2,)]),
        ('\ufeff[\r\n {"a":\r\n 1}\n,\n{"a": 2}\n]\n', [(1,), (2,)]),
        ('{"a": 1}', [(1,)]),
        ('{"a": 1}\n\n{"a": 2}\n', [(1,), (2,)]),
        ('[{"a": {"b": [1, 2]}}]', [({"b": [1, 2]},)]),
        ('[{"a": 1}, {"a": "x"}, {"a": [1]}]', [("1",), ('"x"',), ("[1]",)]),
        ('[{"a": 1}, {"b": 2}]', [(1, None), (None, 2)]),
        ('[{"a": "line\\nend"}]', [("line\nend",)]),
    ],
)
def test_table_is_made(transform: Transform, content: str, rows: list[Any]) -> None:
    assert transform(content, "table.json").rows == rows


def test_array_larger_than_what_is_read_at_once(transform: Transform) -> None:
    rows = ",\n".join(f'{{"n": {number}, "s": "{"ü" * 5_000}"}}' for number in range(400))
    made = transform(f"[{rows}]", "table.json")
    assert [row[0] for row in made.rows] == list(range(400))
    assert sorted(path.name for path in made.directory.iterdir()) == ["table.parquet"]


def test_fault_that_only_duckdb_sees_is_found_in_the_original(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="line 2, column 1: an object has the name 'a' twice"):
        transform('[{"a":1},\n{"a":1,"a":2}]', "table.json")


def test_element_without_end_is_not_sought_for_ever(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_CHUNK", 8)
    monkeypatch.setattr(documents, "LARGEST_OBJECT_BYTES", 100)
    with pytest.raises(RejectedError, match="An object is larger"):
        transform('[{"a": "' + "x" * 1_000 + '"}]', "table.json")


def test_array_read_in_small_pieces(transform: Transform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_CHUNK", 3)
    spaces = " " * 20
    made = transform(f'{spaces}[{spaces}{{"a": 1}}{spaces},{{"a": 2}}{spaces}]{spaces}', "t.json")
    assert made.rows == [(1,), (2,)]
