"""Where in a JSON document its rows are: at the top, or in a list of objects in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from data_transformer import json_columns
from data_transformer.columns import identifier
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType


def unnested(
    connection: DuckDBPyConnection, place: str, rows_of: str, inferred: str
) -> tuple[str, list[tuple[str, str]]]:
    """Return the SQL of the objects of a list, and their names and types."""
    unnested = f"SELECT unnest({place}, max_depth := 2)"
    columns = json_columns.describe(connection, f"({unnested} FROM read_json({inferred}))")
    return f"({unnested} FROM {rows_of})", columns


def is_one_of_objects(
    connection: DuckDBPyConnection, columns: list[tuple[str, str]], rows_of: str
) -> bool:
    """Return whether there is one row, with objects or lists alone or with a list of objects."""
    kinds = [kind for _, kind in columns]
    are_nested = all(kind.startswith(("STRUCT(", "MAP(")) or kind.endswith("]") for kind in kinds)
    return (are_nested or any("STRUCT" in kind for kind in kinds)) and is_one(connection, rows_of)


def is_one(connection: DuckDBPyConnection, rows: str) -> bool:
    """Return whether there is exactly one row."""
    query = f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT 2)"  # noqa: S608 - quoted
    return connection.execute(query).fetchone() == (1,)


def lists_of_objects(members: list[tuple[str, DuckDBPyType]]) -> list[tuple[str, ...]]:
    """Return the ways by names to the lists of objects that are least deep."""
    level: list[tuple[tuple[str, ...], DuckDBPyType]]
    level = [((name,), kind) for name, kind in members]
    lists: list[tuple[str, ...]] = []
    while level and not lists:
        lists = [way for way, kind in level if _is_list_of_objects(kind)]
        level = [
            ((*way, name), inner)
            for way, kind in level
            if kind.id == "struct"
            for name, inner in json_columns.members(kind)
        ]
    return lists


def _is_list_of_objects(kind: DuckDBPyType) -> bool:
    return kind.id == "list" and json_columns.members(kind)[0][1].id == "struct"


def reading_warning(lists: list[tuple[str, ...]]) -> Problem:
    """Return the warning of a file that is one object, by the lists of objects in it."""
    if len(lists) == 1:
        return Problem(
            "rows_in_member",
            f"The rows are those of {'.'.join(lists[0])!r}; the other members of the object are "
            "not in the table.",
        )
    return Problem(
        "one_object",
        "The file is one object, so the table has one row. If its members are the rows, give them "
        "as an array.",
    )


def place(columns: list[tuple[str, str]], path: str, *, required: bool) -> str | None:
    """Return the SQL of the list of objects that a path of names leads to, if there is one.

    Raises:
        RejectedError: one is required.
    """
    first, *others = path.split(".")
    kinds = dict(columns)
    place, kind = identifier(first), kinds.get(first, "")
    for name in others:
        place += f".{identifier(name)}"
        found = re.search(rf'[(,] ?"?{re.escape(name)}"? (STRUCT\(.*)', kind)
        kind = found[1] if found else ""
    if kind.startswith("STRUCT("):
        return place
    if required:
        message = f"The path {path} does not lead to a list of objects."
        raise RejectedError("options_do_not_fit", message)
    return None
