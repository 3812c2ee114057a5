"""JSON texts rewritten where DuckDB would change a value in silence or misread the rows.

DuckDB reads numbers as doubles or 64-bit integers and takes an object with an empty name for a
map. It reads no rows that are arrays.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

LONG_NUMBERS: Final = Problem(
    "long_numbers",
    "Numbers with more digits, or a larger exponent, than a double or a 64-bit integer holds are "
    "in the table as text, digit by digit.",
)
UNNAMED: Final = "unnamed"
_CHUNK: Final = 1024 * 1024
_OVERLAP: Final = 64
# Doubles keep 17 digits of what programs write, 64-bit integers 19. Three digits of an exponent may
# be more, or less, than a double holds. To look for these in the shape of a text, in which each
# digit is 1 and there are no signs, is ten times as fast as a pattern.
_SHAPE: Final = bytes.maketrans(b"0123456789E", b"1111111111e")
_SIGNS: Final = b"+-"
_MOST_DIGITS: Final = 17
# In front of a point, behind it, or on both sides.
_MANY_DIGITS: Final = (b"1" * 18, b"1." + b"1" * 17, b"11." + b"1" * 9, b"1" * 9 + b".1")
_LARGE: Final = b"1e111"
_LONG_NUMBER: Final = re.compile(
    rb"(?<=[:,\[\s])-?(?:0\.0*)?[1-9](?:\.?[0-9]){17,}(?:[eE][-+]?[0-9]+)?(?=[,\]}\s])"
)
_INTEGER: Final = re.compile(rb"(?<=[:,\[\s])-?[1-9][0-9]{15,}(?=[,\]}\s])")
_LARGE_EXPONENT: Final = re.compile(rb"(?<=[:,\[\s])-?[0-9.]+[eE][-+]?[0-9]{3,}(?=[,\]}\s])")
_EXPONENT: Final = re.compile(rb"[0-9.][eE][-+]?[0-9]")
# Inside a value there would be a comma or a bracket.
_NULL_LINE: Final = re.compile(rb"\}[ \t\r]*\nnull[ \t\r]*(?:\n|\Z)")
_UNNAMED: Final = re.compile(rb'[{,]\s*""\s*:')
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"\s*+:?)?|[-0-9][-+.0-9eE]*+', re.DOTALL)
_LARGEST_INTEGER: Final = 2**64 - 1
_ARRAY_OF_ARRAYS: Final = re.compile(r"\s*\[\s*\[")
_LINES_OF_ARRAYS: Final = re.compile(r"\s*\[[^\[\]{}]*\][ \t\r]*\n\s*\[")


def has_null_line(path: Path) -> bool:
    """Return whether a line below an object is null, which DuckDB reads as a row of nulls."""
    return any(b"\nnull" in text and _NULL_LINE.search(text) for text in _overlapping(path))


def has_large_integers(path: Path) -> bool:
    """Return whether a text holds whole numbers that 64-bit integers hold, and doubles do not."""
    return any(
        int(float(found[0])) != int(found[0])
        for text in _overlapping(path)
        if b"1" * 16 in text.translate(_SHAPE, _SIGNS)
        for found in _INTEGER.finditer(text)
    )


def _overlapping(path: Path) -> Iterator[bytes]:
    """Yield a text in pieces, each with the end of the one before it."""
    tail = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            text = tail + chunk
            yield text
            tail = text[-_OVERLAP:]


def keep_exact(path: Path) -> bool:
    """Quote numbers that DuckDB would round, and name what has an empty name.

    Most texts need neither, which takes a look of a millisecond a mebibyte.

    Args:
        path: UTF-8 text, replaced if there is something to change.

    Returns:
        Whether numbers were quoted.
    """
    if not _needs_change(path):
        return False
    target = path.with_suffix(".exact")
    quoted = False
    with path.open("rb") as file, target.open("wb") as changed:
        for piece, is_number in _changed(iter(lambda: file.read(_CHUNK), b"")):
            quoted = quoted or is_number
            changed.write(piece)
    target.rename(path)
    return quoted


def _needs_change(path: Path) -> bool:
    for text in _overlapping(path):
        shape = text.translate(_SHAPE, _SIGNS)
        suspects = [_LONG_NUMBER] if any(one in shape for one in _MANY_DIGITS) else []
        suspects += [_LARGE_EXPONENT] if _LARGE in shape else []
        if not all(is_exact(found[0]) for one in suspects for found in one.finditer(text)):
            return True
        if b'""' in text and _UNNAMED.search(text):
            return True
    return False


def is_exact(number: bytes) -> bool:
    """Return whether DuckDB keeps every digit of a JSON number."""
    try:
        if number.lstrip(b"-").isdigit():
            return abs(int(number)) <= _LARGEST_INTEGER
        value, written = float(number), Decimal(number.decode())
        digits = len(written.as_tuple().digits)
        # Programs write up to 17 digits of a double, though fewer may name it.
        is_of_double = digits <= _MOST_DIGITS and isfinite(value) and bool(value)
        return is_of_double or Decimal(repr(value)) == written
    except (ArithmeticError, ValueError):  # not a number, or more digits than Python reads
        return not number.lstrip(b"-").isdigit()


def _changed(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the pieces of a changed text, and for each whether it is a quoted number."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        done = 0
        for match in _TOKEN.finditer(text):
            # The rest of this token, or the colon behind a name, may be in the next chunk.
            if match.end() == len(text):
                text, held = text[: match.start()], match[0]
                break
            yield text[done : match.start()], False
            yield _token(match[0])
            done = match.end()
        else:
            held = b""
        yield text[done:], False
    yield _token(held)


def _token(text: bytes) -> tuple[bytes, bool]:
    if text.startswith(b'""') and text.endswith(b":"):
        return b'"%b":' % UNNAMED.encode(), False
    is_short = len(text) <= _MOST_DIGITS and not _EXPONENT.search(text)
    if text.startswith(b'"') or is_short or is_exact(text):
        return text, False
    return b'"%b"' % text, True


def shape_of_arrays(head: str) -> str:
    """Return "array" for an array of arrays, "lines" for an array in each line, else nothing."""
    if _LINES_OF_ARRAYS.match(head):
        return "lines"
    return "array" if _ARRAY_OF_ARRAYS.match(head) else ""


def objects_of_arrays(arrays: Iterable[str], target: Path) -> tuple[str, ...]:
    """Write arrays as objects in JSON Lines.

    The first array gives the names if it holds only texts, each once; else they are `column_1` and
    so on.

    Args:
        arrays: JSON texts.
        target: where to write.

    Returns:
        The names that the text gives; none if it gives none.

    Raises:
        ValueError: a text is not an array, or not JSON; the message says which.
    """
    names: tuple[str, ...] = ()
    with target.open("w", encoding="utf-8", newline="") as file:
        for number, text in enumerate(arrays, 1):
            values = _array(text, number)
            if number == 1 and _are_names(values):
                names = tuple(values)
                continue
            places = range(len(names) + 1, len(values) + 1)
            row = dict(
                zip((*names, *(f"column_{place}" for place in places)), values, strict=False)
            )
            json.dump(row, file, ensure_ascii=False)
            file.write("\n")
    return names


def _array(text: str, number: int) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"Row {number} is malformed."
        raise ValueError(message) from error
    if not isinstance(values, list):
        message = f"Row {number} is not an array, although the rows above it are."
        raise ValueError(message)  # noqa: TRY004 - of the text, not of an argument
    return values


def _are_names(values: list[Any]) -> bool:
    texts = {value for value in values if isinstance(value, str) and value}
    return bool(values) and len(texts) == len(values)
