from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest

from scripts.client import Client, ClientError, emulated_api_url
from scripts.local_cloud import Cloud, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = Callable[[httpx.Request], httpx.Response]

URL = "http://api.test/prod"
FORM = "http://bucket.test/"


class Service:
    """Answers what a test wrote, in order, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._answers: list[httpx.Response] = []
        self._http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.client = Client(URL, self._http)

    def answers(self, content: object, status: int = 200) -> None:
        self._answers.append(httpx.Response(status, json=content))

    def asked(self) -> list[str]:
        return [f"{request.method} {request.url}" for request in self.requests]

    def close(self) -> None:
        self._http.close()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return self._answers.pop(0)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "beach.jpg"
    path.write_bytes(b"\xff\xd8 pixels")
    return path


def test_status(service: Service) -> None:
    service.answers({"status": "ok"})
    assert service.client.status() == {"status": "ok"}
    assert service.asked() == [f"GET {URL}/status"]


def test_refusal_tells_what_was_asked_and_answered(service: Service) -> None:
    service.answers({"error": "gone"}, 500)
    with pytest.raises(ClientError) as caught:
        service.client.status()
    assert str(caught.value) == f'GET {URL}/status answered 500: {{"error":"gone"}}'


@pytest.mark.parametrize(("name", "stored"), [(None, "beach.jpg"), ("other.jpg", "other.jpg")])
def test_upload_posts_the_form_to_the_bucket(
    service: Service, photo: Path, name: str | None, stored: str
) -> None:
    key = f"uploads/1/{stored}"
    service.answers({"key": key, "url": FORM, "fields": {"key": key, "policy": "p"}}, 201)
    service.answers(None, 204)
    assert service.client.upload(photo, name) == key
    ask, form = service.requests
    assert service.asked() == [f"POST {URL}/files", f"POST {FORM}"]
    assert json.loads(ask.content) == {"name": stored}
    assert form.headers["Content-Type"].startswith("multipart/form-data")
    # S3 ignores the fields that follow the file.
    assert form.content.index(b'name="policy"') < form.content.index(b'name="file"')
    assert photo.read_bytes() in form.content


def test_upload_that_the_api_refuses(service: Service, photo: Path) -> None:
    service.answers({"message": "unknown extension"}, 400)
    with pytest.raises(ClientError, match=r"answered 400: .*unknown extension"):
        service.client.upload(photo)


def test_upload_that_the_bucket_refuses(service: Service, photo: Path) -> None:
    service.answers({"key": "k", "url": FORM, "fields": {}})
    service.answers("EntityTooLarge", 400)
    with pytest.raises(ClientError, match=r"refused .*beach\.jpg \(400\): .*EntityTooLarge"):
        service.client.upload(photo)


def test_file_names_are_quoted(service: Service) -> None:
    service.answers({"state": "pending"})
    service.client.file("uploads/1/my holiday?.jpg")
    assert service.asked() == [f"GET {URL}/files/uploads/1/my%20holiday%3F.jpg"]


def test_files_come_page_by_page(service: Service) -> None:
    service.answers({"files": [{"key": "a"}, {"key": "b"}], "next_cursor": "c/1"})
    service.answers({"files": [{"key": "c"}], "next_cursor": None})
    assert [file["key"] for file in service.client.files()] == ["a", "b", "c"]
    assert service.asked() == [f"GET {URL}/files", f"GET {URL}/files?cursor=c%2F1"]


def test_wait_polls_until_the_file_is_processed(service: Service) -> None:
    service.answers({"state": "pending"})
    service.answers({"state": "succeeded"})
    slept: list[float] = []
    assert service.client.wait("uploads/a", sleep=slept.append) == {"state": "succeeded"}
    assert slept == [0.2]


def test_wait_gives_up(service: Service) -> None:
    service.answers({"state": "pending"})
    with pytest.raises(ClientError, match="uploads/a is still pending"):
        service.client.wait("uploads/a", seconds=-1)


def test_download(service: Service, tmp_path: Path) -> None:
    service.answers("content")
    service.client.download(FORM, tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_text() == '"content"'


def test_download_that_is_refused_leaves_no_file(service: Service, tmp_path: Path) -> None:
    service.answers("expired", 403)
    with pytest.raises(ClientError, match=r"cannot be downloaded \(403\)"):
        service.client.download(FORM, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_address_of_an_emulated_api(tmp_path: Path) -> None:
    server = Server("http://127.0.0.1:4566", 1, 0.0)
    cloud = Cloud(tmp_path, server, server)
    assert emulated_api_url(cloud, "a1") == "http://127.0.0.1:4566/restapis/a1/prod/_user_request_"
