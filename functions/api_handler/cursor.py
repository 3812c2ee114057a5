"""Cursors: where the next page of a listing starts.

A cursor is the last key that the client has seen, so a listing stays right while files come and
go. It needs no signature: a listing's prefix is always sent to S3 beside it, so that the most a
forged cursor can do is to start elsewhere in what its sender may list anyway.
"""

from __future__ import annotations

import base64
import binascii
import json

from api_handler.errors import ApiError


def encode(prefix: str, last_key: str) -> str:
    """Return the cursor for the keys below `prefix` that follow `last_key`."""
    content = json.dumps([prefix, last_key.removeprefix(prefix)]).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(cursor: str, prefix: str) -> str:
    """Return the key after which a page starts; it is below `prefix`.

    Raises:
        ApiError: 400 when the cursor was not made by `encode` for this prefix.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        made_for, rest = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        key: str = prefix + rest
        key.encode()
    except (binascii.Error, RecursionError, TypeError, ValueError) as error:
        raise _invalid() from error
    if made_for != prefix or encode(prefix, key) != cursor:
        raise _invalid()
    return key


def _invalid() -> ApiError:
    return ApiError(
        400,
        "invalid_cursor",
        "The cursor is not one that this listing gave; start again without a cursor.",
    )
