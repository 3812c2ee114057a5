"""Tell a person what a build does: lines for what is done, and on a terminal what goes on now."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console


class Display(Protocol):
    """Where a build says what happens; may be called from several threads."""

    def done(self, line: str) -> None:
        """Say what is done."""

    def doing(self, text: str) -> None:
        """Say what goes on, in place of what was said before."""


class Lines:
    """A line for everything: for logs."""

    def done(self, line: str) -> None:
        """Write a line at once and in one piece."""
        sys.stdout.write(f"package: {line}\n")
        sys.stdout.flush()

    def doing(self, text: str) -> None:
        """Say nothing: a log is read afterwards."""


class Live(Lines):
    """Lines, and below them one that changes: for terminals."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("package: looking for what changed")

    def done(self, line: str) -> None:
        """Write a line above the one that changes."""
        self._console.print(f"package: {line}", highlight=False, markup=False, soft_wrap=True)

    def doing(self, text: str) -> None:
        """Change the last line."""
        self._status.update(f"package: {text}")

    @contextmanager
    def shown(self) -> Iterator["Live"]:
        """Show the changing line while a build runs."""
        with self._status:
            yield self


@contextmanager
def display(console: Console) -> Iterator[Display]:
    """Give the display that fits where the output goes."""
    if console.is_terminal:
        with Live(console).shown() as live:
            yield live
    else:
        yield Lines()
