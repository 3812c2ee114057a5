"""File names and content types that may be uploaded."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from api_handler.errors import ApiError
from uploads.keys import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MAX_NAME_BYTES: Final = 255

# Windows reserves these names, with any extension.
# Source: "Naming Files, Paths, and Namespaces", Microsoft Learn.
_RESERVED: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}
)

# Characters that make a name read differently from what it is (U+202E: "gpj.exe" as "exe.jpg").
_DIRECTION_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Cc: control; Cs: half of a surrogate pair, not encodable; Zl, Zp: line and paragraph separators.
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def unprintable(text: str) -> bool:
    """Return whether a text holds a character that no file name may have."""
    return any(
        unicodedata.category(character) in _FORBIDDEN_CATEGORIES
        or character in _DIRECTION_CONTROLS
        or ord(character) & 0xFFFE == 0xFFFE  # no character at all, and not allowed in XML
        for character in text
    )


def checked_name(name: str, kinds: Collection[str]) -> tuple[str, str]:
    """Return the name under which a file is stored, and its kind, one of `kinds`.

    The name is brought into Unicode normal form C, because some systems send another form of what
    looks the same, and its extension into lower case, because S3 notifications are case-sensitive.

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
        raise _invalid("The file name holds ${filename}, which S3 would replace.")
    if name.partition(".")[0].upper() in _RESERVED:
        raise _invalid("The file name is reserved on Windows; choose another name.")
    kind = kind_of(name, kinds)
    stem = name[: -len(kind)] if kind else ""
    if not kind or not stem:
        raise ApiError(
            415,
            "unsupported_type",
            f"Files of this kind are not accepted; accepted are {', '.join(kinds)}.",
        )
    return stem + kind, kind


def checked_content_type(declared: str | None, kind: str, accepted: Sequence[str]) -> str:
    """Return the content type under which a file is stored.

    Args:
        declared: what the client calls it, parameters such as `charset` allowed; None or empty
            where it does not know (browsers do so for types that the system lacks).
        kind: the ending of the file's name.
        accepted: the content types of the kind; the first one is stored.

    Raises:
        ApiError: 415 when the declared type is not one of the kind's.
    """
    if declared and declared.partition(";")[0].strip().lower() not in accepted:
        raise ApiError(
            415,
            "unsupported_type",
            f"A {kind} file has the content type {accepted[0]}, not the one declared.",
        )
    return accepted[0]


def _invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_name", message)
