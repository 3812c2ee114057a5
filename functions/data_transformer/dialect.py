"""What a delimited text looks like: its delimiter, its header, where its rows begin."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DELIMITERS: Final = (",", ";", "\t", "|")
_RECORDS: Final = 200
_VALUE: Final = re.compile(
    r"\s*([-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?|true|false|\d{4}-\d\d-\d\d([ T]\S*)?)\s*", re.IGNORECASE
)
_YEAR: Final = re.compile(r"(19|20)\d\d")

csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to read a delimited text.

    Attributes:
        delimiter: one of `DELIMITERS`.
        names: a name for each column as the file gives it, empty where it gives none.
        has_header: whether the names are from the file.
        skip: bytes before the first row of data.
        skipped_lines: line ends in them.
    """

    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    skip: int
    skipped_lines: int


def sniff(sample: bytes, *, whole: bool) -> Dialect | None:
    """Return the dialect of a text by its beginning, or None when there is nothing but blanks.

    Args:
        sample: UTF-8 text with line feeds for line ends.
        whole: whether the sample is the whole text; else its last record may be cut.
    """
    text = sample.decode("utf-8", "replace")
    body = text.lstrip("\n")
    blank = len(text) - len(body)
    if not body.strip():
        return None
    delimiter, records = max(
        ((one, _records(body, one, whole=whole)) for one in DELIMITERS),
        key=lambda pair: _consistency(pair[1]),
    )
    first, *rest = records
    usual = Counter(map(len, rest)).most_common(1)[0][0] if rest else len(first)
    has_header = _is_header(first, rest)
    skip, skipped_lines = blank, blank
    if has_header:
        used = _lines_of_first(body, delimiter)
        header = "".join(islice(io.StringIO(body, newline="\n"), used))
        skip += len(_original_bytes(sample[blank:], used))
        skipped_lines += header.count("\n")
        names = [name.strip() for name in first]
        while len(names) > usual and not names[-1]:
            names.pop()
    else:
        names = [""] * usual
    more = max(0, usual - len(names))
    return Dialect(delimiter, (*names, *[""] * more), has_header, skip, skipped_lines)


def _original_bytes(sample: bytes, lines: int) -> bytes:
    return b"".join(islice(io.BytesIO(sample), lines))


def _lines_of_first(text: str, delimiter: str) -> int:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    next(reader)
    return reader.line_num


def _records(text: str, delimiter: str, *, whole: bool) -> list[list[str]]:
    reader: Iterator[list[str]] = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    records = [record for record in islice(reader, _RECORDS) if record]
    if not whole and 1 < len(records) < _RECORDS:
        records.pop()
    return records


def _consistency(records: list[list[str]]) -> tuple[float, int]:
    """Rate a delimiter: the share of records of the usual length, then that length."""
    lengths = Counter(map(len, records))
    usual, count = max(lengths.items(), key=lambda item: (item[1], item[0]))
    if usual == 1:
        return (0.0, 1)
    return (round(count / len(records), 1), usual)


def _is_header(first: list[str], rest: list[list[str]]) -> bool:
    """Tell names from values: a row with a number, date or boolean in it is no header.

    Years above columns (a table spread out over them) are names, if not all rows are such.
    """
    valued = [cell for cell in first if _VALUE.fullmatch(cell)]
    if not valued:
        return True
    years = all(_YEAR.fullmatch(cell) for cell in valued)
    return (
        years
        and len(set(valued)) == len(valued) > 1
        and not any(_YEAR.fullmatch(cell) for record in rest for cell in record[-1:])
    )
