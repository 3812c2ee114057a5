"""Reads the sheets of a workbook into CSV files, in a separate process.

    python -m data_transformer.sheets WORKBOOK FOLDER MIB

A workbook has to be in memory as a whole, and a small file can unfold to more than there is. So
`workbook_reader` runs this with a memory limit, which ends it and leaves the function alive. The
answer, on standard output, is JSON: an object with `sheets`, a list of `Sheet`, and `marks`, a
`Marks`; or one with `code` and `message` of a rejection.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import struct
import sys
import zipfile
import zlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import olefile
import python_calamine as calamine

from data_transformer.bounds import VALUE, is_header, is_total
from data_transformer.columns import MISSING, TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    type Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta

_CHUNK: Final = 1024 * 1024
# Where an XML workbook has cells, how one begins, and what one with an error looks like: in Excel's
# format, and in OpenDocument's, where LibreOffice marks errors by an attribute of its own
# (https://github.com/tafia/calamine/issues/720).
_CELLS: Final = {
    "xl/worksheets": (b"<c ", re.compile(rb'<c [^>]*\bt="e"')),
    "": (
        b"<table:table-cell ",
        re.compile(rb'<table:table-cell [^>]*\bcalcext:value-type="error"'),
    ),
}
_STREAMS: Final = ("Workbook", "Book")
_RECORD: Final = struct.Struct("<HH")  # kind and size
_BOOL_ERR, _FORMULA, _FORMAT = 0x0205, 0x0006, 0x041E
_ERROR_VALUE, _EMPTY_VALUE = 2, 3
_UNSTORED: Final = re.compile(rb"</f>\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
# A number format that shows leading zeros: in Excel's format, and in OpenDocument's.
_LEADING_ZEROS: Final = {
    "xl/styles.xml": re.compile(rb'formatCode="00'),
    "content.xml": re.compile(rb'<number:number [^>]*min-integer-digits="(?:[2-9]|\d\d+)"'),
}
_HEAD: Final = 200  # rows by which the header is found
_MOST_ROWS_ABOVE: Final = 20
_LARGEST: Final = 2**63  # whole numbers below fit into a BIGINT
# Spreadsheet programs keep 15 digits. Source: "Excel specifications and limits", Microsoft. Numbers
# beyond 64 bits are quantities, not identifiers.
_ROUNDED: Final = 10**15
_QUANTITY: Final = 2**64
_MANY_DIGITS: Final = "many digits"
_DURATION: Final = "duration"
_KINDS: Final = {
    bool: "BOOLEAN",
    dt.datetime: "TIMESTAMP",
    dt.date: "DATE",
    dt.time: "TIME",
    dt.timedelta: _DURATION,
}
# By the kinds of cells that a column has.
_TYPES: Final[dict[frozenset[str], str]] = {
    frozenset({"BOOLEAN"}): "BOOLEAN",
    frozenset({"BIGINT"}): "BIGINT",
    frozenset({"DOUBLE"}): "DOUBLE",
    frozenset({"BIGINT", "DOUBLE"}): "DOUBLE",
    frozenset({"DATE"}): "DATE",
    frozenset({"TIMESTAMP"}): "TIMESTAMP",
    frozenset({"DATE", "TIMESTAMP"}): "TIMESTAMP",
    frozenset({"TIME"}): "TIME",
}


@dataclass(slots=True)
class Sheet:
    """The contents of a sheet.

    Attributes:
        name: of the sheet.
        hidden: whether it is.
        file: name of the CSV file without a header: empty is null, all else is quoted.
        names: of the columns; empty where the sheet gives none.
        types: DuckDB types of the columns.
        has_header: whether the names are from the sheet.
        doubtful_header: whether some of them are numbers or dates, as in a row of data.
        rows: number of rows.
        first_row: number, from 1, of the first row below the names.
        lines_above: texts of the rows above the table.
        missing: names of typed columns with a marker of a missing value.
        mixed: names of columns that are text, since they hold texts beside other values.
        durations: names of columns that are text, since they hold durations.
        many_digits: names of columns with whole numbers of more digits than a workbook keeps.
        merged: whether cells below the header are merged; the first has the value.
        total: whether the last row begins with a word for a sum.
        divided: whether a blank row or column divides the table.
    """

    name: str
    hidden: bool
    file: str
    names: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    has_header: bool = True
    doubtful_header: bool = False
    rows: int = 0
    first_row: int = 1
    lines_above: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)
    durations: list[str] = field(default_factory=list)
    many_digits: list[str] = field(default_factory=list)
    merged: bool = False
    total: bool = False
    divided: bool = False


def read(path: Path, folder: Path) -> list[Sheet]:
    """Write each sheet that holds a table to `folder`; return their contents.

    Raises:
        calamine.CalamineError: the file is not a workbook, or is encrypted.
    """
    found = []
    with calamine.load_workbook(path) as book:
        for number, about in enumerate(book.sheets_metadata):
            if about.typ != calamine.SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_index(number)
            hidden = about.visible != calamine.SheetVisibleEnum.Visible
            read_sheet = _Reader(sheet, hidden=hidden)
            if read_sheet.write(folder / f"sheet-{number}.csv"):
                found.append(read_sheet.about)
    return found


class _Reader:
    def __init__(self, sheet: calamine.CalamineSheet, *, hidden: bool) -> None:
        self._sheet = sheet
        self.about = Sheet(sheet.name, hidden, "")

    def write(self, path: Path) -> bool:
        """Write the rows; return whether there are any."""
        start = self._sheet.start
        if start is None:
            return False
        head = list(islice(self._sheet.iter_rows(), _HEAD))
        if not any(map(_filled, head)):
            return False
        skip = self._find_header(head, start)
        self.about.first_row = start[0] + skip + 1
        kinds = self._kinds(skip)
        used = [place for place, kind in enumerate(kinds) if kind or self.about.names[place]]
        self.about.divided = self.about.divided or len(used) <= max(used, default=-1) - min(
            used, default=0
        )
        self.about.types = [self._type(kinds[place], self.about.names[place]) for place in used]
        self.about.names = [self.about.names[place] for place in used]
        self.about.file = path.name
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, quoting=csv.QUOTE_NOTNULL, lineterminator="\n")
            last: Sequence[Cell] = ()
            for row in self._rows(skip):
                rows.writerow(
                    [
                        _written(row[place], kind)
                        for place, kind in zip(used, self.about.types, strict=True)
                    ]
                )
                self.about.rows += 1
                last = row
        filled = [str(cell) for cell in last if not _is_empty(cell)]
        self.about.total = self.about.rows > 1 and is_total(filled)
        return bool(used)

    def _rows(self, skip: int) -> Iterator[list[Cell]]:
        """Yield the rows below the header that hold anything."""
        is_begun = is_blank = False
        for row in islice(self._sheet.iter_rows(), skip, None):
            if all(map(_is_empty, row)):
                is_blank = is_begun
            else:
                self.about.divided = self.about.divided or is_blank
                is_begun = True
                yield row

    def _find_header(self, head: list[list[Cell]], start: tuple[int, int]) -> int:
        """Find the names; return the number of rows before the first row of values."""
        above = _rows_above(head)
        self.about.lines_above = [
            " ".join(_text(cell) for cell in row if not _is_empty(cell))
            for row in head[:above]
            if _filled(row)
        ]
        first, *rest = head[above:]
        names = [_text(cell).strip() for cell in first]
        below = [[_text(cell).strip() for cell in row] for row in rest if _filled(row)]
        self.about.has_header = is_header(names, below)
        skip = above + self.about.has_header
        groups = self._groups(start, above) if self.about.has_header else []
        if groups and rest and _filled(rest[0]) and all(isinstance(c, str) for c in rest[0]):
            # Names in two rows: those of groups above those of columns.
            for left, right in groups:
                names[left : right + 1] = [names[left]] * (right - left + 1)
            second = [_text(cell).strip() for cell in rest[0]]
            pairs = zip(names, second, strict=True)
            names = [" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs]
            skip += 1
        self.about.names = names if self.about.has_header else [""] * len(first)
        self.about.doubtful_header = any(map(VALUE.fullmatch, self.about.names))
        merged = self._sheet.merged_cell_ranges or []
        self.about.merged = any(row >= start[0] + skip for (row, _), _ in merged)
        return skip

    def _groups(self, start: tuple[int, int], row: int) -> list[tuple[int, int]]:
        """Return the first and the last column of the merged cells of a row."""
        return [
            (left - start[1], right - start[1])
            for (top, left), (_, right) in self._sheet.merged_cell_ranges or []
            if top == start[0] + row and right > left
        ]

    def _kinds(self, skip: int) -> list[set[str]]:
        """Return the kinds of cells in each column."""
        kinds: list[set[str]] = [set() for _ in self.about.names]
        for row in self._rows(skip):
            for found, cell in zip(kinds, row, strict=True):
                if not _is_empty(cell):
                    kind = _kind(cell)
                    found.add(kind)
                    if _is_rounded(cell):
                        found.add(_MANY_DIGITS)
        return kinds

    def _type(self, kinds: set[str], name: str) -> str:
        """Return the type of a column."""
        values = kinds - {"marker", _MANY_DIGITS}
        if _MANY_DIGITS in kinds:
            self.about.many_digits.append(name)
        if found := _TYPES.get(frozenset(values)):
            if "marker" in kinds:
                self.about.missing.append(name)
            return found
        if _DURATION in values:
            self.about.durations.append(name)
        elif len(values) > 1:
            self.about.mixed.append(name)
        return TEXT


def _rows_above(head: list[list[Cell]]) -> int:
    """Return the number of rows above the table: titles, and what a blank row divides from it."""
    filled = [_filled(row) for row in head]
    # The width that has the most cells: titles and sums are many rows, but few cells.
    usual = max(Counter(filled).items(), key=lambda width: width[0] * width[1])[0]
    above = 0
    for place, number in enumerate(filled[: min(_MOST_ROWS_ABOVE, len(filled) - 1)]):
        if number == 0 and all(before < usual for before in filled[:place]):
            above = place + 1
    while above < len(head) - 1 and (filled[above] == 0 or (filled[above] == 1 and usual > 1)):
        above += 1
    return above


def _filled(row: Sequence[Cell]) -> int:
    return sum(not _is_empty(cell) for cell in row)


def _is_empty(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell.strip()


def _kind(cell: Cell) -> str:
    """Return the type of a cell, "marker" of one that stands for a missing value."""
    if isinstance(cell, str):
        return "marker" if cell.strip() in MISSING else TEXT
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return "BIGINT" if cell == int(cell) and abs(cell) < _LARGEST else "DOUBLE"
    return _KINDS[type(cell)]


def _is_rounded(cell: Cell) -> bool:
    """Return whether a cell is an identifier with more digits than a workbook keeps."""
    return isinstance(cell, float) and cell.is_integer() and _ROUNDED <= abs(cell) < _QUANTITY


def _written(cell: Cell, kind: str) -> str | None:
    """Return a cell for the CSV file of a column of this type."""
    if _is_empty(cell) or (kind != TEXT and isinstance(cell, str)):
        return None
    return _text(cell)


def _text(cell: Cell) -> str:
    """Return a cell as a sheet shows it without a format."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and _kind(cell) == "BIGINT":
        return str(int(cell))
    if isinstance(cell, dt.timedelta):
        seconds, sign = abs(cell).total_seconds(), "-" if cell < dt.timedelta() else ""
        return f"{sign}{int(seconds // 3600)}:{int(seconds // 60 % 60):02}:{seconds % 60:02.0f}"
    return str(cell)


@dataclass(slots=True)
class Marks:
    """Facts about the cells of a workbook that calamine does not give.

    Attributes:
        errors: number of cells with an error such as #N/A.
        unstored: number of formulas without a stored value.
        leading_zeros: whether a number format shows some, as for a ZIP code.
    """

    errors: int = 0
    unstored: int = 0
    leading_zeros: bool = False


def count_marks(path: Path, limit: int) -> Marks:
    """Look through the content of a workbook; of binary ones in a zip nothing is known.

    Raises:
        OverflowError: the content has more bytes than the limit.
    """
    if not zipfile.is_zipfile(path):
        return _marks_of_records(_old_workbook(path))
    marks, size = Marks(), 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if not name.endswith(".xml"):
                continue
            cell, error = _CELLS.get(name.rpartition("/")[0], (b"", None))
            rest = b""
            with archive.open(name) as file:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise OverflowError
                    if zeros := _LEADING_ZEROS.get(name):
                        marks.leading_zeros = marks.leading_zeros or bool(zeros.search(chunk))
                    if not error:
                        continue
                    # A cell that is not whole here is looked at with the next bytes.
                    text = rest + chunk
                    whole = max(0, text.rfind(cell))
                    rest = text[whole:]
                    marks.errors += len(error.findall(text, 0, whole))
                    marks.unstored += len(_UNSTORED.findall(text, 0, whole))
            if error:
                marks.errors += len(error.findall(rest))
                marks.unstored += len(_UNSTORED.findall(rest))
    return marks


def _old_workbook(path: Path) -> bytes:
    """Return the records of an .xls file; none if it is damaged, which calamine reports."""
    try:
        with olefile.OleFileIO(str(path)) as document:
            name = next(filter(document.exists, _STREAMS), None)
            return document.openstream(name).read() if name else b""
    except OSError:
        return b""


def _marks_of_records(records: bytes) -> Marks:
    """Return the marks of an .xls file.

    Formulas with an empty text are as if without a value where none has another value: so write
    libraries that do not calculate. Source: [MS-XLS] 2.4.24 BoolErr, 2.4.127 Formula and 2.5.133
    FormulaValue; 2.4.126 Format.
    """
    marks, place, formulas = Marks(), 0, 0
    while place + _RECORD.size <= len(records):
        kind, size = _RECORD.unpack_from(records, place)
        place += _RECORD.size
        if kind == _BOOL_ERR:
            marks.errors += records[place + 7 : place + 8] == b"\1"
        elif kind == _FORMULA:
            formulas += 1
            value = records[place + 6 : place + 14]
            if value[6:] == b"\xff\xff":
                marks.errors += value[0] == _ERROR_VALUE
                marks.unstored += value[0] == _EMPTY_VALUE
        elif kind == _FORMAT:
            text = records[place + 5 : place + size].replace(b"\0", b"")
            marks.leading_zeros = marks.leading_zeros or text.startswith(b"00")
        place += size
    if marks.unstored < formulas:
        marks.unstored = 0
    return marks


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit status."""
    path, folder, limit = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    answer: Any
    try:
        marks = asdict(count_marks(path, limit * 1024 * 1024))
        answer = {"sheets": [asdict(sheet) for sheet in read(path, folder)], "marks": marks}
    except OverflowError:
        message = f"The workbook holds more than {limit} MB when it is decompressed."
        answer = {"code": "too_large_decompressed", "message": message}
    except calamine.PasswordError:
        message = "The workbook is encrypted. Save it without a password."
        answer = {"code": "encrypted_file", "message": message}
    except (calamine.CalamineError, zipfile.BadZipFile, zlib.error) as error:
        message = "The workbook is damaged. Open it in a spreadsheet program and save it again."
        answer = {"code": "damaged_workbook", "message": message, "cause": str(error)}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
