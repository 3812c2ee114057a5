"""Which types the columns of a text have."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from data_transformer.columns import ABSENT, MISSING, TEXT, TypeEvidence, choose, is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from duckdb import DuckDBPyConnection

    from data_transformer.columns import Candidate, Column

BATCH: Final = 150  # columns looked at together: a vector of each has to fit in the memory
_BLANKS: Final = 16  # around a marker
_FEW: Final = 32  # pairs of a column and a candidate
_FEW_OF: Final = 0.01  # share of the values of another type below which they are accidents
_SEVERAL: Final = 3

type Candidates = Mapping[int, Sequence[Candidate]]
type Reader = AbstractContextManager[tuple[DuckDBPyConnection, str]]


@dataclass(frozen=True, slots=True)
class Inference:
    """The inferred types of a table.

    Attributes:
        columns: with their types.
        rows: number of rows looked at.
        candidates: types that the values of each column may have, by its place.
        missing: places of the typed columns with a marker of a missing value.
        codes: original names of the columns of numbers and the like that are text for some
            values, each with one of these.
        reasons: why columns are text that mostly hold numbers and the like, by original names.
        mixed: names of those of them in which other values are words, not codes.
    """

    columns: list[Column]
    rows: int
    candidates: Candidates
    missing: Sequence[int] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    mixed: Sequence[str] = ()


def infer(
    table: Sequence[Column],
    reader: Callable[[], Reader],
    *,
    known: Sequence[Candidate],
    misfits_share: float,
    candidates: Candidates | None = None,
    lines: int | None = None,
) -> Inference:
    """Return the types of the columns of a text.

    A failing cast is slow. So types ruled out by the first rows are not tested on the rest: `lines`
    limits how many values of another type can be accepted.

    Args:
        table: columns; those without name and values are `ABSENT` afterwards.
        reader: gives a connection and the SQL of a reader of the text, as often as it is called.
        known: types that values can have.
        misfits_share: see `columns.choose`.
        candidates: types to test, by place; by default all of `known`.
        lines: upper bound of the number of rows, if it is known.
    """
    everything: Candidates = dict.fromkeys(range(len(table)), known)
    possible = dict(candidates or everything)
    typed = list(table)
    seen = 0
    with_markers: list[int] = []
    codes: dict[str, str] = {}
    reasons: dict[int, _Reason | None] = {}
    for start in range(0, len(table), BATCH):
        places = range(start, min(start + BATCH, len(table)))
        with reader() as (connection, text):
            if lines is not None:
                misfits = int(lines * misfits_share)
                first_rows = f"(FROM {text} LIMIT {misfits + 100})"
                seen, found = _count_unpivoted(connection, first_rows, possible, places, known)
                for place, (filled, markers, evidence) in found.items() if seen else ():
                    reasons[place] = _against(filled - markers, evidence)
                    possible[place] = [
                        one.candidate
                        for one in evidence
                        if not one.damaged and one.misfits <= misfits
                    ]
            tests = sum(len(possible[place]) for place in places)
            if tests <= _FEW:
                seen, found = _count_per_column(connection, text, possible, places)
            else:
                seen, found = _count_unpivoted(connection, text, possible, places, known)
        suspects = {}
        for place, (filled, markers, evidence) in found.items():
            absent = seen and not filled and not table[place].original
            chosen = ABSENT if absent else choose(filled - markers, evidence, misfits_share)
            typed[place] = replace(table[place], type=chosen)
            reasons[place] = _against(filled - markers, evidence) or reasons.get(place)
            if markers and chosen != TEXT:
                with_markers.append(place)
            for one in evidence:
                few = max(2, _FEW_OF * (filled - markers))
                if one.candidate.type == chosen and one.misfits >= few:
                    suspects[place] = one.candidate
        for place, example in (_find_codes(reader, suspects) if suspects else {}).items():
            typed[place] = replace(table[place], type=TEXT)
            possible[place] = ()
            codes[table[place].original or table[place].name] = example
    of_texts = {
        table[place].original or table[place].name: reason
        for place, reason in reasons.items()
        if reason and typed[place].type == TEXT
    }
    texts = {name: reason.text for name, reason in of_texts.items()}
    mixed = [name for name, reason in of_texts.items() if reason.is_mixed and name not in codes]
    return Inference(typed, seen, possible, with_markers, codes, texts, mixed)


class _Reason(NamedTuple):
    text: str
    is_mixed: bool


def _against(values: int, evidence: Sequence[TypeEvidence]) -> _Reason | None:
    """Return what speaks against the type that most values could be cast to; None if few could."""
    # DuckDB takes y and n for booleans, too.
    some = [one for one in evidence if one.fitting or one.candidate.type != "BOOLEAN"]
    best = max(some, key=lambda one: one.fitting + one.damaged, default=None)
    if best is None or 2 * (best.fitting + best.damaged) <= values:
        return None
    noun = best.candidate.noun
    if best.damaged:
        changed = f"{best.damaged} of {values} values would change if each were {noun}"
        return _Reason(changed, is_mixed=False)
    others = f"{best.misfits} of {values} values are not {noun}"
    return _Reason(others, is_mixed=True) if best.misfits else None


# By place: number of cells with something in them, of those how many are markers, and the evidence.
type _Found = dict[int, tuple[int, int, list[TypeEvidence]]]


def _count_per_column(
    connection: DuckDBPyConnection, reader: str, candidates: Candidates, places: range
) -> tuple[int, _Found]:
    """Return the number of rows, and the evidence of each column."""
    values, counts = [], []
    for place in places:
        cell = f"c{place}"
        parts = [_filled(cell), _markers(cell)]
        for number, candidate in enumerate(candidates[place]):
            value = f"v{place}_{number}"
            values.append(f", {candidate.value(cell)} AS {value}")
            parts += _counts(candidate, cell, value)
        counts.append(f"[{', '.join(parts)}]")
    query = (
        f"SELECT count(*), {', '.join(counts)} "  # noqa: S608 - names are c0, c1, …
        f"FROM (SELECT *{''.join(values)} FROM {reader})"
    )
    rows, *found = connection.execute(query).fetchone() or (0,)
    return rows, {
        place: (filled, markers, _weighed(candidates[place], filled - markers, rest))
        for place, (filled, markers, *rest) in zip(places, found, strict=True)
    }


def _count_unpivoted(
    connection: DuckDBPyConnection,
    reader: str,
    candidates: Candidates,
    places: range,
    known: Sequence[Candidate],
) -> tuple[int, _Found]:
    """Do the same, looking at the values of all columns as those of one.

    It takes more than twice the time, but to plan the other way takes time and memory by the square
    of the number of expressions.
    """
    values, counts = [], []
    for number, candidate in enumerate(known):
        tested = [str(place) for place in places if candidate in candidates[place]]
        condition = f"place IN ({', '.join(tested)})" if tested else "false"
        value = f"v{number}"
        values.append(f"CASE WHEN {condition} THEN {candidate.value('cell')} END AS {value}")
        counts.append(f"[{', '.join(_counts(candidate, 'cell', value))}]")
    cells = ", ".join(f"c{place}" for place in places)
    query = (
        f"SELECT place, count(*), {_filled('cell')}, {_markers('cell')}, {', '.join(counts)} FROM ("  # noqa: S608 - names are c0, c1, …
        f"SELECT place, cell, {', '.join(values)} FROM ("
        f"SELECT unnest([{cells}]) AS cell, unnest(range({places.start}, {places.stop})) AS place "
        f"FROM {reader})) GROUP BY place"
    )
    rows = 0
    found: _Found = {place: (0, 0, []) for place in places}
    for place, rows, filled, markers, *pairs in connection.execute(query).fetchall():  # noqa: B007 - the same for all
        asked_pairs = [
            pair
            for candidate, pair in zip(known, pairs, strict=True)
            if candidate in candidates[place]
        ]
        numbers = itertools.chain.from_iterable(asked_pairs)
        found[place] = (filled, markers, _weighed(candidates[place], filled - markers, numbers))
    return rows, found


def _counts(candidate: Candidate, text: str, value: str) -> tuple[str, str]:
    """Return the SQL of how many values can be cast, and how many lose nothing by it."""
    fitting = f"{value} IS NOT NULL AND {candidate.fits(text, value)}"
    return f"count({value})", f"count(*) FILTER ({fitting})"


def _filled(cell: str) -> str:
    """Return the SQL of how many cells hold anything."""
    return f"count(*) FILTER ({cell} <> '')"


def _markers(cell: str) -> str:
    """Return the SQL of how many cells hold a marker of a missing value, or blanks."""
    longest = max(map(len, MISSING)) + _BLANKS
    return f"count(*) FILTER ({cell} <> '' AND strlen({cell}) <= {longest} AND {is_missing(cell)})"


def _find_codes(
    reader: Callable[[], Reader], suspects: Mapping[int, Candidate]
) -> Mapping[int, str]:
    """Return the columns whose values of another type are codes, each with an example.

    Accidents, such as typing errors and broken lines, differ from each other. A value that occurs
    several times, or several values of the same shape (c168, c204), are codes.
    """
    values, parts = [], []
    for place, candidate in suspects.items():
        cell, value = f"c{place}", f"v{place}"
        values.append(f", {candidate.value(cell)} AS {value}")
        shape = f"regexp_replace(regexp_replace({cell}, '[0-9]+', '0', 'g'), '[A-Za-z]+', 'a', 'g')"
        bad = f"FILTER (NOT {candidate.fits(cell, value)})"
        parts.append(
            f"[count(*) {bad}, count(DISTINCT {cell}) {bad}, count(DISTINCT {shape}) {bad}], "
            f"mode({cell}) {bad}"
        )
    with reader() as (connection, text):
        query = f"SELECT {', '.join(parts)} FROM (SELECT *{''.join(values)} FROM {text})"  # noqa: S608 - names are c0, c1, …
        found = connection.execute(query).fetchone() or ()
    return {
        place: example
        for place, ((number, different, shapes), example) in zip(
            suspects, itertools.batched(found, 2), strict=True
        )
        if different < number or (number >= _SEVERAL and shapes == 1)
    }


def _weighed(
    candidates: Sequence[Candidate], filled: int, counts: Iterable[int]
) -> list[TypeEvidence]:
    return [
        TypeEvidence(candidate, fitting, castable - fitting, filled - fitting)
        for candidate, (castable, fitting) in zip(
            candidates, itertools.batched(counts, 2), strict=True
        )
    ]
