"""What a delimited text looks like: its delimiter, its header, where its rows begin."""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from data_transformer import forms
from data_transformer.columns import MISSING
from uploads.table_options import TableOptions

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterator

    from data_transformer.forms import Form

_NOTHING_TOLD: Final = TableOptions()
DELIMITERS: Final = (",", ";", "\t", "|")
_RECORDS: Final = 200
_MOST_LINES_ABOVE: Final = 20
_VALUE: Final = re.compile(
    rf"\s*({forms.NUMBER}|true|false|\d{{4}}-\d\d-\d\d([ T]\S*)?)\s*", re.IGNORECASE
)
_PERIOD: Final = re.compile(r"(19|20)\d\d(-\d\d(-\d\d)?)?")
_COMMA_NUMBER: Final = re.compile(r"\s*[-+]?\d+,\d+\s*")
_POINT_NUMBER: Final = re.compile(r"\s*[-+]?\d+\.\d+\s*")
# Blanks around numbers, or in front of a quote.
_PADDED: Final = re.compile(r"(?:^|[,;\t|])[ ]+[-+]?\.?\d|\d[ ]+(?:[,;\t|]|$)", re.MULTILINE)
_THOUSANDS: Final = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
# Excel's way to name the delimiter, in the first line.
_NAMED_DELIMITER: Final = re.compile(r'"?sep=(.)"?\n')

_LONGEST_UNIT: Final = 12
_WELL: Final = 0.9  # share of records with the usual number of cells

csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a delimited text.

    Attributes:
        delimiter: one of `DELIMITERS`, or the one that the text names itself.
        names: a name for each column as the file gives it, empty where it gives none.
        has_header: whether the names are from the file.
        skip: bytes before the first row of data.
        skipped_lines: line ends in them.
        lines_above: lines above the table that are neither blank nor a part of it.
        decimal: decimal mark of its numbers.
        doubtful_header: whether the header holds numbers or dates, as a row of data may.
        padded: whether numbers have blanks around them.
        versions: places of columns that hold versions, which look like numbers.
        forms: how the text has to be rewritten before it is read, in this order.
        row_names: whether the header has no name for the first column, as R writes it.
        units: the second line, where it holds units; it is among what is skipped.
    """

    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    skip: int
    skipped_lines: int
    lines_above: tuple[str, ...] = ()
    decimal: str = "."
    doubtful_header: bool = False
    padded: bool = False
    versions: frozenset[int] = frozenset()
    forms: tuple[Form, ...] = ()
    row_names: bool = False
    units: tuple[str, ...] = ()

    @property
    def written_delimiter(self) -> str:
        """What divides the cells in the text as it was sent."""
        return next((form.written for form in self.forms if form.written), self.delimiter)


def sniff(
    sample: bytes, *, whole: bool, named: str | None = None, told: TableOptions = _NOTHING_TOLD
) -> Dialect | None:
    """Return the dialect of a text by its beginning, or None when there is nothing but blanks.

    Args:
        sample: UTF-8 text with line feeds for line ends.
        whole: whether the sample is the whole text; else its last record may be cut.
        named: the delimiter that the file's name tells; taken if it divides the text well.
        told: what is known of the table.
    """
    lines_told = told.skip or 0
    lines_on = sample.split(b"\n", lines_told)
    text = lines_on[lines_told].decode("utf-8", "replace") if len(lines_on) > lines_told else ""
    body = text.lstrip("\n")
    skipped = len(text) - len(body) + lines_told
    candidates: tuple[str, ...] = DELIMITERS
    if first_line := _NAMED_DELIMITER.match(body):
        candidates, named = (first_line[1],), None
        body = body[first_line.end() :]
        skipped += 1
    if told.delimiter:
        candidates, named = (told.delimiter,), None
    if not body.strip():
        return None
    found, body, delimiter, records = _divided(body, candidates, named, whole=whole)
    above = _lines_above(body, delimiter, records) if told.skip is None else 0
    if above:
        lines = body.splitlines(keepends=True)
        body = "".join(lines[above:])
        skipped += above
        records = _records(body, delimiter, whole=whole)
    first, *rest = records
    usual = Counter(map(len, rest)).most_common(1)[0][0] if rest else len(first)
    has_header = is_header(first, rest) if told.header is None else told.header
    names, row_names = [""] * usual, False
    units: tuple[str, ...] = ()
    if has_header:
        header_lines = _lines_of_first(body, delimiter)
        names = [name.strip() for name in first]
        while len(names) > usual and not names[-1]:
            names.pop()
        if _are_units(rest):
            units = tuple(rest.pop(0))
            below = "".join(body.splitlines(keepends=True)[header_lines:])
            header_lines += _lines_of_first(below, delimiter)
        skipped += header_lines
        row_names = len(names) == usual - 1 and any(len(r) == usual and r[-1] for r in rest)
    more = max(0, usual - len(names))
    names = ["", *names] if row_names else [*names, *[""] * more]
    skip = len(_original_bytes(sample, skipped))
    return Dialect(
        delimiter,
        tuple(names),
        has_header,
        skip,
        sample.count(b"\n", 0, skip),
        tuple(line.strip() for line in lines[:above] if line.strip()) if above else (),
        told.decimal or _decimal_mark(delimiter, rest),
        has_header and told.header is None and any(_VALUE.fullmatch(cell) for cell in first),
        bool(_PADDED.search(body)),
        frozenset(_versions(rest)),
        found,
        row_names,
        units,
    )


def _divided(
    body: str, candidates: tuple[str, ...], named: str | None, *, whole: bool
) -> tuple[tuple[Form, ...], str, str, list[list[str]]]:
    """Return how a text is to be rewritten, the text so rewritten, its delimiter and its records.

    Args:
        body: the text.
        candidates: delimiters that it may have; only one where the text itself names it.
        named: see `sniff`.
        whole: see `sniff`.
    """
    found: tuple[Form, ...] = ()
    if quotes := forms.of_quotes(body):
        found, body = (quotes,), quotes.rewrite(body)
    delimiter, records = _best(body, candidates, whole=whole)
    if named:
        by_name = _records(body, named, whole=whole)
        if _consistency(by_name)[0] >= _WELL:
            delimiter, records = named, by_name
    if len(candidates) == 1 or max(map(len, records)) > 1:
        return found, body, delimiter, records
    divided = forms.of_one_column(body, whole=whole)
    if not divided:
        return found, body, delimiter, records
    again, body, delimiter, records = _divided(divided.rewrite(body), ("\t",), None, whole=whole)
    return (*found, divided, *again), body, delimiter, records


def _best(body: str, candidates: tuple[str, ...], *, whole: bool) -> tuple[str, list[list[str]]]:
    """Return the delimiter that divides a text best, and the records that it gives."""
    return max(
        ((one, _records(body, one, whole=whole)) for one in candidates),
        key=lambda pair: _consistency(pair[1]),
    )


def _are_units(rows: list[list[str]]) -> bool:
    """Tell whether the first row below the header holds units: words above numbers alone.

    Each of its cells is short and no value, and most columns below hold values without exception.
    """
    if len(rows) < 3 or len(rows[0]) < 2:
        return False
    first, *below = rows
    filled = [cell for cell in first if cell.strip()]
    if len(filled) * 2 < len(first) or any(
        len(cell) > _LONGEST_UNIT or _VALUE.fullmatch(cell) or cell.strip() in MISSING
        for cell in filled
    ):
        return False
    columns = list(zip(*(row for row in below if len(row) == len(first)), strict=False))
    valued = sum(all(map(_VALUE.fullmatch, filter(None, column))) for column in columns)
    return bool(columns) and valued * 2 > len(first)


def _versions(records: list[list[str]]) -> Iterator[int]:
    """Yield the places of columns that hold 1.9 and 1.10: as numbers, 1.10 would be 1.1."""
    for place, cells in enumerate(itertools.zip_longest(*records, fillvalue="")):
        found = {cell for cell in cells if cell}
        if all(map(_POINT_NUMBER.fullmatch, found)) and any(
            cell.endswith(".9") and f"{cell[:-1]}10" in found for cell in found
        ):
            yield place


def _lines_above(body: str, delimiter: str, records: list[list[str]]) -> int:
    """Return the number of lines above a table of several columns: comments, or a title.

    A comment begins with #, and has not the number of cells that rows have ("#,name" is a header).
    A title is a line with one cell, and a blank line divides it from the table.
    """
    usual = Counter(map(len, records)).most_common(1)[0][0]
    if usual == 1:
        return 0
    lines = body.split("\n")[: _MOST_LINES_ABOVE + 1]
    above = 0
    while above < len(lines) - 1 and lines[above].startswith("#"):
        if lines[above].count(delimiter) == usual - 1:
            break
        above += 1
    titles = len(list(itertools.takewhile(lambda record: len(record) == 1, records[above:])))
    if titles and "" in lines[above : above + titles + 1]:
        seen = 0
        while above < len(lines) - 1 and (seen < titles or not lines[above]):
            seen += bool(lines[above])
            above += 1
    return above


def _original_bytes(sample: bytes, lines: int) -> bytes:
    return b"".join(islice(io.BytesIO(sample), lines))


def _lines_of_first(text: str, delimiter: str) -> int:
    reader = _reader(text, delimiter)
    next(reader)
    return reader.line_num


def _reader(text: str, delimiter: str) -> _csv.Reader:
    """Return a reader of records; it passes over blanks in front of a cell or its quote."""
    file = io.StringIO(text, newline="\n")
    return csv.reader(file, delimiter=delimiter, skipinitialspace=True)


def _records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    records = [record for record in islice(_reader(text, delimiter), _RECORDS) if record]
    if not whole and 1 < len(records) < _RECORDS:
        records.pop()
    return records


def _consistency(records: list[list[str]]) -> tuple[float, bool, int, float]:
    """Rate a delimiter: the share of records of the usual length, whether the first has it, too.

    The exact share decides between delimiters that are alike otherwise. One that divides the
    first record into fewer cells than the others stands in cells: "52,1" below "price".
    """
    lengths = Counter(map(len, records))
    usual, count = max(lengths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    if usual == 1:
        return (0.0, False, 1, 0.0)
    share = count / len(records)
    return (round(share, 1), len(records[0]) > 1, usual, share)


def is_header(first: list[str], rest: list[list[str]]) -> bool:
    """Tell names from values: a row with a number, date or boolean in it is no header.

    But years, months and days above columns (a table spread out over them) are names, if they are
    not also below; and so are steps in a row (2018, 2019, … or 0, 1, …), if the rows below have
    none; and so is what stands right of an empty corner, above a column that is filled.
    """
    valued = [place for place, cell in enumerate(first) if _VALUE.fullmatch(cell)]
    if not valued:
        return True
    cells = [first[place] for place in valued]
    if len(set(cells)) < len(cells):
        return False
    if not first[0] and len(cells) == len(first) - 1 > 1 and len(rest) > 1:
        # The corner of a table with names of rows.
        return all(record[0] for record in rest)
    below = [[record[place] for place in valued if place < len(record)] for record in rest]
    if _are_steps(cells) and (cells[0] == "0" or all(map(_PERIOD.fullmatch, cells))):
        return bool(rest) and not any(_are_steps(record) for record in below)
    periods = all(_PERIOD.fullmatch(cell) for cell in cells)
    named = len(cells) > 1 or (len(first) > 1 and bool(rest))
    return periods and named and not any(_PERIOD.fullmatch(c) for record in below for c in record)


def _are_steps(cells: list[str]) -> bool:
    """Return whether cells are whole numbers, each one more than the last."""
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _decimal_mark(delimiter: str, records: list[list[str]]) -> str:
    """Return the decimal mark: a comma if numbers have one, and none of them a point.

    A comma between groups of three digits alone may divide thousands.
    """
    cells = [cell for record in records for cell in record]
    commas = [cell for cell in cells if _COMMA_NUMBER.fullmatch(cell)]
    if (
        delimiter == ","
        or all(_THOUSANDS.fullmatch(cell) for cell in commas)
        or any(_POINT_NUMBER.fullmatch(cell) for cell in cells)
    ):
        return "."
    return ","
