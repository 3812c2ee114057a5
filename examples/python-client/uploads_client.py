"""Upload a file through the API and wait for its result.

    python uploads_client.py https://….execute-api.us-east-1.amazonaws.com/prod photo.jpg

Credentials are found as the AWS CLI finds them; with some, requests to the API are signed, which an
API with AWS_IAM asks for. The region is that of the address, or, where a domain of one's own does
not tell it, AWS_DEFAULT_REGION. Needs `httpx` and `boto3`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from botocore.credentials import Credentials

# The API keeps an answer back for that long at the most.
_LONGEST_WAIT_SECONDS: Final = 20
# Between two of them, should the API answer at once.
_PAUSE_SECONDS: Final = 0.2


class ApiError(Exception):
    """The API, or the bucket behind it, refused a request; the message says what it answered.

    Attributes:
        status: HTTP status of the answer, None when it is not an answer that went wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


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


def signature(api_url: str, session: boto3.Session) -> Signature | None:
    """Return what signs the requests to an API; None without credentials.

    Raises:
        ApiError: the region is not known.
    """
    credentials = session.get_credentials()
    if credentials is None:
        return None
    address = re.search(r"\.execute-api\.([a-z0-9-]+)\.", api_url)
    region = address[1] if address else session.region_name
    if not region:
        raise ApiError("the address does not tell its AWS region: set AWS_DEFAULT_REGION")
    return Signature(api_url, credentials, region)


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one deployed API.

    Attributes:
        url: address of the API's stage, without a trailing slash.
        http: HTTP client; its timeout is longer than 20 seconds.
    """

    url: str
    http: httpx.Client

    def status(self) -> dict[str, Any]:
        """Return what `GET /status` answers."""
        return self._json(self.http.get(f"{self.url}/status"))

    def upload(
        self, path: Path, name: str | None = None, options: dict[str, Any] | None = None
    ) -> str:
        """Upload a file and return its key.

        Args:
            path: the file.
            name: name to store it under, if not its own.
            options: how a table is read, such as `{"delimiter": ";"}`; docs/tables.md lists them.

        Raises:
            ApiError: the API or the bucket refused it.
        """
        form = self.form(name or path.name, options)
        self.send(form, path)
        return str(form["key"])

    def form(self, name: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """Start an upload: return a key, and the form that takes the file."""
        body = {"name": name} | ({"options": options} if options else {})
        return self._json(self.http.post(f"{self.url}/files", json=body))

    def send(self, form: dict[str, Any], path: Path) -> None:
        """Send a file with a form.

        Raises:
            ApiError: the bucket refused it.
        """
        with path.open("rb") as content:
            answer = self.http.post(form["url"], data=form["fields"], files={"file": content})
        if not answer.is_success:
            raise ApiError(
                f"the bucket refused {path} ({answer.status_code}): {answer.text}",
                answer.status_code,
            )

    def file(self, key: str, wait: int = 0) -> dict[str, Any]:
        """Return what `GET /files/{key}` answers, once the result is there or `wait` seconds on."""
        params = {"wait": wait} if wait else {}
        return self._json(self.http.get(f"{self.url}/files/{quote(key)}", params=params))

    def files(self) -> Iterator[dict[str, Any]]:
        """Return every upload, page by page."""
        cursor: dict[str, str] = {}
        while True:
            page = self._json(self.http.get(f"{self.url}/files", params=cursor))
            yield from page["files"]
            if not page["next_cursor"]:
                return
            cursor = {"cursor": page["next_cursor"]}

    def wait(
        self, key: str, seconds: float = 600, sleep: Callable[[float], None] = time.sleep
    ) -> dict[str, Any]:
        """Return what `GET /files/{key}` answers once the file is processed.

        Raises:
            ApiError: it is still pending after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            found = self.file(key, wait=max(1, min(_LONGEST_WAIT_SECONDS, round(left))))
            if found["state"] != "pending":
                return found
            sleep(_PAUSE_SECONDS)
        raise ApiError(f"{key} is still pending after {seconds:.0f} seconds")

    def download(self, url: str, path: Path) -> None:
        """Save what a download link leads to."""
        with self.http.stream("GET", url) as answer:
            if not answer.is_success:
                raise ApiError(f"{url} cannot be downloaded ({answer.status_code})")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)

    @staticmethod
    def _json(answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise ApiError(
                f"{answer.request.method} {answer.request.url} answered "
                f"{answer.status_code}: {answer.text}",
                answer.status_code,
            )
        body: dict[str, Any] = answer.json()
        return body


def main(arguments: list[str] | None = None) -> int:
    """Upload the file named on the command line and print its result; return the exit status."""
    parser = argparse.ArgumentParser(description="Upload a file and wait for its result.")
    parser.add_argument("api_url", help="address of the API, the output api_gateway_url")
    parser.add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    url = options.api_url.rstrip("/")
    try:
        with httpx.Client(timeout=60, auth=signature(url, boto3.Session())) as http:
            client = Client(url, http)
            file = client.wait(client.upload(options.file))
    except (ApiError, httpx.HTTPError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(file, indent=2, ensure_ascii=False))
    return 0 if file["state"] == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
