"""Upload a file through the API, with requests signed for AWS_IAM, and wait for its result.

    python upload.py https://….execute-api.us-east-1.amazonaws.com/prod photo.jpg

Credentials are found as the AWS CLI finds them. The region is that of the address, or, where a
domain of one's own does not tell it, AWS_DEFAULT_REGION. Needs `botocore` alone.
"""

from __future__ import annotations

import json
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

_WAIT_SECONDS = 1.0
_GIVE_UP_SECONDS = 600.0


class ApiError(Exception):
    """The API answered with an error; its text says which one."""


class Client:
    """Calls the API with signed requests."""

    def __init__(self, api_url: str, session: botocore.session.Session | None = None) -> None:
        """Take the API's address and, where they are not the default ones, credentials.

        Raises:
            ApiError: there are no credentials, or the region is not known.
        """
        session = session or botocore.session.get_session()
        self._api_url = api_url.rstrip("/")
        credentials = session.get_credentials()
        if credentials is None:
            raise ApiError("no AWS credentials were found; set AWS_PROFILE or the AWS_* variables")
        self._credentials = credentials
        address = re.search(r"\.execute-api\.([a-z0-9-]+)\.", api_url)
        self._region = address[1] if address else session.get_config_variable("region")
        if not self._region:
            raise ApiError("the address does not tell its AWS region; set AWS_DEFAULT_REGION")
        self._http = URLLib3Session()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one signed request and return the content of the answer.

        Raises:
            ApiError: the API answered with an error.
        """
        request = AWSRequest(
            method=method,
            url=self._api_url + path,
            data=None if body is None else json.dumps(body),
            headers={} if body is None else {"Content-Type": "application/json"},
        )
        SigV4Auth(self._credentials, "execute-api", self._region).add_auth(request)
        answer = self._http.send(request.prepare())
        if answer.status_code >= 400:
            raise ApiError(f"{answer.status_code} {_reason(answer.text)}")
        content: dict[str, Any] = json.loads(answer.content) if answer.content else {}
        return content

    def upload(self, file: Path) -> str:
        """Upload a file and return its key."""
        form = self.call("POST", "/files", {"name": file.name})
        boundary = uuid.uuid4().hex
        fields = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in form["fields"].items()
        )
        head = f'{fields}--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        body = head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
        request = AWSRequest(
            method="POST",
            url=form["url"],
            data=body,
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )
        answer = self._http.send(request.prepare())  # the form is its own permission: not signed
        if answer.status_code >= 300:
            raise ApiError(f"the storage refused the file: {answer.text}")
        return str(form["key"])

    def wait(self, key: str) -> dict[str, Any]:
        """Return what became of an upload as soon as it has been processed.

        Raises:
            ApiError: it takes too long.
        """
        end = time.monotonic() + _GIVE_UP_SECONDS
        while time.monotonic() < end:
            file = self.call("GET", f"/files/{quote(key)}")
            if file["state"] != "pending":
                return file
            time.sleep(_WAIT_SECONDS)
        raise ApiError(f"{key} is still being processed after {_GIVE_UP_SECONDS:.0f} s")


def _reason(text: str) -> str:
    try:
        error = json.loads(text)["error"]
        return f"{error['code']}: {error['message']}"
    except (KeyError, TypeError, ValueError):  # something between here and the API answered
        return text


def main(arguments: list[str]) -> int:
    """Upload the file named on the command line and print its result."""
    if len(arguments) != 2:
        print("usage: upload.py <address of the API> <file>", file=sys.stderr)
        return 2
    try:
        client = Client(arguments[0])
        file = client.wait(client.upload(Path(arguments[1])))
    except (ApiError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(file, indent=2, ensure_ascii=False))
    return 0 if file["state"] == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
