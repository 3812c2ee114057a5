"""JSON to a typed table: an array of objects, one object, or JSON Lines."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import duckdb

from data_transformer import json_faults, outputs
from data_transformer.columns import identifier, literal, normalise
from data_transformer.engine import database
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source

LARGEST_OBJECT_BYTES: Final = 16 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
# What DuckDB says of a text, in an exception that it has for wrong options as well.
_FAULTS: Final = ("Malformed JSON", "JSON transform error", "in JSON array")
_TOO_LARGE: Final = "An object is larger than 16 MiB."
_LIMITS: Final = {
    '"maximum_object_size"': _TOO_LARGE,
    "maximum recursion depth": "The values are nested more than 128 levels deep.",
}


class _OddArrayError(Exception):
    """The text is no array of objects, or one of them is very large."""


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a JSON text.

    Raises:
        RejectedError: the text is not JSON, holds no objects, or needs too much memory.
    """
    path = source.save(directory / "upload.json")
    first = _first(path)
    if not first:
        raise RejectedError("empty_file", "The file holds no text.")
    if first not in "[{" and json_faults.locate(path) is None:
        raise RejectedError("no_objects", "The file holds values, but no objects to make rows of.")
    lines = path
    if first == "[":
        lines = _as_lines(path, directory / "upload.jsonl")
    if lines != path:
        path.unlink()  # two copies may be more than there is room for
    try:
        with database(directory, settings.memory_limit_mb) as connection:
            reader = (
                f"read_json({literal(str(lines))}, sample_size = -1, "
                f"maximum_object_size = {LARGEST_OBJECT_BYTES})"
            )
            try:
                described = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608 - quoted
                table = [
                    replace(column, type=row[1])
                    for column, row in zip(
                        normalise([row[0] for row in described]), described, strict=True
                    )
                ]
                row_bytes = lines.stat().st_size / max(1, _count_lines(lines))
                parts = outputs.parts(table)
                for part in parts:
                    target = literal(str(directory / part.parquet))
                    chosen = ", ".join(
                        f"{identifier(column.original)} AS {identifier(column.name)}"
                        for column in part.columns
                    )
                    options = outputs.parquet_options(row_bytes * len(part.places) / len(table))
                    connection.execute(
                        f"COPY (SELECT {chosen} FROM {reader}) TO {target} ({options})"  # noqa: S608 - quoted
                    )
            except duckdb.InvalidInputException as error:
                message = _message(str(error), path if lines == path else source.save(path))
                if message is None:
                    raise
                raise RejectedError("invalid_json", message) from error
            lines.unlink()
            return outputs.finish(
                connection, directory, parts, settings, details={"format": "json"}, warnings=()
            )
    except duckdb.OutOfMemoryException as error:
        raise RejectedError(
            "too_large",
            "The objects do not fit in the memory that tables may use, "
            f"{settings.memory_limit_mb} MB: give them as JSON Lines, one small object a line.",
        ) from error


def _first(path: Path) -> str:
    """Return the first character that is not blank, or nothing."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        while chunk := file.read(_CHUNK):
            text = chunk.lstrip(" \t\n\r")
            if text:
                return text[0]
    return ""


def _count_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(_CHUNK), b""))


def _as_lines(path: Path, target: Path) -> Path:
    """Write an array of objects as JSON Lines, which DuckDB reads in little memory.

    Raises:
        RejectedError: the array is broken, has no objects, or other values among them.
    """
    kinds = set()
    try:
        with (
            path.open(encoding="utf-8-sig", newline="") as source,
            target.open("w", encoding="utf-8", newline="") as file,
        ):
            for element in _elements(source):
                kinds.add(element[0] == "{")
                file.write(element.replace("\n", " ").replace("\r", " ") + "\n")
    except (_OddArrayError, UnicodeError) as error:
        raise RejectedError("invalid_json", _fault(path) or _TOO_LARGE) from error
    if kinds != {True} and json_faults.locate(path) is None:
        raise RejectedError(
            "no_objects",
            "The array holds values that are no objects." if kinds else "The array is empty.",
        )
    return target


def _elements(file: TextIO) -> Iterator[str]:
    """Yield the text of each element of an array.

    Raises:
        _OddArrayError: it is broken, or the end of an element is too far away.
    """
    decoder = json.JSONDecoder()
    text, position = file.read(_CHUNK), 0

    def more() -> bool:
        nonlocal text, position
        chunk = file.read(max(_CHUNK, len(text) - position))
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
            raise _OddArrayError
        position -= 1
        while True:
            try:
                _, end = decoder.raw_decode(text, position)
            except (json.JSONDecodeError, RecursionError):
                end = len(text)
            # What ends with the text may go on behind it.
            if end < len(text):
                break
            if end - position > LARGEST_OBJECT_BYTES or not more():
                raise _OddArrayError
        yield text[position:end]
        position = end
        separator = mark()
    if separator != "]" or mark():
        raise _OddArrayError


def _message(error: str, path: Path) -> str | None:
    """Return what is wrong with a text that DuckDB refused; None if the text is not at fault."""
    for sign, message in _LIMITS.items():
        if sign in error:
            return message
    return _fault(path) if any(sign in error for sign in _FAULTS) else None


def _fault(path: Path) -> str | None:
    fault = json_faults.locate(path)
    if fault is None:
        return None
    return f"The JSON is broken at line {fault.line}, column {fault.column}: {fault.reason}."
