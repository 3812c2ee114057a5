"""Splits a delimited text into rows and malformed rows, at some hundred megabytes a second.

DuckDB can skip malformed rows, but to report them it keeps about a kibibyte of each until the end:
a file of malformed rows takes any amount of memory. An unclosed quote also swallows the rows that
follow. So DuckDB gets only rows with valid quoting, and malformed rows are found here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CHUNK: Final = 1024 * 1024
_LOOK: Final = 64 * 1024
_MANY_QUOTES: Final = 50  # one in so many bytes
_PROBES: Final = 16  # one chunk in so many

_LONG: Final = "the row is too long"
_UNDECODABLE: Final = "undecodable bytes"
_OPEN: Final = "unclosed quote"
_AFTER_QUOTE: Final = "text after a closing quote"


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of the text: well-formed rows, or one malformed row.

    Attributes:
        text: as it stands in the text, with its line ends.
        rows: the rows in it, with the quotes as DuckDB wants them.
        reason: why the row is malformed; empty for rows and blank lines.
        most: upper bound of the number of rows; counts blank lines, line ends in quotes and
            malformed rows that were not reported.
    """

    text: bytes
    rows: bytes
    reason: str = ""
    most: int = 0


class CsvRows:
    """Goes through a text once.

    A row has as many cells as there are columns; delimiters without a value behind the last are
    left out. A cell is quoted as a whole, with spaces around the quotes, or begins with another
    character and is taken literally. A row of which the quotes make no sense ends with its line, so
    that it takes no other row with it.
    """

    def __init__(
        self,
        text: Iterable[bytes],
        *,
        delimiter: str,
        columns: int,
        longest: int,
        strict: bool,
    ) -> None:
        """Prepare to read.

        Args:
            text: chunks of UTF-8 with line feeds for line ends.
            delimiter: between cells, an ASCII character.
            columns: number of cells of a row.
            longest: size of the longest row in bytes, with its line end.
            strict: whether to report every bad row. Else rows with another number of cells, or
                with bytes that cannot be decoded, may be among the others: DuckDB passes over them,
                and to look for them twice would take half of the time that this takes. Once a
                chunk that is checked anyway has such rows, the rest is checked strictly.
        """
        self._text = iter(text)
        self._delimiter = delimiter.encode()
        self._columns = columns
        self._longest = longest
        self._strict = strict
        self._buffer = b""
        self._at = 0
        self._ended = False
        self._is_new = False
        self._chunks = 0
        mark = re.escape(self._delimiter)
        opened = rb'"(?:[^"]++|"")*+'
        # Looking behind a quote, not in front of it, the search goes from quote to quote.
        self._quoted = re.compile(rb'"(?<![^%b\n]")(?:[^"]++|"")*+"(?=[%b\n])' % (mark, mark))
        self._not_marks = bytes(set(range(256)) - set(self._delimiter + b"\n"))
        self._marks = self._delimiter * (columns - 1) + b"\n"
        literal = rb'[^%b\n" ][^%b\n]*+' % (mark, mark)
        quotes = rb'(?<![^%b\n]")(?:[^"]++|"")*+"|(?<=[^ %b\n]")[^%b\n]*+' % (mark, mark, mark)
        cell = rb'[^%b\n"]*+(?:"(?:%b))?+' % (mark, quotes)
        odd_cell = rb'(?:%b| *+%b" *+| *+(?:%b)?+)' % (literal, opened, literal)
        row = rb"%b(?:%b%b){%d}+\n" % (cell, mark, cell, columns - 1)
        self._row = re.compile(row)
        self._rows = re.compile(rb"(?:%b)++" % row)
        self._odd_row = re.compile(rb"%b(?:%b%b)*+\n" % (odd_cell, mark, odd_cell))
        self._odd_cell = re.compile(rb"(%b)[%b\n]" % (odd_cell, mark))
        self._open_row = re.compile(rb'(?:%b%b)*+ *+%b"?+\Z' % (odd_cell, mark, opened))

    def __iter__(self) -> Iterator[Run]:
        """Yield all of the text, in runs of about a mebibyte at the most, or of one row."""
        while self._at < len(self._buffer) or self._read_next_chunk():
            run = self._lines() if self._is_new else None
            self._is_new = False
            if not run and (found := self._rows.match(self._buffer, self._at)):
                run = Run(found[0], found[0], most=line_ends(found[0]))
            if run:
                self._at += len(run.rows)
                if len(run.rows) > _CHUNK:  # not to hold a long row twice
                    self._buffer, self._at = self._buffer[self._at :], 0
                yield from self._checked(run)
            else:
                yield from self._other()

    def _lines(self) -> Run | None:
        """Return all whole lines that are here if they are plain rows, else nothing.

        It takes a fraction of the time that a look at each cell does, if few of them are quoted.
        """
        lines = self._buffer[self._at : self._buffer.rfind(b"\n") + 1]
        if not lines or lines.count(b'"', 0, _LOOK) > min(_LOOK, len(lines)) // _MANY_QUOTES:
            return None
        outside = self._quoted.sub(b"", lines) if b'"' in lines else lines
        if b'"' in outside:
            return None
        if self._strict or len(lines) > self._longest or self._chunks % _PROBES == 0:
            marks = outside.translate(None, self._not_marks)
            if marks != self._marks * (len(marks) // self._columns):
                self._strict = True
                return None
        self._chunks += 1
        return Run(lines, lines, most=line_ends(outside))

    def split(self, run: Run) -> list[bytes]:
        """Return the rows of a run one by one."""
        rows: list[bytes] = self._row.findall(run.rows)
        return rows

    def count(self, run: Run) -> int:
        """Return the number of rows of a run."""
        return len(self._row.findall(run.rows)) if b'"' in run.rows else run.most

    def _checked(self, run: Run) -> Iterator[Run]:
        long = len(run.rows) > self._longest
        if not long and not (self._strict and not _is_text(run.rows)):
            yield run
            return
        rows = self.split(run)
        if len(rows) == 1:
            yield Run(run.text, b"", _LONG if long else _UNDECODABLE)
        else:
            for row in rows:
                yield from self._checked(Run(row, row, most=1))

    def _other(self) -> Iterator[Run]:
        """Yield the next row, which is not a plain one; nothing if more text has to be read."""
        stop = self._buffer.find(b"\n", self._at) + 1
        odd = self._odd_row.match(self._buffer, self._at)
        is_open = not odd and (not stop or self._open_row.match(self._buffer, self._at))
        if is_open and len(self._buffer) - self._at <= self._longest and self._read_next_chunk():
            return
        if odd:
            runs = self._odd(odd[0])
        elif stop:
            line = self._buffer[self._at : stop]
            runs = iter([Run(line, b"", _OPEN if is_open else _AFTER_QUOTE)])
        else:
            runs = self._long_line()
        for run in runs:
            self._at += len(run.text)
            yield run

    def _odd(self, text: bytes) -> Iterator[Run]:
        """Yield a row with spaces around quotes or another number of cells, or a blank line."""
        if text == b"\n":
            yield Run(text, b"")
            return
        cells = self._odd_cell.findall(text)
        if len(cells) >= self._columns and not any(cells[self._columns :]):
            row = self._delimiter.join(map(_plain, cells[: self._columns])) + b"\n"
            yield from self._checked(Run(text, row, most=1))
        else:
            amount = "few" if len(cells) < self._columns else "many"
            reason = f"too {amount} cells: {len(cells)} instead of {self._columns}"
            yield Run(text, b"", reason)

    def _long_line(self) -> Iterator[Run]:
        reason = _LONG
        while True:
            stop = self._buffer.find(b"\n", self._at) + 1
            yield Run(self._buffer[self._at : stop or len(self._buffer)], b"", reason)
            if stop or not self._read_next_chunk():
                return
            reason = ""

    def _read_next_chunk(self) -> bool:
        """Drop the consumed bytes and read the next chunk. Return False at the end of the text."""
        if self._ended:
            return False
        rest = self._buffer[self._at :]
        parts, wanted = [rest], max(_CHUNK, len(rest) // 4)
        self._buffer, self._at = b"", 0
        while wanted > 0 and not self._ended:
            chunk = next(self._text, None)
            self._ended = chunk is None
            parts.append(chunk or b"")
            wanted -= len(parts[-1])
        self._buffer = b"".join(parts)
        if self._ended and self._buffer and not self._buffer.endswith(b"\n"):
            self._buffer += b"\n"
        self._is_new = True
        return len(self._buffer) > len(rest)


def line_ends(text: bytes) -> int:
    """Return the number of line ends; `bytes.count` takes more than twice the time."""
    return len(text) - len(text.replace(b"\n", b""))


def _plain(cell: bytes) -> bytes:
    """Return a cell without spaces around its quotes, and with quotes where it has some inside."""
    trimmed = cell.strip(b" ")
    if trimmed.startswith(b'"'):
        return trimmed
    return b'"%b"' % cell.replace(b'"', b'""') if b'"' in cell else cell


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
