"""Which types the columns of a text have."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from data_transformer import columns as typing_of
from data_transformer.columns import (
    ABSENT,
    MISSING,
    TEXT,
    TypeEvidence,
    is_missing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
        versions: places of the columns that are text since they hold versions, 1.9 and 1.10.
        unlike_versions: places of the columns of numbers of which some have several digits behind
            the point, so that 1.10 is one of many like it.
        marked: original names of the columns that are text for numbers with marks of thousands, of
            a currency or of percent, each with one of these.
    """

    columns: list[Column]
    rows: int
    candidates: Candidates
    missing: Sequence[int] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    mixed: Sequence[str] = ()
    versions: Sequence[int] = ()
    unlike_versions: Sequence[int] = ()
    marked: Mapping[str, str] = field(default_factory=dict)

    def after(self, earlier: Inference) -> Inference:
        """Return this with what an earlier look at fewer rows found out about columns of text.

        The types that it ruled out were not tested again.
        """
        columns = [one for one in self.columns if one.type == TEXT]
        texts = {one.original or one.name for one in columns}
        codes = {name: one for name, one in earlier.codes.items() if name in texts}
        codes |= self.codes
        reasons = {
            name: f"{one} (in the first rows)"
            for name, one in earlier.reasons.items()
            if name in texts
        }
        mixed = [name for name in earlier.mixed if name in texts and name not in self.reasons]
        return replace(
            self,
            codes=codes,
            reasons={**reasons, **self.reasons},
            mixed=[name for name in [*mixed, *self.mixed] if name not in codes],
            versions=sorted({*earlier.versions, *self.versions}),
            marked={**earlier.marked, **self.marked},
        )


def infer(
    table: Sequence[Column],
    reader: Callable[[], Reader],
    *,
    known: Sequence[Candidate],
    misfits_share: float,
    candidates: Candidates | None = None,
    lines: int | None = None,
    unlike_versions: Collection[int] = (),
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
        unlike_versions: places of columns not to be looked at for versions.
    """
    findings = {
        place: _Finding(column, (candidates or {}).get(place, known), place in unlike_versions)
        for place, column in enumerate(table)
    }
    seen = 0
    for places in itertools.batched(findings, BATCH):
        some = {place: findings[place] for place in places}
        with reader() as (connection, text):
            if lines is not None:
                misfits = int(lines * misfits_share)
                first_rows = f"(FROM {text} LIMIT {misfits + 100})"
                seen, counted = _count_unpivoted(connection, first_rows, some, known)
                for place, count in counted.items() if seen else ():
                    some[place].rule_out(count, misfits)
            if sum(len(one.candidates) for one in some.values()) <= _FEW:
                seen, counted = _count_per_column(connection, text, some)
            else:
                seen, counted = _count_unpivoted(connection, text, some, known)
        for place, count in counted.items():
            some[place].choose(count, misfits_share, is_empty=seen > 0 and not count.filled)
        _find_codes(reader, some)
        _look_again(reader, some, known)
    return _inference(findings, seen)


@dataclass(slots=True)
class _Finding:
    """What is known of a column so far; see `Inference`."""

    column: Column
    candidates: Sequence[Candidate]
    is_unlike_versions: bool
    are_versions: bool = False
    has_markers: bool = False
    type: str = TEXT
    reason: _Reason | None = None
    suspect: Candidate | None = None
    code: str | None = None
    marked: str | None = None

    @property
    def name(self) -> str:
        return self.column.original or self.column.name

    def rule_out(self, count: _Count, misfits: int) -> None:
        """Keep the candidates that the first rows allow."""
        self.reason = _against(count.values, count.evidence)
        self.candidates = [
            one.candidate for one in count.evidence if not one.damaged and one.misfits <= misfits
        ]

    def choose(self, count: _Count, misfits_share: float, *, is_empty: bool) -> None:
        """Choose the type; without name and values there is none."""
        is_absent = is_empty and not self.column.original
        self.type = (
            ABSENT if is_absent else typing_of.choose(count.values, count.evidence, misfits_share)
        )
        self.reason = _against(count.values, count.evidence) or self.reason
        self.has_markers = count.markers > 0 and self.type != TEXT
        few = max(2, _FEW_OF * count.values)
        for one in count.evidence:
            if one.candidate.type == self.type and one.misfits >= few:
                self.suspect = one.candidate

    def become_text(self) -> None:
        """Be text whatever the values are."""
        self.type, self.candidates = TEXT, ()


def _inference(findings: Mapping[int, _Finding], rows: int) -> Inference:
    texts = [one for one in findings.values() if one.type == TEXT]
    return Inference(
        columns=[replace(one.column, type=one.type) for one in findings.values()],
        rows=rows,
        candidates={place: one.candidates for place, one in findings.items()},
        missing=[place for place, one in findings.items() if one.has_markers],
        codes={one.name: one.code for one in texts if one.code is not None},
        reasons={one.name: one.reason.text for one in texts if one.reason},
        mixed=[one.name for one in texts if one.reason and one.reason.is_mixed and not one.code],
        versions=[place for place, one in findings.items() if one.are_versions],
        unlike_versions=[place for place, one in findings.items() if one.is_unlike_versions],
        marked={one.name: one.marked for one in texts if one.marked},
    )


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


class _Count(NamedTuple):
    """How many cells hold anything, of those how many are missing values, and the evidence."""

    filled: int
    markers: int
    evidence: Sequence[TypeEvidence]

    @property
    def values(self) -> int:
        return self.filled - self.markers

    @classmethod
    def of(
        cls,
        candidates: Sequence[Candidate],
        filled: int,
        markers: int,
        marked: int,
        counts: Iterable[int],
    ) -> Self:
        """Return the count with the pairs of how many can be cast, and how many without loss."""
        evidence = [
            TypeEvidence(
                candidate,
                fitting,
                castable - fitting + (marked if candidate.marked else 0),
                filled - markers - fitting,
            )
            for candidate, (castable, fitting) in zip(
                candidates, itertools.batched(counts, 2), strict=True
            )
        ]
        return cls(filled, markers, evidence)


type _Findings = Mapping[int, _Finding]


def _count_per_column(
    connection: DuckDBPyConnection, reader: str, findings: _Findings
) -> tuple[int, Mapping[int, _Count]]:
    """Return the number of rows, and the evidence of each column."""
    values, counts = [], []
    for place, finding in findings.items():
        cell = f"c{place}"
        parts = [_filled(cell), _markers(cell), _marked(cell, finding.candidates)]
        for number, candidate in enumerate(finding.candidates):
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
        place: _Count.of(finding.candidates, filled, markers, marked, rest)
        for (place, finding), (filled, markers, marked, *rest) in zip(
            findings.items(), found, strict=True
        )
    }


def _count_unpivoted(
    connection: DuckDBPyConnection, reader: str, findings: _Findings, known: Sequence[Candidate]
) -> tuple[int, Mapping[int, _Count]]:
    """Do the same, looking at the values of all columns as those of one.

    It takes more than twice the time, but to plan the other way takes time and memory by the square
    of the number of expressions.
    """
    values, counts = [], []
    for number, candidate in enumerate(known):
        tested = [str(place) for place, one in findings.items() if candidate in one.candidates]
        condition = f"place IN ({', '.join(tested)})" if tested else "false"
        value = f"v{number}"
        values.append(f"CASE WHEN {condition} THEN {candidate.value('cell')} END AS {value}")
        counts.append(f"[{', '.join(_counts(candidate, 'cell', value))}]")
    cells = ", ".join(f"c{place}" for place in findings)
    query = (
        f"SELECT place, count(*), {_filled('cell')}, {_markers('cell')}, "  # noqa: S608 - names are c0, c1, …
        f"{_marked('cell', known)}, {', '.join(counts)} FROM ("
        f"SELECT place, cell, {', '.join(values)} FROM (SELECT unnest([{cells}]) AS cell, "
        f"unnest(range({min(findings)}, {max(findings) + 1})) AS place FROM {reader})) "
        "GROUP BY place"
    )
    rows = 0
    found = dict.fromkeys(findings, _Count(0, 0, ()))
    for place, rows, filled, markers, marked, *pairs in connection.execute(query).fetchall():  # noqa: B007 - the same for all
        candidates = findings[place].candidates
        asked_pairs = [
            pair for candidate, pair in zip(known, pairs, strict=True) if candidate in candidates
        ]
        numbers = itertools.chain.from_iterable(asked_pairs)
        found[place] = _Count.of(candidates, filled, markers, marked, numbers)
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


def _marked(cell: str, candidates: Sequence[Candidate]) -> str:
    """Return the SQL of how many cells hold marked numbers, if numbers are among the candidates."""
    return f"count(*) FILTER ({_is_marked(cell, candidates)})"


def _is_marked(cell: str, candidates: Sequence[Candidate]) -> str:
    return next((one.is_marked(cell) for one in candidates if one.marked), "false")


def _find_codes(reader: Callable[[], Reader], findings: _Findings) -> None:
    """Make columns text whose values of another type are codes.

    Accidents, such as typing errors and broken lines, differ from each other. A value that occurs
    several times, or several values of the same shape (c168, c204), are codes.
    """
    suspects = {place: one.suspect for place, one in findings.items() if one.suspect}
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
    found = _ask(reader, parts, values)
    for place, ((number, different, shapes), example) in zip(
        suspects, itertools.batched(found, 2), strict=True
    ):
        if different < number or (number >= _SEVERAL and shapes == 1):
            findings[place].become_text()
            findings[place].code = example


def _look_again(
    reader: Callable[[], Reader], findings: _Findings, known: Sequence[Candidate]
) -> None:
    """Make columns text that hold versions; find numbers with marks in those that are text.

    Versions go on from 1.9 to 1.10, which would be the number 1.1. They have no zero in front of
    the second number: 1.05 is a number.
    """
    numbers, texts = [], []
    for place, one in findings.items():
        if one.type == "DOUBLE" and not one.is_unlike_versions:
            numbers.append(place)
        if one.type == TEXT and one.reason and not one.reason.is_mixed:
            texts.append(place)
    parts = [
        f"[bool_or({cell} LIKE '%.9') AND bool_or({cell} LIKE '%.10') "
        f"AND NOT bool_or({cell} LIKE '%.0_'), bool_or({cell} LIKE '%.__%')]"
        for cell in (f"trim(c{place})" for place in numbers)
    ]
    parts += (f"any_value(c{place}) FILTER ({_is_marked(f'c{place}', known)})" for place in texts)
    found = iter(_ask(reader, parts))
    for place, (may_be_versions, is_unlike) in zip(numbers, found, strict=False):
        one = findings[place]
        one.is_unlike_versions = is_unlike
        if may_be_versions and _are_versions(reader, f"trim(c{place})"):
            one.are_versions = True
            one.become_text()
            one.reason = _Reason("1.9 and 1.10 are versions", is_mixed=False)
    for place, example in zip(texts, found, strict=True):
        findings[place].marked = example


def _are_versions(reader: Callable[[], Reader], cell: str) -> bool:
    """Return whether a version with the same first number is the ninth, and another the tenth."""
    ninth = f"list(DISTINCT left({cell}, -2)) FILTER ({cell} LIKE '%.9')"
    tenth = f"list(DISTINCT left({cell}, -3)) FILTER ({cell} LIKE '%.10')"
    return any(_ask(reader, [f"list_has_any({ninth}, {tenth})"]))


def _ask(
    reader: Callable[[], Reader], parts: Sequence[str], values: Sequence[str] = ()
) -> Sequence[Any]:
    """Return what SQL finds in the rows, which the values, also SQL, are added to."""
    if not parts:
        return ()
    with reader() as (connection, text):
        query = f"SELECT {', '.join(parts)} FROM (SELECT *{''.join(values)} FROM {text})"  # noqa: S608 - names are c0, c1, …
        return connection.execute(query).fetchone() or ()
