"""Forms that store an object: the checksum is checked, and the tags are stored."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import Any

import httpx
import pytest

from scripts.emulator.upload_forms import with_forms

CHECKSUM = base64.b64encode(hashlib.sha256(b"hello\r\n").digest()).decode()
TAGGING = (
    "<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag>"
    "<Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>"
)
FIELDS = {"key": "k"}


class Account:
    def __init__(self) -> None:
        self.tagged: list[tuple[str, str, dict[str, str]]] = []

    def tag(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        self.tagged.append((bucket, key, tags))


def sent(account: Any, fields: dict[str, str], status: int = 204) -> tuple[int, bytes]:
    """Send a form; return the answer, after the bucket answered with a status."""
    form = httpx.Request(
        "POST", "http://s3/bucket", data=fields, files={"file": ("a", b"hello\r\n")}
    )
    body = form.read()

    async def app(_: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == body
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"stored"})

    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/bucket",
        "headers": [(name.lower(), value) for name, value in form.headers.raw],
    }
    asyncio.run(with_forms(app, account)(scope, receive, send))
    return answers[0]["status"], answers[-1]["body"]


def test_the_content_has_the_checksum_of_the_form() -> None:
    account = Account()
    assert sent(account, FIELDS | {"x-amz-checksum-sha256": CHECKSUM}) == (204, b"stored")
    status, text = sent(account, FIELDS | {"x-amz-checksum-sha256": "wrong"})
    assert status == 400
    assert b"<Code>BadDigest</Code>" in text
    assert account.tagged == []


def test_tags_are_stored() -> None:
    account = Account()
    assert sent(account, FIELDS | {"tagging": TAGGING})[0] == 204
    assert account.tagged == [("bucket", "k", {"a": "1 & 2", "b": ""})]


def test_what_the_bucket_refuses_gets_no_tags() -> None:
    account = Account()
    assert sent(account, FIELDS | {"tagging": TAGGING}, status=403)[0] == 403
    assert account.tagged == []


@pytest.mark.parametrize(
    "scope",
    [
        {"type": "lifespan"},
        {"type": "http", "method": "POST", "headers": []},
        {"type": "http", "method": "PUT", "headers": [(b"content-type", b"multipart/form-data")]},
    ],
)
def test_other_requests_are_passed_on(scope: dict[str, Any]) -> None:
    passed: list[object] = []

    async def app(*given: object) -> None:
        passed.extend(given)

    account: Any = Account()
    asyncio.run(with_forms(app, account)(scope, "receive", "send"))
    assert passed == [scope, "receive", "send"]
