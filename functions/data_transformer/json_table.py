"""JSON objects to the Parquet files of a table."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb

from data_transformer import geojson, json_columns, json_rows, json_text, json_values, outputs
from data_transformer.columns import TEXT, identifier, literal, named
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.outputs import Part
    from data_transformer.settings import Names

_WHOLE: Final = "json"  # DuckDB's name for the only column when values are not objects
# GeoParquet would want a description of another reference system, which GeoJSON does not give.
_UNKNOWN_CRS: Final = {
    "version": "1.1.0",
    "primary_column": geojson.GEOMETRY,
    "columns": {geojson.GEOMETRY: {"encoding": "WKB", "geometry_types": [], "crs": None}},
}


class Table(NamedTuple):
    """A written table.

    Attributes:
        parts: see `outputs`.
        warnings: how the text was read.
        path: to its rows, names with points between; None if they are at the top.
    """

    parts: list[Part]
    warnings: list[Problem]
    path: str | None


class FaultError(Exception):
    """The text has to be split into objects and rejected values first."""


def write(
    connection: DuckDBPyConnection,
    objects: Path,
    directory: Path,
    *,
    style: Names,
    are_objects: bool,
    quoted: bool,
    geometry: str | None,
    path: str | None,
    is_path_required: bool,
) -> Table:
    """Write the Parquet files of a table.

    Raises:
        RejectedError: the required path leads to no list of objects.
        FaultError: some values are not objects; never raised if `are_objects`.
    """
    source = f"{literal(str(objects))}, maximum_object_size = {json_values.LARGEST_OBJECT_BYTES}"
    inferred, columns, warnings = _inferred(connection, source, are_objects=are_objects)
    if quoted:  # among other numbers they would make a column of JSON, with the quotes
        columns = [(name, TEXT if kind == "JSON" else kind) for name, kind in columns]
    doubles = json_columns.doubles(columns)
    if doubles and json_text.has_large_integers(objects):
        rounded = json_columns.rounded(connection, source, doubles)
        columns = [(name, TEXT if name in rounded else kind) for name, kind in columns]
        warnings += [json_text.LONG_NUMBERS] if rounded and not quoted else []
    rows_of = f"read_json({source}, {json_columns.exact_columns(columns)})"
    if renamed := json_columns.renamed(columns):
        warnings.append(
            Problem(
                "names_differ_in_case",
                f"Names differ in case only; each is a separate column, such as {renamed!r}.",
            )
        )
        rows_of = f"read_json({inferred})"
    place = json_rows.place(columns, path, required=is_path_required) if path else None
    found = path if place else None
    if not place and not geometry and json_rows.is_one_of_objects(connection, columns, rows_of):
        lists = json_rows.lists_of_objects([(name, duckdb.sqltype(kind)) for name, kind in columns])
        if len(lists) == 1:
            place, found = ".".join(map(identifier, lists[0])), ".".join(lists[0])
        warnings.append(json_rows.reading_warning(lists))
    if place:
        rows_of, columns = json_rows.unnested(connection, place, rows_of, inferred)
    if "maximum_depth" not in inferred:  # that has a warning already
        warnings += json_columns.mixed_warnings(columns)
    types = json_columns.types(connection, rows_of, columns)
    table = [
        replace(column, type=geometry if geometry and name == geojson.GEOMETRY else types[name])
        for column, (name, _) in zip(named(list(types), style), columns, strict=True)
    ]
    row_bytes = objects.stat().st_size / max(1, json_values.count_lines(objects))
    parts = outputs.parts(table)
    for part in parts:
        _write_part(connection, rows_of, part, directory, row_bytes)
    return Table(parts, warnings, found)


def _inferred(
    connection: DuckDBPyConnection, source: str, *, are_objects: bool
) -> tuple[str, list[tuple[str, str]], list[Problem]]:
    """Return the arguments of DuckDB's reader, names and types that it infers, and warnings.

    Raises:
        RejectedError, FaultError: as `write`.
    """
    inferred = f"{source}, sample_size = -1"
    warnings = []
    try:
        columns = json_columns.describe(connection, f"read_json({inferred})")
    except duckdb.NotImplementedException:  # of a STRUCT, to which names are the same
        inferred += ", maximum_depth = 1"
        columns = json_columns.scalars(connection, f"read_json({inferred})")
        warnings.append(
            Problem(
                "nested_as_text",
                "Names in a nested object differ in case only; nested values are in the table as "
                "JSON texts.",
            )
        )
    if [name for name, _ in columns] == [_WHOLE]:
        if columns[0][1] == "JSON" and not are_objects:
            raise FaultError
        any_filled = f"SELECT 1 FROM read_json({inferred}) WHERE json::VARCHAR <> '{{}}' LIMIT 1"  # noqa: S608 - quoted
        if not connection.execute(any_filled).fetchone():
            raise RejectedError("no_objects", "The objects of the file are empty.")
        # Objects with very many names alike have become one column of maps.
        inferred += ", map_inference_threshold = -1"
        columns = json_columns.describe(connection, f"read_json({inferred})")
    return inferred, columns, warnings


def _write_part(
    connection: DuckDBPyConnection, rows_of: str, part: Part, directory: Path, row_bytes: float
) -> None:
    chosen = ", ".join(
        f"{json_columns.value(column)} AS {identifier(column.name)}" for column in part.columns
    )
    has_wkb = any(column.type == json_columns.WKB for column in part.columns)
    geo = f", KV_METADATA {{geo: {literal(json.dumps(_UNKNOWN_CRS))}}}" if has_wkb else ""
    rows = f"SELECT {chosen} FROM {rows_of}"  # noqa: S608 - quoted
    outputs.write(connection, rows, part, directory, row_bytes, options=geo)
