"""Which types the columns of a text have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from data_transformer.columns import ABSENT, CANDIDATES, Evidence, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Candidate, Column

BATCH: Final = 150  # columns looked at together: a vector of each has to fit in the memory
_ALL: Final = 2**62

type Candidates = Mapping[int, Sequence[Candidate]]
type Reader = AbstractContextManager[tuple[DuckDBPyConnection, str]]


@dataclass(frozen=True, slots=True)
class Inference:
    """What was found out about a table.

    Attributes:
        columns: with their types.
        rows: number of rows looked at.
        candidates: types that the values of each column may have, by its place.
    """

    columns: list[Column]
    rows: int
    candidates: Candidates


def infer(
    table: Sequence[Column],
    reader: Callable[[], Reader],
    *,
    misfits_share: float,
    candidates: Candidates | None = None,
    lines: int | None = None,
) -> Inference:
    """Return the types of the columns of a text.

    A cast that fails is slow. So what few rows rule out is not asked of the others: by `lines`, the
    first rows decide which candidates could still be chosen if all other values fitted.

    Args:
        table: columns; those without name and values are `ABSENT` afterwards.
        reader: gives a connection and the SQL of a reader of the text, as often as it is called.
        misfits_share: see `columns.choose`.
        candidates: what is possible, by place; by default everything.
        lines: upper bound of the number of rows, if it is known.
    """
    everything: Candidates = dict.fromkeys(range(len(table)), CANDIDATES)
    possible = dict(candidates or everything)
    typed = list(table)
    seen = 0
    for start in range(0, len(table), BATCH):
        places = range(start, min(start + BATCH, len(table)))
        with reader() as (connection, text):
            if lines is not None:
                misfits = int(lines * misfits_share)
                seen, found = _evidence(connection, text, possible, places, misfits + 100)
                for place, (_, evidence) in found.items() if seen else ():
                    possible[place] = [
                        one.candidate
                        for one in evidence
                        if not one.damaged and one.misfits <= misfits
                    ]
            seen, found = _evidence(connection, text, possible, places, _ALL)
        for place, (values, evidence) in found.items():
            absent = seen and not values and not table[place].original
            chosen = ABSENT if absent else choose(values, evidence, misfits_share)
            typed[place] = replace(table[place], type=chosen)
    return Inference(typed, seen, possible)


def _evidence(
    connection: DuckDBPyConnection,
    reader: str,
    candidates: Candidates,
    places: range,
    limit: int,
) -> tuple[int, dict[int, tuple[int, list[Evidence]]]]:
    """Return the number of rows, and of each column the number of values and the evidence.

    The values of all columns are looked at as one: planning takes time and memory by the square of
    the number of expressions.
    """
    values, counts = [], []
    for number, candidate in enumerate(CANDIDATES):
        asked = [str(place) for place in places if candidate in candidates[place]]
        condition = f"place IN ({', '.join(asked)})" if asked else "false"
        value = f"v{number}"
        values.append(f"CASE WHEN {condition} THEN {candidate.value('cell')} END AS {value}")
        fitting = f"{value} IS NOT NULL AND {candidate.fits('cell', value)}"
        counts.append(f"[count({value}), count(*) FILTER ({fitting})]")
    cells = ", ".join(f"c{place}" for place in places)
    query = (
        f"SELECT place, count(*), count(cell), {', '.join(counts)} FROM ("  # noqa: S608 - names are c0, c1, …
        f"SELECT place, cell, {', '.join(values)} FROM ("
        f"SELECT unnest([{cells}]) AS cell, unnest(range({places.start}, {places.stop})) AS place "
        f"FROM (SELECT * FROM {reader} LIMIT {limit}))) GROUP BY place"
    )
    rows = 0
    found: dict[int, tuple[int, list[Evidence]]] = {place: (0, []) for place in places}
    for place, rows, filled, *pairs in connection.execute(query).fetchall():  # noqa: B007 - the same for all
        found[place] = (
            filled,
            [
                Evidence(candidate, fitting, castable - fitting, filled - fitting)
                for candidate, (castable, fitting) in zip(CANDIDATES, pairs, strict=True)
                if candidate in candidates[place]
            ],
        )
    return rows, found
