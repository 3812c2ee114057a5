"""Writes a table as an Excel workbook, for those who want one back."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter

from data_transformer.columns import identifier, literal
from uploads.result import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Column

_MOST_ROWS: Final = 1_048_575  # of a sheet, below the header
# Cells that are written in about a minute, with the processor share of 256 MB.
_MOST_CELLS: Final = 1_000_000
_LONGEST_TEXT: Final = 32_767
_EXACT: Final = 2**53
_BATCH: Final = 2_048
_FIRST_YEAR: Final = 1900
_PLAIN: Final = re.compile(
    r"U?(TINYINT|SMALLINT|INTEGER|BIGINT)|FLOAT|DOUBLE|BOOLEAN|VARCHAR|DATE|TIME|TIMESTAMP"
)
_FORMATS: Final = {
    "DATE": "yyyy-mm-dd",
    "TIME": "hh:mm:ss",
    "TIMESTAMP": "yyyy-mm-dd hh:mm:ss",
}


def write(
    database: DuckDBPyConnection, table: Path, columns: list[Column], rows: int, path: Path
) -> Problem | None:
    """Write a workbook of one sheet, or return why the table has none.

    Numbers that a double does not hold, times with an offset and nested values are texts.

    Args:
        database: to read with.
        table: Parquet file.
        columns: of the table.
        rows: number of its rows.
        path: of the workbook.
    """
    cells = rows * len(columns)
    if rows > _MOST_ROWS or cells > _MOST_CELLS:
        return Problem(
            "not_in_excel",
            f"The table has {rows} rows and {cells} cells, so there is no workbook of it: a sheet "
            f"has {_MOST_ROWS} rows at the most, and {_MOST_CELLS} cells are written.",
        )
    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("table")
        sheet.freeze_panes(1, 0)
        formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
        for place, column in enumerate(columns):
            sheet.write_string(0, place, column.name)
        values = ", ".join(map(_sql, columns))
        found = database.execute(f"SELECT {values} FROM {literal(str(table))}")  # noqa: S608 - quoted
        number = 0
        while batch := found.fetchmany(_BATCH):
            for row in batch:
                number += 1
                for place, (value, column) in enumerate(zip(row, columns, strict=True)):
                    cell = _cell(value)
                    if isinstance(cell, str) and len(cell) > _LONGEST_TEXT:
                        return Problem(
                            "not_in_excel",
                            f"The column {column.name!r} holds a text of more than "
                            f"{_LONGEST_TEXT} characters, so there is no workbook of the table.",
                        )
                    _write(sheet, number, place, cell, formats.get(column.type))
    return None


def _write(sheet: Any, row: int, place: int, cell: Any, form: Any) -> None:  # noqa: ANN401 - untyped library
    if cell is None:
        return
    if isinstance(cell, str):
        sheet.write_string(row, place, cell)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, place, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, place, cell)
    else:
        sheet.write_datetime(row, place, cell, form)


def _sql(column: Column) -> str:
    """Return the SQL of values that Excel may have; of others their text."""
    name = identifier(column.name)
    if _PLAIN.fullmatch(column.type):
        return name
    nested = column.type.endswith("]") or column.type.startswith(("STRUCT(", "MAP("))
    return f"to_json({name})::VARCHAR" if nested else f"{name}::VARCHAR"


def _cell(value: Any) -> Any:  # noqa: ANN401 - any value of DuckDB
    """Return a value as Excel can hold it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dt.date):
        return value if value.year >= _FIRST_YEAR else str(value)
    return value
