"""The rows that do not fit: where they are in the text, word for word."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_transformer.rows import Rows


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row with a value of another type: its number, from 1, among those that are rows."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A line of `rejects.jsonl`."""

    line: int
    column: str | None
    reason: str
    raw: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def locate(rows: Rows, first_line: int, misfits: Iterator[Misfit]) -> Iterator[Reject]:
    """Yield the rejects in the order of the text.

    Args:
        rows: of the text, from the first.
        first_line: number of the line that they begin in.
        misfits: in the order of the text.
    """
    line, passed = first_line, 0
    misfit = next(misfits, None)
    for run in rows:
        if run.reason:
            yield Reject(line, None, run.reason, _raw(run.text))
        if misfit is not None:
            last = passed + rows.count(run)
            texts = [run.text] if last == passed + 1 else rows.split(run)
            at, seen = line, 0
            while misfit is not None and misfit.row <= last:
                place = misfit.row - passed - 1
                at += sum(text.count(b"\n") for text in texts[seen:place])
                seen = place
                yield Reject(at, misfit.column, misfit.reason, _raw(texts[place]))
                misfit = next(misfits, None)
            passed = last
        line += run.text.count(b"\n")


def _raw(text: bytes) -> str:
    return text.removesuffix(b"\n").decode("utf-8", "replace")
