"""JSON to a typed table: an array of objects, one object, or JSON Lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import duckdb

from data_transformer import (
    contents,
    dialect,
    geojson,
    json_columns,
    json_faults,
    json_orients,
    json_rows,
    json_table,
    json_text,
    json_values,
    outputs,
)
from data_transformer.columns import literal
from data_transformer.engine import database
from data_transformer.rejected_rows import Reject, RejectedRows
from data_transformer.text import CleanText, detect
from uploads.content import HEAD_BYTES
from uploads.processing import RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source
    from uploads.table_options import TableOptions

# DuckDB's messages about a malformed text, in an exception that also reports wrong options.
_FAULTS: Final = ("Malformed JSON", "JSON transform error", "in JSON array")
_TOO_LARGE: Final = "An object is larger than 16 MiB."
_SEVERAL_ARRAYS: Final = (
    'The file holds several arrays; a row is an object with names, such as {"a": 1}.'
)
_LIMITS: Final = {
    '"maximum_object_size"': _TOO_LARGE,
    "maximum recursion depth": "The values are nested more than 128 levels deep.",
}


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a JSON text.

    Raises:
        RejectedError: the text is not JSON, holds no objects, or needs too much memory or disk.
    """
    path = contents.save(source, directory / "upload.json")
    options = contents.options(source, settings, "JSON")
    with path.open("rb") as file:
        head = file.read(json_values.CHUNK)
    contents.check(head[:HEAD_BYTES])
    contents.check_options(options, "JSON")
    warnings = _prepare(path, head)
    first = json_values.first_character(path)
    if not first:
        raise RejectedError("empty_file", "The file holds no text.")
    if first not in '[{"' and _is_delimited(head):
        raise contents.OtherFormatError("CSV")
    job = _Job(source, path, directory, settings, first, warnings=warnings, options=options)
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        beginning = file.read(json_values.CHUNK).lstrip()
    if geojson.is_collection(beginning):
        return job.convert(*job.features(job.elements_of_collection()))
    if shape := geojson.shape_of_features(beginning):
        return job.convert(*job.features(job.single_features(shape)))
    if source.name.lower().endswith(".geojson"):
        warnings.append(
            Problem(
                "no_feature_collection",
                "The file holds no FeatureCollection; its objects were read as other JSON.",
            )
        )
    try:
        return job.convert(job.objects(), None)
    except json_table.FaultError:  # rare, and to look at each value takes time
        return job.convert(*job.sort_out())


def _is_delimited(head: bytes) -> bool:
    """Return whether the beginning of a text, which is not JSON, is a table with a header."""
    decoded = head.decode("utf-8-sig", "replace")
    text = decoded.replace("\r\n", "\n").replace("\r", "\n").encode()
    found = dialect.sniff(text, whole=len(head) < json_values.CHUNK)
    return bool(found and found.has_header and len(found.names) > 1 and text.count(b"\n") > 1)


def _prepare(path: Path, head: bytes) -> list[Problem]:
    """Make a text UTF-8 with rows that are objects and numbers that stay exact.

    Args:
        path: the text, changed in place.
        head: its beginning.

    Returns:
        A warning for each change.

    Raises:
        RejectedError: the rows are arrays, but not all of them.
    """
    if detect(head)[0].startswith(("utf-16", "utf-32")):
        with path.open("rb") as file, path.with_suffix(".utf-8").open("wb") as text:
            text.writelines(CleanText(file))
        path.with_suffix(".utf-8").rename(path)
    warnings = []
    if json_text.keep_exact(path):
        warnings.append(json_text.LONG_NUMBERS)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        shape = json_text.shape_of_arrays(file.read(json_values.CHUNK))
    if not shape:
        return warnings
    target = path.with_suffix(".objects")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            values = json_values.elements(file) if shape == "array" else json_values.lines(file)
            names = json_text.objects_of_arrays((text for _, text in values), target)
    except (json_values.OddArrayError, ValueError) as error:  # UnicodeError is a ValueError
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
            json_table.FaultError: some values are not objects.
            RejectedError: the array is broken.
        """
        if self._first == "{" and not json_text.has_null_line(self._path):
            return self._path
        if self._first != "[":
            raise json_table.FaultError
        target = self._directory / "upload.jsonl"
        is_object = True
        with target.open("w", encoding="utf-8", newline="") as file:
            for _, value in self._values(errors="strict"):
                is_object = is_object and value[0] == "{"
                file.write(json_values.on_one_line(value))
        if not is_object or not target.stat().st_size:
            raise json_table.FaultError
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
                head = file.read(json_values.CHUNK)
            _prepare(self._path, head)
        count = 0
        fault = None

        def others() -> Iterator[Reject]:
            nonlocal count, fault
            with target.open("w", encoding="utf-8", newline="") as file:
                for line, value in self._values(errors="surrogateescape"):
                    reason = json_faults.of_object(value)
                    if len(value) > json_values.LARGEST_OBJECT_BYTES:
                        reason, fault = "the object is larger than 16 MiB", _TOO_LARGE
                    if reason is None:
                        file.write(json_values.on_one_line(value))
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

    def features(self, values: Iterator[tuple[int, str]]) -> tuple[Path, RejectedRows]:
        """Return a file with a flat object for each feature of GeoJSON, and what else there is.

        Args:
            values: texts of the features, each with the number of the line that it begins in.

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
                for line, value in values:
                    try:
                        file.write(geojson.flattened(value) + "\n")
                        count += 1
                    except ValueError as error:
                        is_broken = isinstance(error, json.JSONDecodeError)
                        reason = json_faults.of_object(value) if is_broken else None
                        yield Reject(line, None, reason or str(error), value)

        listing = RejectedRows.write(self._directory, others(), self._settings.max_rejected_rows)
        listing.check(count, self._settings, self._details(listing))
        if not count:
            raise RejectedError("no_objects", "The file holds no features to make rows of.")
        self._path.unlink()
        return target, listing

    def single_features(self, shape: str) -> Iterator[tuple[int, str]]:
        """Yield the text of the only feature, or of one a line; see `features`."""
        with self._path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if shape == "one":
                yield 1, file.read().strip()
            else:
                yield from json_values.lines(file)

    def elements_of_collection(self) -> Iterator[tuple[int, str]]:
        """Yield the text of each feature of a collection; see `features`."""
        behind = ""

        def keep(text: str) -> None:
            nonlocal behind
            behind = text

        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                members, start = geojson.members_before(file.read(json_values.CHUNK))
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                first = file.read(start).count("\n")
                yield from (
                    (line + first, value) for line, value in json_values.elements(file, keep)
                )
                members |= json.loads('{"": 0' + behind + file.read())
        except (json_values.OddArrayError, ValueError) as error:
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
        return json_columns.WKB if self._crs else json_columns.GEOMETRY

    def _details(self, listing: RejectedRows) -> dict[str, Any]:
        return {"format": self._format, "rejected_rows": listing.count}

    def _values(self, errors: str) -> Iterator[tuple[int, str]]:
        """Yield the text of each value, and the number of the line that it begins in."""
        with self._path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
            if self._first != "[":
                yield from json_values.lines(file)
                return
            try:
                yield from json_values.elements(file)
            except (json_values.OddArrayError, UnicodeError) as error:
                small = self._path.stat().st_size <= json_values.LARGEST_OBJECT_BYTES
                odd = _SEVERAL_ARRAYS if small else _TOO_LARGE
                raise RejectedError("invalid_json", _fault(self._path) or odd) from error

    def convert(self, objects: Path, sorted_out: RejectedRows | None) -> Processed:
        """Make the files of a table.

        Args:
            objects: file of whole objects.
            sorted_out: the rejected values; None if the values were not checked.

        Raises:
            FaultError: of `json_table`; the values were not checked, and some are not objects.
            RejectedError: DuckDB cannot read the objects, or they need too much memory.
        """
        listing = sorted_out or RejectedRows.empty(self._directory)
        checked = sorted_out is not None
        try:
            with database(self._directory, self._settings.memory_limit_mb) as connection:
                try:
                    reshaped = (
                        None if self._geometry() or self._rows else _reshape(connection, objects)
                    )
                    table = json_table.write(
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
                        raise json_table.FaultError from error
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
    options = f"maximum_object_size = {json_values.LARGEST_OBJECT_BYTES}"
    if not json_rows.is_one(connection, f"read_json_objects({literal(str(objects))}, {options})"):
        return None
    return json_orients.rewrite(connection, objects, json_values.LARGEST_OBJECT_BYTES)


def _fault(path: Path) -> str | None:
    fault = json_faults.locate(path)
    if fault is None:
        return None
    return f"The JSON is broken at line {fault.line}, column {fault.column}: {fault.reason}."
