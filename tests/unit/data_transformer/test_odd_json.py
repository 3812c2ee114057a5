from __future__ import annotations

from typing import Any

import pytest

from data_transformer import json_values
from uploads.processing import RejectedError

Transform = Any


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "empty_file: The file is empty."),
        (" \n\t ", "empty_file: The file holds no text."),
        ("[]", "no_objects: The file holds no objects to make rows of."),
        ("[1, 2]", "no_objects: The file holds no objects to make rows of."),
        ('[{"a": 1}, 2]', "too_many_bad_rows: 1 of 2 rows do not fit the table"),
        ("null", "no_objects: The file holds no objects to make rows of."),
        ("5", "no_objects: The file holds no objects to make rows of."),
        ("1\n2\n", "no_objects: The file holds no objects to make rows of."),
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


@pytest.mark.parametrize("content", [b'{"a": 1}', b'[{"a": 1}]'])
def test_a_text_that_does_not_fit_in_the_storage_twice_is_rejected(
    transform: Transform, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    from shutil import _ntuple_diskusage as usage  # noqa: PLC0415 - what disk_usage returns

    free = 2 * len(content)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(100, 100 - free, free))
    assert transform(content, "a.json").rows == [(1,)]
    free -= 1
    with pytest.raises(RejectedError, match="ephemeral storage") as caught:
        transform(content, "a.json")
    assert caught.value.code == "too_large"


def test_lines_that_are_no_objects_are_rejects(transform: Transform) -> None:
    good = ['{"a": 1}', '{"a": 2}'] * 30
    bad = {
        3: '{"a": }',
        10: "5",
        11: '{"a": 1, "a": 2}',
        15: "null",
        20: '{"a": 1} {"a": 2}',
        30: '{"a": "\\ud800"}',
    }
    for line, text in bad.items():
        good.insert(line - 1, text)
    made = transform("\n".join(good).replace("5\n", "5\r\n\n", 1) + "\n", "table.json")
    assert [row[0] for row in made.rows] == [1, 2] * 30
    found = [(one["line"], one["raw"], one["reason"]) for one in made.rejects]
    assert found == [
        (3, bad[3], "a value is expected, at character 7"),
        (10, bad[10], "the value is not an object"),
        (12, bad[11], "an object has the name 'a' twice, at character 1"),
        (16, bad[15], "the value is not an object"),
        (21, bad[20], "there is more than one value"),
        (31, bad[30], "an escape is half of a surrogate pair, at character 8"),
    ]
    assert made.processed.details["rejected_rows"] == 6
    assert [warning.code for warning in made.processed.warnings] == ["bad_rows"]
    assert [output.name for output in made.processed.outputs] == ["table.parquet", "rejects.jsonl"]


@pytest.mark.parametrize("end", ["", "\n", " \r\n"])
def test_a_null_line_is_a_reject(transform: Transform, end: str) -> None:
    made = transform('{"a": 1}\n' * 30 + "null" + end, "table.jsonl")
    assert [row[0] for row in made.rows] == [1] * 30
    assert [(one["line"], one["raw"]) for one in made.rejects] == [(31, "null")]


def test_nulls_in_lines_of_their_own_are_values(transform: Transform) -> None:
    made = transform('{"a": [\nnull\n,\n1\n], "b":\nnull\n}', "table.json")
    assert made.rows == [([None, 1], None)]


def test_elements_that_are_no_objects_are_rejects(transform: Transform) -> None:
    elements = ['{"a":\n 1}'] * 30 + ["null", '{"b": 1, "b": 2}'] + ['{"a": 2}']
    made = transform("[" + "\n,".join(elements) + "]", "table.json")
    assert [row[0] for row in made.rows] == [1] * 30 + [2]
    assert [(one["line"], one["raw"]) for one in made.rejects] == [
        (61, "null"),
        (62, '{"b": 1, "b": 2}'),
    ]


def test_bytes_that_are_no_text_are_a_reject(transform: Transform) -> None:
    made = transform(b'{"a": "\xc3\xa9"}\n' * 30 + b'{"a": "\xff"}\n', "table.json")
    assert [row[0] for row in made.rows] == ["é"] * 30
    assert [(one["line"], one["raw"]) for one in made.rejects] == [(31, '{"a": "\ufffd"}')]


def test_very_long_line_is_a_reject(transform: Transform) -> None:
    long = '{"a": "' + "x" * 40_000_000 + '"}'
    made = transform('{"a": "y"}\n' * 30 + long + '\n{"a": "z"}\n', "table.json")
    assert [row[0] for row in made.rows] == ["y"] * 30 + ["z"]
    [reject] = made.rejects
    assert (reject["line"], reject["reason"]) == (31, "the object is larger than 16 MiB")


def test_broken_lines_come_with_the_rejected_file(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="invalid_json: The JSON is broken at line 2") as caught:
        transform('{"a": 1}\n{"a": }\n', "table.json")
    assert [output.name for output in caught.value.processed.outputs] == ["rejects.jsonl"]


def test_field_of_objects_called_json(transform: Transform) -> None:
    made = transform('{"json": 1}\n{"json": "x"}\n', "table.json")
    assert made.rows == [("1",), ('"x"',)]


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
    monkeypatch.setattr(json_values, "CHUNK", 8)
    monkeypatch.setattr(json_values, "LARGEST_OBJECT_BYTES", 100)
    with pytest.raises(RejectedError, match="An object is larger"):
        transform('[{"a": "' + "x" * 1_000 + '"}]', "table.json")


def test_array_read_in_small_pieces(transform: Transform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "CHUNK", 3)
    spaces = " " * 20
    made = transform(f'{spaces}[{spaces}{{"a": 1}}{spaces},{{"a": 2}}{spaces}]{spaces}', "t.json")
    assert made.rows == [(1,), (2,)]
