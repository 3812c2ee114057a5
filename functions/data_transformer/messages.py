"""Texts of a file in messages, which do not grow with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN: Final = 40  # characters of a text
_NAMED: Final = 5


def shortened(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def listed(names: Sequence[str], most: int = _NAMED) -> str:
    """Return the first names of many."""
    return ", ".join(names[:most]) + (" and others" if len(names) > most else "")
