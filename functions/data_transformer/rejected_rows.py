"""The rows that do not fit: where they are in the text, word for word, and how many may be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from data_transformer.csv_rows import line_ends
from uploads.processing import Processed, Produced, RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from data_transformer.csv_rows import CsvRows
    from data_transformer.settings import Settings

LARGEST_BYTES: Final = 64 * 1024 * 1024
_NAME: Final = "rejects.jsonl"


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


@dataclass(frozen=True, slots=True)
class RejectedRows:
    """The file `rejects.jsonl`.

    Attributes:
        path: of the file.
        count: number of its lines.
        complete: whether these are all rows that do not fit.
    """

    path: Path
    count: int
    complete: bool

    @classmethod
    def empty(cls, directory: Path) -> RejectedRows:
        """Return the listing of no rows, which has no file."""
        return cls(directory / _NAME, 0, complete=True)

    @classmethod
    def write(cls, directory: Path, rejects: Iterable[Reject], most: int) -> RejectedRows:
        """Write the file, with so many lines and `LARGEST_BYTES` of text at the most."""
        path = directory / _NAME
        count = size = 0
        complete = True
        with path.open("w", encoding="utf-8") as file:
            for reject in rejects:
                size += len(reject.raw)
                complete = count < most and size <= LARGEST_BYTES
                if not complete:
                    break
                file.write(json.dumps(reject.to_json(), ensure_ascii=False) + "\n")
                count += 1
        return cls(path, count, complete)

    @property
    def produced(self) -> list[Produced]:
        """The file, if there is one."""
        if not self.count:
            return []
        attributes = {"rows": self.count}
        return [Produced(self.path, self.path.name, "application/x-ndjson", attributes)]

    def warnings(self, rows: int) -> list[Problem]:
        """Say that there is such a file.

        Args:
            rows: number of rows that do fit.
        """
        if not self.count:
            return []
        total = rows + self.count
        return [Problem("bad_rows", f"{self.count} of {total} rows do not fit: see rejects.jsonl.")]

    def check(self, rows: int, settings: Settings, details: dict[str, Any]) -> None:
        """Check that the rows that do not fit are few.

        Raises:
            RejectedError: they are more than the settings allow.
        """
        share = settings.max_rejected_rows_share
        total = rows + self.count
        if not self.complete:
            message = (
                f"More than {settings.max_rejected_rows} rows, or rows of more than "
                f"{LARGEST_BYTES // 2**20} MiB, do not fit the table. See rejects.jsonl for the "
                f"reasons of the first {self.count}."
            )
        elif self.count > share * total:
            message = (
                f"{self.count} of {total} rows do not fit the table; at most {share:.0%} may. "
                "See rejects.jsonl for the reasons."
            )
        else:
            return
        raise RejectedError("too_many_bad_rows", message, Processed(self.produced, details))


class Located:
    """The rejects of a text, in its order.

    Attributes:
        rows: number of accepted rows, after the iteration.
    """

    def __init__(self, rows: CsvRows, first_line: int, misfits: Iterable[Misfit]) -> None:
        """Prepare to read.

        Args:
            rows: of the text, from the first; strict.
            first_line: number of the line that they begin in.
            misfits: in the order of the text.
        """
        self._runs = rows
        self._line = first_line
        self._misfits = iter(misfits)
        self.rows = 0

    def __iter__(self) -> Iterator[Reject]:
        """Yield them, once."""
        passed = 0
        misfit = next(self._misfits, None)
        for run in self._runs:
            if run.reason:
                yield Reject(self._line, None, run.reason, raw(run.text))
            count = self._runs.count(run)
            self.rows += count
            if misfit is not None and misfit.row <= passed + count:
                texts = [run.text] if count == 1 else self._runs.split(run)
                at, seen = self._line, 0
                while misfit is not None and misfit.row <= passed + count:
                    place = misfit.row - passed - 1
                    at += sum(text.count(b"\n") for text in texts[seen:place])
                    seen = place
                    yield Reject(at, misfit.column, misfit.reason, raw(texts[place]))
                    self.rows -= 1
                    misfit = next(self._misfits, None)
            passed += count
            self._line += line_ends(run.text)


def raw(text: bytes) -> str:
    """Return the text of a row as it is listed."""
    return text.removesuffix(b"\n").decode("utf-8", "replace")
