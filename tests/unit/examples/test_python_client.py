from __future__ import annotations

import hashlib
import io
import json
import sys
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
    sha256 = hashlib.sha256(photo.read_bytes()).hexdigest()
    assert json.loads(ask.content) == {"name": stored, "size": 9, "checksum_sha256": sha256}
    assert form.headers["Content-Type"].startswith("multipart/form-data")
    # S3 ignores the fields that follow the file.
    assert form.content.index(b'name="policy"') < form.content.index(b'name="file"')
    assert photo.read_bytes() in form.content


def test_upload_of_a_table_says_how_it_is_read(service: Service, photo: Path) -> None:
    service.answers({"key": "k", "url": FORM, "fields": {}}, 201)
    service.answers(None, 204)
    service.client.upload(photo, "a.csv", {"delimiter": ";"}, metadata={"order": "17"})
    sent = json.loads(service.requests[0].content)
    assert sent["options"] == {"delimiter": ";"}
    assert sent["metadata"] == {"order": "17"}


def test_a_file_that_is_there_is_not_sent_again(service: Service, photo: Path) -> None:
    service.answers({"key": "uploads/1/other.jpg", "state": "succeeded"})
    stored: list[int] = []
    assert service.client.upload(photo, on_progress=stored.append) == "uploads/1/other.jpg"
    assert service.asked() == [f"POST {URL}/files"]
    assert stored == [9]


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


@pytest.mark.parametrize(("terminal", "shown"), [(True, ["44%", "100%\n"]), (False, [])])
def test_a_person_sees_the_progress(
    *, photo: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool, shown: list[str]
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", screen)

    def upload(*_: object, on_progress: Callable[[int], None], **_options: object) -> str:
        for size in (4, 5):
            on_progress(size)
        return "uploads/1/beach.jpg"

    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    monkeypatch.setattr(Client, "upload", upload)
    monkeypatch.setattr(Client, "wait", lambda _, key: {"key": key, "state": "succeeded"})
    assert uploads_client.main([URL, str(photo)]) == 0
    steps = [step.rpartition(" ")[2] for step in screen.getvalue().split("\r")[1:]]
    assert steps == shown


def test_the_command_tells_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **_options: object) -> str:
        raise ApiError("GET /files answered 403: Forbidden", 403)

    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _: None)
    monkeypatch.setattr(Client, "upload", refuse)
    assert uploads_client.main([URL, __file__]) == 1
    assert capsys.readouterr().err == "error: GET /files answered 403: Forbidden\n"


def unfinished(key: str, *parts: tuple[int, bytes]) -> dict[str, object]:
    listed = [
        {"PartNumber": number, "Size": len(part), "ETag": f'"{hashlib.md5(part).hexdigest()}"'}  # noqa: S324 - S3's
        for number, part in parts
    ]
    return {"key": key, "upload_id": f"id-{key[-1]}", "parts": listed}


def test_an_upload_that_another_machine_began_is_found_by_its_parts(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "Table.CSV"
    path.write_bytes(b"aaaabbbbcc")
    uploads = [
        unfinished("uploads/1/other.csv", (1, b"aaaa")),
        unfinished("uploads/2/Table.csv"),
        unfinished("uploads/3/Table.csv", (1, b"aaaa"), (2, b"zzzz")),
        unfinished("uploads/4/Table.csv", (2, b"bbbb"), (3, b"cc")),
    ]
    service.answers({"files": uploads, "next_cursor": None})
    found = service.client.find_unfinished(path, "Table.CSV")
    assert found == {"key": "uploads/4/Table.csv", "upload_id": "id-v", "part_bytes": 4}
    assert service.asked() == [f"GET {URL}/files?state=uploading"]
    service.answers({"files": uploads[:3], "next_cursor": None})
    assert service.client.find_unfinished(path, "Table.CSV") is None


def test_what_another_machine_began_is_gone_on_with(service: Service, photo: Path) -> None:
    begun = unfinished("uploads/1/beach.jpg", (1, photo.read_bytes()))
    service.answers({"files": [begun], "next_cursor": None})
    service.answers(begun["parts"])
    service.answers({"key": "uploads/1/beach.jpg"})
    assert service.client.upload(photo, begun_elsewhere=True) == "uploads/1/beach.jpg"
    assert [request.method for request in service.requests] == ["GET", "GET", "POST"]
