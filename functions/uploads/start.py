"""Imported first, it speeds up a function's start; `done` restores the normal state."""

from __future__ import annotations

import gc

# Objects loaded so far are never freed; scanning them would take a tenth of the start.
gc.disable()

# Not for use here. It compiles large patterns, and botocore imports it so deep that CPython's calls
# then run across the edge of a block of its stack, where each maps memory and unmaps it again.
# Imported from here, it takes a third of the time; that is up to a sixteenth of the start.
import urllib3  # noqa: E402, F401 - see above


def done() -> None:
    """Let the garbage collector work again, on what comes now."""
    gc.freeze()
    gc.enable()
