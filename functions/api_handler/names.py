"""File names and content types that may be uploaded."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from api_handler.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_NAME_BYTES: Final = 255

# What a browser may call a file of this kind; the first is the one that is stored. Windows with
# Excel calls a CSV file `application/vnd.ms-excel`.
_CONTENT_TYPES: Final = {
    ".jpg": ("image/jpeg", "image/pjpeg"),
    ".jpeg": ("image/jpeg", "image/pjpeg"),
    ".png": ("image/png",),
    ".json": ("application/json", "application/x-ndjson", "text/json"),
    ".csv": ("text/csv", "application/csv", "application/vnd.ms-excel", "text/plain"),
}
_UNKNOWN: Final = ("application/octet-stream",)

# No file of these names can be made on Windows, whatever follows the first dot.
# Source: "Naming Files, Paths, and Namespaces", Microsoft Learn.
_RESERVED: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}
)

# Characters that make a name read differently from what it is (U+202E: "gpj.exe" as "exe.jpg").
_DIRECTION_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Cc: control; Cs: half of a surrogate pair, not encodable; Zl, Zp: line and paragraph separators.
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def unprintable(text: str) -> bool:
    """Tell whether a text holds a character that no file name may have."""
    return any(
        unicodedata.category(character) in _FORBIDDEN_CATEGORIES
        or character in _DIRECTION_CONTROLS
        or ord(character) & 0xFFFE == 0xFFFE  # no character at all, and not allowed in XML
        for character in text
    )


def checked_name(name: str, accepted_extensions: Sequence[str]) -> tuple[str, str]:
    """Return the name under which a file is stored, and its extension.

    The name is brought into Unicode normal form C, because some systems send another form of what
    looks the same, and its extension into lower case, because S3 notifications tell cases apart.

    Raises:
        ApiError: 400 for a name that cannot be used, 415 for a kind of file that is not accepted.
    """
    if unprintable(name):
        raise _invalid("The file name holds a character that cannot be shown.")
    name = unicodedata.normalize("NFC", name)
    if not name or name != name.strip():
        raise _invalid("The file name is empty, or it starts or ends with a space.")
    if "/" in name or "\\" in name:
        raise _invalid("The file name holds a slash; send the name alone, without folders.")
    if len(name.encode()) > MAX_NAME_BYTES:
        raise _invalid(f"The file name is longer than {MAX_NAME_BYTES} bytes.")
    if "${filename}" in name:  # S3 puts the name that the form's file has in its place
        raise _invalid("The file name holds ${filename}, which has a meaning of its own.")
    if name.partition(".")[0].upper() in _RESERVED:
        raise _invalid("The file name is reserved on Windows; choose another one.")
    stem, dot, ending = name.rpartition(".")
    extension = f".{ending.lower()}"
    if not stem or extension not in accepted_extensions:
        raise ApiError(
            415,
            "unsupported_type",
            f"Files of this kind are not accepted; accepted are {', '.join(accepted_extensions)}.",
        )
    return stem + dot + ending.lower(), extension


def checked_content_type(declared: str | None, extension: str) -> str:
    """Return the content type under which a file is stored.

    Args:
        declared: what the client calls it, parameters such as `charset` allowed; None or empty
            where it does not know (browsers do so for types that the system lacks).
        extension: the file's extension in lower case.

    Raises:
        ApiError: 415 when the declared type is not one of the extension's.
    """
    accepted = _CONTENT_TYPES.get(extension, _UNKNOWN)
    if declared and declared.partition(";")[0].strip().lower() not in accepted:
        raise ApiError(
            415,
            "unsupported_type",
            f"A {extension} file has the content type {accepted[0]}, not the one declared.",
        )
    return accepted[0]


def _invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_name", message)
