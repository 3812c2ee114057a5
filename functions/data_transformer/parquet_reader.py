"""Parquet to a Parquet table of our options, checked, named and profiled as every other table."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import duckdb

from data_transformer import contents, outputs
from data_transformer.columns import TEXT, identifier, literal, named
from data_transformer.engine import database
from data_transformer.messages import listed
from data_transformer.rejected_rows import RejectedRows
from uploads.content import HEAD_BYTES
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source

_BEGIN: Final = (b"PAR1", b"PARE")
_ENCRYPTED: Final = b"PARE"
# Types that Parquet has and readers other than DuckDB have not, or read as something else.
_ODD: Final = re.compile(r"\b(INTERVAL|TIME WITH TIME ZONE|BIT|VARINT|BIGNUM|UHUGEINT|HUGEINT)\b")


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a Parquet file.

    Raises:
        RejectedError: it is encrypted or damaged, has no columns, or needs too much memory.
    """
    path = contents.save(source, directory / "upload.parquet")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.startswith(_BEGIN):
        contents.check(head)
        raise contents.OtherFormatError("CSV")
    if head.startswith(_ENCRYPTED):
        message = "The Parquet file is encrypted. Write it without encryption."
        raise RejectedError("encrypted_file", message)
    contents.check_options(contents.options(source, settings, contents.PARQUET), contents.PARQUET)
    try:
        with database(directory, settings.memory_limit_mb) as connection:
            return _convert(connection, path, directory, settings)
    except duckdb.OutOfMemoryException as error:
        raise RejectedError(
            "too_large",
            "The row groups of the Parquet file do not fit in the memory that tables may use, "
            f"{settings.memory_limit_mb} MB. Write it with fewer rows in a group.",
        ) from error
    except duckdb.Error as error:
        raise RejectedError(
            "damaged_parquet",
            "The Parquet file is damaged or cut short, or is written in a way that DuckDB "
            f"{duckdb.__version__} does not know. Write it again.",
        ) from error


def _convert(
    connection: DuckDBPyConnection, path: Path, directory: Path, settings: Settings
) -> Processed:
    rows = f"read_parquet({literal(str(path))})"
    found = connection.execute(f"DESCRIBE FROM {rows}").fetchall()
    odd = [str(name) for name, kind, *_ in found if _ODD.search(kind)]
    table = [
        replace(column, type=TEXT if _ODD.search(kind) else kind)
        for column, (_, kind, *_) in zip(
            named([row[0] for row in found], settings.column_names), found, strict=True
        )
    ]
    number = (connection.execute(f"SELECT count(*) FROM {rows}").fetchone() or (0,))[0]  # noqa: S608 - quoted
    size = connection.execute(
        "SELECT sum(total_uncompressed_size) FROM parquet_metadata(?)", [str(path)]
    ).fetchone()
    row_bytes = float((size and size[0]) or 0) / max(1, number)
    parts = outputs.parts(table)
    for part in parts:
        chosen = ", ".join(
            f"{identifier(column.original)}"
            f"{'::VARCHAR' if column.original in odd else ''} AS {identifier(column.name)}"
            for column in part.columns
        )
        outputs.write(connection, f"SELECT {chosen} FROM {rows}", part, directory, row_bytes)  # noqa: S608 - quoted
    path.unlink()
    warnings = []
    if odd:
        warnings.append(
            Problem(
                "types_as_text",
                f"{listed(odd)}: of a type that few programs read, so they are "
                "in the table as text.",
            )
        )
    return outputs.finish(
        connection,
        directory,
        parts,
        settings,
        RejectedRows.empty(directory),
        details={"format": "parquet", "rejected_rows": 0},
        warnings=warnings,
    )
