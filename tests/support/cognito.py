"""Users of a Cognito user pool."""

from __future__ import annotations

from typing import Any, Final

_PASSWORD: Final = "Correct-Horse-7"  # noqa: S105 - of an emulated user


def id_token(
    cognito: Any, pool_id: str, name: str, *, group: str | None = None, seconds: int = 3600
) -> str:
    """Make a user of a pool, in a new group if it is named, and return the user's ID token.

    The token is valid for `seconds`; Cognito itself takes no less than five minutes.
    """
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="test",
        ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        IdTokenValidity=seconds,
        TokenValidityUnits={"IdToken": "seconds"},
    )["UserPoolClient"]["ClientId"]
    user = {"UserPoolId": pool_id, "Username": name}
    cognito.admin_create_user(**user, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**user, Password=_PASSWORD, Permanent=True)
    if group:
        cognito.create_group(GroupName=group, UserPoolId=pool_id)
        cognito.admin_add_user_to_group(**user, GroupName=group)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool_id,
        ClientId=client,
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": _PASSWORD},
    )
    return str(answer["AuthenticationResult"]["IdToken"])
