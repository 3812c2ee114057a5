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

BATCH: Final = 100  # columns looked at together: each costs memory for each of its candidates
_ALL: Final = 2**62

type Candidates = Mapping[int, Sequence[Candidate]]
type Rows = AbstractContextManager[tuple[DuckDBPyConnection, str]]


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
    rows: Callable[[], Rows],
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
        rows: gives a connection and the SQL of a reader of the text, as often as it is called.
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
        with rows() as (connection, reader):
            if lines is not None:
                misfits = int(lines * misfits_share)
                _, found = _evidence(connection, reader, possible, places, misfits + 100)
                for place, (_, evidence) in found.items():
                    possible[place] = [
                        one.candidate
                        for one in evidence
                        if not one.damaged and one.misfits <= misfits
                    ]
            seen, found = _evidence(connection, reader, possible, places, _ALL)
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
    """Return the number of rows, and of each column the number of values and the evidence."""
    wanted = ["count(*)"]
    for place in places:
        text = f"c{place}"
        wanted.append(f"count({text})")
        for candidate in candidates[place]:
            value = candidate.value(text)
            wanted.append(f"count({value})")
            wanted.append(f"count(*) FILTER ({text} IS NOT NULL AND {candidate.fits(text, value)})")
    names = ", ".join(f"c{place}" for place in places)
    query = f"SELECT {', '.join(wanted)} FROM (SELECT {names} FROM {reader} LIMIT {limit})"  # noqa: S608 - names are c0, c1, …
    counts = iter(connection.execute(query).fetchone() or ())
    rows = next(counts)
    found = {}
    for place in places:
        values = next(counts)
        evidence = []
        for candidate in candidates[place]:
            castable, fitting = next(counts), next(counts)
            evidence.append(Evidence(candidate, fitting, castable - fitting, values - fitting))
        found[place] = (values, evidence)
    return rows, found
