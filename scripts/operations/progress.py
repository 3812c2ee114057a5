"""The output of a command: tables and sentences for people, or only JSON for programs."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Screen:
    """Sends what people read to standard output, or, when a program reads that, nowhere.

    Progress goes to standard error, and only to a terminal.
    """

    def __init__(self, *, as_json: bool) -> None:
        """Choose who reads: a person or a program."""
        self.as_json = as_json
        self._out = Console(highlight=False, quiet=as_json)
        self._progress = Console(highlight=False, stderr=True)

    def say(self, sentence: str = "") -> None:
        """Show a line."""
        self._out.print(escape(sentence), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Show a table; a cell may hold what `good` and `bad` return."""
        table = Table(*columns)
        for column in table.columns:
            column.overflow = "fold"
        for row in rows:
            table.add_row(*row)
        self._out.print(table)

    def result(self, value: dict[str, Any]) -> None:
        """Give the program that reads the result of the command."""
        if self.as_json:
            print(json.dumps(value, indent=2, ensure_ascii=False))

    @contextlib.contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Show how far a loop is; yields what the loop calls once a round."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        shown = self._progress.is_terminal
        with Progress(*columns, console=self._progress, transient=True, disable=not shown) as bar:
            task = bar.add_task(what, total=total)
            yield lambda: bar.advance(task)


class Pace:
    """Limits a loop to so many rounds a second."""

    def __init__(
        self,
        rate: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the rounds a second."""
        self.rate = rate
        self._sleep = sleep
        self._clock = clock
        self._next = float("-inf")

    def wait(self) -> None:
        """Return when the next round may begin."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.rate


def good(text: str) -> str:
    """Return text to be shown in green."""
    return f"[green]{escape(text)}[/]"


def bad(text: str) -> str:
    """Return text to be shown in red."""
    return f"[red]{escape(text)}[/]"


def plain(text: str) -> str:
    """Return text to be shown as it is."""
    return escape(text)


def age(seconds: float) -> str:
    """Return a time span in its largest unit: `3 h`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "0 s"


def error(sentence: str) -> None:
    """Show what ended a command."""
    Console(highlight=False, file=sys.stderr).print(
        f"[red]error:[/] {escape(sentence)}", soft_wrap=True
    )
