"""Who calls, and which files are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from api_handler.errors import ApiError
from uploads.keys import UPLOADS_PREFIX, owner_folder

# Attributes of the signer that API Gateway passes on where requests are signed (AWS_IAM).
# Source: "API Gateway mapping template and access logging variable reference", AWS.
SIGNER: Final = frozenset({"accountId", "caller", "cognitoIdentityId", "userArn"})

# Cognito's groups come as one text, with commas between them (aws/chalice issue 783).
_GROUPS: Final = "cognito:groups"


class Caller(NamedTuple):
    """Who sends a request.

    Attributes:
        folder: prefix of the keys of the files that they upload.
        reach: prefix of the keys that they may name: `folder`, or that of all uploads.
        max_files: quota of files below `folder`; None: no quota.
        max_bytes: quota of their bytes; None: no quota. Only with `max_files`.
    """

    folder: str
    reach: str
    max_files: int | None = None
    max_bytes: int | None = None


ANYBODY: Final = Caller(UPLOADS_PREFIX, UPLOADS_PREFIX)


def caller(event: Mapping[str, Any], owners: Mapping[str, Any] | None) -> Caller:
    """Return who sends a request.

    Args:
        event: request of a Lambda proxy integration.
        owners: `claim`, the name of the claim that identifies the caller: of a token, of a Lambda
            authorizer's context, or one of `SIGNER`; `admins`, by claim the values of callers who
            see all files; `max_files` and `max_bytes`, the quota of each owner. None: all callers
            share all files.

    Raises:
        ApiError: 403 when the request lacks the claim.
    """
    if owners is None:
        return ANYBODY
    identity = _claim(event, owners["claim"])
    if not identity:
        raise ApiError(
            403,
            "no_owner",
            f"The caller cannot be identified: the claim {owners['claim']} is missing.",
        )
    folder = f"{UPLOADS_PREFIX}{owner_folder(identity)}/"
    reach = UPLOADS_PREFIX if _is_admin(event, owners["admins"]) else folder
    return Caller(folder, reach, owners.get("max_files"), owners.get("max_bytes"))


def _is_admin(event: Mapping[str, Any], admins: Mapping[str, list[str]]) -> bool:
    return any(
        _fits(value, pattern)
        for claim, patterns in admins.items()
        for value in _values(claim, _claim(event, claim))
        for pattern in patterns
    )


def _fits(value: str, pattern: str) -> bool:
    if pattern.endswith("*"):  # a role has another ARN in each session: …:assumed-role/Admin/*
        return value.startswith(pattern[:-1])
    return value == pattern


def _values(claim: str, text: str) -> list[str]:
    return text.split(",") if claim == _GROUPS else [text]


def _claim(event: Mapping[str, Any], name: str) -> str:
    """Return a claim of the caller; empty where there is none, or none that is a text."""
    context = event["requestContext"]
    known = context.get("identity") if name in SIGNER else context.get("authorizer")
    # A user pool's claims are nested; the context that a function returns is not.
    claims = (known or {}).get("claims", known)
    value = claims.get(name) if isinstance(claims, Mapping) else None
    return value if isinstance(value, str) else ""
