from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT = {"detail-type": "FileSucceeded", "detail": {"id": "1", "key": "uploads/a/b.csv"}}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(str(tmp_path / "results.sqlite"), "schlüssel") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def post(receiver: Receiver, content: str, key: str = "schlüssel") -> int:
    url = f"http://127.0.0.1:{receiver.server_address[1]}/uploads"
    headers = [(b"X-Api-Key", key.encode("latin-1"))]
    return httpx.post(url, content=content, headers=headers).status_code


def stored(receiver: Receiver) -> list[tuple[str, str]]:
    with receiver.connect() as connection:
        return connection.execute("SELECT * FROM events").fetchall()


def test_an_event_that_comes_twice_is_stored_once(receiver: Receiver) -> None:
    assert [post(receiver, json.dumps(EVENT)) for _ in range(2)] == [204, 204]
    assert stored(receiver) == [("1", json.dumps(EVENT["detail"]))]


def test_a_wrong_key_is_refused(receiver: Receiver) -> None:
    assert post(receiver, json.dumps(EVENT), "guessed") == 401
    assert stored(receiver) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", "no JSON", '{"detail": {}}'])
def test_what_is_no_event_is_refused(receiver: Receiver, content: str) -> None:
    assert post(receiver, content) == 400
    assert stored(receiver) == []
