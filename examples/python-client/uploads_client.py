"""Upload a file through the API and wait for its result.

A large file is sent in parts, if the API has that enabled. An interrupted upload resumes where
it stopped, when the same command is given again.

    python uploads_client.py https://….execute-api.us-east-1.amazonaws.com/prod photo.jpg

For an API with an authorizer, set UPLOADS_TOKEN to the token of a user. Otherwise credentials are
found as the AWS CLI finds them; with some, requests to the API are signed, as AWS_IAM requires. The
region is that of the address, or, for a custom domain, AWS_DEFAULT_REGION. Needs `httpx` and
`boto3`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
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
_PARTS_AT_ONCE: Final = 4
_PIECE_BYTES: Final = 1024 * 1024
_BAR_WIDTH: Final = 40


class ApiError(Exception):
    """The API, or the bucket behind it, refused a request; the message says what it answered.

    Attributes:
        status: HTTP status of the answer, None when it is not an answer that went wrong.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Token(httpx.Auth):
    """A user's token for the requests of one API; the bucket must not see it."""

    def __init__(self, api_url: str, token: str) -> None:
        """Bind to an API and to a token."""
        self._api_url = api_url
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the token."""
        if str(request.url).startswith(f"{self._api_url}/"):
            request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


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


def authorization(api_url: str, session: boto3.Session) -> httpx.Auth | None:
    """Return what authorizes the requests to an API.

    It is the token in UPLOADS_TOKEN, or else a signature; None without token and credentials.

    Raises:
        ApiError: the region is not known.
    """
    if token := os.environ.get("UPLOADS_TOKEN"):
        return Token(api_url, token)
    credentials = session.get_credentials()
    if credentials is None:
        return None
    address = re.search(r"\.execute-api\.([a-z0-9-]+)\.", api_url)
    region = address[1] if address else session.region_name
    if not region:
        raise ApiError("the address has no AWS region in it: set AWS_DEFAULT_REGION")
    return Signature(api_url, credentials, region)


@dataclass(frozen=True, slots=True)
class Client:
    """A client of one deployed API.

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
        self,
        path: Path,
        name: str | None = None,
        options: dict[str, Any] | None = None,
        *,
        metadata: dict[str, str] | None = None,
        unfinished: Path | None = None,
        begun_elsewhere: bool = False,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> str:
        """Upload a file and return its key.

        Args:
            path: the file.
            name: name to store it under, if not its own.
            options: how a table is read, such as `{"delimiter": ";"}`; docs/tables.md lists them.
            metadata: texts to be stored with the file, such as `{"order": "17"}`.
            unfinished: folder that remembers uploads in parts; the same content under the same name
                resumes where it stopped.
            begun_elsewhere: resume what another machine began, if the bucket has a part of it.
            on_progress: called with the number of bytes just stored, from several threads.

        Raises:
            ApiError: the API or the bucket refused it.
        """
        name, size = name or path.name, path.stat().st_size
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        known = {"options": options, "metadata": metadata, "checksum_sha256": sha256, "size": size}
        memory = unfinished / f"{self._digest(name, known)}.json" if unfinished else None
        started = json.loads(memory.read_bytes()) if memory and memory.exists() else None
        if begun_elsewhere and not started:
            started = self.find_unfinished(path, name)
        if started:
            try:
                self.send_parts(started, path, on_progress)
            except _ExpiredError:
                started = None
        if not started:
            started = self.start(name, **known)
            if "upload_id" not in started:
                if "state" not in started:  # else the same content was uploaded before
                    self.send(started, path)
                on_progress(size)
                return str(started["key"])
            if memory:
                memory.parent.mkdir(parents=True, exist_ok=True)
                memory.write_text(json.dumps(started))
            self.send_parts(started, path, on_progress)
        if memory:
            memory.unlink(missing_ok=True)
        return str(started["key"])

    def start(self, name: str, **known: object) -> dict[str, Any]:
        """Start an upload: return a key, and the form that takes the file, or an `upload_id`.

        Args:
            name: of the file.
            known: what else `POST /files` takes; what is empty is left out. With
                `checksum_sha256`, the API may answer with a file that has the same content.
        """
        body = {"name": name} | {field: value for field, value in known.items() if value}
        return self._json(self.http.post(f"{self.url}/files", json=body))

    def find_unfinished(self, path: Path, name: str) -> dict[str, Any] | None:
        """Return an upload of a file that is not completed, as `start` returned it; or None.

        It has this name, and each part that the bucket holds is a part of the file: its entity tag
        is an MD5, unless a KMS key encrypts the bucket; then no upload is found.
        """
        stored = unicodedata.normalize("NFC", name).lower()  # the ending is so in the key, too
        for upload in self.files(state="uploading"):
            parts = upload["parts"]
            size = max((part["Size"] for part in parts), default=0)
            if not size or upload["key"].rpartition("/")[2].lower() != stored:
                continue
            if all(
                _md5(path, (part["PartNumber"] - 1) * size, size) == part["ETag"].strip('"')
                for part in parts
            ):
                known = {"key": upload["key"], "upload_id": upload["upload_id"]}
                return known | {"part_bytes": size}
        return None

    def send_parts(
        self,
        started: dict[str, Any],
        path: Path,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Send the parts that the bucket has not, several at once, and make a file of all.

        Args:
            started: what `start` answered.
            path: the file.
            on_progress: called with the number of bytes just stored, from several threads.

        Raises:
            ApiError: a part was refused, five times over; what was sent stays, for the next try.
        """
        address = f"{self.url}/s3/multipart/{quote(started['upload_id'], safe='')}"
        key, size = {"key": started["key"]}, started["part_bytes"]
        total = path.stat().st_size
        sizes = {n + 1: min(size, total - n * size) for n in range(-(-total // size))}

        answer = self.http.get(address, params=key)
        if answer.status_code == httpx.codes.NOT_FOUND:
            if self._has(started["key"]):  # completed, and only the answer was lost
                on_progress(total)
                return
            raise _ExpiredError(f"the upload of {path} is gone: {answer.text}", answer.status_code)
        self._raise_for(answer)
        tags = {
            part["PartNumber"]: part["ETag"]
            for part in answer.json()
            if part["Size"] == sizes.get(part["PartNumber"])
        }
        on_progress(sum(sizes[number] for number in tags))

        def send(number: int) -> None:
            query = {**key, "size": str(sizes[number])}
            signed = self._json(self.http.get(f"{address}/{number}", params=query))
            content = _read(path, (number - 1) * size, sizes[number])
            length = {"Content-Length": str(sizes[number])}
            sent = self.http.put(signed["url"], content=content, headers=length)
            self._raise_for(sent)
            tags[number] = sent.headers["ETag"]
            on_progress(sizes[number])

        try:
            with ThreadPoolExecutor(_PARTS_AT_ONCE) as senders:
                missing = [number for number in sizes if number not in tags]
                list(senders.map(lambda number: _try_again(lambda: send(number)), missing))
        except ApiError as error:
            # Another client has sent the same parts, and completed the upload.
            if error.status != httpx.codes.NOT_FOUND or not self._has(started["key"]):
                raise
            return
        parts = [{"PartNumber": number, "ETag": tags[number]} for number in sizes]
        _try_again(
            lambda: self._json(
                self.http.post(f"{address}/complete", params=key, json={"parts": parts})
            )
        )

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
        """Return the answer of `GET /files/{key}`; wait up to so many seconds for a result."""
        params = {"wait": wait} if wait else {}
        return self._json(self.http.get(f"{self.url}/files/{quote(key)}", params=params))

    def files(self, **query: str) -> Iterator[dict[str, Any]]:
        """Return every upload, page by page; `query` as `GET /files` takes it."""
        cursor: dict[str, str] = {}
        while True:
            page = self._json(self.http.get(f"{self.url}/files", params=query | cursor))
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

    def _has(self, key: str) -> bool:
        answer = self.http.get(f"{self.url}/files/{quote(key)}")
        if answer.status_code != httpx.codes.NOT_FOUND:
            self._raise_for(answer)
        return answer.is_success

    def _digest(self, name: str, known: dict[str, Any]) -> str:
        """Return a hash that identifies an upload by the API, its name and all that is known."""
        about = json.dumps([self.url, name, known], sort_keys=True)
        return hashlib.sha256(about.encode()).hexdigest()

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        self._raise_for(answer)
        body: dict[str, Any] = answer.json()
        return body

    @staticmethod
    def _raise_for(answer: httpx.Response) -> None:
        if not answer.is_success:
            address = str(answer.request.url).partition("?")[0]  # without a signature
            raise ApiError(
                f"{answer.request.method} {address} answered {answer.status_code}: {answer.text}",
                answer.status_code,
            )


class _ExpiredError(ApiError):
    """An upload in parts that is stored locally has expired on the server."""


def _read(path: Path, start: int, size: int) -> Iterator[bytes]:
    """Return a part of a file, a piece at a time."""
    with path.open("rb") as file:
        file.seek(start)
        while size and (piece := file.read(min(size, _PIECE_BYTES))):
            size -= len(piece)
            yield piece


def _md5(path: Path, start: int, size: int) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in _read(path, start, size):
        digest.update(piece)
    return digest.hexdigest()


def _try_again(act: Callable[[], object]) -> None:
    """Do something again that failed for a reason that may pass, up to five times in all."""
    for pause in (0.5, 1, 2, 4):
        try:
            act()
        except httpx.TransportError:
            pass
        except ApiError as error:
            # 403: the address of a part was signed too long ago.
            if error.status not in {403, 408, 429} and (error.status or 0) < 500:
                raise
        else:
            return
        time.sleep(pause)
    act()


class _Bar:
    """A progress bar on standard error, if a person reads it."""

    def __init__(self, total: int) -> None:
        self._total = max(1, total)
        self._stored = 0
        self._lock = Lock()

    def add(self, size: int) -> None:
        """Show that so many bytes more are stored."""
        with self._lock:
            self._stored += size
            if sys.stderr.isatty():
                share = min(1, self._stored / self._total)
                bar = "#" * round(share * _BAR_WIDTH)
                end = "\n" if share == 1 else ""
                print(f"\r[{bar:<{_BAR_WIDTH}}] {share:4.0%}", end=end, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Upload the file named on the command line and print its result; return the exit status."""
    parser = argparse.ArgumentParser(description="Upload a file and wait for its result.")
    parser.add_argument("api_url", help="address of the API, the output api_gateway_url")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--unfinished",
        type=Path,
        default=Path.home() / ".cache" / "serverless-uploads",
        help="folder that remembers uploads in parts (default: %(default)s)",
    )
    parser.add_argument(
        "--begun-elsewhere",
        action="store_true",
        help="resume an upload in parts of this file that another machine began",
    )
    options = parser.parse_args(arguments)
    url = options.api_url.rstrip("/")
    try:
        with httpx.Client(timeout=60, auth=authorization(url, boto3.Session())) as http:
            client = Client(url, http)
            key = client.upload(
                options.file,
                unfinished=options.unfinished,
                begun_elsewhere=options.begun_elsewhere,
                on_progress=_Bar(options.file.stat().st_size).add,
            )
            file = client.wait(key)
    except (ApiError, httpx.HTTPError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(file, indent=2, ensure_ascii=False))
    return 0 if file["state"] == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
