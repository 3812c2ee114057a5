"""The files of a table and its profile, made from the Parquet file that every path ends in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from data_transformer.columns import identifier, literal
from uploads.processing import Processed, Produced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Column
    from data_transformer.settings import Settings
    from uploads.result import Problem

TABLE: Final = "table.parquet"
_BATCH: Final = 50
_SHOWN: Final = 100
_PLAIN: Final = (
    "BOOLEAN",
    "BIGINT",
    "DOUBLE",
    "VARCHAR",
)  # JSON has them; others are shown as text

_KINDS: Final = {
    "parquet": ("application/vnd.apache.parquet", ""),
    "jsonl": ("application/x-ndjson", "FORMAT json"),
    "csv": ("text/csv; charset=utf-8", "FORMAT csv, HEADER true"),
}


def parquet_options(row_bytes: float) -> str:
    """Return the options of a COPY to Parquet for rows of about so many bytes.

    A row group is held in memory until it is full: wide rows get shorter groups.
    """
    rows = 24 * 1024 * 1024 / max(row_bytes, 1)
    groups = min(122_880, max(2_048, 2_048 * math.floor(rows / 2_048)))
    return f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {groups}"


def finish(
    database: DuckDBPyConnection,
    directory: Path,
    columns: Sequence[Column],
    settings: Settings,
    *,
    rejects: Produced | None = None,
    details: dict[str, Any],
    warnings: Sequence[Problem],
) -> Processed:
    """Make the wanted files from `table.parquet` and describe its columns."""
    table = directory / TABLE
    answer = database.execute(f"SELECT count(*) FROM {literal(str(table))}").fetchone()  # noqa: S608 - quoted
    rows = answer[0] if answer else 0
    profiles = list(_profiles(database, table, columns))
    shape = {"rows": rows, "columns": len(columns)}
    produced = []
    for kind in settings.output_formats:
        content_type, options = _KINDS[kind]
        path = directory / f"table.{kind}"
        if options:
            database.execute(
                f"COPY (FROM {literal(str(table))}) TO {literal(str(path))} ({options})"
            )
        attributes = shape | {"types": {one.name: one.type for one in columns}}
        produced.append(Produced(path, path.name, content_type, attributes))
    if rejects:
        produced.append(rejects)
    return Processed(produced, shape | {"profile": profiles} | details, warnings)


def _profiles(
    database: DuckDBPyConnection, table: Path, columns: Sequence[Column]
) -> Iterable[dict[str, Any]]:
    """Yield name, type, nulls, distinct estimate, min and max, some columns at a time."""
    for start in range(0, len(columns), _BATCH):
        batch = columns[start : start + _BATCH]
        wanted = ", ".join(
            f"count(*) - count({name}), approx_count_distinct({name}), "
            f"min({name}){shown}, max({name}){shown}"
            for name, shown in (
                (identifier(column.name), "" if column.type in _PLAIN else "::VARCHAR")
                for column in batch
            )
        )
        answer = database.execute(f"SELECT {wanted} FROM {literal(str(table))}").fetchone()  # noqa: S608 - quoted
        values = iter(answer or ())
        for column, nulls, distinct, low, high in zip(batch, *[values] * 4, strict=False):
            yield {
                "name": column.name,
                "original_name": column.original,
                "type": column.type,
                "nulls": nulls,
                "distinct_estimate": distinct,
                "min": _shown(low),
                "max": _shown(high),
            }


def _shown(value: object) -> object:
    """Return a value fit for JSON, shortened: a profile describes, it does not copy."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and len(value) > _SHOWN:
        return value[: _SHOWN - 1] + "…"
    return value
