"""Types of command-line arguments."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def positive[T: (int, float)](kind: type[T]) -> Callable[[str], T]:
    """Return a reader of numbers above zero."""

    def read(text: str) -> T:
        try:
            number = kind(text)
        except ValueError:
            number = kind(0)
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
        return number

    return read


def span(text: str) -> timedelta:
    """Read a time span such as `30m`, `6h` or `7d`."""
    found = re.fullmatch(r"(\d{1,4})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text} is not a time span such as 30m, 6h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def text(given: str) -> str:
    """Read a text that is not empty."""
    if not given.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return given
