"""Signs requests to an API that asks for it (authorisation AWS_IAM), and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Generator

    from botocore.credentials import Credentials


class Signature(httpx.Auth):
    """Signature version 4 for the requests of one API; a presigned form needs none."""

    requires_request_body = True

    def __init__(self, api_url: str, credentials: Credentials, region: str) -> None:
        """Bind to an API and to credentials."""
        self._api_url = api_url
        self._signer = SigV4Auth(credentials, "execute-api", region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the headers of a signature."""
        if str(request.url).startswith(f"{self._api_url}/"):
            signed = AWSRequest(request.method, str(request.url), data=request.content)
            self._signer.add_auth(signed)
            request.headers.update(dict(signed.headers))
        yield request
