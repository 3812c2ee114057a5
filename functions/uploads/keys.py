"""Object keys: clients write below `uploads/`, functions write below `processed/`, never across."""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

UPLOADS_PREFIX: Final = "uploads/"
PROCESSED_PREFIX: Final = "processed/"
RESULT_NAME: Final = "result.json"

# A key has at most 1,024 bytes in S3; below an upload's own name, a revision and the name of an
# output must find room.
_LONGEST_NAME_BYTES: Final = 900
_LONGEST_OWNER: Final = 128

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def time_ordered_id() -> str:
    """Return a UUID of version 7: milliseconds since 1970, then 74 random bits (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    version, variant = 0xF << 76, 0x3 << 62
    return str(uuid.UUID(int=number & ~version & ~variant | 0x7 << 76 | 0x2 << 62))


def owner_folder(identity: str) -> str:
    """Return the folder of an owner's uploads: one part of a key, unique for each identity.

    Letters, digits, `-` and `_` stay as they are, of anything else each byte becomes a dot and two
    hexadecimal digits: `ada@example.com` is `ada.40example.2Ecom`. A long identity is cut, and a
    hash of the whole is appended. No folder looks like the id of an upload, so no identity can own
    uploads from before owners were enabled.
    """
    plain = identity.encode(errors="surrogatepass")
    encoded = re.sub(rb"[^A-Za-z0-9_-]", lambda found: b".%02X" % found[0][0], plain).decode()
    if _ID.fullmatch(encoded):
        encoded = f".{ord(encoded[0]):02X}{encoded[1:]}"
    if len(encoded) > _LONGEST_OWNER:
        digest = hashlib.sha256(plain).hexdigest()[:32]
        encoded = f"{encoded[: _LONGEST_OWNER - 33]}~{digest}"
    return encoded


def owner_of(upload_key: str) -> str | None:
    """Return the folder of an upload's owner; None of an upload that has none."""
    parts = upload_key.removeprefix(UPLOADS_PREFIX).split("/")
    return parts[0] if len(parts) == 3 and _ID.fullmatch(parts[1]) else None


def kind_of(key: str, kinds: Collection[str]) -> str | None:
    """Return the kind of file that a key's name says, the longest where several fit, or None.

    Args:
        key: object key, or a file's name; its case does not matter.
        kinds: endings in lower case, each with its dot (`.csv`, `.csv.gz`).
    """
    name = key.rpartition("/")[2].lower()
    return max((kind for kind in kinds if name.endswith(kind)), key=len, default=None)


def starts_function(key: str, kinds: Collection[str]) -> bool:
    """Return whether S3 starts a function for a key.

    S3 compares endings with their case; the bucket's notifications name the spellings that people
    use: `.csv`, `.CSV` and `.Csv`, and of a compound one `.csv.gz` and `.CSV.GZ`.
    """
    kind = kind_of(key, kinds)
    if kind is None:
        return False
    spellings = [kind, kind.upper()]
    if kind.count(".") == 1:
        spellings.append(kind.title())
    return key.endswith(tuple(spellings))


def derived_prefix(upload_key: str) -> str:
    """Return the prefix of everything derived from an upload.

    Args:
        upload_key: key of an upload, `uploads/K`.

    Returns:
        `processed/K/`. A `K` so long that a key of an output would exceed S3's limit is cut, and a
        hash of the whole is appended.

    Raises:
        ValueError: the key is not below `uploads/`, or nothing follows the prefix.
    """
    name = upload_key.removeprefix(UPLOADS_PREFIX)
    if not name or name == upload_key:
        raise ValueError(
            f"object key {upload_key!r} is not an upload: it must start with {UPLOADS_PREFIX!r}"
        )
    encoded = name.encode()
    if len(encoded) > _LONGEST_NAME_BYTES:
        beginning = encoded[:_LONGEST_NAME_BYTES].decode(errors="ignore")
        name = f"{beginning}~{hashlib.sha256(encoded).hexdigest()[:32]}"
    return f"{PROCESSED_PREFIX}{name}/"


def result_key(upload_key: str) -> str:
    """Return the key of an upload's result record, `processed/K/result.json`."""
    return derived_prefix(upload_key) + RESULT_NAME


def note_key(owner: str | None, sha256: str) -> str:
    """Return the key of the note that says which upload of an owner has a content.

    It lies below `processed/.sha256/`: no folder of an owner, nor of an upload, has that name, and
    no owner's folder is called `.shared`.

    Args:
        owner: folder of the owner's uploads; None where uploads have none.
        sha256: of the content, in hexadecimal.
    """
    return f"{PROCESSED_PREFIX}.sha256/{owner or '.shared'}/{sha256}"


def output_key(upload_key: str, folder: str, name: str) -> str:
    """Return the key of one output, `processed/K/<folder>/<name>`.

    Every delivery of an event has a separate folder, so that no other delivery can change or remove
    the outputs that a result record names.
    """
    return f"{derived_prefix(upload_key)}{folder}/{name}"
