"""Detects the dialect of a delimited text: delimiter, header, where the rows begin."""

from __future__ import annotations

import io
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from data_transformer import bounds, forms
from data_transformer.messages import shortened
from uploads.result import Problem
from uploads.table_options import TableOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from data_transformer.forms import Form

_NO_OPTIONS: Final = TableOptions()
DELIMITERS: Final = (",", ";", "\t", "|")
# Of Hive, and of others who want no delimiter to be in a cell.
UNUSUAL_DELIMITERS: Final = ("^", "~", "\x01", "\x1f")
_RECORDS: Final = 200
_MARKED: Final = re.compile(r"[ ]*[-+]?\d+[.,]\d+[ ]*")
_POINT_THOUSANDS: Final = re.compile(r"\s*[-+]?[1-9]\d{0,2}\.\d{3}\s*")
# Blanks around numbers, or in front of a quote.
_PADDED: Final = re.compile(r"(?:^|[,;\t|])[ ]+[-+]?\.?\d|\d[ ]+(?:[,;\t|]|$)", re.MULTILINE)
_THOUSANDS: Final = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")
# Excel's way to name the delimiter, in the first line.
_NAMED_DELIMITER: Final = re.compile(r'"?sep=(.)"?\n')
_WELL: Final = 0.9  # share of records with the usual number of cells


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
        thousands: places of columns whose points may divide groups of three digits.
        missing_names: how many names the header has less than the rows have cells.
        forms: how the text has to be rewritten before it is read, in this order.
        row_names: whether the header has no name for the first column, as R writes it.
        units: the second line, where it holds units; it is skipped.
        header: the line of the header with its line end; empty if there is none, or several lines.
        lines_below: lines below the table that do not belong to it.
        end: place of the first of them in the text.
        is_header_sure: whether the options say so, or a column below a name holds values only.
        is_header_missed: whether the first row was found to hold no names.
        divider: what may divide the only column into several, since it is in all lines.
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
    forms: tuple[Form, ...] = ()
    row_names: bool = False
    units: tuple[str, ...] = ()
    header: bytes = b""
    lines_below: tuple[str, ...] = ()
    end: int | None = None
    is_header_sure: bool = False
    is_header_missed: bool = False
    divider: str = ""
    thousands: frozenset[int] = frozenset()
    missing_names: int = 0

    @property
    def written_delimiter(self) -> str:
        """The delimiter of the text as it was uploaded."""
        return next((form.written for form in self.forms if form.written), self.delimiter)

    def warnings(self) -> Iterator[Problem]:
        """Yield a warning for each choice that was not certain."""
        if self.lines_above:
            yield Problem(
                "lines_above_table",
                f"Lines above the table were skipped: {len(self.lines_above)}. The first is "
                f"{shortened(self.lines_above[0])!r}.",
            )
        if self.lines_below:
            yield Problem(
                "lines_below_table",
                f"Lines below the table were skipped: {len(self.lines_below)}. The first is "
                f"{shortened(self.lines_below[0])!r}.",
            )
        for form in self.forms:
            yield form.warning
        if self.delimiter in UNUSUAL_DELIMITERS:
            yield Problem(
                "unusual_delimiter",
                f"{self.delimiter!r} was read as what divides the columns.",
            )
        if self.divider:
            yield Problem(
                "one_column",
                f"The text was read as one column, although {self.divider!r} is in each of its "
                "lines. If that divides columns, name it as the delimiter.",
            )
        if self.row_names:
            yield Problem(
                "row_names",
                "The header has one name less than the rows have cells: the first column was read "
                "as names of rows, as R writes them.",
            )
        if self.missing_names:
            yield Problem(
                "missing_names",
                "The last columns are numbered, since the header has no names of them: "
                f"{self.missing_names}. If a comma in numbers is a decimal mark, another "
                "delimiter is needed.",
            )
        if self.units:
            yield Problem(
                "units_below_header",
                "The line below the header was read as units and is not in the table: "
                f"{shortened(', '.join(self.units))}.",
            )
        if self.is_header_missed:
            yield Problem(
                "no_header",
                "The first row was read as data, since it holds numbers, dates or the like; the "
                "columns are numbered. If it is the header, set the option header.",
            )
        if self.doubtful_header:
            yield Problem(
                "header_of_values",
                "The first row was read as the header, although it holds numbers or dates. If it "
                "is data, add a row of names above it.",
            )


def sniff(
    sample: bytes, *, whole: bool, named: str | None = None, given: TableOptions = _NO_OPTIONS
) -> Dialect | None:
    """Return the dialect of a text by its beginning, or None when there is nothing but blanks.

    Args:
        sample: UTF-8 text with line feeds for line ends.
        whole: whether the sample is the whole text; else its last record may be cut.
        named: the delimiter implied by the file's name; used if it splits the text well.
        given: options of the upload or the environment.
    """
    lines_given = given.skip or 0
    lines_on = sample.split(b"\n", lines_given)
    text = lines_on[lines_given].decode("utf-8", "replace") if len(lines_on) > lines_given else ""
    body = text.lstrip("\n")
    skipped = len(text) - len(body) + lines_given
    candidates: tuple[str, ...] = DELIMITERS
    if first_line := _NAMED_DELIMITER.match(body):
        candidates, named = (first_line[1],), None
        body = body[first_line.end() :]
        skipped += 1
    if given.delimiter:
        candidates, named = (given.delimiter,), None
    if not body.strip():
        return None
    comments = 0 if given.skip is not None else _comments(body, candidates, named, whole=whole)
    *lines, body = body.split("\n", comments)
    found, body, delimiter, records = _divided(body, candidates, named, whole=whole)
    above, below, end = 0, [], None
    if given.skip is None:
        above = bounds.lines_above(body, delimiter, records)
        below = bounds.lines_below(body, delimiter, records) if whole else []
    if below:
        kept = body.rstrip("\n").split("\n")[: -len(below)]
        body = "\n".join([*kept, ""])
        end = len(_first_lines(sample, sample.rstrip(b"\n").count(b"\n") + 1 - len(below)))
    *titles, body = body.split("\n", above)
    skipped += comments + above
    if above or below:
        records = _records(body, delimiter, whole=whole)
    first, *rest = records
    usual = bounds.usual_length(rest or records)
    has_header = bounds.is_header(first, rest) if given.header is None else given.header
    names, row_names = [""] * usual, False
    units: tuple[str, ...] = ()
    header_lines = 0
    if has_header:
        header_lines = _lines_of_first(body, delimiter)
        names = [name.strip() for name in first]
        while len(names) > usual and not names[-1]:
            names.pop()
        if bounds.are_units(rest):
            units = tuple(rest.pop(0))
            header_lines += _lines_of_first(body.split("\n", header_lines)[header_lines], delimiter)
        skipped += header_lines
        row_names = len(names) == usual - 1 and any(len(r) == usual and r[-1] for r in rest)
    more = max(0, usual - len(names))
    names = ["", *names] if row_names else [*names, *[""] * more]
    skip = len(_first_lines(sample, skipped))
    header_start = sample.rfind(b"\n", 0, max(0, skip - 1)) + 1
    return Dialect(
        delimiter,
        tuple(names),
        has_header,
        skip,
        sample.count(b"\n", 0, skip),
        tuple(line.strip() for line in (*lines, *titles) if line.strip()),
        given.decimal or _decimal_mark(delimiter, rest, body),
        has_header and given.header is None and any(bounds.VALUE.fullmatch(cell) for cell in first),
        bool(_PADDED.search(body)),
        found,
        row_names,
        units,
        sample[header_start:skip] if has_header and not units and header_lines == 1 else b"",
        tuple(line.strip() for line in below if line.strip()),
        end,
        bool(
            given.header
            or (has_header and bounds.has_word_above_values(first, [r for r in rest if r != first]))
        ),
        given.header is None and not has_header,
        _divider(records) if len(names) == 1 else "",
        # Where a comma is the decimal mark, programs write semicolons, and points in thousands.
        frozenset(_thousands(rest) if delimiter == ";" and not given.decimal else ()),
        0 if not has_header or row_names else _missing_names(first, rest, usual),
    )


def _comments(body: str, candidates: tuple[str, ...], named: str | None, *, whole: bool) -> int:
    """Return the number of lines of comments, which begin with #, above a table of several columns.

    A line that begins so may also be the header (`#id,name`), or data.

    Args:
        body: the text.
        candidates: see `_divided`.
        named: see `sniff`.
        whole: see `sniff`.
    """
    number = bounds.comments(body)
    *lines, rest = body.split("\n", number)
    if not number or not rest.strip():
        return 0
    _, _, delimiter, (first, *others) = _divided(rest, candidates, named, whole=whole)
    usual = bounds.usual_length([first, *others])
    if usual == 1:
        return 0
    if bounds.has_word_above_values(first, others) or (
        bounds.is_header(first, others) and lines[-1].startswith("# ")
    ):
        return number
    fits = (line.count(delimiter) == usual - 1 for line in lines)
    return next((place for place, fit in enumerate(fits) if fit), number)


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
    for form in filter(None, (forms.of_lines(body), forms.of_quotes(body))):
        found, body = (*found, form), form.rewrite(body)
    delimiter, records = _best(body, candidates, whole=whole)
    if named:
        by_name = _records(body, named, whole=whole)
        if _consistency(by_name)[0] >= _WELL:
            delimiter, records = named, by_name
    if len(candidates) == 1 or _consistency(records)[0] >= _WELL:
        return found, body, delimiter, records
    if max(map(len, records)) == 1:
        unusual, divided_by_it = _best(body, UNUSUAL_DELIMITERS, whole=whole)
        if _consistency(divided_by_it)[0] == 1:
            return found, body, unusual, divided_by_it
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


def _divider(records: list[list[str]]) -> str:
    """Return the delimiter that occurs equally often in all records; empty if none does."""
    texts = [" ".join(record) for record in records]
    candidates = [one for one in dict.fromkeys(texts[0]) if not (one.isalnum() or one in "_ \"'")]
    if len(texts) > 1:
        for one in candidates:
            if len({text.count(one) for text in texts}) == 1:
                return one
        if all(re.search(r"\S {2,}\S", text) for text in texts):
            return " "
    return ""


def _thousands(records: list[list[str]]) -> Iterator[int]:
    """Yield the places of columns in which each number is such as 12.500: 12½, or 12,500."""
    for place, cells in enumerate(itertools.zip_longest(*records, fillvalue="")):
        found = {cell for cell in cells if cell}
        if found and all(map(_POINT_THOUSANDS.fullmatch, found)):
            yield place


def _missing_names(first: list[str], rest: list[list[str]], usual: int) -> int:
    """Return how many cells rows have behind the header's last one, 0 if none is filled."""
    if any(cell.strip() for record in rest for cell in record[len(first) : usual]):
        return usual - len(first)
    return 0


def _first_lines(sample: bytes, lines: int) -> bytes:
    return b"".join(islice(io.BytesIO(sample), lines))


def _lines_of_first(text: str, delimiter: str) -> int:
    reader = bounds.reader(text, delimiter)
    next(reader)
    return reader.line_num


def _records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    records = [record for record in islice(bounds.reader(text, delimiter), _RECORDS) if record]
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


def _decimal_mark(delimiter: str, records: list[list[str]], text: str) -> str:
    """Return the decimal mark: a comma if numbers have one, and none of them a point.

    A comma between groups of three digits alone may divide thousands.

    Args:
        delimiter: of the text.
        records: the first ones.
        text: where to look if no number among these has a mark.
    """
    if delimiter == ",":
        return "."
    cells: Iterable[str] = (cell for record in records for cell in record)
    marked = [cell for cell in cells if _MARKED.fullmatch(cell)]
    if not marked:
        mark = re.escape(delimiter)
        cell = rf'(?:^|{mark})"?({_MARKED.pattern})(?="?(?:{mark}|$))'
        marked = re.findall(cell, text, re.MULTILINE)
    commas = [cell for cell in marked if "," in cell]
    points = len(commas) < len(marked)
    return "." if points or all(map(_THOUSANDS.fullmatch, commas)) else ","
