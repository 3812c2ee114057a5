"""What a client says of a file that it is about to upload."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from api_handler.errors import ApiError
from uploads.metadata import MOST_BYTES, RESERVED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import TypeGuard

_SHA256_BYTES: Final = 32
_METADATA_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
# Other characters do not come through HTTP headers unchanged.
_METADATA_VALUE: Final = re.compile(r"[!-~]([ -~]*[!-~])?")

# Source: "Categorizing your objects using tags", S3 User Guide.
_TAG_VALUE: Final = re.compile(r"[\w .:/=+@-]{0,256}")

_BODY: Final = (
    'The body must be {"name": "…"}, with "content_type", "size" in bytes and "checksum_sha256" if '
    'known, "options" of a table, "metadata" and "tags" if wanted, and nothing else.'
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be uploaded.

    Attributes:
        name: file name, not checked.
        content_type: what the client calls it; may be empty.
        size: in bytes; None: not known.
        options: how a table is to be read, not checked.
        sha256: of its content in hexadecimal; None: not known.
        metadata: what the client wants to be stored with it.
        tags: of the object.
    """

    name: str
    content_type: str = ""
    size: int | None = None
    options: object = None
    sha256: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, body: Mapping[str, Any], tag_names: Collection[str] = ()) -> Self:
        """Read the body of a request.

        Args:
            body: of the request.
            tag_names: names of the tags that a client may set.

        Raises:
            ApiError: 400, with what is wrong.
        """
        given = dict(body)
        name, content_type = given.pop("name", None), given.pop("content_type", "")
        options, size = given.pop("options", None), given.pop("size", None)
        checksum, metadata = given.pop("checksum_sha256", None), given.pop("metadata", {})
        tags = given.pop("tags", {})
        is_size = size is None or (type(size) is int and size > 0)
        if not (isinstance(name, str) and isinstance(content_type, str) and is_size) or given:
            raise ApiError(400, "invalid_body", _BODY)
        sha256 = None if checksum is None else _sha256(checksum)
        return cls(
            name,
            content_type,
            size,
            options,
            sha256,
            _metadata(metadata),
            _tags(tags, tag_names),
        )


def checked_total(metadata: Mapping[str, str]) -> None:
    """Check that S3 takes the metadata of an object.

    Raises:
        ApiError: 400 if they are too many.
    """
    size = sum(len(name) + len(text) for name, text in metadata.items())
    if size > MOST_BYTES:
        raise ApiError(
            400,
            "invalid_metadata",
            f"Metadata and options have {size:,} bytes; S3 stores up to {MOST_BYTES:,} with a "
            "file.",
        )


def _sha256(text: object) -> str:
    """Return a SHA-256 in hexadecimal, given so, or in base64 as S3 has it."""
    try:
        if isinstance(text, str):
            is_hexadecimal = len(text) == 2 * _SHA256_BYTES
            known = bytes.fromhex(text) if is_hexadecimal else base64.b64decode(text, validate=True)
            if len(known) == _SHA256_BYTES:
                return known.hex()
    except ValueError:
        pass
    raise ApiError(
        400,
        "invalid_checksum",
        "checksum_sha256 must be the SHA-256 of the file: 64 hexadecimal digits, or base64.",
    )


def _metadata(found: object) -> dict[str, str]:
    if not _are_texts(found):
        raise ApiError(
            400, "invalid_metadata", 'The metadata must be texts by their names: {"order": "17"}.'
        )
    for name, text in found.items():
        if not _METADATA_NAME.fullmatch(name) or name in RESERVED:
            raise ApiError(
                400,
                "invalid_metadata",
                f"{name!r} cannot be the name of metadata: it has up to 64 lower-case letters, "
                f"digits, - and _; {' and '.join(sorted(RESERVED))} are taken.",
            )
        if not _METADATA_VALUE.fullmatch(text):
            raise ApiError(
                400,
                "invalid_metadata",
                f"The metadata {name} must be printable ASCII, without spaces around it; encode "
                "other text.",
            )
    return found


def _tags(found: object, names: Collection[str]) -> dict[str, str]:
    if not _are_texts(found):
        raise ApiError(400, "invalid_tags", 'The tags must be texts by their names: {"team": "a"}.')
    for name, text in found.items():
        if name not in names:
            allowed = f"set {', '.join(names)} only" if names else "leave the tags out"
            raise ApiError(400, "invalid_tags", f"The tag {name!r} cannot be set here: {allowed}.")
        if not _TAG_VALUE.fullmatch(text):
            raise ApiError(
                400,
                "invalid_tags",
                f"The tag {name} must have up to 256 letters, digits, spaces and . : / = + @ - _.",
            )
    return found


def _are_texts(found: object) -> TypeGuard[dict[str, str]]:
    return isinstance(found, dict) and all(isinstance(text, str) for text in found.values())
