from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpx
import pytest

from uploads_client import ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "http://api.test/prod"
CONTENT = b"0123456789abcdefghij!?"  # three parts


class Service:
    """An API and a bucket that take uploads in parts of ten bytes.

    Attributes:
        files: content by key.
        parts: content by id of the upload and number.
        faults: what comes in place of the next answers, by the end of the address.
        sent: numbers of the parts that came.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.faults: dict[str, list[int | Exception]] = {}
        self.sent: list[int] = []
        self._lock = threading.Lock()
        self.http = httpx.Client(transport=httpx.MockTransport(self._answer))
        self.client = Client(URL, self.http)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/prod")
        with self._lock:
            for end, faults in self.faults.items():
                if path.endswith(end) and faults:
                    fault = faults.pop(0)
                    if isinstance(fault, Exception):
                        raise fault
                    return httpx.Response(fault, text="a fault")
            folder, *where = path.removeprefix("/").split("/")
            return {"files": self._file, "s3": self._upload, "put": self._put}[folder](
                request, [unquote(part) for part in where]
            )

    def _file(self, _: httpx.Request, where: list[str]) -> httpx.Response:
        if where:
            return httpx.Response(200 if "/".join(where) in self.files else 404, json={})
        upload = f"id/{len(self.parts)}"
        self.parts[upload] = {}
        started = {"key": f"uploads/{upload}/a.csv", "upload_id": upload, "part_bytes": 10}
        return httpx.Response(201, json=started)

    def _upload(self, request: httpx.Request, where: list[str]) -> httpx.Response:
        _, upload, *action = where
        key = request.url.params["key"]
        if upload not in self.parts:
            return httpx.Response(404, text="no such upload")
        if not action:
            known = self.parts[upload].items()
            listed = [{"PartNumber": n, "ETag": f"e{n}", "Size": len(part)} for n, part in known]
            return httpx.Response(200, json=listed)
        if action == ["complete"]:
            parts = self.parts.pop(upload)
            self.files[key] = b"".join(parts[number] for number in sorted(parts))
            return httpx.Response(200, json={"key": key, "location": ""})
        size = request.url.params["size"]
        url = f"http://bucket.test/put/{action[0]}?upload={upload}&size={size}"
        return httpx.Response(200, json={"url": url})

    def _put(self, request: httpx.Request, where: list[str]) -> httpx.Response:
        content, number = request.read(), int(where[0])
        assert request.headers["Content-Length"] == str(len(content)) == request.url.params["size"]
        self.parts[request.url.params["upload"]][number] = content
        self.sent.append(number)
        return httpx.Response(200, headers={"ETag": f"e{number}"})


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with made.http:
        yield made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def test_all_parts_make_the_file(service: Service, table: Path) -> None:
    progress: list[int] = []
    key = service.client.upload(table, on_progress=progress.append)
    assert service.files == {key: CONTENT}
    assert sorted(service.sent) == [1, 2, 3]
    assert sorted(progress) == [0, 2, 10, 10]


@pytest.mark.parametrize("fault", [503, 429, 403, 408, httpx.ReadError("cut")])
def test_a_part_that_fails_is_sent_again(
    service: Service, table: Path, pauses: list[float], fault: int | Exception
) -> None:
    service.faults["/put/2"] = [fault, fault]
    assert service.files.get(service.client.upload(table)) == CONTENT
    assert pauses == [0.5, 1]


def test_a_lost_answer_to_the_last_request_is_asked_for_again(
    service: Service, table: Path
) -> None:
    service.faults["/complete"] = [httpx.ReadTimeout("lost")]
    assert service.files.get(service.client.upload(table)) == CONTENT


def test_an_address_with_a_signature_is_not_shown(service: Service, table: Path) -> None:
    service.faults["/put/1"] = [400]
    with pytest.raises(ApiError, match=r"PUT http://bucket.test/put/1 answered 400: a fault$"):
        service.client.upload(table)


def test_an_upload_that_was_interrupted_goes_on(
    service: Service, table: Path, tmp_path: Path
) -> None:
    memory = tmp_path / "memory"
    service.faults["/put/3"] = [500] * 5
    with pytest.raises(ApiError, match="500"):
        service.client.upload(table, unfinished=memory)
    service.sent.clear()
    # The same content of another file, under the same name.
    copy = table.rename(tmp_path / "copy.csv")
    key = service.client.upload(copy, "a.csv", unfinished=memory)
    assert service.sent == [3]
    assert service.files == {key: CONTENT}
    assert list(memory.iterdir()) == []


def test_a_part_that_was_cut_is_sent_again(service: Service, table: Path) -> None:
    started = service.client.start("a.csv", size=len(CONTENT))
    service.parts["id/0"] = {1: CONTENT[:10], 2: b"short"}
    service.client.send_parts(started, table)
    assert sorted(service.sent) == [2, 3]
    assert list(service.files.values()) == [CONTENT]


def test_other_content_is_another_upload(service: Service, table: Path, tmp_path: Path) -> None:
    service.faults["/put/3"] = [500] * 5
    with pytest.raises(ApiError, match="500"):
        service.client.upload(table, unfinished=tmp_path / "memory")
    table.write_bytes(CONTENT.upper())
    key = service.client.upload(table, unfinished=tmp_path / "memory")
    assert service.files == {key: CONTENT.upper()}


def test_an_upload_that_expired_is_started_again(
    service: Service, table: Path, tmp_path: Path
) -> None:
    service.faults["/put/3"] = [500] * 5
    with pytest.raises(ApiError, match="500"):
        service.client.upload(table, unfinished=tmp_path / "memory")
    del service.parts["id/0"]
    key = service.client.upload(table, unfinished=tmp_path / "memory")
    assert service.files == {key: CONTENT}


def test_an_upload_that_is_complete_is_not_sent_again(
    service: Service, table: Path, tmp_path: Path
) -> None:
    service.faults["/complete"] = [400]
    with pytest.raises(ApiError, match="400"):
        service.client.upload(table, unfinished=tmp_path / "memory")
    service.sent.clear()
    service.files["uploads/id/0/a.csv"] = CONTENT
    del service.parts["id/0"]
    progress: list[int] = []
    upload = service.client.upload
    assert upload(table, unfinished=tmp_path / "memory", on_progress=progress.append)
    assert service.sent == []
    assert progress == [len(CONTENT)]


@pytest.mark.parametrize("there", [True, False])
def test_an_upload_that_another_client_completed_is_done(
    service: Service, table: Path, *, there: bool
) -> None:
    started = service.client.start("a.csv", size=len(CONTENT))
    service.faults["/put/2"] = [404]
    if there:
        service.files[started["key"]] = CONTENT
        service.client.send_parts(started, table)
    else:
        with pytest.raises(ApiError, match="404"):
            service.client.send_parts(started, table)


@pytest.mark.parametrize("end", ["/id%2F0", "/files/uploads/id/0/a.csv"])
def test_an_api_that_fails_is_reported(
    service: Service, table: Path, tmp_path: Path, end: str
) -> None:
    service.faults["/put/3"] = [500] * 5
    with pytest.raises(ApiError, match="500"):
        service.client.upload(table, unfinished=tmp_path / "memory")
    del service.parts["id/0"]
    service.faults[end] = [502]
    with pytest.raises(ApiError, match="502"):
        service.client.upload(table, unfinished=tmp_path / "memory")
    assert len(list((tmp_path / "memory").iterdir())) == 1
