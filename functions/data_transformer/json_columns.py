"""Columns of JSON objects: the names and types that DuckDB finds, made exact."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb
from duckdb.sqltypes import DuckDBPyType

from data_transformer.columns import CANDIDATES, TEXT, Column, identifier, literal
from data_transformer.inference import infer
from data_transformer.messages import listed
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duckdb import DuckDBPyConnection

    from data_transformer.inference import Reader

# Whether a JSON value is a whole number that a double rounds.
_IS_ROUNDED: Final = (
    "lambda one: regexp_full_match(one::VARCHAR, '-?[0-9]{16,}') AND TRY_CAST(TRY_CAST("
    "one::VARCHAR AS DOUBLE) AS HUGEINT) <> TRY_CAST(one::VARCHAR AS HUGEINT)"
)
_NOTHING: Final = '"NULL"'  # DuckDB's type of a column without values
# Types of texts that DuckDB would change: it takes 01-02-03 for a date, and writes UUIDs in lower
# case. Parquet has no 128-bit integers. In the text of a type, a name is followed by a space.
_TEMPORAL: Final = {one.type: one for one in CANDIDATES if one.type.startswith(("DATE", "TIME"))}
_INEXACT: Final = re.compile(
    r'"(?:[^"]|"")*"|(?<!\w)(UUID|HUGEINT|DATE|TIMESTAMP WITH TIME ZONE|TIMESTAMP(?:_\w+)?|TIME)'
    r"(?=[,)\[]|$)"
)
# By what DuckDB's json_type() returns.
_SCALARS: Final = {
    TEXT: {"VARCHAR"},
    "BOOLEAN": {"BOOLEAN"},
    "BIGINT": {"BIGINT"},
    "HUGEINT": {"BIGINT", "UBIGINT"},
    "DOUBLE": {"BIGINT", "UBIGINT", "DOUBLE"},
}
# DuckDB's types of geometries: of longitude and latitude, and of another reference system.
GEOMETRY: Final = "GEOMETRY"
WKB: Final = "BLOB"


def describe(connection: DuckDBPyConnection, reader: str) -> list[tuple[str, str]]:
    """Return names and types of columns."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608 - quoted
    return [(row[0], row[1]) for row in rows]


def scalars(connection: DuckDBPyConnection, reader: str) -> list[tuple[str, str]]:
    """Return names and types of columns that are read as JSON; nested values stay JSON."""
    names = [name for name, _ in describe(connection, reader)]
    kinds = ", ".join(f"list(DISTINCT json_type({identifier(name)}))" for name in names)
    found = connection.execute(f"SELECT {kinds} FROM {reader}").fetchone() or ()  # noqa: S608 - quoted
    columns = []
    for name, values in zip(names, found, strict=True):
        types = {value for value in values if value not in {None, "NULL"}}
        kind = next((kind for kind, fitting in _SCALARS.items() if types <= fitting), "JSON")
        columns.append((name, kind))
    return columns


def exact(kind: str) -> str:
    """Return a type that keeps what DuckDB's inferred one would change."""
    return _INEXACT.sub(
        lambda match: {None: match[0], "HUGEINT": "DECIMAL(38,0)"}.get(match[1], TEXT), kind
    )


def exact_columns(columns: list[tuple[str, str]]) -> str:
    """Return the option of a reader that names columns and their exact types."""
    given = ", ".join(f"{literal(name)}: {literal(exact(kind))}" for name, kind in columns)
    return f"columns = {{{given}}}"


def doubles(columns: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the JSON paths of the doubles in columns that hold some, by the columns' names."""
    paths = {
        name: [f"${path}" for path in _doubles(duckdb.sqltype(kind))] for name, kind in columns
    }
    return {name: found for name, found in paths.items() if found}


def rounded(
    connection: DuckDBPyConnection, source: str, doubles: dict[str, list[str]]
) -> list[str]:
    """Return the names of columns with whole numbers that are to be doubles, and no double holds.

    Args:
        connection: to DuckDB.
        source: first arguments of its reader.
        doubles: see the function of that name; at least one.
    """
    kinds = ", ".join(f"{literal(name)}: 'JSON'" for name in doubles)
    checks = [
        f"bool_or(len(list_filter(flatten([{', '.join(_values(name, path) for path in paths)}]), "
        f"{_IS_ROUNDED})) > 0)"
        for name, paths in doubles.items()
    ]
    rows = f"read_json({source}, columns = {{{kinds}}})"
    answer = connection.execute(f"SELECT {', '.join(checks)} FROM {rows}").fetchone() or ()  # noqa: S608 - quoted
    return [name for name, is_rounded in zip(doubles, answer, strict=True) if is_rounded]


def _values(name: str, path: str) -> str:
    """Return the SQL of a list of the values that a path leads to."""
    found = f"json_extract({identifier(name)}, {literal(path)})"
    return found if "*" in path else f"[{found}]"


def _doubles(kind: DuckDBPyType) -> Iterator[str]:
    """Yield the JSON path of each double in a type, without the $ in front."""
    if kind.id == "double":
        yield ""
    elif kind.id in {"list", "map", "struct"}:
        for name, inner in members(kind):
            is_named = kind.id == "struct" and '"' not in name
            step = f'."{name}"' if is_named else "[*]" if kind.id == "list" else ".*"
            yield from (step + path for path in _doubles(inner))


def members(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the members of an object, or the only one of a list, which are types."""
    return [(name, inner) for name, inner in kind.children if isinstance(inner, DuckDBPyType)]


def renamed(columns: list[tuple[str, str]]) -> str | None:
    """Return a name that DuckDB may have numbered, since it differs in case alone: a, A_1."""
    exact = {name for name, _ in columns}
    lower = {name.lower() for name in exact}
    for name, _ in columns:
        match = re.fullmatch(r"(.+)_\d+", name, re.DOTALL)
        if match and match[1] not in exact and match[1].lower() in lower:
            return name
    return None


def types(
    connection: DuckDBPyConnection, rows_of: str, columns: list[tuple[str, str]]
) -> dict[str, str]:
    """Return the exact type of each column by its name in the text.

    Texts are dates or times by the rules for delimited text: none of them may change.
    """
    types = {name: TEXT if kind == _NOTHING else exact(kind) for name, kind in columns}
    temporal = [Column(name, name) for name, kind in columns if kind in _TEMPORAL]
    texts = ", ".join(
        f"{identifier(column.name)}::VARCHAR AS c{place}" for place, column in enumerate(temporal)
    )

    @contextmanager
    def reader() -> Iterator[tuple[DuckDBPyConnection, str]]:
        yield connection, f"(SELECT {texts} FROM {rows_of})"  # noqa: S608 - quoted

    read: Callable[[], Reader] = reader
    found = infer(temporal, read, known=tuple(_TEMPORAL.values()), misfits_share=0)
    return types | {column.original: column.type for column in found.columns}


def value(column: Column) -> str:
    """Return the SQL of a column's values."""
    name = identifier(column.original)
    if column.type in {GEOMETRY, WKB}:
        value = f"st_geomfromgeojson({name}::VARCHAR)"
        return value if column.type == GEOMETRY else f"st_aswkb({value})"
    if column.type in _TEMPORAL:
        return _TEMPORAL[column.type].value(f"{name}::VARCHAR")
    return f"{name}::{column.type}" if column.type in {TEXT, "DECIMAL(38,0)"} else name


def mixed_warnings(columns: list[tuple[str, str]]) -> list[Problem]:
    """Return the warning of columns with values of several types."""
    mixed = [repr(name) for name, kind in columns if kind == "JSON"]
    if not mixed:
        return []
    return [
        Problem(
            "mixed_as_json",
            f"Values of several types are under the name {listed(mixed, 1)}; they are in the "
            "table as JSON texts.",
        )
    ]
