"""JSON to a typed table: an array of objects, one object, or JSON Lines."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import duckdb
from duckdb.sqltypes import DuckDBPyType

from data_transformer import (
    contents,
    dialect,
    geojson,
    json_faults,
    json_orients,
    json_text,
    outputs,
)
from data_transformer.columns import CANDIDATES, TEXT, Column, identifier, literal, named
from data_transformer.csv_rows import line_ends
from data_transformer.engine import database
from data_transformer.inference import infer
from data_transformer.messages import listed
from data_transformer.rejected_rows import Reject, RejectedRows
from data_transformer.text import CleanText, detect
from uploads.content import HEAD_BYTES
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

    from duckdb import DuckDBPyConnection

    from data_transformer.inference import Reader
    from data_transformer.outputs import Part
    from data_transformer.settings import Names, Settings
    from uploads.processing import Processed, Source
    from uploads.table_options import TableOptions

LARGEST_OBJECT_BYTES: Final = 16 * 1024 * 1024
_WHOLE: Final = "json"  # what DuckDB calls the column of values that are no objects
_NOTHING: Final = '"NULL"'  # DuckDB's type of a column without values
_CHUNK: Final = 1024 * 1024
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
# What DuckDB says of a text, in an exception that it has for wrong options as well.
_FAULTS: Final = ("Malformed JSON", "JSON transform error", "in JSON array")
_TOO_LARGE: Final = "An object is larger than 16 MiB."
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
_SEVERAL_ARRAYS: Final = (
    'The file holds several arrays; a row is an object with names, such as {"a": 1}.'
)
_LIMITS: Final = {
    '"maximum_object_size"': _TOO_LARGE,
    "maximum recursion depth": "The values are nested more than 128 levels deep.",
}


# DuckDB's types of geometries: of longitude and latitude, and of another reference system, of which
# GeoParquet would want a description that GeoJSON does not give.
_GEOMETRY: Final = "GEOMETRY"
_WKB: Final = "BLOB"
_UNKNOWN_CRS: Final = {
    "version": "1.1.0",
    "primary_column": geojson.GEOMETRY,
    "columns": {geojson.GEOMETRY: {"encoding": "WKB", "geometry_types": [], "crs": None}},
}


class _OddArrayError(Exception):
    """The text is no array, or one of its values is very large."""


class _Table(NamedTuple):
    """What was written.

    Attributes:
        parts: see `outputs`.
        warnings: how the text was read.
        path: to its rows, names with points between; None if they are at the top.
    """

    parts: list[Part]
    warnings: list[Problem]
    path: str | None


class _FaultError(Exception):
    """The text is no table as it is."""


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a JSON text.

    Raises:
        RejectedError: the text is not JSON, holds no objects, or needs too much memory.
    """
    path = source.save(directory / "upload.json")
    options = contents.options(source, settings, "JSON")
    with path.open("rb") as file:
        head = file.read(_CHUNK)
    contents.check(head[:HEAD_BYTES])
    contents.check_options(options, "JSON")
    warnings = _prepare(path, head)
    first = _first(path)
    if not first:
        raise RejectedError("empty_file", "The file holds no text.")
    if first not in '[{"' and _is_delimited(head):
        raise contents.OtherFormatError("CSV")
    job = _Job(source, path, directory, settings, first, warnings=warnings, options=options)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        if geojson.is_collection(file.read(_CHUNK).lstrip()):
            return job.convert(*job.features())
    if source.name.lower().endswith(".geojson"):
        warnings.append(
            Problem(
                "no_feature_collection",
                "The file holds no FeatureCollection; its objects were read as other JSON.",
            )
        )
    try:
        return job.convert(job.objects(), None)
    except _FaultError:  # rare, and to look at each value takes time
        return job.convert(*job.sort_out())


def _is_delimited(head: bytes) -> bool:
    """Tell whether the beginning of a text that is no JSON is that of a table with a header."""
    decoded = head.decode("utf-8-sig", "replace")
    text = decoded.replace("\r\n", "\n").replace("\r", "\n").encode()
    found = dialect.sniff(text, whole=len(head) < _CHUNK)
    return bool(found and found.has_header and len(found.names) > 1 and text.count(b"\n") > 1)


def _prepare(path: Path, head: bytes) -> list[Problem]:
    """Make a text UTF-8 with rows that are objects and numbers that stay exact.

    Args:
        path: the text, changed in place.
        head: its beginning.

    Returns:
        What was changed.

    Raises:
        RejectedError: the rows are arrays, but not all of them.
    """
    if detect(head)[0].startswith(("utf-16", "utf-32")):
        with path.open("rb") as file, path.with_suffix(".utf-8").open("wb") as text:
            text.writelines(CleanText(file))
        path.with_suffix(".utf-8").rename(path)
    warnings = []
    if json_text.keep_exact(path):
        warnings.append(
            Problem(
                "long_numbers",
                "Numbers with more digits, or a larger exponent, than a double or a 64-bit integer "
                "holds are in the table as text, digit by digit.",
            )
        )
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        shape = json_text.shape_of_arrays(file.read(_CHUNK))
    if not shape:
        return warnings
    target = path.with_suffix(".objects")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            values = _elements(file) if shape == "array" else _lines(file)
            names = json_text.objects_of_arrays((text for _, text in values), target)
    except (_OddArrayError, ValueError) as error:  # UnicodeError is a ValueError
        found = str(error) if type(error) is ValueError else ""
        sentence = found or _fault(path) or _SEVERAL_ARRAYS
        raise RejectedError("invalid_json", sentence) from error
    target.rename(path)
    given = "the first gives the names of the columns" if names else "the columns are numbered"
    warnings.append(Problem("rows_of_arrays", f"The rows are arrays, not objects; {given}."))
    return warnings


class _Job:
    def __init__(
        self,
        source: Source,
        path: Path,
        directory: Path,
        settings: Settings,
        first: str,
        *,
        warnings: list[Problem],
        options: TableOptions,
    ) -> None:
        self._source = source
        self._path = path
        self._directory = directory
        self._settings = settings
        self._first = first
        self._warnings = warnings
        self._format = "json"
        self._rows = options.rows
        self._is_path_required = contents.is_of_upload("rows", options, settings)
        self._crs: str | None = None

    def objects(self) -> Path:
        """Return a file for DuckDB to read: the text itself, or an array's objects as JSON Lines.

        Raises:
            _FaultError: there are values that are no objects.
            RejectedError: the array is broken.
        """
        if self._first == "{":
            return self._path
        if self._first != "[":
            raise _FaultError
        target = self._directory / "upload.jsonl"
        is_object = True
        with target.open("w", encoding="utf-8", newline="") as file:
            for _, value in self._values(errors="strict"):
                is_object = is_object and value[0] == "{"
                file.write(_on_one_line(value))
        if not is_object or not target.stat().st_size:
            raise _FaultError
        self._path.unlink()  # two copies may be more than there is room for
        return target

    def sort_out(self) -> tuple[Path, RejectedRows]:
        """Return a file with the objects that are whole, and what else there is.

        Raises:
            RejectedError: most is something else.
        """
        target = self._directory / "upload.jsonl"
        if not self._path.exists():
            self._source.save(self._path)
            with self._path.open("rb") as file:
                head = file.read(_CHUNK)
            _prepare(self._path, head)
        count = 0
        fault = None

        def others() -> Iterator[Reject]:
            nonlocal count, fault
            with target.open("w", encoding="utf-8", newline="") as file:
                for line, value in self._values(errors="surrogateescape"):
                    reason = json_faults.of_object(value)
                    if len(value) > LARGEST_OBJECT_BYTES:
                        reason, fault = "the object is larger than 16 MiB", _TOO_LARGE
                    if reason is None:
                        file.write(_on_one_line(value))
                        count += 1
                    else:
                        raw = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                        yield Reject(line, None, reason, raw)

        listing = RejectedRows.write(self._directory, others(), self._settings.max_rejected_rows)
        try:
            listing.check(count, self._settings, self._details(listing))
        except RejectedError as error:
            fault = fault or _fault(self._path)
            if fault:
                raise RejectedError("invalid_json", fault, error.processed) from error
            if count:
                raise
        if not count:
            raise RejectedError("no_objects", "The file holds no objects to make rows of.")
        self._path.unlink()
        return target, listing

    def features(self) -> tuple[Path, RejectedRows]:
        """Return a file with a flat object for each feature of GeoJSON, and what else there is.

        Raises:
            RejectedError: the text is broken, or most of its features are none.
        """
        self._format = "geojson"
        if not self._source.name.lower().endswith(".geojson"):
            self._warnings.append(
                Problem("read_as_geojson", "The file is GeoJSON: a row is one of its features.")
            )
        target = self._directory / "upload.jsonl"
        count = 0

        def others() -> Iterator[Reject]:
            nonlocal count
            with target.open("w", encoding="utf-8", newline="") as file:
                for line, value in self._features():
                    try:
                        file.write(geojson.flattened(value) + "\n")
                        count += 1
                    except ValueError as error:
                        yield Reject(line, None, str(error), value)

        listing = RejectedRows.write(self._directory, others(), self._settings.max_rejected_rows)
        listing.check(count, self._settings, self._details(listing))
        if not count:
            raise RejectedError("no_objects", "The file holds no features to make rows of.")
        self._path.unlink()
        return target, listing

    def _features(self) -> Iterator[tuple[int, str]]:
        """Yield the text of each feature, and the number of the line that it begins in."""
        behind = ""

        def keep(text: str) -> None:
            nonlocal behind
            behind = text

        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                members, start = geojson.members_before(file.read(_CHUNK))
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                first = file.read(start).count("\n")
                yield from ((line + first, value) for line, value in _elements(file, keep))
                members |= json.loads('{"": 0' + behind + file.read())
        except (_OddArrayError, ValueError) as error:
            broken = "The JSON is broken, or its features begin behind the first MiB."
            raise RejectedError("invalid_json", _fault(self._path) or broken) from error
        self._crs = geojson.other_crs(members)
        if self._crs:
            self._warnings.append(
                Problem(
                    "other_crs",
                    f"The coordinates are in {self._crs}; the table holds them as they are, and "
                    "does not name their reference system.",
                )
            )

    def _geometry(self) -> str | None:
        """Return the type of the column of geometries, if there is one."""
        if self._format == "json":
            return None
        return _WKB if self._crs else _GEOMETRY

    def _details(self, listing: RejectedRows) -> dict[str, Any]:
        return {"format": self._format, "rejected_rows": listing.count}

    def _values(self, errors: str) -> Iterator[tuple[int, str]]:
        """Yield the text of each value, and the number of the line that it begins in."""
        with self._path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
            if self._first != "[":
                yield from _lines(file)
                return
            try:
                yield from _elements(file)
            except (_OddArrayError, UnicodeError) as error:
                small = self._path.stat().st_size <= LARGEST_OBJECT_BYTES
                odd = _SEVERAL_ARRAYS if small else _TOO_LARGE
                raise RejectedError("invalid_json", _fault(self._path) or odd) from error

    def convert(self, objects: Path, sorted_out: RejectedRows | None) -> Processed:
        """Make the files of a table.

        Args:
            objects: file of whole objects.
            sorted_out: what else there was; None if nobody has looked.

        Raises:
            _FaultError: nobody has looked, and something is in the file that is no object.
            RejectedError: DuckDB takes no such objects, or they need too much memory.
        """
        listing = sorted_out or RejectedRows.empty(self._directory)
        checked = sorted_out is not None
        try:
            with database(self._directory, self._settings.memory_limit_mb) as connection:
                try:
                    reshaped = (
                        None if self._geometry() or self._rows else _reshape(connection, objects)
                    )
                    table = _write(
                        connection,
                        objects,
                        self._directory,
                        are_objects=checked,
                        style=self._settings.column_names,
                        quoted=any(one.code == "long_numbers" for one in self._warnings),
                        geometry=self._geometry(),
                        path=self._rows,
                        is_path_required=self._is_path_required,
                    )
                except duckdb.InvalidInputException as error:
                    message = str(error)
                    limit = [text for sign, text in _LIMITS.items() if sign in message]
                    if checked and limit:
                        raise RejectedError("invalid_json", limit[0]) from error
                    if not checked and (limit or any(sign in message for sign in _FAULTS)):
                        raise _FaultError from error
                    raise
                objects.unlink()
                return outputs.finish(
                    connection,
                    self._directory,
                    table.parts,
                    self._settings,
                    listing,
                    details=self._details(listing) | {"reading": {"rows": table.path}},
                    warnings=[*self._warnings, *filter(None, [reshaped]), *table.warnings],
                )
        except duckdb.OutOfMemoryException as error:
            raise RejectedError(
                "too_large",
                "The objects do not fit in the memory that tables may use, "
                f"{self._settings.memory_limit_mb} MB: give them as JSON Lines, one small object a "
                "line.",
            ) from error


def _reshape(connection: DuckDBPyConnection, objects: Path) -> Problem | None:
    """Write the rows of a document that is one object over it, if it has several."""
    options = f"maximum_object_size = {LARGEST_OBJECT_BYTES}"
    if not _is_one(connection, f"read_json_objects({literal(str(objects))}, {options})"):
        return None
    return json_orients.rewrite(connection, objects, LARGEST_OBJECT_BYTES)


def _write(
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
) -> _Table:
    """Write the Parquet files of a table.

    Raises:
        RejectedError: the required path leads to no list of objects.
        _FaultError: there are values that are no objects; not if it is known that there are none.
    """
    options = f"maximum_object_size = {LARGEST_OBJECT_BYTES}"
    source = f"{literal(str(objects))}, {options}"
    warnings = []
    inferred = f"{source}, sample_size = -1"
    try:
        columns = _describe(connection, f"read_json({inferred})")
    except duckdb.NotImplementedException:  # of a STRUCT, to which names are the same
        inferred += ", maximum_depth = 1"
        columns = _scalars(connection, f"read_json({inferred})")
        warnings.append(
            Problem(
                "nested_as_text",
                "Names in a nested object differ in case alone; nested values are in the table as "
                "JSON texts.",
            )
        )
    if [name for name, _ in columns] == [_WHOLE]:
        if columns[0][1] == "JSON" and not are_objects:
            raise _FaultError
        if not _is_any(connection, f"read_json({inferred})", "json::VARCHAR <> '{}'"):
            raise RejectedError("no_objects", "The objects of the file are empty.")
        # Objects with very many names alike have become one column of maps.
        inferred += ", map_inference_threshold = -1"
        columns = _describe(connection, f"read_json({inferred})")
    if quoted:  # among other numbers they would make a column of JSON, with the quotes
        columns = [(name, TEXT if kind == "JSON" else kind) for name, kind in columns]
    rows_of = f"read_json({source}, {_exact_columns(columns)})"
    if renamed := _renamed(columns):
        warnings.append(
            Problem(
                "names_differ_in_case",
                f"Names differ in case alone; each is a column of its own, such as {renamed!r}.",
            )
        )
        rows_of = f"read_json({inferred})"
    place = _place(columns, path, required=is_path_required) if path else None
    found = path if place else None
    if place:
        rows_of, columns = _unnested(connection, place, rows_of, inferred)
    elif not geometry and _is_one_of_objects(connection, columns, rows_of):
        lists = _lists_of_objects([(name, duckdb.sqltype(kind)) for name, kind in columns])
        if len(lists) == 1:
            place, found = ".".join(map(identifier, lists[0])), ".".join(lists[0])
            rows_of, columns = _unnested(connection, place, rows_of, inferred)
        warnings.append(_read_as(lists))
    if "maximum_depth" not in inferred:  # else it is told already
        warnings += _of_mixed(columns)
    types = _types(connection, rows_of, columns)
    table = [
        replace(column, type=geometry if geometry and name == geojson.GEOMETRY else types[name])
        for column, (name, _) in zip(named(list(types), style), columns, strict=True)
    ]
    row_bytes = objects.stat().st_size / max(1, _count_lines(objects))
    parts = outputs.parts(table)
    for part in parts:
        chosen = ", ".join(
            f"{_value(column)} AS {identifier(column.name)}" for column in part.columns
        )
        has_wkb = any(column.type == _WKB for column in part.columns)
        geo = f", KV_METADATA {{geo: {literal(json.dumps(_UNKNOWN_CRS))}}}" if has_wkb else ""
        rows = f"SELECT {chosen} FROM {rows_of}"  # noqa: S608 - quoted
        outputs.write(connection, rows, part, directory, row_bytes, options=geo)
    return _Table(parts, warnings, found)


def _unnested(
    connection: DuckDBPyConnection, place: str, rows_of: str, inferred: str
) -> tuple[str, list[tuple[str, str]]]:
    """Return the SQL of the objects of a list, and their names and types."""
    unnested = f"SELECT unnest({place}, max_depth := 2)"
    columns = _describe(connection, f"({unnested} FROM read_json({inferred}))")
    return f"({unnested} FROM {rows_of})", columns


def _is_one_of_objects(
    connection: DuckDBPyConnection, columns: list[tuple[str, str]], rows_of: str
) -> bool:
    """Tell whether there is one row, with objects or lists alone or with a list of objects."""
    kinds = [kind for _, kind in columns]
    are_nested = all(kind.startswith(("STRUCT(", "MAP(")) or kind.endswith("]") for kind in kinds)
    return (are_nested or any("STRUCT" in kind for kind in kinds)) and _is_one(connection, rows_of)


def _lists_of_objects(members: list[tuple[str, DuckDBPyType]]) -> list[tuple[str, ...]]:
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
            for name, inner in _members(kind)
        ]
    return lists


def _is_list_of_objects(kind: DuckDBPyType) -> bool:
    return kind.id == "list" and _members(kind)[0][1].id == "struct"


def _members(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """Return the members of an object, or the only one of a list, which are types."""
    return [(name, inner) for name, inner in kind.children if isinstance(inner, DuckDBPyType)]


def _read_as(lists: list[tuple[str, ...]]) -> Problem:
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


def _place(columns: list[tuple[str, str]], path: str, *, required: bool) -> str | None:
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


def _scalars(connection: DuckDBPyConnection, reader: str) -> list[tuple[str, str]]:
    """Return names and types of columns that are read as JSON; nested values stay JSON."""
    names = [name for name, _ in _describe(connection, reader)]
    kinds = ", ".join(f"list(DISTINCT json_type({identifier(name)}))" for name in names)
    found = connection.execute(f"SELECT {kinds} FROM {reader}").fetchone() or ()  # noqa: S608 - quoted
    columns = []
    for name, values in zip(names, found, strict=True):
        types = {value for value in values if value not in {None, "NULL"}}
        kind = next((kind for kind, fitting in _SCALARS.items() if types <= fitting), "JSON")
        columns.append((name, kind))
    return columns


def _exact(kind: str) -> str:
    """Return a type that keeps what DuckDB's inferred one would change."""
    return _INEXACT.sub(
        lambda match: {None: match[0], "HUGEINT": "DECIMAL(38,0)"}.get(match[1], TEXT), kind
    )


def _exact_columns(columns: list[tuple[str, str]]) -> str:
    """Return the option of a reader that names columns and their exact types."""
    given = ", ".join(f"{literal(name)}: {literal(_exact(kind))}" for name, kind in columns)
    return f"columns = {{{given}}}"


def _renamed(columns: list[tuple[str, str]]) -> str | None:
    """Return a name that DuckDB may have numbered, since it differs in case alone: a, A_1."""
    exact = {name for name, _ in columns}
    lower = {name.lower() for name in exact}
    for name, _ in columns:
        match = re.fullmatch(r"(.+)_\d+", name, re.DOTALL)
        if match and match[1] not in exact and match[1].lower() in lower:
            return name
    return None


def _types(
    connection: DuckDBPyConnection, rows_of: str, columns: list[tuple[str, str]]
) -> dict[str, str]:
    """Return the exact type of each column by its name in the text.

    Texts are dates or times by the rules for delimited text: none of them may change.
    """
    types = {name: TEXT if kind == _NOTHING else _exact(kind) for name, kind in columns}
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


def _value(column: Column) -> str:
    """Return the SQL of a column's values."""
    name = identifier(column.original)
    if column.type in {_GEOMETRY, _WKB}:
        value = f"st_geomfromgeojson({name}::VARCHAR)"
        return value if column.type == _GEOMETRY else f"st_aswkb({value})"
    if column.type in _TEMPORAL:
        return _TEMPORAL[column.type].value(f"{name}::VARCHAR")
    return f"{name}::{column.type}" if column.type in {TEXT, "DECIMAL(38,0)"} else name


def _is_any(connection: DuckDBPyConnection, rows: str, condition: str) -> bool:
    """Return whether the condition holds for any row."""
    query = f"SELECT 1 FROM {rows} WHERE {condition} LIMIT 1"  # noqa: S608 - quoted
    return connection.execute(query).fetchone() is not None


def _of_mixed(columns: list[tuple[str, str]]) -> list[Problem]:
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


def _is_one(connection: DuckDBPyConnection, rows: str) -> bool:
    """Return whether there is one row, and no more."""
    query = f"SELECT count(*) FROM (SELECT 1 FROM {rows} LIMIT 2)"  # noqa: S608 - quoted
    return connection.execute(query).fetchone() == (1,)


def _describe(connection: DuckDBPyConnection, reader: str) -> list[tuple[str, str]]:
    """Return names and types of columns."""
    rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608 - quoted
    return [(row[0], row[1]) for row in rows]


def _on_one_line(value: str) -> str:
    return value.replace("\n", " ").replace("\r", " ") + "\n"


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
        return sum(map(line_ends, iter(lambda: file.read(_CHUNK), b"")))


def _lines(file: TextIO) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line that is not blank; of a very long one, a part."""
    number = 0
    while line := file.readline(LARGEST_OBJECT_BYTES):
        number += 1
        value = line.strip(" \t\r\n")
        while line and not line.endswith("\n"):
            line = file.readline(LARGEST_OBJECT_BYTES)
            value += line[:1].strip()  # longer than allowed, if it goes on
        if value:
            yield number, value


def _elements(
    file: TextIO, behind: Callable[[str], None] | None = None
) -> Iterator[tuple[int, str]]:
    """Yield the text of each element of an array, and the number of the line it begins in.

    Args:
        file: text that begins with the array.
        behind: takes what was read behind the array; without, there must be nothing.

    Raises:
        _OddArrayError: it is broken, or the end of an element is too far away.
    """
    decoder = json.JSONDecoder()
    text, position = file.read(_CHUNK), 0
    line, counted = 1, 0

    def more() -> bool:
        nonlocal text, position, line, counted
        line, counted = line + text.count("\n", counted, position), 0
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
        line, counted = line + text.count("\n", counted, position), position
        yield line, text[position:end]
        position = end
        separator = mark()
    if separator == "]" and behind:
        behind(text[position:])
    elif separator != "]" or mark():
        raise _OddArrayError


def _fault(path: Path) -> str | None:
    fault = json_faults.locate(path)
    if fault is None:
        return None
    return f"The JSON is broken at line {fault.line}, column {fault.column}: {fault.reason}."
