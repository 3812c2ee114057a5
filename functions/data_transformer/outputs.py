"""The files of a table and its profile, made from the Parquet file that every path ends in."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from data_transformer.columns import ABSENT, identifier, literal
from uploads.processing import Processed, Produced
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Column
    from data_transformer.rejected_rows import RejectedRows
    from data_transformer.settings import Settings

TABLE: Final = "table"
COLUMNS_OF_A_PART: Final = 150
_BATCH: Final = 50
_SHOWN: Final = 100
_PLAIN: Final = (
    "BOOLEAN",
    "BIGINT",
    "DOUBLE",
    "VARCHAR",
)  # JSON has them; others are shown as text

_IN_STATISTICS: Final = ("BIGINT", "DOUBLE", "VARCHAR", "DATE", "TIMESTAMP")

_KINDS: Final = {
    "parquet": ("application/vnd.apache.parquet", ""),
    "jsonl": ("application/x-ndjson", "FORMAT json"),
    "csv": ("text/csv; charset=utf-8", "FORMAT csv, HEADER true"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ""),
}


@dataclass(frozen=True, slots=True)
class Part:
    """The columns of a table that go to the same file.

    Attributes:
        name: of the files, without extension.
        places: columns by their place in the source; those of no type are in no file.
        columns_of_table: number of columns of all parts.
    """

    name: str
    places: Mapping[int, Column]
    columns_of_table: int

    @property
    def columns(self) -> list[Column]:
        """Columns of the file."""
        return [column for column in self.places.values() if column.type != ABSENT]

    @property
    def parquet(self) -> str:
        """Name of the Parquet file."""
        return f"{self.name}.parquet"


def parts(table: Sequence[Column], name: str = TABLE) -> list[Part]:
    """Split a table into parts: one, or as many as a wide table needs to fit in memory.

    A table without columns has no parts.

    Args:
        table: columns.
        name: of the files; several are numbered.
    """
    present = [place for place, column in enumerate(table) if column.type != ABSENT]
    absent = [place for place, column in enumerate(table) if column.type == ABSENT]
    batches = [list(batch) for batch in itertools.batched(present, COLUMNS_OF_A_PART)]
    if batches:
        batches[-1] += absent
    return [
        Part(
            name if len(batches) == 1 else f"{name}-{number}",
            {place: table[place] for place in batch},
            len(table),
        )
        for number, batch in enumerate(batches, 1)
    ]


def parquet_options(row_bytes: float) -> str:
    """Return the options of a COPY to Parquet for rows of about so many bytes.

    A row group is held in memory until it is full: wide rows get shorter groups. Dictionaries of
    thousands of values, filters for them, and higher levels of zstd take time and save no room.
    """
    rows = 12 * 1024 * 1024 / max(row_bytes, 1)
    groups = min(61_440, max(2_048, 2_048 * math.floor(rows / 2_048)))
    return (
        f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {groups}, "
        "DICTIONARY_SIZE_LIMIT 2000, WRITE_BLOOM_FILTER false"
    )


def write(
    connection: DuckDBPyConnection,
    query: str,
    part: Part,
    directory: Path,
    row_bytes: float,
    *,
    options: str = "",
) -> int:
    """Write the Parquet file of a part; return its number of rows.

    Args:
        connection: runs the query.
        query: SQL of the part's columns.
        part: of the table.
        directory: where the file goes.
        row_bytes: size of a row of all parts, about.
        options: of the COPY, besides those of every file.
    """
    every = parquet_options(row_bytes * len(part.places) / part.columns_of_table)
    target = literal(str(directory / part.parquet))
    copy = f"COPY ({query}) TO {target} ({every}{options})"
    rows: int = (connection.execute(copy).fetchone() or (0,))[0]
    return rows


def finish(
    database: DuckDBPyConnection,
    directory: Path,
    parts: Sequence[Part],
    settings: Settings,
    listing: RejectedRows,
    *,
    details: dict[str, Any],
    warnings: Sequence[Problem],
) -> Processed:
    """Make the wanted files from the Parquet file of each part, and describe the columns."""
    profiles: list[dict[str, Any]] = []
    produced = []
    more: list[Problem] = []
    rows = 0
    for part in parts:
        table = directory / part.parquet
        answer = database.execute(f"SELECT count(*) FROM {literal(str(table))}").fetchone()  # noqa: S608 - quoted
        rows = answer[0] if answer else 0
        profiles += _profiles(database, table, part.columns)
        for kind in settings.output_formats:
            content_type, options = _KINDS[kind]
            path = table.with_suffix(f".{kind}")
            if kind == "xlsx":
                # Imported where it is wanted: few do, and it takes time to start.
                from data_transformer import excel  # noqa: PLC0415 - see above

                unfit = excel.write(database, table, part.columns, rows, path)
                if unfit:
                    more.append(unfit)
                    continue
            elif options:
                database.execute(
                    f"COPY (FROM {literal(str(table))}) TO {literal(str(path))} ({options})"
                )
            attributes = {
                "rows": rows,
                "columns": len(part.columns),
                "types": {one.name: one.type for one in part.columns},
            }
            produced.append(Produced(path, path.name, content_type, attributes))
    if not rows:
        more.append(Problem("no_rows", "The table has names of columns, but no rows."))
    shape = {"rows": rows, "columns": len(profiles)}
    return Processed(
        produced + listing.produced,
        shape | {"profile": profiles} | details,
        [*listing.warnings(rows), *warnings, *more],
    )


def _profiles(
    database: DuckDBPyConnection, table: Path, columns: Sequence[Column]
) -> Iterable[dict[str, Any]]:
    """Yield name, type, nulls, distinct estimate, min and max, some columns at a time."""
    for start in range(0, len(columns), _BATCH):
        batch = columns[start : start + _BATCH]
        counts, edges = [], []
        for column in batch:
            name = identifier(column.name)
            counts.append(f"[count(*) - count({name}), approx_count_distinct({name})]")
            cast = "" if column.type in _PLAIN else "::VARCHAR"
            edges.append(f"[min({name}){cast}, max({name}){cast}]")
        # Queried one by one, most come from the statistics in the file; no value is read.
        known = [place for place, column in enumerate(batch) if column.type in _IN_STATISTICS]
        others = [place for place in range(len(batch)) if place not in known]
        found = _ask(database, table, counts + [edges[place] for place in others])
        known_edges = _ask(database, table, [edges[place] for place in known])
        ranges = dict(zip([*others, *known], [*found[len(batch) :], *known_edges], strict=True))
        for place, column in enumerate(batch):
            nulls, distinct = found[place]
            low, high = ranges[place]
            yield {
                "name": column.name,
                "original_name": column.original,
                "type": column.type,
                "nulls": nulls,
                "distinct_estimate": distinct,
                "min": _shown(low),
                "max": _shown(high),
            }


def _ask(database: DuckDBPyConnection, table: Path, wanted: Sequence[str]) -> Sequence[Any]:
    if not wanted:
        return ()
    query = f"SELECT {', '.join(wanted)} FROM {literal(str(table))}"  # noqa: S608 - quoted
    return database.execute(query).fetchone() or ()


def _shown(value: object) -> object:
    """Return a value fit for JSON, shortened: a profile describes, it does not copy."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and len(value) > _SHOWN:
        return value[: _SHOWN - 1] + "…"
    return value
