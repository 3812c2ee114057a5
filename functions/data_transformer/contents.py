"""Files that are no tables: other kinds of files under the name of one."""

from __future__ import annotations

from uploads.content import describe
from uploads.processing import RejectedError


def check(head: bytes) -> None:
    """Check that a file may be a text.

    Args:
        head: see `uploads.content.describe`.

    Raises:
        RejectedError: it is a file of another kind.
    """
    kind = describe(head)
    if kind:
        raise RejectedError(
            "not_a_table", f"The file is {kind}, whatever its name says; CSV and JSON can be read."
        )
