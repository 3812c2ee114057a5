"""Rules between clients and the emulator: what AWS refuses, and how it answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from scripts.aws_rules import Refusal, Request, Rules, ruled

ROLE = "arn:aws:iam::000000000000:role/function"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:function-dlq"
STAGE = "/restapis/abc/stages/prod"
LOG_LEVEL = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}
LOG_GROUP = {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": "arn"}


class Account:
    """An account that is as the test says."""

    def __init__(self, *, sends: bool = False, logs: bool = False) -> None:
        self.sends = sends
        self.logs = logs

    def may_send(self, role: str, queue: str) -> bool:
        assert (role, queue) == (ROLE, QUEUE)
        return self.sends

    def has_logging_role(self) -> bool:
        return self.logs


def request(method: str, path: str, **content: Any) -> Request:
    return Request(method, path, json.dumps(content).encode())


@pytest.mark.parametrize("operation", [LOG_LEVEL, LOG_GROUP])
def test_a_stage_may_log_only_where_the_account_has_a_role(operation: dict[str, str]) -> None:
    asked = request("PATCH", STAGE, patchOperations=[operation])
    refusal = Rules(Account()).refusal(asked)
    assert refusal is not None
    assert refusal.error == "BadRequestException"
    assert "CloudWatch Logs role ARN must be set in account settings" in refusal.message
    assert Rules(Account(logs=True)).refusal(asked) is None


@pytest.mark.parametrize(
    "operation",
    [
        LOG_LEVEL | {"value": "OFF"},
        {"op": "remove", "path": "/accessLogSettings"},
        {"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"},
    ],
)
def test_a_stage_that_does_not_log_needs_no_role(operation: dict[str, str]) -> None:
    asked = request("PATCH", STAGE, patchOperations=[operation])
    assert Rules(Account()).refusal(asked) is None


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/2015-03-31/functions"), ("PUT", "/2015-03-31/functions/f/configuration")],
)
def test_a_dead_letter_queue_needs_a_role_that_may_send(method: str, path: str) -> None:
    asked = request(method, path, Role=ROLE, DeadLetterConfig={"TargetArn": QUEUE})
    refusal = Rules(Account()).refusal(asked)
    assert refusal is not None
    assert refusal.error == "InvalidParameterValueException"
    assert "SendMessage on SQS" in refusal.message
    assert Rules(Account(sends=True)).refusal(asked) is None
    assert Rules(Account()).refusal(request(method, path, Role=ROLE)) is None


def test_a_tenth_of_the_executions_stays_unreserved() -> None:
    rules = Rules(Account())

    def reserve(function: str, number: int) -> Refusal | None:
        path = f"/2017-10-31/functions/{function}/concurrency"
        asked = request("PUT", path, ReservedConcurrentExecutions=number)
        refusal = rules.refusal(asked)
        if not refusal:
            rules.note(asked)
        return refusal

    assert reserve("a", 600) is None
    assert reserve("b", 300) is None
    refusal = reserve("c", 1)
    assert refusal is not None
    assert refusal.message.endswith("below its minimum value of [100].")
    assert reserve("a", 500) is None
    assert reserve("c", 1) is None
    assert reserve("d", 0) is None
    rules.note(request("DELETE", "/2017-10-31/functions/b/concurrency"))
    assert reserve("c", 300) is None


def test_a_new_account_can_reserve_nothing() -> None:
    asked = request("PUT", "/2017-10-31/functions/a/concurrency", ReservedConcurrentExecutions=1)
    refusal = Rules(Account(), concurrency=10).refusal(asked)
    assert refusal is not None
    assert "minimum value of [10]" in refusal.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
def test_a_body_that_is_no_object_is_left_to_the_emulator(body: bytes) -> None:
    assert Rules(Account()).refusal(Request("POST", "/2015-03-31/functions", body)) is None


INTEGRATION = "/restapis/a/resources/b/methods/OPTIONS/integration"


def _ask(
    path: str,
    answer: dict[str, Any],
    *,
    service: str = "apigateway",
    status: int = 200,
    body: bytes = b"{}",
) -> tuple[int, dict[str, Any], bytes]:
    """Ask through the rules; return status and answer, and what the emulator was sent."""
    passed = b""

    async def emulator(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal passed
        assert scope["path"] == path
        passed = (await receive())["body"]
        start = {"type": "http.response.start", "status": status}
        await send(start | {"headers": [(b"x", b"y"), (b"content-length", b"999")]})
        whole = json.dumps(answer).encode()
        await send({"type": "http.response.body", "body": whole[:3], "more_body": True})
        await send({"type": "http.response.body", "body": whole[3:]})

    async def main() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        parts: list[dict[str, Any]] = [
            {"type": "http.request", "body": body[:1], "more_body": True},
            {"type": "http.request", "body": body[1:]},
        ]
        credential = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request"
        scope = {
            "type": "http",
            "method": "PUT",
            "path": path,
            "headers": [(b"authorization", credential.encode())],
        }

        async def receive() -> dict[str, Any]:
            return parts.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await ruled(emulator, Rules(Account()))(scope, receive, send)
        return sent

    start, *rest = asyncio.run(main())
    content = b"".join(part["body"] for part in rest)
    if service in {"apigateway", "lambda"}:
        assert (b"content-length", str(len(content)).encode()) in start["headers"]
    return start["status"], json.loads(content), passed


def test_a_mock_integration_has_no_http_method() -> None:
    answer = {"type": "MOCK", "httpMethod": "POST", "passthroughBehavior": "NEVER"}
    status, content, passed = _ask(INTEGRATION, answer, body=b'{"type": "MOCK"}')
    assert (status, content) == (200, {"type": "MOCK", "passthroughBehavior": "NEVER"})
    assert passed == b'{"type": "MOCK"}'


def test_other_answers_stay_as_they_are() -> None:
    proxy = {"type": "AWS_PROXY", "httpMethod": "POST"}
    assert _ask(INTEGRATION, proxy)[1] == proxy
    mock = {"type": "MOCK", "httpMethod": "POST"}
    assert _ask("/restapis/a", mock)[1] == mock
    assert _ask(INTEGRATION, mock, status=404) == (404, mock, b"{}")


def test_services_without_a_rule_are_passed_on_unread() -> None:
    mock = {"type": "MOCK", "httpMethod": "POST"}
    assert _ask(INTEGRATION, mock, service="s3", body=b"ab") == (200, mock, b"a")


def test_a_refusal_has_the_name_of_its_error() -> None:
    body = json.dumps({"Role": ROLE, "DeadLetterConfig": {"TargetArn": QUEUE}}).encode()
    status, content, passed = _ask(
        "/2015-03-31/functions/f/configuration", {}, service="lambda", body=body
    )
    assert (status, passed) == (400, b"")
    assert "SendMessage" in content["message"]


def test_what_is_no_request_is_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: dict[str, Any], *_: object) -> None:
        seen.append(scope["type"])

    asyncio.run(ruled(app, Rules(Account()))({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
