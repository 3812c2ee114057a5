"""A client of the API, as the demo and the end-to-end tests use it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx

    from scripts.local_cloud import Cloud

_POLL_SECONDS: Final = 0.2


class ClientError(Exception):
    """The API, or the bucket behind it, refused a request; the message says what it answered.

    Attributes:
        status: HTTP status of the answer, None when it is not an answer that went wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one deployed API.

    Attributes:
        url: address of the API's stage, without a trailing slash.
        http: HTTP client.
    """

    url: str
    http: httpx.Client

    def status(self) -> dict[str, Any]:
        """Return what `GET /status` answers."""
        return self._json(self.http.get(f"{self.url}/status"))

    def upload(self, path: Path, name: str | None = None) -> str:
        """Upload a file and return its key.

        Args:
            path: the file.
            name: name to store it under, if not its own.

        Raises:
            ClientError: the API or the bucket refused it.
        """
        form = self.form(name or path.name)
        self.send(form, path)
        return str(form["key"])

    def form(self, name: str) -> dict[str, Any]:
        """Ask for an upload: return a key, and the form that takes the file."""
        return self._json(self.http.post(f"{self.url}/files", json={"name": name}))

    def send(self, form: dict[str, Any], path: Path) -> None:
        """Send a file with a form.

        Raises:
            ClientError: the bucket refused it.
        """
        with path.open("rb") as content:
            answer = self.http.post(form["url"], data=form["fields"], files={"file": content})
        if not answer.is_success:
            raise ClientError(
                f"the bucket refused {path} ({answer.status_code}): {answer.text}",
                answer.status_code,
            )

    def file(self, key: str) -> dict[str, Any]:
        """Return what `GET /files/{key}` answers."""
        return self._json(self.http.get(f"{self.url}/files/{quote(key)}"))

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
        self, key: str, seconds: float = 60, sleep: Callable[[float], None] = time.sleep
    ) -> dict[str, Any]:
        """Return what `GET /files/{key}` answers once the file is processed.

        Raises:
            ClientError: it is still pending after `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = self.file(key)
            if found["state"] != "pending":
                return found
            if time.monotonic() > deadline:
                raise ClientError(f"{key} is still pending after {seconds:.0f} seconds")
            sleep(_POLL_SECONDS)

    def download(self, url: str, path: Path) -> None:
        """Save what a download link leads to."""
        with self.http.stream("GET", url) as answer:
            if not answer.is_success:
                raise ClientError(f"{url} cannot be downloaded ({answer.status_code})")
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)

    @staticmethod
    def _json(answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise ClientError(
                f"{answer.request.method} {answer.request.url} answered "
                f"{answer.status_code}: {answer.text}",
                answer.status_code,
            )
        body: dict[str, Any] = answer.json()
        return body


def emulated_api_url(cloud: Cloud, api_id: str, stage: str = "prod") -> str:
    """Return the address at which the emulator serves an API.

    It has the path of AWS's own test address; the host name of `api_gateway_url` is AWS's.
    """
    return stage_url(cloud.aws.url, api_id, stage)


def stage_url(endpoint: str, api_id: str, stage: str = "prod") -> str:
    """Return the address at which an emulator at `endpoint` serves an API."""
    return f"{endpoint}/restapis/{api_id}/{stage}/_user_request_"
