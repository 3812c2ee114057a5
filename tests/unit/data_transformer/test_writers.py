"""Tables as programs write them: what comes out is what went in, or a warning says the doubt.

Each writer has its own quotes, decimal mark, booleans, missing values, dates and names of rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_transformer.core import Transformer
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = [
    "Anna", "New York", "O'Brien", "Smith, John", 'say "hi"', "a;b", "x|y", "50%", "Straße", "NA",
    "None", "yes", "1st", "C:\\temp", "#1", "line\nbreak", " lead", "trail ", "-", "Total", "=1+1",
    "日本", "10-20", "1.2.3", "a:b", "http://x.y/z?a=1,2", "'quoted'", "007", "1E5",
]  # fmt: skip
NAMES = ["id", "Price (EUR)", "is ok", "Größe", "total", "x", "2020", "a.b", "#", "unit", "date"]
DATE_TIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1))  # noqa: DTZ001 - without an offset
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(2**63), 2**63 - 1) | st.integers(-99, 99),
    "number": st.floats(-1e15, 1e15, allow_subnormal=False).map(lambda value: round(value, 4)),
    "boolean": st.booleans(),
    "date": st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    "timestamp": DATE_TIMES.map(lambda when: when.replace(microsecond=0)),
    "text": st.sampled_from(TEXTS),
}


@dataclass(frozen=True)
class Writer:
    """How a program writes a table."""

    delimiter: str = ","
    quotes: Literal["where needed", "texts", "all"] = "where needed"
    missing: str = ""
    booleans: tuple[str, str] = ("False", "True")
    decimal: str = "."
    date: Callable[[dt.date], str] = str
    timestamp: Callable[[dt.datetime], str] = str
    row_names: Literal["", "unnamed"] = ""
    line_end: str = "\n"
    encoding: str = "utf-8"

    def cell(self, value: object) -> str:
        """Return the text of a value, without quotes."""
        match value:
            case None:
                return self.missing
            case bool():
                return self.booleans[value]
            case float():
                return repr(value).replace(".", self.decimal)
            case dt.datetime():
                return self.timestamp(value)
            case dt.date():
                return self.date(value)
        return str(value)

    def quoted(self, value: object) -> str:
        """Return the text of a cell."""
        text = self.cell(value)
        needed = any(one in text for one in (self.delimiter, '"', "\n"))
        is_text = isinstance(value, str) and self.quotes == "texts"
        if value is not None and (needed or is_text or self.quotes == "all"):
            return '"' + text.replace('"', '""') + '"'
        return text

    def write(self, names: list[str], rows: list[list[Any]]) -> bytes:
        """Return a table."""
        lines = [names, *rows]
        if self.row_names:
            lines = [names, *([str(number), *row] for number, row in enumerate(rows, 1))]
        if self.row_names == "unnamed":
            lines[0] = ["", *names]
        text = "".join(
            self.delimiter.join(map(self.quoted, line)) + self.line_end for line in lines
        )
        return text.encode(self.encoding)


R = Writer(quotes="texts", missing="NA", booleans=("FALSE", "TRUE"))
WRITERS = {
    "pandas": Writer(row_names="unnamed"),
    "pandas, no index": Writer(missing="NULL"),
    "pandas, decimal comma": Writer(delimiter=";", decimal=","),
    "polars": Writer(booleans=("false", "true"), timestamp=lambda when: when.isoformat("T")),
    "DuckDB, pipes": Writer(delimiter="|", booleans=("false", "true")),
    "R write.csv": replace(R, row_names="unnamed"),
    "R write.csv2": replace(R, delimiter=";", decimal=",", row_names="unnamed"),
    "R, tabs": replace(R, delimiter="\t"),
    "readr": replace(R, quotes="where needed", timestamp=lambda when: f"{when:%Y-%m-%dT%H:%M:%SZ}"),
    "Excel, USA": Writer(
        booleans=("FALSE", "TRUE"),
        date=lambda day: f"{day.month}/{day.day}/{day.year}",
        line_end="\r\n",
        encoding="utf-8-sig",
    ),
    "Excel, Germany": Writer(
        delimiter=";",
        decimal=",",
        booleans=("FALSCH", "WAHR"),
        date=lambda day: f"{day:%d.%m.%Y}",
        timestamp=lambda when: f"{when:%d.%m.%Y %H:%M}",
        line_end="\r\n",
        encoding="cp1252",
    ),
    "Excel, Unicode text": Writer(delimiter="\t", line_end="\r\n", encoding="utf-16"),
    "PostgreSQL": Writer(booleans=("f", "t"), timestamp=lambda when: f"{when}+00"),
    "all in quotes": Writer(quotes="all", booleans=("false", "true")),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    """Draw names, and rows with a value of another kind in each column."""
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=6))
    names = draw(st.permutations(NAMES))[: len(kinds)]
    cells = [VALUES[kind] if draw(st.booleans()) else VALUES[kind] | st.none() for kind in kinds]
    return names, draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=12))


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
@settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
@given(table=tables())
def test_what_was_written_comes_out_or_is_reported(
    writer: Writer, table: tuple[list[str], list[list[Any]]]
) -> None:
    names, rows = table
    if writer.encoding == "cp1252":
        rows = [["x" if value == "日本" else value for value in row] for row in rows]
    with TemporaryDirectory() as directory:
        source = Bytes(writer.write(names, rows), "table.csv")
        processed = Transformer(Settings())(source, Path(directory))
        found = pq.read_table(Path(directory) / "table.parquet").to_pylist()
    assert processed.details["rejected_rows"] == 0
    reported = {warning.code for warning in processed.warnings}
    if reported - {"missing_values", "decimal_comma", "legacy_encoding", "header_of_values"}:
        return
    assert len(found) == len(rows)
    for row, made in zip(rows, found, strict=True):
        values = list(made.values())[1 if writer.row_names else 0 :]
        for value, got in zip(row, values, strict=True):
            assert _is_same(value, got, writer), (value, got)


def _is_same(value: Any, got: object, writer: Writer) -> bool:
    """Return whether a value came out: as itself, or as the text that was written."""
    if isinstance(got, str):
        return got == writer.cell(value)
    if isinstance(got, dt.datetime):
        when = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        return got.replace(tzinfo=None) == when
    if isinstance(value, str):  # of texts that are all numbers and the like
        return str(got) == value
    return got == value and isinstance(got, bool) == isinstance(value, bool)
