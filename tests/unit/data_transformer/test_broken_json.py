from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from data_transformer import json_faults, outputs
from data_transformer.json_faults import Fault
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

Transform = Any

ENDS_EARLY = "the file ends too early"
A_VALUE = "a value is expected"


def _message(transform: Transform, content: bytes | str) -> str:
    with pytest.raises(RejectedError) as caught:
        transform(content, "table.json")
    assert caught.value.code == "invalid_json"
    return caught.value.message


@pytest.mark.parametrize(
    ("content", "line", "column", "reason"),
    [
        ('{"a": ', 1, 7, ENDS_EARLY),
        ('{"a": \n\n', 3, 1, ENDS_EARLY),
        ("[", 1, 2, ENDS_EARLY),
        ("[1,2", 1, 5, ENDS_EARLY),
        ('{"a":1}\n{"a":', 2, 6, ENDS_EARLY),
        ("hello", 1, 1, A_VALUE),
        ('{"a":1} x', 1, 9, A_VALUE),
        ('[{"a":1},{"a":]', 1, 15, A_VALUE),
        ('\n\n[\n  {"a": 1},\n  {"ä": tru}\n]', 5, 9, A_VALUE),
        ("[1 2]", 1, 4, "a comma or a closing bracket is expected"),
        ('{"a" 1}', 1, 6, "a colon is expected"),
        ("{a:1}", 1, 2, "a name in double quotes is expected"),
        ('{"a":"b}', 1, 6, "the string does not end"),
        ('{"a":"x\ny"}', 1, 8, "a string holds an unescaped control character"),
        ('{"a":"\\q"}', 1, 7, "the escape does not exist"),
        ('{"a":"\\u12"}', 1, 8, "the escape needs four hexadecimal digits"),
        ('{"a":"\\n\\ud83d\\ude00\\ud800"}', 1, 21, "an escape is half of a surrogate pair"),
        (b'{"a":"\xff"}', 1, 7, "the bytes are not UTF-8"),
        ('[{"a":1},\n{"a":1,"a":2}]', 2, 1, "an object has the name 'a' twice"),
        ("[" * 3000, 1, 2, "the value is nested too deeply"),
        ("\ufeff[1 2]", 1, 4, "a comma or a closing bracket is expected"),
        ('{"a":1}\n{"a":\n2}', 2, 6, "each line must hold one whole value"),
    ],
)
def test_line_column_and_reason(
    transform: Transform, content: bytes | str, line: int, column: int, reason: str
) -> None:
    message = f"The JSON is broken at line {line}, column {column}: {reason}."
    assert _message(transform, content) == message


def test_fault_behind_the_first_mebibytes(transform: Transform) -> None:
    rows = ['{"text": "' + "ü" * 700_000 + '"}'] * 4
    message = _message(transform, "[" + ",\n".join([*rows, '{"text": x}', *rows]) + "]")
    assert message == "The JSON is broken at line 5, column 10: a value is expected."


def test_limits_are_reported(transform: Transform) -> None:
    deep = '{"a":' + "[" * 200 + "]" * 200 + "}"
    assert _message(transform, deep) == "The values are nested more than 128 levels deep."
    long = '{"a":"' + "x" * 17_000_000 + '"}'
    assert _message(transform, long) == "An object is larger than 16 MiB."


def test_empty_file(transform: Transform) -> None:
    with pytest.raises(RejectedError) as caught:
        transform("", "table.json")
    assert caught.value.message == "The file is empty."


def test_wrong_option_is_no_fault_of_the_text(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "parquet_options", lambda _: "FORMAT parquet, ROW_GROUP_SIZE -1")
    with pytest.raises(duckdb.InvalidInputException):
        transform('{"a":\n1}', "table.json")


def test_objects_that_need_too_much_memory_are_rejected(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="too_large: The objects do not fit in the memory"):
        transform('{"a":1}\n' * 100, "table.json", memory_limit_mb=1)


@pytest.mark.parametrize("content", ["", "[]", " [ 1 ,{} ] ", '{"a":1}\n{"a":2}', "1\n\n2\n"])
def test_nothing_is_found_where_nothing_is_broken(tmp_path: Path, content: str) -> None:
    path = tmp_path / "upload.json"
    path.write_text(content)
    assert json_faults.locate(path) is None


def test_search_for_the_end_of_a_value_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_faults, "_CHUNK", 4)
    monkeypatch.setattr(json_faults, "LARGEST_VALUE", 8)
    path = tmp_path / "upload.json"
    path.write_text('["' + "x" * 1_000)
    assert json_faults.locate(path) == Fault(1, 2, "the string does not end")
    path.write_text("[1, 2, 3, 4, 5]")
    assert json_faults.locate(path) is None
