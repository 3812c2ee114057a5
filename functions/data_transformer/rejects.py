"""The rows that do not fit: where they are in the text, word for word.

DuckDB tells a row that it cannot split by its place in bytes, and one with a value of another type
by its number among the rows that it can. Lines have to be counted in the text itself.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BLOCK: Final = 8 * 1024
_END: Final = 2**63
_LINE_FEED: Final = 10


@dataclass(frozen=True, slots=True)
class Unsplit:
    """A row that is no row of the table.

    Attributes:
        position: of its first byte, from 0.
        reason: why it is none.
        raw: its text.
        exact: whether that is its text byte for byte, so that the next row begins behind it.
    """

    position: int
    reason: str
    raw: str
    exact: bool


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row with a value of another type: its number, from 1, among those that can be split."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A line of `rejects.jsonl`."""

    line: int
    column: str | None
    reason: str
    raw: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def locate(
    text: Iterable[bytes],
    delimiter: str,
    first_line: int,
    unsplit: Iterable[Unsplit],
    misfits: Iterator[Misfit],
    *,
    blank_is_row: bool,
) -> Iterator[Reject]:
    """Yield the rejects in the order of the text.

    Args:
        text: chunks of the text, from the first row on.
        delimiter: between cells.
        first_line: number of the line that the text begins with.
        unsplit: in the order of the text.
        misfits: in the order of the text.
        blank_is_row: whether an empty line is a row (of a single column) and not passed over.
    """
    records = _Records(text, delimiter, first_line, blank_is_row=blank_is_row)
    rows = 0
    misfit = next(misfits, None)
    for bad in (*unsplit, None):
        end = bad.position if bad else _END
        while misfit:
            rows += records.skip(misfit.row - rows - 1, end)
            if rows < misfit.row - 1 or records.position >= end:
                break
            records.skip_blank_lines()
            line, raw = records.line, records.take()
            rows += 1
            yield Reject(line, misfit.column, misfit.reason, raw)
            misfit = next(misfits, None)
        if bad:
            rows += records.skip(_END, end)
            records.skip_blank_lines()
            yield Reject(records.line, None, bad.reason, bad.raw)
            records.take(len(bad.raw.encode()) + 1 if bad.exact else 0)


class _Records:
    """Goes through the records of a text."""

    def __init__(
        self, text: Iterable[bytes], delimiter: str, line: int, *, blank_is_row: bool
    ) -> None:
        self._text = iter(text)
        self._buffer = b""
        self._at = 0
        self._before = 0
        self.line = line
        self._blank_is_row = blank_is_row
        mark = re.escape(delimiter.encode())
        bare = rb"[^\n%b]*+" % mark
        cell = rb'(?: *"(?:[^"]++|"")*+"%b|%b)' % (bare, bare)
        self._record = re.compile(rb"%b(?:%b%b)*+\n?" % (cell, mark, cell))

    @property
    def position(self) -> int:
        """First byte of the next record, from 0."""
        return self._before + self._at

    def skip(self, records: int, end: int) -> int:
        """Pass over so many records, but none at byte `end` or behind it; return how many."""
        left = records
        while left and self._fill() and self.position < end:
            left -= self._skip_block(left, end) or self._skip_record()
        return records - left

    def skip_blank_lines(self) -> None:
        """Go to the beginning of a record."""
        while self._fill() and not self._blank_is_row and self._buffer[self._at] == _LINE_FEED:
            self._move(self._at + 1)

    def take(self, length: int = 0) -> str:
        """Pass over so many bytes, or the next record; return the text without its line end."""
        self._fill()
        while length and len(self._buffer) - self._at < length and self._more():
            pass
        stop = self._at + length if length else self._end_of_record()
        raw = self._buffer[self._at : stop]
        self._move(stop)
        return raw.removesuffix(b"\n").decode("utf-8", "replace")

    def _skip_block(self, records: int, end: int) -> int:
        """Pass over whole lines without quotes, if they are no more records than wanted."""
        stop = min(self._at + _BLOCK, end - self._before, len(self._buffer))
        quote = self._buffer.find(b'"', self._at, stop)
        block = self._buffer[self._at : stop if quote < 0 else quote]
        block = block[: block.rfind(b"\n") + 1]
        count = block.count(b"\n")
        if not self._blank_is_row and (block.startswith(b"\n") or b"\n\n" in block):
            return 0
        if not 0 < count <= records:
            return 0
        self._at += len(block)
        self.line += count
        return count

    def _skip_record(self) -> int:
        """Pass over a record; return 1, or 0 for an empty line that is no row."""
        stop = self._end_of_record()
        is_row = self._blank_is_row or self._buffer[self._at : stop] != b"\n"
        self._move(stop)
        return int(is_row)

    def _end_of_record(self) -> int:
        while True:
            found = self._record.match(self._buffer, self._at)
            stop = found.end() if found else len(self._buffer)
            if stop < len(self._buffer) or not self._more():
                return stop

    def _move(self, stop: int) -> None:
        self.line += self._buffer.count(b"\n", self._at, stop)
        self._at = min(stop, len(self._buffer))

    def _fill(self) -> bool:
        """Have a block to look at; tell whether anything is left."""
        while len(self._buffer) - self._at < _BLOCK and self._more():
            pass
        return self._at < len(self._buffer)

    def _more(self) -> bool:
        """Forget what is behind, read another chunk; tell whether there was one."""
        chunk = next(self._text, None)
        if chunk is None:
            return False
        self._before += self._at
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True
