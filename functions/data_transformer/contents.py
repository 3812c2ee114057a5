"""Detects files that are not tables although their name says so, and tables of another format."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

from data_transformer.text import detect
from uploads.content import describe
from uploads.metadata import OPTIONS
from uploads.processing import RejectedError
from uploads.table_options import TableOptions

if TYPE_CHECKING:
    from pathlib import Path

    from data_transformer.settings import Settings
    from uploads.processing import Source

# Rare in text: control characters other than NUL, white space, Ctrl-Z and escape.
_CONTROLS: Final = bytes(set(range(1, 32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_FEW: Final = 3

GZIP: Final = "gzip"
ZSTD: Final = "zstd"
BOOK: Final = "a workbook"
PARQUET: Final = "Parquet"
# Options that texts alone have, and by format those that it has not.
_OF_TEXTS: Final = {"delimiter", "decimal", "encoding", "header", "skip", "null_values", "columns"}
_UNFIT: Final = {
    "CSV": {"rows"},
    "JSON": _OF_TEXTS,
    PARQUET: {"rows", *_OF_TEXTS},
    "workbooks": {"rows", *_OF_TEXTS},
}
# First bytes of binary table formats. Zip archives and old Office documents may also be others.
# A Zstandard file may begin with a frame to be skipped, of one of 16 kinds (RFC 8878, 3.1.2).
_FORMATS: Final = {
    b"\x1f\x8b": GZIP,
    b"\x28\xb5\x2f\xfd": ZSTD,
    **{bytes((0x50 + kind, 0x2A, 0x4D, 0x18)): ZSTD for kind in range(16)},
    b"PAR1": PARQUET,
    b"PARE": PARQUET,
    b"PK\x03\x04": BOOK,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": BOOK,
}


class OtherFormatError(Exception):
    """A file is a table, but in another format than its name says.

    Attributes:
        form: "CSV", "JSON", `BOOK`, `PARQUET`, `GZIP` or `ZSTD`.
    """

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self.form = form


def check(head: bytes) -> None:
    """Check that a file may be a text.

    Args:
        head: see `uploads.content.describe`.

    Raises:
        OtherFormatError: it is a table of a binary format.
        RejectedError: it is a file of another kind.
    """
    if form := form_of(head):
        raise OtherFormatError(form)
    kind = describe(head)
    if not kind and not detect(head)[0].startswith(("utf-16", "utf-32")):
        controls = len(head) - len(head.translate(None, _CONTROLS))
        kind = "binary" if controls > max(_FEW, len(head) // 100) else None
    if kind:
        raise RejectedError(
            "not_a_table", f"The file is {kind}, not a table, although its name says so."
        )


def form_of(head: bytes) -> str | None:
    """Return the format of a binary file, if it may be a table."""
    return next((form for sign, form in _FORMATS.items() if head.startswith(sign)), None)


def options(source: Source, settings: Settings, form: str) -> TableOptions:
    """Return how a table is to be read by its upload, and where that says nothing, by the settings.

    Args:
        source: upload.
        settings: their options are those of tables of any format.
        form: format of this one.

    Raises:
        RejectedError: the upload's options are invalid.
    """
    try:
        # Only objects in S3 have metadata.
        said = TableOptions.from_text(getattr(source, "metadata", {}).get(OPTIONS, ""))
        return said.over(TableOptions.from_text(settings.table_options), *_UNFIT[form])
    except ValueError as error:
        raise RejectedError("invalid_options", f"{error}") from error


def is_of_upload(name: str, options: TableOptions, settings: Settings) -> bool:
    """Return whether the upload sets an option, which then must fit the table.

    Options of the environment apply to tables that may have other columns.
    """
    usual = TableOptions.from_text(settings.table_options)
    return bool(getattr(options, name) != getattr(usual, name))


def check_options(options: TableOptions, form: str) -> None:
    """Check that all options apply to a format.

    Raises:
        RejectedError: one does not.
    """
    names = [name for name in options.to_json() if name in _UNFIT[form]]
    if names:
        raise RejectedError(
            "options_do_not_fit", f"The option {names[0]} is not for {form}; leave it out."
        )


def save(source: Source, path: Path) -> Path:
    """Write a source to a file; as much disk space must be left for the table.

    Raises:
        RejectedError: there is too little space.
    """
    if source.size * 2 > shutil.disk_usage(path.parent).free:
        raise RejectedError(
            "too_large",
            f"The file has {source.size // 2**20} MB; together with its table it does not fit in "
            "the ephemeral storage of the function.",
        )
    return source.save(path)
