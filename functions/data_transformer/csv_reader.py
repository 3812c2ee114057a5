"""Delimited text (CSV and its kin) to a typed table, streamed.

One pass where all goes well: types come from the first mebibytes, the rest has to keep to them.
Each value is read as text and cast only if nothing of it is lost. When a later value shows that a
type was wrong, all of the text is looked at, and converted again with types that are right.

Every column takes memory, however few rows there are. So a wide table is converted in several
passes, some columns at a time, each to a separate file with the same rows.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import duckdb

from data_transformer import columns as typing_of
from data_transformer import contents, csv_warnings, outputs, rejected_rows
from data_transformer import dialect as dialects
from data_transformer.columns import ABSENT, TEXT, literal
from data_transformer.csv_query import (
    INEXACT,
    MISSING,
    Feed,
    Log,
    TooManyRejectsError,
    conversion,
    merged,
    reader,
    trimmed,
)
from data_transformer.csv_rows import CsvRows
from data_transformer.engine import Pipe, database
from data_transformer.inference import infer
from data_transformer.rejected_rows import Located, Misfit, Reject, RejectedRows
from data_transformer.text import CleanText, whole_lines
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Candidate
    from data_transformer.dialect import Dialect
    from data_transformer.inference import Candidates, Inference, Reader
    from data_transformer.outputs import Part
    from data_transformer.settings import Settings
    from uploads.processing import Processed, Source
    from uploads.table_options import TableOptions

SAMPLE_BYTES: Final = 1024 * 1024
LARGEST_ROW_BYTES: Final = 16 * 1024 * 1024
MOST_COLUMNS: Final = 2_000
# The more columns, the more of the memory their vectors take, and the less is left for the text.
_WIDE: Final = 100
_LARGEST_WIDE_ROW_BYTES: Final = 2 * 1024 * 1024
# An array of objects, an object: nothing that a header of CSV begins with.
_JSON: Final = re.compile(rb"\s*(\[\s*)?\{\s*(\"[^\"]*\"\s*:|\})")
# Delimiters by the extension of the file's name, unless the content says otherwise.
_NAMED_BY: Final = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_SHORT_BYTES: Final = 8 * 1024 * 1024


class _TypesError(Exception):
    """The types taken from the sample do not hold."""


class RowsLostError(Exception):
    """Rows of the text are neither in the table nor rejected: a defect, not bad input."""


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of a source, its beginning read."""

    clean: CleanText
    rest: Iterator[bytes]
    sample: bytes
    whole: bool

    @classmethod
    def of(cls, source: Source, encoding: str | None = None) -> _Text:
        clean = CleanText(source.open(), encoding)
        chunks = iter(clean)
        sample = b""
        for chunk in chunks:
            sample += chunk
            if len(sample) >= SAMPLE_BYTES:
                break
        following = next(chunks, b"")
        rest = itertools.chain([following], chunks)
        return cls(clean, rest, sample, whole=not following)


@dataclass(frozen=True, slots=True)
class _Written:
    """The outcome of converting a part.

    Attributes:
        rows: number of rows in the file.
        misfits: number of rows with a value of another type.
        whole: whether there was nothing else.
        log: the misfits.
    """

    rows: int
    misfits: int
    whole: bool
    log: Log


def transform(source: Source, directory: Path, settings: Settings) -> Processed:
    """Convert a delimited text.

    Raises:
        RejectedError: no table is in it, or too many of its rows are bad.
    """
    text = _Text.of(source)
    options = contents.options(source, settings, "CSV")
    if options.encoding:
        text = _Text.of(source, options.encoding)
    contents.check(text.clean.head)
    if _JSON.match(text.sample):
        raise contents.OtherFormatError("JSON")
    contents.check_options(options, "CSV")
    ending = Path(source.name.lower()).suffix
    dialect = dialects.sniff(
        text.sample, whole=text.whole, named=_NAMED_BY.get(ending), given=options
    )
    if dialect is None:
        raise RejectedError("empty_file", "The file holds no text.")
    if len(dialect.names) > MOST_COLUMNS:
        raise RejectedError(
            "too_many_columns",
            f"The table has {len(dialect.names)} columns; at most {MOST_COLUMNS} are taken. Split "
            "it into tables of fewer columns.",
        )
    job = _Job(source, directory, settings, dialect, text, options=options)
    try:
        with job.database() if source.size <= _SHORT_BYTES else nullcontext() as connection:
            job.connection = connection
            return job.transform()
    except duckdb.OutOfMemoryException as error:
        raise RejectedError(
            "too_wide",
            f"The {len(dialect.names)} columns with their longest values do not fit in the memory "
            f"that tables may use, {settings.memory_limit_mb} MB.",
        ) from error


class _Job:
    """The conversion of a text.

    Attributes:
        connection: to a database for all of it; without, each step has its own. To make one takes a
            tenth of the time that a short text needs, but what one keeps from step to step is
            missing when the memory gets short.
    """

    connection: DuckDBPyConnection | None = None

    def __init__(
        self,
        source: Source,
        directory: Path,
        settings: Settings,
        dialect: Dialect,
        text: _Text,
        *,
        options: TableOptions,
    ) -> None:
        self._source = source
        self._directory = directory
        self._settings = settings
        self._dialect = dialect
        self._text = text
        self._is_unread = True
        self._last_line = b""
        self._repeated = 0  # lines that repeat the header
        # Places of columns: where to look for markers of missing values, and where some were found.
        self._count_missing: set[int] = set()
        self._missing: set[int] = set()
        self._may_be_versions: set[int] = set()
        self._table = typing_of.named(dialect.names, settings.column_names)
        self._candidates = {one.type: one for one in typing_of.candidates(dialect.decimal)}
        self._padded = dialect.padded
        self._options = options
        required = contents.is_of_upload("columns", options, settings)
        self._declared = typing_of.declared(
            self._table, options.columns or {}, dialect.decimal, required=required
        )
        narrow = len(self._table) <= _WIDE
        self._longest = LARGEST_ROW_BYTES if narrow else _LARGEST_WIDE_ROW_BYTES

    def transform(self) -> Processed:
        """Convert the text.

        Raises:
            RejectedError: no table is in it, or too many of its rows are bad.
        """
        exact = self._text.whole
        guess = self.infer()
        row_bytes = len(self._text.sample) / max(guess.rows, 1)
        try:
            if not exact and not (guess.rows and outputs.parts(guess.columns)):
                guess, exact = self.infer_all(guess), True
            if guess.rows and not outputs.parts(guess.columns):
                raise RejectedError("empty_file", "The file holds delimiters, but no values.")
            try:
                rows, listing = self.convert(guess, row_bytes, exact=exact)
            except _TypesError:
                guess = self.infer_all(guess)
                rows, listing = self.convert(guess, row_bytes, exact=True)
        except TooManyRejectsError:
            rows, listing = 0, self.list_rejects()
        return self.finish(guess, rows, listing)

    def _rows(self, text: Iterable[bytes] | None = None, *, strict: bool = False) -> CsvRows:
        """Return the rows of a text, by default of all of it."""
        return CsvRows(
            self._all_of_it() if text is None else text,
            delimiter=self._dialect.delimiter,
            columns=len(self._table),
            longest=self._longest,
            strict=strict,
        )

    def _all_of_it(self) -> Iterator[bytes]:
        """Yield the text without what stands before the rows."""
        if not self._is_unread:
            self._text = _Text.of(self._source, self._options.encoding)
        self._is_unread = False
        begin = self._text.sample[self._dialect.skip : self._dialect.end]
        yield from self._plain(itertools.chain([begin], self._text.rest))

    def _plain(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a text in the form that is read, without what repeats the header."""
        header = self._dialect.header if len(self._table) > 1 else b""
        forms = self._dialect.forms
        self._repeated = 0
        if header or forms:
            chunks = whole_lines(chunks, self._longest)
        if header:
            chunks = self._without_header(chunks, header)
        for form in forms:
            chunks = map(form.plain, chunks)
        return iter(chunks)

    def _without_header(self, lines: Iterable[bytes], header: bytes) -> Iterator[bytes]:
        """Yield whole lines; where the header is repeated an empty one, if it is sure to be one."""
        repeated = b"\n" + header
        for some in lines:
            text = some
            if header in text or text.endswith(header[:-1]):
                text = b"\n" + text + (b"" if text.endswith(b"\n") else b"\n")
                # Two that follow each other share a line end.
                text = text.replace(b"\n", b"\n\n")
                self._repeated += text.count(repeated)
                if self._dialect.is_header_sure:
                    text = text.replace(repeated, b"\n\n")
                text = text.replace(b"\n\n", b"\n")[1:]
            yield text

    def _reader(self, path: Path, typed: Collection[int]) -> str:
        """Return the SQL of the rows; `typed` are the columns whose cells are looked at."""
        columns, nulls = len(self._table), self._options.null_values or ()
        rows = reader(path, columns, self._dialect.delimiter, nulls, self._longest)
        return trimmed(rows, columns, typed) if self._padded else rows

    @contextmanager
    def database(self) -> Iterator[DuckDBPyConnection]:
        """Give a connection: that for all, or one to a new database."""
        if self.connection:
            yield self.connection
        else:
            with database(self._directory, self._settings.memory_limit_mb) as connection:
                yield connection

    def infer(self) -> Inference:
        """Return the types of the values in the beginning of the text."""
        text = self._text
        complete = text.sample if text.whole else text.sample[: text.sample.rfind(b"\n") + 1]
        complete = complete[self._dialect.skip : self._dialect.end]
        sample = self._directory / "sample.csv"
        sample.write_bytes(b"".join(run.rows for run in self._rows(self._plain([complete]))))

        candidates = {
            place: () if place in self._declared else tuple(self._candidates.values())
            for place in range(len(self._table))
        }
        tested = _tested(candidates)

        @contextmanager
        def read() -> Iterator[tuple[DuckDBPyConnection, str]]:
            with self.database() as connection:
                yield connection, self._reader(sample, tested)

        found = self._infer(read, candidates=candidates, lines=complete.count(b"\n") + 1)
        sample.unlink()
        return found

    def infer_all(self, guess: Inference) -> Inference:
        """Return the types of all values; what the sample ruled out stays ruled out.

        Raises:
            TooManyRejectsError: the limit of rejected rows is exceeded.
        """
        # Blanks that are not in the sample may be why a value did not keep to its type.
        self._padded = True
        tested = _tested(guess.candidates)

        @contextmanager
        def read() -> Iterator[tuple[DuckDBPyConnection, str]]:
            feed = Feed(self._rows(), self._settings.max_rejected_rows)
            with self.database() as connection, Pipe(self._directory / "text", feed) as pipe:
                yield connection, self._reader(pipe.path, tested)

        found = self._infer(
            read, candidates=guess.candidates, unlike_versions=guess.unlike_versions
        )
        return found.after(guess)

    def _infer(
        self,
        reader: Callable[[], Reader],
        *,
        candidates: Candidates,
        lines: int | None = None,
        unlike_versions: Collection[int] = (),
    ) -> Inference:
        found = infer(
            self._table,
            reader,
            known=tuple(self._candidates.values()),
            misfits_share=self._settings.max_rejected_rows_share,
            candidates=candidates,
            lines=lines,
            unlike_versions=unlike_versions,
        )
        for place, candidate in self._declared.items():
            declared = candidate.type if candidate else TEXT
            found.columns[place] = replace(self._table[place], type=declared)
        return found

    def convert(
        self, guess: Inference, row_bytes: float, *, exact: bool
    ) -> tuple[int, RejectedRows]:
        """Write the files of the table's parts; return their number of rows, and the rejects.

        Args:
            guess: the types of the columns.
            row_bytes: size of a row, about.
            exact: whether the types are those of all values, not of a sample.

        Raises:
            _TypesError: a value shows that a type is wrong.
            TooManyRejectsError: the limit of rejected rows is exceeded.
            duckdb.OutOfMemoryException: the rows are too wide for the memory.
        """
        parts = outputs.parts(guess.columns)
        places = set(range(len(self._table)))
        self._count_missing = set(self._declared) if exact else places
        self._may_be_versions = set() if exact else places.difference(guess.unlike_versions)
        self._missing.clear()
        with TemporaryDirectory(dir=self._directory) as name:
            folder = Path(name)
            # Of several parts each may pass over rows for bytes that only it looks at.
            strict = len(parts) > 1
            converted = [
                self._write(part, folder / part.name, row_bytes, strict=strict) for part in parts
            ]
            logs = [one.log for one in converted]
            rows = converted[0].rows
            most, share = self._settings.max_rejected_rows, self._settings.max_rejected_rows_share
            misfits = Counter(misfit.column for log in logs for misfit in log)
            unlisted = any(one.misfits > most for one in converted)
            if not exact and (
                unlisted or any(number > share * rows for number in misfits.values())
            ):
                raise _TypesError
            if strict and misfits:
                # A row that does not fit into one part is not to be in the others either.
                left_out = {misfit.row for log in logs for misfit in log}
                for part in parts:
                    again = folder / f"{part.name}-again"
                    rows = self._write(part, again, row_bytes, left_out, strict=True).rows
            if all(one.whole for one in converted):
                return rows, RejectedRows.empty(self._directory)
            listing = self.list_rejects(merged(logs), None if unlisted else rows)
            return rows, replace(listing, complete=listing.complete and not unlisted)

    def list_rejects(self, misfits: Iterable[Misfit] = (), rows: int | None = None) -> RejectedRows:
        """List the rejected rows, up to the limit.

        Args:
            misfits: in the order of the text.
            rows: how many are in the table, if `misfits` are all that are not.

        Raises:
            RowsLostError: there are others.
        """
        located = Located(self._rows(strict=True), self._dialect.skipped_lines + 1, misfits)
        rejects = self._as_sent(located) if self._dialect.forms else located
        listing = RejectedRows.write(self._directory, rejects, self._settings.max_rejected_rows)
        if rows is not None and listing.complete and located.rows != rows:
            raise RowsLostError(f"{located.rows} rows of the text fit, but {rows} were written.")
        return listing

    def _as_sent(self, rejects: Iterable[Reject]) -> Iterator[Reject]:
        """Yield rejects with the lines that were sent, which `forms` rewrote in their places."""
        text = _Text.of(self._source, self._options.encoding)
        chunks = whole_lines(itertools.chain([text.sample], text.rest), self._longest)
        lines = itertools.chain.from_iterable(chunk.splitlines(keepends=True) for chunk in chunks)
        passed = 0
        for reject in rejects:
            following = itertools.islice(lines, reject.line - 1 - passed, None)
            sent = b"".join(itertools.islice(following, reject.raw.count("\n") + 1))
            passed = reject.line + reject.raw.count("\n")
            yield replace(reject, raw=rejected_rows.raw(sent))

    def _write(
        self,
        part: Part,
        folder: Path,
        row_bytes: float,
        left_out: Collection[int] = (),
        *,
        strict: bool,
    ) -> _Written:
        """Write the Parquet file of a part; note in `folder` what does not fit it.

        Rows that are `left_out` can only be counted if the rows are `strict`.
        """
        feed = Feed(self._rows(strict=strict), self._settings.max_rejected_rows, left_out)
        with (
            self.database() as connection,
            Pipe(self._directory / "text", feed) as pipe,
        ):
            connection.execute("CREATE OR REPLACE TEMP SEQUENCE bad")
            counted = self._count_missing & part.places.keys()
            for place in counted:
                connection.execute(f"CREATE OR REPLACE TEMP SEQUENCE {MISSING}{place}")
            connection.execute(
                "CALL enable_logging(level = 'error', storage = 'file', "
                f"storage_path = {literal(str(folder))})"
            )
            # Pushed down, the condition would cast all values a second time.
            connection.execute("SET disabled_optimizers = 'filter_pushdown'")
            query = self._conversion(part, pipe.path)
            try:
                rows = outputs.write(connection, query, part, self._directory, row_bytes)
            except duckdb.InvalidInputException as error:
                if INEXACT in str(error):
                    raise _TypesError from error
                raise
            finally:
                # The log keeps to its first folder unless it has been somewhere else.
                connection.execute("CALL enable_logging(storage = 'memory')")
                connection.execute("CALL disable_logging()")
            sequences = "SELECT sequence_name, last_value FROM duckdb_sequences()"
            found = dict(connection.execute(sequences).fetchall())
            misfits = found["bad"] or 0
            self._missing |= {place for place in counted if found[f"{MISSING}{place}"]}
        self._last_line = feed.last.strip(b"\n").rpartition(b"\n")[2] or self._last_line
        columns = [column for column in part.places.values() if column.type != TEXT]
        whole = rows == feed.most and not feed.rejected
        return _Written(rows, misfits, whole, Log(folder, columns))

    def _conversion(self, part: Part, path: Path) -> str:
        types = {
            place: self._declared.get(place) or self._candidate(place, column.type)
            for place, column in part.places.items()
            if column.type not in {TEXT, ABSENT}
        }
        most, counted = self._settings.max_rejected_rows, self._count_missing
        rows = self._reader(path, types)
        return conversion(rows, part, types, counted=counted, most_misfits=most)

    def _candidate(self, place: int, type_: str) -> Candidate:
        found = self._candidates[type_]
        if type_ == "DOUBLE" and place in self._may_be_versions:
            return typing_of.without_versions(found)
        return found

    def finish(self, guess: Inference, rows: int, listing: RejectedRows) -> Processed:
        """Describe the table, or reject it."""
        clean = self._text.clean
        details = {
            "format": "csv",
            "encoding": clean.encoding,
            "delimiter": self._dialect.written_delimiter,
            "header": self._dialect.has_header,
            "rejected_rows": listing.count,
            "options": self._options.to_json(),
            "reading": {
                "decimal": self._dialect.decimal,
                "lines_above_table": len(self._dialect.lines_above),
                "lines_below_table": len(self._dialect.lines_below),
                "units": list(self._dialect.units) or None,
                "missing_values": list(typing_of.MISSING),
                "columns_with_missing_values": self._with_missing(guess),
                "text_because": dict(guess.reasons),
            },
        }
        listing.check(rows, self._settings, details)
        with self.database() as connection:
            return outputs.finish(
                connection,
                self._directory,
                outputs.parts(guess.columns),
                self._settings,
                listing,
                details=details,
                warnings=list(csv_warnings.warnings(self._seen(guess, rows))),
            )

    def _with_missing(self, guess: Inference) -> list[str]:
        """Return the names of the typed columns in which a marker was read as a missing value."""
        columns = [self._table[place] for place in sorted({*guess.missing, *self._missing})]
        return [column.original or column.name for column in columns]

    def _seen(self, guess: Inference, rows: int) -> csv_warnings.Seen:
        return csv_warnings.Seen(
            encoding=self._text.clean.encoding,
            nuls=self._text.clean.nuls,
            dialect=self._dialect,
            table=self._table,
            types=guess,
            missing=self._with_missing(guess),
            repeated=self._repeated,
            rows=rows,
            last_line=self._last_line,
        )


def _tested(candidates: Candidates) -> list[int]:
    """Return the places of the columns whose type is not known yet."""
    return [place for place, some in candidates.items() if some]
