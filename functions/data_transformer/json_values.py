"""The values of a JSON text one by one: elements of an array, or lines, with their numbers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from data_transformer.csv_rows import line_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

LARGEST_OBJECT_BYTES: Final = 16 * 1024 * 1024
CHUNK: Final = 1024 * 1024
_BLANKS: Final = re.compile(r"[ \t\n\r]*")


class OddArrayError(Exception):
    """The text is not an array, or one of its values is very large."""


def first_character(path: Path) -> str:
    """Return the first character that is not blank, or nothing."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        while chunk := file.read(CHUNK):
            text = chunk.lstrip(" \t\n\r")
            if text:
                return text[0]
    return ""


def count_lines(path: Path) -> int:
    """Return the number of line ends of a text."""
    with path.open("rb") as file:
        return sum(map(line_ends, iter(lambda: file.read(CHUNK), b"")))


def lines(file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that is not blank; of a very long one, a part."""
    number = 0
    while line := file.readline(LARGEST_OBJECT_BYTES):
        number += 1
        value = line.strip(" \t\r\n")
        while line and not line.endswith("\n"):
            line = file.readline(LARGEST_OBJECT_BYTES)
            value += line[:1].strip()  # makes the value longer than allowed
        if value:
            yield number, value


def elements(
    file: TextIO, behind: Callable[[str], None] | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the text of each element of an array, and the number of the line it begins in.

    Args:
        file: text that begins with the array.
        behind: called with the text read beyond the array; if None, there must be none.

    Raises:
        OddArrayError: it is broken, or the end of an element is too far away.
    """
    decoder = json.JSONDecoder()
    text, position = file.read(CHUNK), 0
    line, counted = 1, 0

    def more() -> bool:
        nonlocal text, position, line, counted
        line, counted = line + text.count("\n", counted, position), 0
        chunk = file.read(max(CHUNK, len(text) - position))
        text, position = text[position:] + chunk, 0
        return bool(chunk)

    def mark() -> str:
        """Pass over blanks and the character behind them; return it."""
        nonlocal position
        while True:
            blanks = _BLANKS.match(text, position)
            position = blanks.end() if blanks else position
            if position < len(text):
                position += 1
                return text[position - 1]
            if not more():
                return ""

    separator = mark()
    while separator in {"[", ","}:
        beginning = mark()
        if beginning == "]" and separator == "[":
            separator = "]"
            break
        if not beginning:
            raise OddArrayError
        position -= 1
        while True:
            try:
                _, end = decoder.raw_decode(text, position)
            except (json.JSONDecodeError, RecursionError):
                end = len(text)
            # A value that ends with the buffer may continue in the next chunk.
            if end < len(text):
                break
            if end - position > LARGEST_OBJECT_BYTES or not more():
                raise OddArrayError
        line, counted = line + text.count("\n", counted, position), position
        yield line, text[position:end]
        position = end
        separator = mark()
    if separator == "]" and behind:
        behind(text[position:])
    elif separator != "]" or mark():
        raise OddArrayError


def on_one_line(value: str) -> str:
    """Return the text of a value as a line of JSON Lines."""
    return value.replace("\n", " ").replace("\r", " ") + "\n"
