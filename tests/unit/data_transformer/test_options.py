"""What the uploader says of a table counts, and is refused where it does not fit."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pytest

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes, Outcome
from uploads.processing import RejectedError
from uploads.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    type Convert = Callable[..., Outcome]


@dataclass(frozen=True)
class Upload(Bytes):
    """An upload with metadata."""

    metadata: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    def run(
        content: bytes | str, name: str = "t.csv", default: str = "", **options: Any
    ) -> Outcome:
        raw = content.encode() if isinstance(content, str) else content
        upload = Upload(raw, name, {"options": json.dumps(options)} if options else {})
        processed = Transformer(Settings(table_options=default))(upload, tmp_path)
        return Outcome(processed, tmp_path)

    return run


def test_a_delimiter(convert: Convert) -> None:
    assert convert("a,b:c\n1,2:3\n4,5:6\n", delimiter=":", decimal=".").rows == [
        ("1,2", 3),
        ("4,5", 6),
    ]


def test_a_decimal_mark(convert: Convert) -> None:
    outcome = convert("a;b\n1,500;2\n2,250;3\n", decimal=",")
    assert outcome.rows == [(1.5, 2), (2.25, 3)]


def test_an_encoding(convert: Convert) -> None:
    outcome = convert("name,n\nšárka,1\n".encode("cp1250"), encoding="cp1250")
    assert outcome.rows == [("šárka", 1)]
    assert outcome.processed.details["encoding"] == "cp1250"


def test_an_encoding_by_its_other_name(convert: Convert) -> None:
    assert convert("n\nKäse\n".encode("cp1252"), encoding="latin1").rows == [("Käse",)]
    assert convert("n\nKäse\n".encode("cp1252"), encoding="cp1252").rows == [("Käse",)]


def test_no_header(convert: Convert) -> None:
    outcome = convert("a,b\nc,d\n", header=False)
    assert outcome.rows == [("a", "b"), ("c", "d")]
    assert list(outcome.types) == ["column_1", "column_2"]


def test_a_header_of_numbers(convert: Convert) -> None:
    outcome = convert("1,2\n3,4\n", header=True)
    assert list(outcome.types) == ["1", "2"]
    assert outcome.rows == [(3, 4)]


def test_lines_to_skip(convert: Convert) -> None:
    assert convert("x\n# y\nz,z,z\na,b\n1,2\n", skip=3).rows == [(1, 2)]
    with pytest.raises(RejectedError, match="no text"):
        convert("a\n1\n", skip=5)


def test_missing_values(convert: Convert) -> None:
    outcome = convert("n,t\n-999,x\n2,unknown\n", null_values=["-999", "unknown"])
    assert outcome.rows == [(None, "x"), (2, None)]


def test_types(convert: Convert) -> None:
    columns = {
        "zip": "text",
        "day": "date(%d.%m.%Y)",
        "at": "timestamp(%d/%m/%y %H:%M)",
        "n": "number",
    }
    outcome = convert(
        "zip,day,at,n\n12345,03.02.2024,01/02/24 13:45,1\n23456,04.02.2024,02/02/24 00:00,2\n",
        columns=columns,
    )
    assert outcome.rows[0] == ("12345", dt.date(2024, 2, 3), dt.datetime(2024, 2, 1, 13, 45), 1.0)  # noqa: DTZ001 - the file has no zone
    assert outcome.types == {"zip": "VARCHAR", "day": "DATE", "at": "TIMESTAMP", "n": "DOUBLE"}
    assert outcome.processed.details["options"] == {"columns": columns}


def test_a_type_that_loses_something_is_believed(convert: Convert) -> None:
    assert convert("code\n007\n008\n", columns={"code": "integer"}).rows == [(7,), (8,)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "1,234", 1234),
        ("integer", "+5", 5),
        ("integer", "5.0", 5),
        ("number", "$1,234.50", 1234.5),
        ("number", "-5 €", -5),
        ("number", "5 %", 5),
        ("number", "1 234 567", 1_234_567),
        ("number", "1e3", 1000),
        ("number", "0.10", 0.1),
        ("date", "2024-02-03 00:00:00", dt.date(2024, 2, 3)),
        ("date", "2024/2/3", dt.date(2024, 2, 3)),
        ("time", "9:05", dt.time(9, 5)),
        ("timestamp", "2024-02-03", dt.datetime(2024, 2, 3)),  # noqa: DTZ001 - the file has no zone
        ("timestamp", "2024-02-03T04:05:06.5", dt.datetime(2024, 2, 3, 4, 5, 6, 500_000)),  # noqa: DTZ001 - as above
        ("boolean", "yes", True),
    ],
)
def test_a_value_of_a_declared_type_may_be_written_in_any_way(
    convert: Convert, kind: str, text: str, value: object
) -> None:
    assert convert(f'a,b\n1,"{text}"\n', columns={"b": kind}).rows == [(1, value)]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("integer", "1.5"),
        ("integer", "1e3"),
        ("number", "1,5"),
        ("number", "1e400"),
        ("number", "1e-400"),
        ("number", "inf"),
        ("date", "2024-02-03 10:00:00"),
        ("date", "epoch"),
        ("time", "2024-02-03 10:00:00"),
        ("timestamp", "2024-02-03T10:00:00+02:00"),
        ("timestamp", "infinity"),
    ],
)
def test_what_is_not_of_the_declared_type_is_rejected(
    convert: Convert, kind: str, text: str
) -> None:
    rows = "1,\n" * 20
    outcome = convert(f'a,b\n{rows}1,"{text}"\n', columns={"b": kind})
    assert len(outcome.rows) == 20
    assert outcome.rejects[0]["reason"].startswith(f"{text!r} is not a")


def test_a_declared_number_has_the_decimal_mark_of_the_text(convert: Convert) -> None:
    text = "a;b\n1;1,5\n2;1.234,5\n3;7\n"
    for decimal in (None, ","):
        outcome = convert(text, columns={"b": "number"}, decimal=decimal)
        assert [row[1] for row in outcome.rows] == [1.5, 1234.5, 7]


def test_an_offset_in_the_format_of_a_timestamp_counts(convert: Convert) -> None:
    columns = {"b": "timestamp(%d.%m.%Y %H:%M %z)"}
    outcome = convert("a,b\n1,03.02.2024 10:00 +0200\n", columns=columns)
    assert outcome.types["b"] == "TIMESTAMP WITH TIME ZONE"
    column = outcome.processed.details["profile"][1]
    assert column["min"].startswith("2024-02-03 08:00:00")


def test_a_marker_in_a_column_of_a_declared_type_is_reported(convert: Convert) -> None:
    outcome = convert("n\n1\nNA\n", columns={"n": "integer"})
    assert outcome.rows == [(1,), (None,)]
    assert outcome.processed.details["reading"]["columns_with_missing_values"] == ["n"]


def test_values_of_another_type_than_declared_are_rejects(convert: Convert) -> None:
    rows = "".join(f"{n}\n" for n in range(30))
    outcome = convert(f"n\n{rows}x\n", columns={"n": "integer"})
    assert len(outcome.rows) == 30
    assert outcome.rejects[0]["reason"] == "'x' is not an integer"
    with pytest.raises(RejectedError) as caught:
        convert("n\nx\ny\n1\n", columns={"n": "integer"})
    assert caught.value.code == "too_many_bad_rows"


def test_a_long_table_keeps_to_what_is_reported(convert: Convert) -> None:
    rows = "".join(f"{n:06},{n}\n" for n in range(200_000))
    outcome = convert(f"a,b\n{rows}x,1.5\n", columns={"a": "integer"})
    assert outcome.types == {"a": "BIGINT", "b": "DOUBLE"} or outcome.rejects
    assert len(outcome.rows) == 200_000


def test_the_rows_of_a_document(convert: Convert) -> None:
    text = '{"page": {"items": [{"a": 1}, {"a": 2}], "n": 2}, "others": [{"x": 1}]}'
    assert convert(text, "t.json", rows="page.items").rows == [(1,), (2,)]
    assert convert('{"a": [{"b": 1}], "c": [{"d": 2}]}', "t.json", rows="c").rows == [(2,)]
    with pytest.raises(RejectedError, match="does not lead to a list of objects"):
        convert(text, "t.json", rows="page.n")
    with pytest.raises(RejectedError, match="does not lead to a list of objects"):
        convert(text, "t.json", rows="pages.items")


def test_the_environment_says_what_an_upload_does_not(convert: Convert) -> None:
    default = '{"delimiter": ":", "decimal": ","}'
    assert convert("a:b\n1,5:2\n2,5:3\n", default=default).rows == [(1.5, 2), (2.5, 3)]
    assert convert('{"a": [{"n": 1}]}', "t.json", '{"rows": "a"}').rows == [(1,)]
    assert convert("a;b\n1,5;2\n2,5;3\n", default=default, delimiter=";").rows[0] == (1.5, 2)


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.jsonl", "t.xlsx", "t.parquet"])
def test_what_the_environment_says_of_other_formats_rejects_no_table(
    convert: Convert, name: str, tmp_path: Path
) -> None:
    default = json.dumps(
        {
            "delimiter": ";",
            "decimal": ",",
            "null_values": ["-9"],
            "columns": {"zip": "text"},
            "rows": "data.items",
        }
    )
    outcome = convert(_table(name, tmp_path), name, default)
    assert outcome.rows == [(1, "x"), (2, "y")]


def _table(name: str, folder: Path) -> bytes:
    """Return a table with the columns n and s as a file of a format."""
    if name == "t.xlsx":
        book = openpyxl.Workbook()
        for row in (("n", "s"), (1, "x"), (2, "y")):
            book.worksheets[0].append(row)
        book.save(folder / name)
        return (folder / name).read_bytes()
    if name == "t.parquet":
        rows = "FROM (VALUES (1, 'x'), (2, 'y')) t(n, s)"
        duckdb.execute(f"COPY ({rows}) TO '{folder / name}'")
        return (folder / name).read_bytes()
    rows = '{"n": 1, "s": "x"}\n{"n": 2, "s": "y"}\n'
    return {
        "t.csv": "n;s\n1;x\n2;y\n",
        "t.json": f"[{rows.strip()}]".replace("\n", ","),
        "t.jsonl": rows,
    }[name].encode()


def test_nothing_said_of_an_upload_counts_more_than_the_environment(convert: Convert) -> None:
    default = '{"skip": 1, "null_values": ["x"], "columns": {"a": "text"}}'
    outcome = convert("a,b\n1,x\n2,y\n", "t.csv", default, skip=0, null_values=[], columns={})
    assert outcome.rows == [(1, "x"), (2, "y")]
    assert outcome.processed.details["options"] == {"skip": 0, "null_values": [], "columns": {}}


def test_no_line_is_above_the_table_where_that_is_said(convert: Convert) -> None:
    text = "Sales of May\na,b\n1,2\n3,4\n"
    assert convert(text).rows == [(1, 2), (3, 4)]
    assert convert(text, skip=1).rows == [(1, 2), (3, 4)]
    assert convert("a,b\n1,2\n", skip=0).rows == [(1, 2)]


@pytest.mark.parametrize("text", ["{", "[]", '{"decimal": ";"}'])
def test_an_environment_whose_options_are_none_does_not_start(text: str) -> None:
    with pytest.raises(SettingError, match="TABLE_OPTIONS is "):
        Settings.from_environment({"TABLE_OPTIONS": text})


def test_columns_that_are_not_there_are_refused(convert: Convert) -> None:
    with pytest.raises(
        RejectedError, match="name a column 'zip', which is not in the table; it has b"
    ) as caught:
        convert("b\n1\n", columns={"zip": "text"})
    assert caught.value.code == "options_do_not_fit"


def test_metadata_that_are_no_options_are_refused(convert: Convert) -> None:
    with pytest.raises(RejectedError, match="Unknown option 'x'") as caught:
        convert("a\n1\n", x=1)
    assert caught.value.code == "invalid_options"


def workbook() -> bytes:
    import io  # noqa: PLC0415 - for this alone

    book, content = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"] = "a"
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "option"),
    [
        ("t.csv", b"a\n1\n", {"rows": "a"}),
        ("t.json", b'[{"a": 1}]', {"delimiter": ";"}),
        ("t.parquet", b"PAR1" + bytes(40), {"skip": 1}),
        ("t.xlsx", workbook(), {"header": True}),
    ],
    ids=["csv", "json", "parquet", "workbook"],
)
def test_options_of_another_format_are_refused(
    convert: Convert, name: str, content: bytes, option: dict[str, Any]
) -> None:
    with pytest.raises(RejectedError, match="leave it out"):
        convert(content, name, **option)
