"""JSON to a typed table: an array of objects, one object, or JSON Lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import duckdb

from data_transformer import json_faults, outputs
from data_transformer.columns import identifier, literal, normalise
from data_transformer.engine import database
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source

LARGEST_OBJECT_BYTES: Final = 16 * 1024 * 1024
# What DuckDB says of a text, in an exception that it has for wrong options as well.
_FAULTS: Final = ("Malformed JSON", "JSON transform error", "in JSON array")
_LIMITS: Final = {
    '"maximum_object_size"': "An object is larger than 16 MiB.",
    "maximum recursion depth": "The values are nested more than 128 levels deep.",
}


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a JSON text.

    Raises:
        RejectedError: the text is not JSON, or DuckDB cannot hold it.
    """
    path = source.save(directory / "upload.json")
    with database(directory, settings.memory_limit_mb) as connection:
        reader = (
            f"read_json({literal(str(path))}, sample_size = -1, "
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
            target = literal(str(directory / outputs.TABLE))
            chosen = ", ".join(
                f"{identifier(column.original)} AS {identifier(column.name)}" for column in table
            )
            connection.execute(
                f"COPY (SELECT {chosen} FROM {reader}) TO {target} "  # noqa: S608 - quoted
                f"({outputs.parquet_options(100)})"
            )
        except duckdb.InvalidInputException as error:
            message = _message(str(error), path)
            if message is None:
                raise
            raise RejectedError("invalid_json", message) from error
        return outputs.finish(
            connection, directory, table, settings, details={"format": "json"}, warnings=()
        )


def _message(error: str, path: Path) -> str | None:
    """Return what is wrong with a text that DuckDB refused; None if the text is not at fault."""
    for sign, message in _LIMITS.items():
        if sign in error:
            return message
    fault = json_faults.locate(path) if any(sign in error for sign in _FAULTS) else None
    if fault is None:
        return None
    return f"The JSON is broken at line {fault.line}, column {fault.column}: {fault.reason}."
