"""Where a JSON text is broken, and how, for the person who wrote it.

DuckDB reports byte offsets within its own records; this module scans the text again, in bounded
memory, for the line and column.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

LARGEST_VALUE: Final = 16 * 1024 * 1024  # characters among which the end of a value is sought
_CHUNK: Final = 1024 * 1024
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
# Python lets both pass. Escapes of other kinds match so that their backslashes are not seen twice.
_UNDECODABLE: Final = re.compile(
    r"\\(?:u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|(?P<half>u[dD][89a-fA-F])|.)"
    r"|(?P<bytes>[\udc80-\udcff])",
    re.DOTALL,
)
_UNDECODABLE_REASONS: Final = {
    "half": "an escape is half of a surrogate pair",
    "bytes": "the bytes are not UTF-8",
}
_REASONS: Final = {
    "Expecting value": "a value is expected",
    "Expecting property name enclosed in double quotes": "a name in double quotes is expected",
    "Expecting ':' delimiter": "a colon is expected",
    "Expecting ',' delimiter": "a comma or a closing bracket is expected",
    "Unterminated string starting at": "the string does not end",
    "Invalid control character at": "a string holds an unescaped control character",
    "Invalid \\escape": "the escape does not exist",
    "Invalid \\uXXXX escape": "the escape needs four hexadecimal digits",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first fault of a text; lines and columns count characters from 1."""

    line: int
    column: int
    reason: str


def locate(path: Path) -> Fault | None:
    """Return the first fault of a text as JSON or JSON Lines, or None."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        fault = _Scan(file).fault()
        if fault:
            return fault
        # Each value is valid, so the fault is a value that does not fill its line.
        file.seek(0)
        return _first_line_without_value(file)


def of_object(text: str) -> str | None:
    """Return what keeps a text from being one object, or None. Undecodable bytes are surrogates."""
    if not text.startswith("{"):
        return "the value is not an object"
    try:
        _, end = _STRICT.raw_decode(text)
    except (json.JSONDecodeError, RecursionError, _RepeatedNameError):
        end = -1
    odd = "\\u" in text or not text.isascii()
    if end == len(text) and not (
        odd and any(match.lastgroup for match in _UNDECODABLE.finditer(text))
    ):
        return None
    fault = _Scan(io.StringIO(text, newline="")).fault()
    if fault:
        return f"{fault.reason}, at character {fault.column}" if fault.line == 1 else fault.reason
    return "there is more than one value"


def _first_line_without_value(file: TextIO) -> Fault | None:
    for number, line in enumerate(iter(partial(file.readline, LARGEST_VALUE), ""), 1):
        if len(line) == LARGEST_VALUE:
            return None
        try:
            json.loads(line.strip() or "null")
        except json.JSONDecodeError as error:
            return Fault(number, error.pos + 1, "each line must hold one whole value")
    return None


class _RepeatedNameError(Exception):
    """An object has a name twice."""


def _check_names(members: list[tuple[str, Any]]) -> None:
    """Stand in for the object: values are checked, not kept."""
    seen = set()
    for name, _ in members:
        if name in seen:
            raise _RepeatedNameError(repr(name if len(name) <= 40 else name[:39] + "…"))
        seen.add(name)


_STRICT: Final = json.JSONDecoder(object_pairs_hook=_check_names)


class _Scan:
    """Decodes one value after the other; those of an array at the top are taken singly."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._decoder = _STRICT
        self._text = ""
        self._position = 0
        self._line = 1
        self._column = 1

    def fault(self) -> Fault | None:
        while character := self._next():
            fault = self._array() if character == "[" else self._value()
            if fault:
                return fault
        return None

    def _array(self) -> Fault | None:
        self._position += 1
        if self._next() == "]":
            self._position += 1
            return None
        while True:
            if fault := self._value():
                return fault
            character = self._next()
            if character not in {",", "]"}:
                return self._broken(self._position, _REASONS["Expecting ',' delimiter"])
            self._position += 1
            if character == "]":
                return None
            self._next()

    def _value(self) -> Fault | None:
        while True:
            reason = ""
            try:
                _, end = self._decoder.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                end, reason = error.pos, _REASONS[error.msg]
            except RecursionError:
                end, reason = self._position, "the value is nested too deeply"
            except _RepeatedNameError as error:
                end, reason = self._position, f"an object has the name {error} twice"
            # At the end of the chunk a value may be cut, even a number that looks complete.
            cut = reason or end == len(self._text)
            if not cut or len(self._text) - self._position >= LARGEST_VALUE or not self._more():
                break
        for match in _UNDECODABLE.finditer(self._text, self._position, end + 1):
            if match.lastgroup:
                return self._at(match.start(), _UNDECODABLE_REASONS[match.lastgroup])
        if reason:
            return self._broken(end, reason)
        self._position = end
        return None

    def _next(self) -> str:
        """Skip blanks; return the character there, or nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._position)
            self._position = blanks.end() if blanks else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Drop the consumed text and read the next chunk. Return False at the end of the file."""
        more = self._file.read(max(_CHUNK, len(self._text) - self._position))
        if more:
            start = self._at(self._position, "")
            self._line, self._column = start.line, start.column
            self._text, self._position = self._text[self._position :] + more, 0
        return bool(more)

    def _broken(self, position: int, reason: str) -> Fault:
        if not self._text[position:].strip():
            return self._at(len(self._text), "the file ends too early")
        return self._at(position, reason)

    def _at(self, position: int, reason: str) -> Fault:
        ends = self._text.count("\n", 0, position)
        if not ends:
            return Fault(self._line, self._column + position, reason)
        last = self._text.rindex("\n", 0, position)
        return Fault(self._line + ends, position - last, reason)
