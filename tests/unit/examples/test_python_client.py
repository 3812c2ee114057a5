from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest

import uploads_client
from uploads_client import ApiError, Client, authorization

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
    with pytest.raises(ApiError) as caught:
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
    assert json.loads(ask.content) == {"name": stored, "size": 9}
    assert form.headers["Content-Type"].startswith("multipart/form-data")
    # S3 ignores the fields that follow the file.
    assert form.content.index(b'name="policy"') < form.content.index(b'name="file"')
    assert photo.read_bytes() in form.content


def test_upload_of_a_table_says_how_it_is_read(service: Service, photo: Path) -> None:
    service.answers({"key": "k", "url": FORM, "fields": {}}, 201)
    service.answers(None, 204)
    service.client.upload(photo, "a.csv", {"delimiter": ";"})
    sent = json.loads(service.requests[0].content)
    assert sent == {"name": "a.csv", "options": {"delimiter": ";"}, "size": 9}


def test_upload_that_the_api_refuses(service: Service, photo: Path) -> None:
    service.answers({"message": "unknown extension"}, 400)
    with pytest.raises(ApiError, match=r"answered 400: .*unknown extension"):
        service.client.upload(photo)


def test_upload_that_the_bucket_refuses(service: Service, photo: Path) -> None:
    service.answers({"key": "k", "url": FORM, "fields": {}})
    service.answers("EntityTooLarge", 400)
    with pytest.raises(ApiError, match=r"refused .*beach\.jpg \(400\): .*EntityTooLarge"):
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


def test_wait_asks_until_the_file_is_processed(service: Service) -> None:
    service.answers({"state": "pending"})
    service.answers({"state": "succeeded"})
    slept: list[float] = []
    assert service.client.wait("uploads/a", 5, slept.append) == {"state": "succeeded"}
    assert slept == [0.2]
    assert service.asked() == [f"GET {URL}/files/uploads/a?wait=5"] * 2


def test_wait_gives_up(service: Service) -> None:
    service.answers({"state": "pending"})
    with pytest.raises(ApiError, match="uploads/a is still pending after 0 seconds"):
        service.client.wait("uploads/a", 0.01, time.sleep)
    assert service.asked() == [f"GET {URL}/files/uploads/a?wait=1"]


def test_download(service: Service, tmp_path: Path) -> None:
    service.answers("content")
    service.client.download(FORM, tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_text() == '"content"'


def test_download_that_is_refused_leaves_no_file(service: Service, tmp_path: Path) -> None:
    service.answers("expired", 403)
    with pytest.raises(ApiError, match=r"cannot be downloaded \(403\)"):
        service.client.download(FORM, tmp_path / "file")
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize(
    ("url", "region", "signs_for"),
    [
        ("https://a1.execute-api.eu-west-1.amazonaws.com/prod", None, "eu-west-1"),
        ("https://files.example.com", "us-east-2", "us-east-2"),
    ],
)
def test_requests_to_the_api_are_signed(url: str, region: str | None, signs_for: str) -> None:
    auth = authorization(url, boto3.Session("id", "secret", region_name=region))
    assert auth
    [signed] = auth.auth_flow(httpx.Request("GET", f"{url}/files"))
    assert f"/{signs_for}/execute-api/aws4_request" in signed.headers["Authorization"]
    [form] = auth.auth_flow(httpx.Request("POST", FORM))
    assert "Authorization" not in form.headers


def test_without_a_region_nothing_can_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    session = boto3.Session("id", "secret")
    monkeypatch.setattr(session._session, "get_config_variable", lambda _: None)
    with pytest.raises(ApiError, match="set AWS_DEFAULT_REGION"):
        authorization("https://files.example.com", session)


def test_without_credentials_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    assert authorization(URL, boto3.Session()) is None


def test_a_users_token_is_for_the_api_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPLOADS_TOKEN", "a.b.c")
    auth = authorization(URL, boto3.Session("id", "secret"))
    assert auth is not None
    sent = {}
    for url in (f"{URL}/status", "https://bucket.example/key"):
        sent[url] = next(auth.auth_flow(httpx.Request("GET", url))).headers.get("Authorization")
    assert sent == {f"{URL}/status": "Bearer a.b.c", "https://bucket.example/key": None}


@pytest.mark.parametrize(("state", "status"), [("succeeded", 0), ("rejected", 1)])
def test_the_command_prints_the_result(
    *,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    status: int,
) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    monkeypatch.setattr(Client, "upload", lambda _, path, **_options: f"uploads/1/{path.name}")
    monkeypatch.setattr(Client, "wait", lambda _, key: {"key": key, "state": state})
    assert uploads_client.main([f"{URL}/", str(photo)]) == status
    assert json.loads(capsys.readouterr().out) == {"key": "uploads/1/beach.jpg", "state": state}


def test_the_command_tells_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **_options: object) -> str:
        raise ApiError("GET /files answered 403: Forbidden", 403)

    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    monkeypatch.setattr(Client, "upload", refuse)
    assert uploads_client.main([URL, "a.jpg"]) == 1
    assert capsys.readouterr().err == "error: GET /files answered 403: Forbidden\n"
