"""Metadata of an uploaded object: the API signs them into a form, and the functions read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The bytes of names and values. Source: "Working with object metadata", S3 User Guide.
MOST_BYTES: Final = 2_048

OPTIONS: Final = "options"  # how a table is to be read, see `uploads.table_options`
SHA256: Final = "sha256"  # what the content must have, in hexadecimal

RESERVED: Final = frozenset({OPTIONS, SHA256})


def public(stored: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata that are the uploader's own."""
    return {name: text for name, text in stored.items() if name not in RESERVED}
