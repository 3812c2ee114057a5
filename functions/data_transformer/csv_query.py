"""Feeds a delimited text to DuckDB, and makes the SQL that casts cells without any loss."""

from __future__ import annotations

import csv
import heapq
import itertools
import json
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from data_transformer import columns as typing_of
from data_transformer import rejected_rows
from data_transformer.columns import TEXT, identifier, literal
from data_transformer.messages import SHOWN, shortened
from data_transformer.rejected_rows import Misfit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from data_transformer.columns import Candidate, Column
    from data_transformer.csv_rows import CsvRows
    from data_transformer.outputs import Part

MISSING: Final = "missing_in_c"  # with the place of the column
INEXACT: Final = "a value does not keep to its type"
_VECTOR: Final = 2048  # rows that DuckDB works on at once
_ROOM: Final = 4 * 1024  # DuckDB has to have more than the longest row
_WIDE: Final = 40  # columns whose conditions take little time and memory
_FITTING, _BAD, _DAMAGED = 0, 1, 2


class TooManyRejectsError(Exception):
    """The number of malformed rows exceeds the limit."""


class Feed:
    """Iterates over the rows of a text for DuckDB, and counts them.

    Attributes:
        rejected: number of malformed rows.
        most: upper bound of the number of rows passed on, see `Run`.
        last: the last rows passed on.
    """

    def __init__(self, rows: CsvRows, most_rejects: int, left_out: Collection[int] = ()) -> None:
        """Prepare to read.

        Args:
            rows: of the text.
            most_rejects: limit of malformed rows.
            left_out: numbers, from 1, of rows to skip.
        """
        self._rows = rows
        self._most_rejects = most_rejects
        self._left_out = left_out
        self.rejected = 0
        self.most = 0
        self.last = b""
        self._rejected_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield rows.

        Raises:
            TooManyRejectsError: the limit of rejected rows is exceeded.
        """
        passed = 0
        for run in self._rows:
            if run.reason:
                self.rejected += 1
                self._rejected_bytes += len(run.text)
                if (
                    self.rejected > self._most_rejects
                    or self._rejected_bytes > rejected_rows.LARGEST_BYTES
                ):
                    raise TooManyRejectsError
            elif self._left_out:
                rows = self._rows.split(run)
                for number, row in enumerate(rows, passed + 1):
                    if number not in self._left_out:
                        yield row
                passed += len(rows)
            else:
                self.most += run.most
                if run.rows.strip(b"\n"):
                    self.last = run.rows
                yield run.rows


def reader(
    path: Path, columns: int, delimiter: str, null_values: Sequence[str], longest: int
) -> str:
    """Return the SQL of the rows of a text, all columns text: c0, c1 and so on.

    Args:
        path: of the text; its rows are divided by line feeds.
        columns: number of columns.
        delimiter: between two of them.
        null_values: texts that are missing values, beside the empty one.
        longest: bytes that a row has at most.
    """
    names = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(columns))
    room = longest + _ROOM
    nulls = ", ".join(map(literal, ("", *null_values)))
    return (
        f"read_csv({literal(str(path))}, columns = {{{names}}}, auto_detect = false, "
        f"header = false, delim = {literal(delimiter)}, quote = '\"', "
        "escape = '\"', new_line = '\\n', allow_quoted_nulls = false, "
        f"nullstr = [{nulls}], max_line_size = {room}, buffer_size = {room}, "
        "ignore_errors = true)"
    )


def trimmed(reader: str, columns: int, places: Collection[int]) -> str:
    """Return the SQL of the rows of a reader, without the blanks around the cells of some columns.

    Each expression that trims a cell by itself would hold another copy of it.
    """
    cells = [f"trim(c{one}) AS c{one}" if one in places else f"c{one}" for one in range(columns)]
    return f"(SELECT {', '.join(cells)} FROM {reader})"  # noqa: S608 - names are c0, c1, …


def conversion(
    reader: str,
    part: Part,
    types: Mapping[int, Candidate],
    *,
    counted: Collection[int],
    most_misfits: int,
) -> str:
    """Return the SQL of the rows of a part with their types.

    A row with a value of another type is left out, and noted in DuckDB's log, see `Log`. A value
    that a cast would change is an error, `INEXACT`.

    Args:
        reader: SQL of the text's rows.
        part: the columns.
        types: of the columns that are not text, by their places.
        counted: places of columns in which markers of missing values are counted, by the sequence
            `MISSING` with the place; the sequence `bad` counts the rows left out.
        most_misfits: how many rows may be noted.
    """
    texts: list[str] = []
    values, results, fits, counts = [], [], [], []
    alike: dict[Candidate | None, list[int]] = {}  # by the type: places among the texts
    wide = len(types) > _WIDE
    for place, column in part.places.items():
        text, value = f"c{place}", f"t{place}"
        if column.type == TEXT:
            results.append(f"{text} AS {identifier(column.name)}")
            continue
        candidate = types.get(place)
        alike.setdefault(candidate, []).append(len(texts))
        texts.append(text)
        if candidate is None:
            values.append(f"NULL AS {value}")
            fits.append(f"{text} IS NULL")
            continue
        values.append(f"{candidate.value(text)} AS {value}")
        results.append(f"{value} AS {identifier(column.name)}")
        fits.append((candidate.mostly_fits if wide else candidate.fits)(text, value))
        if place in counted:
            # CASE, since DuckDB may look at the sides of AND in any order.
            missing = f"{text} IS NOT NULL AND {value} IS NULL"
            counts.append(f"CASE WHEN {missing} THEN nextval('{MISSING}{place}') > 0 ELSE true END")
    read = [f"c{place}" for place in part.places]
    rows = f"SELECT {', '.join([*read, 'row_number() OVER () AS row', *values])} FROM {reader}"  # noqa: S608 - every name is quoted
    if not fits:
        return f"SELECT {', '.join(results)} FROM ({rows})"  # noqa: S608 - as above
    states = f"CASE WHEN {' AND '.join(fits)} THEN NULL ELSE {_states(texts, alike)} END"
    # Of a row, the first value that does not fit: its place among those with a type.
    bad = f"least(list_position(states, {_BAD}), list_position(states, {_DAMAGED}))"
    cell = f"left([{', '.join(texts)}][bad], {SHOWN + 1})"
    return (
        f"SELECT {', '.join(results)} FROM (SELECT *, {bad} AS bad FROM "  # noqa: S608 - as above
        f"(SELECT *, {states} AS states FROM ({rows}))) "
        f"WHERE CASE WHEN bad IS NULL THEN {' AND '.join(counts) or 'true'} "
        f"WHEN states[bad] = {_DAMAGED} THEN error('{INEXACT} in row ' || row) "
        f"WHEN nextval('bad') > {most_misfits} THEN false "
        "ELSE write_log(to_json([row::VARCHAR, bad::VARCHAR, "
        f"{cell}])::VARCHAR, level := 'error') IS NOT NULL END"
    )


def _states(texts: Sequence[str], alike: Mapping[Candidate | None, Sequence[int]]) -> str:
    """Return the SQL of the states of a row's values, in the order of their texts.

    Values of the same type are looked at as a list: conditions on each column by itself, beside
    those of rows that fit, take half of the function's memory where there are many columns.

    Args:
        texts: names of the columns' texts, such as c7; t7 is that column's value.
        alike: places among the texts, by type; None for columns that hold nothing.
    """
    lists, order = [], list[int]()
    for candidate, places in alike.items():
        named = [texts[place] for place in places]
        cells = f"[{', '.join(named)}]"
        typed = f"[{', '.join(f't{text[1:]}' for text in named)}]"
        if candidate:
            fits, damaged = candidate.fits("x[1]", "x[2]"), candidate.damaged("x[1]", "x[2]")
        else:
            fits, damaged = "x[1] IS NULL", "true"
        lists.append(
            f"list_transform(list_zip({cells}, {typed}), lambda x: "
            f"CASE WHEN {fits} THEN {_FITTING} WHEN {damaged} THEN {_DAMAGED} ELSE {_BAD} END)"
        )
        order += places
    positions = [order.index(place) + 1 for place in range(len(texts))]
    return f"list_select({' || '.join(lists)}, {positions})"


@dataclass(frozen=True, slots=True)
class Log:
    """DuckDB's log of the rows of a part that have a value of another type.

    Attributes:
        folder: of the log file.
        columns: the typed columns of the part.
    """

    folder: Path
    columns: Sequence[Column]

    def __iter__(self) -> Iterator[Misfit]:
        """Yield the rows in their order.

        DuckDB works on vectors of rows and notes those of a vector by the column at fault.
        """
        waiting: list[tuple[int, Misfit]] = []
        newest = 0
        for misfit in self._as_noted():
            heapq.heappush(waiting, (misfit.row, misfit))
            newest = max(newest, misfit.row)
            while waiting[0][0] <= newest - _VECTOR:
                yield heapq.heappop(waiting)[1]
        while waiting:
            yield heapq.heappop(waiting)[1]

    def _as_noted(self) -> Iterator[Misfit]:
        with (self.folder / "duckdb_log_entries.csv").open(encoding="utf-8", newline="") as file:
            for record in csv.DictReader(file):
                row, number, cell = json.loads(record["message"])
                column = self.columns[int(number) - 1]
                noun = typing_of.NOUNS[column.type]
                yield Misfit(int(row), column.name, f"{shortened(cell)!r} is not {noun}")


def merged(logs: Sequence[Log]) -> Iterator[Misfit]:
    """Yield the rows that some parts noted, each once."""
    rows = itertools.groupby(heapq.merge(*logs, key=attrgetter("row")), attrgetter("row"))
    return (next(same) for _, same in rows)
