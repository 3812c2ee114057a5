"""Delimited text (CSV and its kin) to a typed table, streamed.

One pass where all goes well: types come from the first mebibytes, the rest has to keep to them.
Each value is read as text and cast only if nothing of it is lost. When a later value shows that a
type was wrong, all of the text is looked at, and converted again with types that are right.
"""

from __future__ import annotations

import csv
import itertools
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import duckdb

from data_transformer import columns as typing_of
from data_transformer import dialect as dialects
from data_transformer import outputs, rejects
from data_transformer.columns import ABSENT, TEXT, identifier, literal
from data_transformer.engine import Pipe, database
from data_transformer.inference import infer
from data_transformer.rejects import Misfit, Unsplit
from data_transformer.text import CleanText
from uploads.processing import Processed, Produced, RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Column
    from data_transformer.dialect import Dialect
    from data_transformer.inference import Candidates, Inference, Rows
    from data_transformer.settings import Settings
    from uploads.processing import Source

SAMPLE_BYTES: Final = 1024 * 1024
LARGEST_ROW_BYTES: Final = 16 * 1024 * 1024
MOST_COLUMNS: Final = 500
# The more columns, the more of the memory their vectors take, and the less is left for the text.
_WIDE: Final = 100
_LARGEST_WIDE_ROW_BYTES: Final = 2 * 1024 * 1024
_INEXACT: Final = "a value does not keep to its type"

_REASONS: Final = {
    "MISSING COLUMNS": "too few cells",
    "TOO MANY COLUMNS": "too many cells",
    "UNQUOTED VALUE": "a quoted cell does not end, or goes on after its closing quote",
    "LINE SIZE OVER MAXIMUM": "the row is too long",
    "INVALID ENCODING": "bytes that are no text in the file's encoding",
    "INVALID STATE": "the quotes make no sense",
}


_LONGEST_EXACT: Final = 1024 * 1024  # DuckDB cuts longer texts


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
    if len(dialect.names) > MOST_COLUMNS:
        raise RejectedError(
            "too_many_columns",
            f"The table has {len(dialect.names)} columns; at most {MOST_COLUMNS} fit in the memory "
            "of the function. Split it into tables of fewer columns.",
        )
    table = typing_of.normalise(dialect.names)
    job = _Job(source, directory, settings, dialect, table)
    guess = job.infer(text)
    row_bytes = len(text.sample) / max(guess.rows, 1)
    exact = text.whole
    if not guess.rows and not exact:
        guess, exact = job.infer_all(guess), True
    try:
        found = job.convert(guess.columns, text, row_bytes, exact=exact)
    except _TypesError:
        guess, text = job.infer_all(guess), _Text.of(source)
        found = job.convert(guess.columns, text, row_bytes, exact=True)
    table = [column for column in guess.columns if column.type != ABSENT]
    return job.finish(table, found, text.clean)


class _Job:
    def __init__(
        self,
        source: Source,
        directory: Path,
        settings: Settings,
        dialect: Dialect,
        table: Sequence[Column],
    ) -> None:
        self._source = source
        self._directory = directory
        self._settings = settings
        self._dialect = dialect
        self._table = table
        self._rejects = directory / "rejects.jsonl"

    def _reader(self, path: Path) -> str:
        names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(self._table)))
        longest = LARGEST_ROW_BYTES if len(self._table) <= _WIDE else _LARGEST_WIDE_ROW_BYTES
        return (
            f"read_csv({literal(str(path))}, columns = {{{names}}}, auto_detect = false, "
            f"header = false, delim = {literal(self._dialect.delimiter)}, quote = '\"', "
            "escape = '\"', new_line = '\\n', allow_quoted_nulls = false, store_rejects = true, "
            f"rejects_limit = {self._settings.max_rejected_rows + 1}, "
            f"max_line_size = {longest}, buffer_size = {longest})"
        )

    @contextmanager
    def _database(self) -> Iterator[DuckDBPyConnection]:
        """Open a database.

        Raises:
            RejectedError: the rows are too wide for the memory.
        """
        try:
            with database(self._directory, self._settings.memory_limit_mb) as connection:
                yield connection
        except duckdb.OutOfMemoryException as error:
            raise RejectedError(
                "too_wide",
                f"The {len(self._table)} columns with their longest values do not fit in the "
                f"memory that tables may use, {self._settings.memory_limit_mb} MB.",
            ) from error

    def infer(self, text: _Text) -> Inference:
        """Return the types of the values in the beginning of the text."""
        complete = text.sample if text.whole else text.sample[: text.sample.rfind(b"\n") + 1]
        complete = complete[self._dialect.skip :]
        sample = self._directory / "sample.csv"
        sample.write_bytes(complete)

        @contextmanager
        def rows() -> Iterator[tuple[DuckDBPyConnection, str]]:
            with self._database() as connection:
                yield connection, self._reader(sample)

        found = self._infer(rows, lines=complete.count(b"\n") + 1)
        sample.unlink()
        return found

    def infer_all(self, guess: Inference) -> Inference:
        """Return the types of all values; what the sample ruled out stays ruled out."""

        @contextmanager
        def rows() -> Iterator[tuple[DuckDBPyConnection, str]]:
            with (
                self._database() as connection,
                Pipe(self._directory / "text", self._rows(_Text.of(self._source))) as pipe,
            ):
                yield connection, self._reader(pipe.path)

        return self._infer(rows, candidates=guess.candidates)

    def _infer(
        self,
        rows: Callable[[], Rows],
        *,
        candidates: Candidates | None = None,
        lines: int | None = None,
    ) -> Inference:
        return infer(
            self._table,
            rows,
            misfits_share=self._settings.max_rejected_rows_share,
            candidates=candidates,
            lines=lines,
        )

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
            # Pushed down, the condition would cast all values a second time.
            connection.execute("SET disabled_optimizers = 'filter_pushdown'")
            options = outputs.parquet_options(row_bytes)
            target = literal(str(self._directory / outputs.TABLE))
            query = f"COPY ({self._conversion(table, pipe.path)}) TO {target} ({options})"
            try:
                rows = (connection.execute(query).fetchone() or (0,))[0]
            except duckdb.InvalidInputException as error:
                if _INEXACT in str(error):
                    raise _TypesError from error
                raise
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
        values, results, texts, fits, castable = [], [], [], [], []
        for place, column in enumerate(table):
            text, value = f"c{place}", f"t{place}"
            if column.type == TEXT:
                results.append(f"{text} AS {identifier(column.name)}")
                continue
            texts.append(text)
            if column.type == ABSENT:
                fits.append(f"{text} IS NULL")
                castable.append(f"{text} IS NOT NULL")
                continue
            candidate = typing_of.BY_TYPE[column.type]
            values.append(f"{candidate.value(text)} AS {value}")
            results.append(f"{value} AS {identifier(column.name)}")
            fits.append(candidate.fits(text, value))
            castable.append(f"{value} IS NOT NULL")
        columns = ", ".join(["*", "row_number() OVER () AS row", *values])
        query = (
            f"SELECT {', '.join(results)} FROM "  # noqa: S608 - every name is quoted
            f"(SELECT {columns} FROM {self._reader(path)})"
        )
        if not fits:
            return query
        # Of a row, the first value that does not fit: its place among those with a type.
        bad = f"list_position([{', '.join(fits)}], false)"
        entry = f"to_json([row::VARCHAR, {bad}::VARCHAR, [{', '.join(texts)}][{bad}]])"
        return (
            f"{query} WHERE CASE WHEN {' AND '.join(fits)} THEN true "
            f"WHEN [{', '.join(castable)}][{bad}] THEN error('{_INEXACT} in row ' || row) "
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
        unsplit = list(_unsplit(connection))
        entries = _misfits(log, table, misfits)
        first = next(entries, None)
        if not unsplit and not first:
            return 0
        count = 0
        with self._rejects.open("w", encoding="utf-8") as file:
            found = rejects.locate(
                self._rows(_Text.of(self._source)),
                self._dialect.delimiter,
                self._dialect.skipped_lines + 1,
                unsplit,
                itertools.chain([first] if first else [], entries),
                blank_is_row=len(table) == 1,
            )
            for reject in found:
                count += 1
                file.write(json.dumps(reject.to_json(), ensure_ascii=False) + "\n")
        return count

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
        listed = None
        if found.rejected:
            listed = Produced(
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
                Processed([listed] if listed else [], details),
            )
        with self._database() as connection:
            return outputs.finish(
                connection,
                self._directory,
                table,
                settings,
                rejects=listed,
                details=details,
                warnings=warnings,
            )


def _fetch(connection: DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    cursor = connection.execute(query)
    while rows := cursor.fetchmany(1_000):
        yield from rows


def _unsplit(connection: DuckDBPyConnection) -> Iterator[Unsplit]:
    query = (
        "SELECT line_byte_position - 1, first(error_type::VARCHAR), first(error_message), "
        "first(csv_line) FROM reject_errors GROUP BY line_byte_position ORDER BY line_byte_position"
    )
    for position, kind, message, raw in _fetch(connection, query):
        reason = _REASONS.get(kind, kind.lower())
        if kind in {"MISSING COLUMNS", "TOO MANY COLUMNS"}:
            expected, _, found = message.partition(" Found: ")
            reason += f": {found} where {expected.rpartition(' ')[2]} are expected"
        exact = kind != "INVALID ENCODING" and len(raw) < _LONGEST_EXACT
        yield Unsplit(position, reason, raw.strip("\n"), exact=exact)


def _misfits(log: Path, table: Sequence[Column], count: list[int]) -> Iterator[Misfit]:
    """Yield what the conversion logged, counting by column."""
    typed = [place for place, column in enumerate(table) if column.type != TEXT]
    with (log / "duckdb_log_entries.csv").open(encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            row, number, cell = json.loads(record["message"])
            place = typed[int(number) - 1]
            column = table[place]
            count[place] += 1
            noun = typing_of.BY_TYPE[column.type].noun
            yield Misfit(int(row), column.name, f"{_short(cell)} is not {noun}")


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
