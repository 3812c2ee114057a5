"""Delimited text (CSV and its kin) to a typed table, streamed.

One pass where all goes well: types come from the first mebibytes, the rest has to keep to them.
Each value is read as text and cast only if nothing of it is lost. When a later value shows that a
type was wrong, all of the text is looked at, and converted again with types that are right.
"""

from __future__ import annotations

import csv
import heapq
import io
import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import duckdb

from data_transformer import columns as typing_of
from data_transformer import dialect as dialects
from data_transformer import outputs
from data_transformer.columns import ABSENT, TEXT, identifier, literal
from data_transformer.engine import Pipe, database
from data_transformer.text import CleanText
from uploads.processing import Processed, Produced, RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Column
    from data_transformer.dialect import Dialect
    from data_transformer.settings import Settings
    from uploads.processing import Source

SAMPLE_BYTES: Final = 1024 * 1024
LARGEST_ROW_BYTES: Final = 16 * 1024 * 1024
_BATCH: Final = 100
_INEXACT: Final = "a value does not keep to its type"

_REASONS: Final = {
    "MISSING COLUMNS": "too few cells",
    "TOO MANY COLUMNS": "too many cells",
    "UNQUOTED VALUE": "a quoted cell does not end, or goes on after its closing quote",
    "LINE SIZE OVER MAXIMUM": "the row is too long",
    "INVALID ENCODING": "bytes that are no text in the file's encoding",
    "INVALID STATE": "the quotes make no sense",
}


class _TypesError(Exception):
    """The types taken from the sample do not hold."""


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a source, its beginning read."""

    source: Source
    clean: CleanText
    rest: Iterator[bytes]
    sample: bytes
    whole: bool

    @classmethod
    def of(cls, source: Source) -> _Text:
        clean = CleanText(source.open())
        chunks = iter(clean)
        sample = b""
        for chunk in chunks:
            sample += chunk
            if len(sample) >= SAMPLE_BYTES:
                break
        following = next(chunks, b"")
        rest = itertools.chain([following], chunks)
        return cls(source, clean, rest, sample, whole=not following)


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass over the text found."""

    rows: int
    rejected: int


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a delimited text.

    Raises:
        RejectedError: no table is in it, or too many of its rows are bad.
    """
    text = _Text.of(source)
    dialect = dialects.sniff(text.sample, whole=text.whole)
    if dialect is None:
        raise RejectedError("empty_file", "The file holds no text.")
    table = typing_of.normalise(dialect.names)
    job = _Job(source, directory, settings, dialect)
    sample = directory / "sample.csv"
    complete = text.sample if text.whole else text.sample[: text.sample.rfind(b"\n") + 1]
    sample.write_bytes(complete[dialect.skip :])
    table, seen = job.infer(table, sample)
    sample.unlink()
    row_bytes = len(complete) / max(seen, 1)
    exact = text.whole
    if not seen and not exact:
        table, exact = job.infer_all(table), True
    try:
        found = job.convert(table, text, row_bytes, exact=exact)
    except _TypesError:
        table, text = job.infer_all(table), _Text.of(source)
        found = job.convert(table, text, row_bytes, exact=True)
    table = [column for column in table if column.type != ABSENT]
    return job.finish(table, found, text.clean)


class _Job:
    def __init__(
        self, source: Source, directory: Path, settings: Settings, dialect: Dialect
    ) -> None:
        self._source = source
        self._directory = directory
        self._settings = settings
        self._dialect = dialect
        self._rejects = directory / "rejects.jsonl"

    def _reader(self, path: Path, width: int) -> str:
        names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(width))
        return (
            f"read_csv({literal(str(path))}, columns = {{{names}}}, auto_detect = false, "
            f"header = false, delim = {literal(self._dialect.delimiter)}, quote = '\"', "
            "escape = '\"', new_line = '\\n', allow_quoted_nulls = false, store_rejects = true, "
            f"rejects_limit = {self._settings.max_rejected_rows + 1}, "
            f"max_line_size = {LARGEST_ROW_BYTES}, buffer_size = {LARGEST_ROW_BYTES})"
        )

    @contextmanager
    def _database(self) -> Iterator[DuckDBPyConnection]:
        with database(self._directory, self._settings.memory_limit_mb) as connection:
            yield connection

    def infer(self, table: Sequence[Column], path: Path) -> tuple[list[Column], int]:
        """Return the columns with the types of the values in a file, and its number of rows."""
        rows = 0
        typed: list[Column] = []
        for start in range(0, len(table), _BATCH):
            places = range(start, min(start + _BATCH, len(table)))
            with self._database() as connection:
                types, rows = self._types(connection, path, table, places)
            typed += [replace(table[place], type=types[place]) for place in places]
        return typed, rows

    def infer_all(self, table: Sequence[Column]) -> list[Column]:
        """Return the columns with the types of all values of the source."""
        typed = list(table)
        for start in range(0, len(table), _BATCH):
            places = range(start, min(start + _BATCH, len(table)))
            text = _Text.of(self._source)
            with (
                self._database() as connection,
                Pipe(self._directory / "text", self._rows(text)) as pipe,
            ):
                types, _ = self._types(connection, pipe.path, table, places)
            for place in places:
                typed[place] = replace(table[place], type=types[place])
        return typed

    def _types(
        self, connection: DuckDBPyConnection, path: Path, table: Sequence[Column], places: range
    ) -> tuple[dict[int, str], int]:
        wanted = ["count(*)"]
        for place in places:
            name = f"c{place}"
            wanted.append(f"count({name})")
            for candidate in typing_of.CANDIDATES:
                value = candidate.value(name)
                castable = f"{name} IS NOT NULL AND {value} IS NOT NULL"
                wanted.append(f"count(*) FILTER ({castable} AND {candidate.fits(name, value)})")
                wanted.append(f"count(*) FILTER ({castable})")
        query = f"SELECT {', '.join(wanted)} FROM {self._reader(path, len(table))}"  # noqa: S608 - names are c0, c1, …
        counts = iter(connection.execute(query).fetchone() or ())
        rows = next(counts)
        types = {}
        for place in places:
            values = next(counts)
            evidence = []
            for candidate in typing_of.CANDIDATES:
                fitting, castable_count = next(counts), next(counts)
                evidence.append(typing_of.Evidence(candidate, fitting, castable_count - fitting))
            types[place] = typing_of.choose(
                values, evidence, self._settings.max_rejected_rows_share
            )
            if rows and not values and self._dialect.has_header and not table[place].original:
                types[place] = ABSENT
        return types, rows

    def _rows(self, text: _Text) -> Iterator[bytes]:
        """Return the text without what stands before the rows."""
        yield text.sample[self._dialect.skip :]
        yield from text.rest

    def convert(
        self, table: Sequence[Column], text: _Text, row_bytes: float, *, exact: bool
    ) -> _Pass:
        """Write `table.parquet` and `rejects.jsonl`.

        Args:
            table: columns.
            text: where the rows are, unread but for the sample.
            row_bytes: size of a row, about.
            exact: whether the types are those of all values, not of a sample.

        Raises:
            _TypesError: a value shows that a type is wrong.
            RejectedError: the rows are too wide for the memory.
        """
        with (
            TemporaryDirectory(dir=self._directory) as log,
            self._database() as connection,
            Pipe(self._directory / "text", self._rows(text)) as pipe,
        ):
            connection.execute("CREATE TEMP SEQUENCE bad")
            connection.execute(
                "CALL enable_logging(level = 'error', storage = 'file', "
                f"storage_path = {literal(log)})"
            )
            options = outputs.parquet_options(row_bytes)
            target = literal(str(self._directory / outputs.TABLE))
            query = f"COPY ({self._conversion(table, pipe.path)}) TO {target} ({options})"
            try:
                rows = (connection.execute(query).fetchone() or (0,))[0]
            except duckdb.InvalidInputException as error:
                if _INEXACT in str(error):
                    raise _TypesError from error
                raise
            except duckdb.OutOfMemoryException as error:
                raise RejectedError(
                    "too_wide",
                    f"A table of {len(table)} columns, about {row_bytes:.0f} bytes a row, does not "
                    "fit in the memory of the function.",
                ) from error
            connection.execute("CALL disable_logging()")
            bad = (connection.execute("SELECT nextval('bad') - 1").fetchone() or (0,))[0]
            unlisted = max(0, bad - self._settings.max_rejected_rows)
            misfits: list[int] = [0] * len(table)
            count = self._write_rejects(connection, Path(log), table, misfits)
        share = self._settings.max_rejected_rows_share
        if not exact and (unlisted or any(misfit > share * rows for misfit in misfits)):
            raise _TypesError
        return _Pass(rows, count + unlisted)

    def _conversion(self, table: Sequence[Column], path: Path) -> str:
        values, results, fits, inexact = ["*", "row_number() OVER () AS row"], [], [], []
        place_of_bad = ["WHEN false THEN NULL"]  # CASE needs one, and no column may be typed
        for place, column in enumerate(table):
            text, value = f"c{place}", f"t{place}"
            if column.type == TEXT:
                results.append(f"{text} AS {identifier(column.name)}")
                continue
            if column.type == ABSENT:
                fits.append(f"{text} IS NULL")
                inexact.append(f"{text} IS NOT NULL")
                continue
            candidate = typing_of.BY_TYPE[column.type]
            values.append(f"{candidate.value(text)} AS {value}")
            results.append(f"{value} AS {identifier(column.name)}")
            fit = candidate.fits(text, value)
            fits.append(fit)
            inexact.append(f"({value} IS NOT NULL AND NOT {fit})")
            place_of_bad.append(f"WHEN NOT {fit} THEN {place}")
        query = (
            f"SELECT {', '.join(results)} FROM "  # noqa: S608 - every name is quoted
            f"(SELECT {', '.join(values)} FROM {self._reader(path, len(table))})"
        )
        if not fits:
            return query
        cells = ", ".join(f"c{place}" for place in range(len(table)))
        entry = f"to_json([row::VARCHAR, (CASE {' '.join(place_of_bad)} END)::VARCHAR, {cells}])"
        return (
            f"{query} WHERE CASE WHEN {' AND '.join(fits)} THEN true "
            f"WHEN {' OR '.join(inexact)} THEN error('{_INEXACT} in row ' || row) "
            f"WHEN nextval('bad') > {self._settings.max_rejected_rows} THEN false "
            f"ELSE write_log({entry}::VARCHAR, level := 'error') IS NOT NULL END"
        )

    def _write_rejects(
        self,
        connection: DuckDBPyConnection,
        log: Path,
        table: Sequence[Column],
        misfits: list[int],
    ) -> int:
        structural = self._structural(connection)
        found = "SELECT DISTINCT line FROM reject_errors ORDER BY line"
        ordinals = [line for (line,) in _fetch(connection, found)]
        cast = self._cast(log, table, misfits, ordinals)
        count = 0
        with self._rejects.open("w", encoding="utf-8") as file:
            for entry in heapq.merge(structural, cast, key=lambda entry: entry["line"]):
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                count += 1
        return count

    def _structural(self, connection: DuckDBPyConnection) -> Iterator[dict[str, Any]]:
        query = (
            "SELECT line, first(error_type::VARCHAR), first(error_message), first(csv_line) "
            "FROM reject_errors GROUP BY line ORDER BY line"
        )
        for line, kind, message, raw in _fetch(connection, query):
            reason = _REASONS.get(kind, kind.lower())
            if kind in {"MISSING COLUMNS", "TOO MANY COLUMNS"}:
                expected, _, found = message.partition(" Found: ")
                reason += f": {found} where {expected.rpartition(' ')[2]} are expected"
            yield {
                "line": line + self._dialect.skipped_lines,
                "column": None,
                "reason": reason,
                "raw": raw.strip("\n"),
            }

    def _cast(
        self, log: Path, table: Sequence[Column], misfits: list[int], ordinals: list[int]
    ) -> Iterator[dict[str, Any]]:
        before = 0
        with (log / "duckdb_log_entries.csv").open(encoding="utf-8", newline="") as file:
            for record in csv.DictReader(file):
                row, place, *cells = json.loads(record["message"])
                ordinal = int(row) + before
                while before < len(ordinals) and ordinals[before] <= ordinal:
                    before += 1
                    ordinal += 1
                column = table[int(place)]
                misfits[int(place)] += 1
                noun = typing_of.BY_TYPE[column.type].noun
                yield {
                    "line": ordinal + self._dialect.skipped_lines,
                    "column": column.name,
                    "reason": f"{_short(cells[int(place)])} is not {noun}",
                    "raw": _line(cells, self._dialect.delimiter),
                }

    def finish(self, table: Sequence[Column], found: _Pass, clean: CleanText) -> Processed:
        """Describe the table, or reject it."""
        total = found.rows + found.rejected
        details = {
            "format": "csv",
            "encoding": clean.encoding,
            "delimiter": self._dialect.delimiter,
            "header": self._dialect.has_header,
            "rejected_rows": found.rejected,
        }
        warnings = []
        rejects = None
        if found.rejected:
            rejects = Produced(
                self._rejects, self._rejects.name, "application/x-ndjson", {"rows": found.rejected}
            )
            warnings.append(
                Problem(
                    "bad_rows", f"{found.rejected} of {total} rows do not fit: see rejects.jsonl."
                )
            )
        if clean.nuls:
            warnings.append(Problem("nul_characters", f"{clean.nuls} NUL characters were removed."))
        settings = self._settings
        if (
            found.rejected > settings.max_rejected_rows_share * total
            or found.rejected > settings.max_rejected_rows
        ):
            raise RejectedError(
                "too_many_bad_rows",
                f"{found.rejected} of {total} rows do not fit the table; at most "
                f"{settings.max_rejected_rows_share:.0%} and {settings.max_rejected_rows} may. "
                "See rejects.jsonl for the reasons.",
                Processed([rejects] if rejects else [], details),
            )
        with self._database() as connection:
            return outputs.finish(
                connection,
                self._directory,
                table,
                settings,
                rejects=rejects,
                details=details,
                warnings=warnings,
            )


def _fetch(connection: DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(1_000):
        yield from rows


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _line(cells: Sequence[str | None], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()
