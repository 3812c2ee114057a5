"""Files that are no tables: other kinds of files under the name of one."""

from __future__ import annotations

from typing import Final

from data_transformer.text import detect
from uploads.content import describe
from uploads.processing import RejectedError

# What no text holds often: control characters but for NUL, white space, Ctrl-Z and escape.
_CONTROLS: Final = bytes(set(range(1, 32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_FEW: Final = 3

GZIP: Final = "gzip"
GZIP_BEGIN: Final = b"\x1f\x8b"


class OtherFormatError(Exception):
    """A file is a table, but in another format than its name says.

    Attributes:
        form: "CSV", "JSON" or `GZIP`.
    """

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.form = form


def check(head: bytes) -> None:
    """Check that a file may be a text.

    Args:
        head: see `uploads.content.describe`.

    Raises:
        OtherFormatError: it is compressed with gzip.
        RejectedError: it is a file of another kind.
    """
    if head.startswith(GZIP_BEGIN):
        raise OtherFormatError(GZIP)
    kind = describe(head)
    if not kind and not detect(head)[0].startswith(("utf-16", "utf-32")):
        controls = len(head) - len(head.translate(None, _CONTROLS))
        kind = "binary" if controls > max(_FEW, len(head) // 100) else None
    if kind:
        raise RejectedError(
            "not_a_table", f"The file is {kind}, whatever its name says; CSV and JSON can be read."
        )
