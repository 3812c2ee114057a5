"""Workbooks (.xlsx, .xlsm, .xls, .ods) to typed tables, one of each sheet that holds any.

The cells have types already; python-calamine reads them. It needs all of a sheet in memory, so
`sheets` does that in a separate process, whose memory is limited.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import duckdb

from data_transformer import contents, outputs
from data_transformer.columns import ABSENT, identifier, literal, named
from data_transformer.engine import database
from data_transformer.messages import shortened
from data_transformer.rejected_rows import RejectedRows
from uploads.content import HEAD_BYTES
from uploads.processing import Processed, RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.settings import Settings
    from uploads.processing import Source

# Address space of a Python with calamine that has read nothing, about.
_PYTHON_MB: Final = 60
# Of an .xlsx or .xlsm, of a binary one, and of an .ods file.
_MEMBERS: Final = {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}
_MIB: Final = 1024 * 1024
_NAMED: Final = 5


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a workbook.

    Raises:
        RejectedError: it is encrypted or damaged, holds no table, or needs too much memory.
    """
    path = contents.save(source, directory / "upload.book")
    _check(path)
    contents.check_options(contents.options(source, settings, "workbooks"), "workbooks")
    found = _read(path, directory, settings)
    path.unlink()
    sheets = found["sheets"]
    if not sheets:
        raise RejectedError("empty_file", "The sheets of the workbook hold no values.")
    alone = len(sheets) == 1
    names = [column.name for column in named([sheet["name"] for sheet in sheets], "snake_case")]
    made = []
    try:
        with database(directory, settings.memory_limit_mb) as connection:
            for sheet, name in zip(sheets, names, strict=True):
                table = outputs.TABLE if alone else f"{outputs.TABLE}-{name}"
                made.append(_convert(connection, directory, settings, sheet, table))
    except duckdb.OutOfMemoryException as error:
        raise RejectedError(
            "too_large",
            "A sheet does not fit in the memory that tables may use, "
            f"{settings.memory_limit_mb} MB: save it as CSV.",
        ) from error
    details: dict[str, Any] = {"format": "workbook", "rejected_rows": 0}
    if alone:
        details |= made[0].details
    else:
        details |= {"rows": sum(one.details["rows"] for one in made)}
    about = [_about(sheet, one, alone=alone) for sheet, one in zip(sheets, made, strict=True)]
    return Processed(
        [output for one in made for output in one.outputs],
        details | {"sheets": about},
        [*_warnings(found), *(warning for one in made for warning in one.warnings)],
    )


def _check(path: Path) -> None:
    """Check that a file is a workbook.

    Raises:
        OtherFormatError: it is a text, or a table of another format.
        RejectedError: it is something else, or encrypted.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if contents.form_of(head) != contents.BOOK:
        # Servers name tables with tabs .xls, since Excel opens them.
        contents.check(head)
        raise contents.OtherFormatError("CSV")
    if head.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
        except zipfile.BadZipFile as error:
            message = (
                "The file is a damaged zip archive, such as an Excel workbook that was cut short."
            )
            raise RejectedError("damaged_workbook", message) from error
        if not names & _MEMBERS:
            raise RejectedError("not_a_table", "The file is a zip archive, but not a workbook.")
        return
    streams = path.read_bytes()
    if _stream("EncryptedPackage") in streams:
        raise RejectedError(
            "encrypted_file", "The workbook is encrypted. Save it without a password."
        )
    if not any(_stream(name) in streams for name in ("Workbook", "Book")):
        raise RejectedError("not_a_table", "The file is an Office document, but not a workbook.")


def _stream(name: str) -> bytes:
    """Return the name of a stream as an old Office document has it."""
    return f"{name}\0".encode("utf-16-le")


def _read(path: Path, directory: Path, settings: Settings) -> dict[str, Any]:
    """Have the sheets read; return what `sheets` answers.

    Raises:
        RejectedError: see `transform`.
    """
    room = (_PYTHON_MB + settings.memory_limit_mb) * _MIB
    limit = str(settings.max_decompressed_mb)
    done = subprocess.run(  # noqa: S603 - this interpreter, this package
        [sys.executable, "-m", "data_transformer.sheets", str(path), str(directory), limit],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RejectedError(
            "too_large",
            "The cells of the workbook do not fit in the memory of the function. Save its sheets "
            "as CSV, or split them.",
        ) from RuntimeError(done.stderr.decode("utf-8", "replace")[-1000:])
    found: dict[str, Any] = json.loads(done.stdout)
    if "code" in found:
        raise RejectedError(found["code"], found["message"]) from RuntimeError(found.get("cause"))
    return found


def _convert(
    connection: DuckDBPyConnection,
    directory: Path,
    settings: Settings,
    sheet: Mapping[str, Any],
    file: str,
) -> Processed:
    """Write the files of a sheet."""
    table = [
        replace(column, type=kind)
        for column, kind in zip(
            named(sheet["names"], settings.column_names), sheet["types"], strict=True
        )
    ]
    path = directory / sheet["file"]
    kinds = ", ".join(f"'c{place}': {literal(kind)}" for place, kind in enumerate(sheet["types"]))
    rows = (
        f"read_csv({literal(str(path))}, columns = {{{kinds}}}, auto_detect = false, "
        "header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
        "allow_quoted_nulls = false)"
    )
    row_bytes = path.stat().st_size / max(1, sheet["rows"])
    parts = outputs.parts(table, file)
    for part in parts:
        chosen = ", ".join(
            f"c{place} AS {identifier(column.name)}"
            for place, column in part.places.items()
            if column.type != ABSENT
        )
        outputs.write(connection, f"SELECT {chosen} FROM {rows}", part, directory, row_bytes)  # noqa: S608 - quoted
    path.unlink()
    return outputs.finish(
        connection,
        directory,
        parts,
        settings,
        RejectedRows.empty(directory),
        details={},
        warnings=(),
    )


def _about(sheet: Mapping[str, Any], made: Processed, *, alone: bool) -> dict[str, Any]:
    """Return how a sheet was read, and which table it became if there are several."""
    reading = {
        "name": sheet["name"],
        "hidden": sheet["hidden"],
        "header": sheet["has_header"],
        "first_row": sheet["first_row"],
        "rows_above_table": len(sheet["lines_above"]),
    }
    return reading if alone else reading | made.details


def _warnings(found: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a warning for each choice that was not certain."""
    sheets, marks = found["sheets"], found["marks"]
    hidden = [sheet["name"] for sheet in sheets if sheet["hidden"]]
    if hidden:
        yield Problem("hidden_sheets", f"Hidden sheets were read, too: {_listed(hidden)}.")
    if marks["errors"]:
        yield Problem(
            "cell_errors", f"Cells with an error such as #N/A are null: {marks['errors']}."
        )
    if marks["unstored"]:
        yield Problem(
            "formulas_without_values",
            f"Formulas without a stored value are null: {marks['unstored']}. Open the "
            "workbook in a spreadsheet program and save it again.",
        )
    if marks["leading_zeros"]:
        yield Problem(
            "leading_zeros",
            "The workbook has a number format that shows leading zeros, such as 00000; the table "
            "has the numbers without them. Store codes as text.",
        )
    for sheet in sheets:
        yield from _sheet_warnings(sheet)


def _sheet_warnings(sheet: Mapping[str, Any]) -> Iterator[Problem]:
    where = f"in the sheet {sheet['name']!r}"
    if sheet["lines_above"]:
        yield Problem(
            "lines_above_table",
            f"Rows above the table {where} were skipped: {len(sheet['lines_above'])}. The first is "
            f"{shortened(sheet['lines_above'][0])!r}.",
        )
    if not sheet["has_header"]:
        yield Problem(
            "no_header",
            f"The first row {where} was read as data, since it holds numbers, dates or the "
            "like; the columns are numbered.",
        )
    if sheet["doubtful_header"]:
        yield Problem(
            "header_of_values",
            f"The first row {where} was read as the header, although it holds numbers or "
            "dates. If it is data, add a row of names above it.",
        )
    if sheet["missing"]:
        names = _listed(sheet["missing"])
        yield Problem(
            "missing_values",
            f"Markers such as NA and - were read as missing values in {names} {where}.",
        )
    if sheet["mixed"]:
        yield Problem(
            "mixed_as_text",
            f"Columns of texts beside numbers, dates or booleans are text {where}: "
            f"{_listed(sheet['mixed'])}.",
        )
    if sheet["durations"]:
        yield Problem(
            "durations_as_text",
            f"Durations are text, h:mm:ss, {where}: {_listed(sheet['durations'])}.",
        )
    if sheet["many_digits"]:
        yield Problem(
            "many_digits",
            f"Whole numbers of more than 15 digits, which spreadsheet programs round, are {where}: "
            f"{_listed(sheet['many_digits'])}. Store such numbers as text.",
        )
    if sheet["merged"]:
        yield Problem("merged_cells", f"Cells {where} are merged: the first of them has the value.")
    if sheet["divided"]:
        yield Problem(
            "divided_table",
            f"A blank row or column divides the cells {where}; they were read as one table.",
        )
    if sheet["total"]:
        yield Problem(
            "total_row", f"The last row {where} looks like a sum; it is a row like the others."
        )


def _listed(names: Sequence[str]) -> str:
    others = f" and {len(names) - _NAMED} others" if len(names) > _NAMED else ""
    return ", ".join(name or "a column without a name" for name in names[:_NAMED]) + others
