from __future__ import annotations

import asyncio
import json
import sys
from contextvars import ContextVar
from queue import Queue
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pytest

from scripts.emulator import __main__ as emulator
from scripts.emulator.__main__ import (
    WholeWriter,
    behind_tls,
    with_boundaries,
    with_cloudwatch,
    with_joined_lists,
    with_repeats,
    with_resources,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Writer:
    """Notes the calls of a stream."""

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def write_eof(self) -> None:
        self.calls.append("end")

    def close(self) -> None:
        self.calls.append("closed")

    async def drain(self) -> None:
        self.calls.append("drained")


async def _written(*parts: bytes) -> tuple[Any, Writer]:
    stream = Writer()
    writer = WholeWriter(stream)  # type: ignore[arg-type]
    for part in parts:
        writer.write(part)
    return writer, stream


def test_what_is_written_at_once_is_sent_in_one_piece() -> None:
    async def answer() -> list[bytes | str]:
        writer, stream = await _written(b"head", b"body")
        assert stream.calls == []
        await asyncio.sleep(0)
        writer.write(b"next")
        await writer.drain()
        await asyncio.sleep(0)
        return stream.calls

    assert asyncio.run(answer()) == [b"headbody", "drained", b"next"]


def test_much_is_sent_without_waiting() -> None:
    async def answer() -> list[bytes | str]:
        _, stream = await _written(b"head", b"x" * 70_000)
        return stream.calls

    assert asyncio.run(answer()) == [b"head" + b"x" * 70_000]


def test_all_is_sent_before_the_end() -> None:
    async def answer() -> list[bytes | str]:
        writer, stream = await _written(b"a")
        writer.write_eof()
        writer.write(b"b")
        writer.close()
        await asyncio.sleep(0)
        return stream.calls

    assert asyncio.run(answer()) == [b"a", "end", b"b", "closed"]


@pytest.mark.parametrize(("kind", "scheme"), [("http", "https"), ("lifespan", "http")])
def test_requests_count_as_https(kind: str, scheme: str) -> None:
    seen: list[object] = []

    async def app(scope: dict[str, Any], *others: object) -> None:
        seen.extend([scope["scheme"], *others])

    asyncio.run(behind_tls(app)({"type": kind, "scheme": "http"}, "receive", "send"))
    assert seen == [scheme, "receive", "send"]


def test_requests_to_cloudwatch_go_to_the_other_server() -> None:
    seen: list[object] = []

    def server(name: str) -> Any:
        async def app(scope: dict[str, Any], *others: object) -> None:
            seen.append((name, scope.get("path"), *others))

        return app

    served = with_cloudwatch(server("ministack"), server("moto"))
    for service in ("monitoring", "s3"):
        signed = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request"
        headers = [(b"authorization", signed.encode())]
        asyncio.run(served({"type": "http", "path": service, "headers": headers}, "receive"))
    asyncio.run(served({"type": "lifespan"}))
    assert seen == [
        ("moto", "monitoring", "receive"),
        ("ministack", "s3", "receive"),
        ("ministack", None),
    ]


def test_every_second_event_comes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_LATER", 0)
    account = ContextVar("account", default="")
    came: Queue[tuple[str, int]] = Queue()
    invoke = with_repeats(lambda _, event: came.put((account.get(), event["number"])))
    account.set("1")
    for number in range(1, 5):
        invoke({}, {"number": number})
    found = sorted(came.get(timeout=10) for _ in range(6))
    assert found == [("1", number) for number in (1, 2, 2, 3, 4, 4)]
    assert came.empty()


@pytest.mark.parametrize("repeat", ["0", "1"])
def test_the_server_is_changed(monkeypatch: pytest.MonkeyPatch, repeat: str) -> None:
    invoke = SimpleNamespace(invoke_async_with_retry=print)
    monkeypatch.setitem(sys.modules, "ministack.services.lambda_svc", invoke)
    monkeypatch.setitem(sys.modules, "ministack.services.apigateway_v1", MagicMock())
    bridge = SimpleNamespace(_invoke_target=print)
    monkeypatch.setitem(sys.modules, "ministack.services.eventbridge", bridge)
    monkeypatch.setitem(sys.modules, "moto.server", MagicMock())
    monkeypatch.setitem(sys.modules, "hypercorn.app_wrappers", MagicMock())
    run = SimpleNamespace(TCPServer=lambda *given: given)
    served = []
    app = SimpleNamespace(main=lambda: served.append(run.TCPServer("app", "reader", Writer())))
    monkeypatch.setitem(sys.modules, "hypercorn.asyncio.run", run)
    monkeypatch.setitem(sys.modules, "ministack.app", app)
    actions = SimpleNamespace(request_tag_context=print, extract_resource_arn=print)
    monkeypatch.setitem(sys.modules, "ministack.core.iam_actions", actions)
    monkeypatch.setenv("ACCOUNT_CONCURRENCY", "10")
    monkeypatch.setenv("REPEAT_EVENTS", repeat)
    emulator.main()
    [(_, reader, writer)] = served
    assert reader == "reader"
    assert isinstance(writer, WholeWriter)
    assert (invoke.invoke_async_with_retry is print) == (repeat == "0")
    assert print not in {*vars(actions).values(), bridge._invoke_target}


def test_the_boundary_of_a_role_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = {"old": {"PermissionsBoundary": "limit"}, "free": {"PermissionsBoundary": None}}
    monkeypatch.setitem(sys.modules, "ministack.services.iam", SimpleNamespace(_roles=roles))
    changed = with_boundaries(lambda *_: {"other": "key"})

    def boundary(service: str = "iam", **parameters: list[str]) -> object:
        found = changed(service, f"{service}:Any", b"", parameters)
        assert found.pop("other") == "key"
        return found.pop("iam:PermissionsBoundary", None)

    assert boundary(RoleName=["new"], PermissionsBoundary=["wanted"]) == "wanted"
    assert boundary(RoleName=["old"]) == "limit"
    assert boundary(RoleName=["free"]) is None
    assert boundary(RoleName=["unknown"]) is None
    assert boundary(UserName=["old"]) is None
    assert boundary(service="sqs", RoleName=["old"]) is None


@pytest.mark.parametrize(
    ("service", "path", "content", "expected"),
    [
        ("lambda", "/2015-03-31/functions", {"FunctionName": "f"}, "arn:aws:lambda:r:1:function:f"),
        ("wafv2", "/", {"WebACLArn": "acl", "ResourceArn": "stage"}, "acl"),
        ("wafv2", "/", {"ResourceArn": "stage"}, "stage"),
        ("wafv2", "/", {"Name": "acl"}, "*"),
        ("wafv2", "/", None, "*"),
        ("events", "/", {"ResourceARN": "bus"}, "bus"),
        ("kms", "/", {"ResourceArn": "stage"}, "*"),
    ],
)
def test_a_resource_is_found_in_the_body(
    service: str, path: str, content: dict[str, str] | None, expected: str
) -> None:
    resource = with_resources(lambda *_: "*")
    body = json.dumps(content).encode() if content else b""
    assert resource(service, "POST", path, {}, body, {}, "r", "1") == expected


@pytest.mark.parametrize(
    ("operation", "content", "expected"),
    [
        ("CreateEventBus", {"Name": "bus"}, "event-bus/bus"),
        ("CreateApiDestination", {"Name": "crm"}, "api-destination/crm"),
        ("PutTargets", {"Rule": "crm", "EventBusName": "bus"}, "rule/bus/crm"),
        ("PutTargets", {"Rule": "crm"}, "rule/default/crm"),
        ("PutRule", {"Name": "bus"}, "rule/default/bus"),
    ],
)
def test_an_event_bus_and_a_webhook_are_no_rules(
    operation: str, content: dict[str, str], expected: str
) -> None:
    resource = with_resources(lambda *_: "arn:aws:events:r:1:rule/default/bus")
    headers, body = {"X-Amz-Target": f"AWSEvents.{operation}"}, json.dumps(content).encode()
    found = resource("events", "POST", "/", headers, body, {}, "r", "1")
    assert found == f"arn:aws:events:r:1:{expected}"


def test_a_message_is_sent_over_the_own_api_of_the_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sqs = MagicMock()
    sqs.get_queue_url.return_value = {"QueueUrl": "http://queue"}
    monkeypatch.setattr(
        emulator.EmulatedAccount, "_client", lambda _, service: {"sqs": sqs}[service]
    )
    emulator.EmulatedAccount().send("arn:aws:sqs:r:1:dlq", "{}", {"ERROR_CODE": "x"})
    sqs.get_queue_url.assert_called_with(QueueName="dlq")
    sqs.send_message.assert_called_with(
        QueueUrl="http://queue",
        MessageBody="{}",
        MessageAttributes={"ERROR_CODE": {"DataType": "String", "StringValue": "x"}},
    )


def test_a_resource_that_is_known_stays() -> None:
    resource = with_resources(lambda *_: "arn:aws:lambda:r:1:function:f")
    path = "/2015-03-31/functions/f"
    for body in (b"", b"{}"):
        found = resource("lambda", "GET", path, {}, body, {}, "r", "1")
        assert found == "arn:aws:lambda:r:1:function:f"


@pytest.mark.parametrize(
    ("decision", "role", "allowed", "logs"),
    [("allowed", "arn", True, True), ("implicitDeny", None, False, False)],
)
def test_the_account_is_asked_over_its_own_api(
    monkeypatch: pytest.MonkeyPatch,
    *,
    decision: str,
    role: str | None,
    allowed: bool,
    logs: bool,
) -> None:
    asked: list[Any] = []

    def simulate(**arguments: Any) -> dict[str, Any]:
        asked.append(arguments["ResourceArns"])
        return {"EvaluationResults": [{"EvalDecision": decision}]}

    def client(service: str, *, endpoint_url: str, **_: object) -> SimpleNamespace:
        asked.append((service, endpoint_url))
        return SimpleNamespace(
            simulate_principal_policy=simulate, get_account=lambda: {"cloudwatchRoleArn": role}
        )

    session = SimpleNamespace(client=client)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(Session=lambda *_, **__: session))
    monkeypatch.setenv("GATEWAY_PORT", "4566")
    monkeypatch.setenv("MINISTACK_REGION", "us-east-1")
    account = emulator.EmulatedAccount()
    assert (account.may_send("role", "queue"), account.has_logging_role()) == (allowed, logs)
    url = "http://127.0.0.1:4566"
    assert asked == [("iam", url), ["queue"], ("apigateway", url)]


@pytest.mark.parametrize("denied", [None, "denied"])
def test_the_emulator_tells_who_may_do_what(
    monkeypatch: pytest.MonkeyPatch, denied: str | None
) -> None:
    def enforce(*asked: object) -> str | None:
        where = ("us-east-1", "arn:aws:s3:::photos", {"s3:prefix": "uploads/a"})
        assert asked == ("AKIA", "s3:ListBucket", "s3", *where)
        return denied

    evaluator = SimpleNamespace(enforce=enforce)
    monkeypatch.setitem(sys.modules, "ministack.core.iam_evaluator", evaluator)
    monkeypatch.setenv("MINISTACK_REGION", "us-east-1")
    prefix = {"s3:prefix": "uploads/a"}
    may = emulator.EmulatedAccount().may("AKIA", "s3:ListBucket", "arn:aws:s3:::photos", **prefix)
    assert may is (denied is None)


def test_an_alarm_belongs_to_a_region_and_a_dashboard_to_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MINISTACK_REGION", "us-east-1")
    monkeypatch.setenv("MINISTACK_ACCOUNT_ID", "1")
    account = emulator.EmulatedAccount()
    assert account.arn("cloudwatch", "alarm:a") == "arn:aws:cloudwatch:us-east-1:1:alarm:a"
    assert account.arn("cloudwatch", "dashboard/d") == "arn:aws:cloudwatch::1:dashboard/d"


ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
LIKE = {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::photos"}}


@pytest.mark.parametrize(
    ("statement", "may"),
    [
        ({"Principal": {"Service": "s3.amazonaws.com"}, "Condition": LIKE}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}, "Condition": LIKE}, False),
        ({"Principal": {"Service": "s3.amazonaws.com"}, "Condition": {}}, False),
        (None, False),
    ],
)
@pytest.mark.parametrize(("arn", "asked"), [(ARN, {}), (f"{ARN}:live", {"Qualifier": "live"})])
def test_a_bucket_may_start_what_lets_it(
    monkeypatch: pytest.MonkeyPatch,
    *,
    statement: dict[str, Any] | None,
    may: bool,
    arn: str,
    asked: dict[str, str],
) -> None:
    class NotFoundError(Exception):
        pass

    def get_policy(**arguments: str) -> dict[str, str]:
        assert arguments == {"FunctionName": "f"} | asked
        if statement is None:
            raise NotFoundError
        return {"Policy": json.dumps({"Statement": [statement]})}

    functions = SimpleNamespace(
        get_policy=get_policy,
        exceptions=SimpleNamespace(ResourceNotFoundException=NotFoundError),
    )
    session = SimpleNamespace(client=lambda *_, **__: functions)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(Session=lambda *_, **__: session))
    monkeypatch.setenv("GATEWAY_PORT", "4566")
    monkeypatch.setenv("MINISTACK_REGION", "us-east-1")
    assert emulator.EmulatedAccount().may_start("photos", arn) is may


@pytest.mark.parametrize("there", [True, False])
def test_the_account_knows_the_parts_of_an_upload(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    class NoSuchUpload(Exception):  # noqa: N818 - botocore's name
        pass

    def paginate(**asked: str) -> Iterator[dict[str, Any]]:
        assert asked == {"Bucket": "b", "Key": "k", "UploadId": "i"}
        if not there:
            raise NoSuchUpload
        yield from ({"Parts": [{"PartNumber": 1, "Size": 5}]}, {})

    s3 = SimpleNamespace(
        get_paginator=lambda _: SimpleNamespace(paginate=paginate),
        exceptions=SimpleNamespace(NoSuchUpload=NoSuchUpload),
    )
    monkeypatch.setattr(emulator.EmulatedAccount, "_client", lambda *_: s3)
    assert emulator.EmulatedAccount().part_sizes("b", "k", "i") == ({1: 5} if there else {})


def test_the_account_tags_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    tagged: list[dict[str, Any]] = []
    s3 = SimpleNamespace(put_object_tagging=lambda **asked: tagged.append(asked))
    monkeypatch.setattr(emulator.EmulatedAccount, "_client", lambda *_: s3)
    emulator.EmulatedAccount().tag("b", "k", {"team": "a"})
    tags = {"TagSet": [{"Key": "team", "Value": "a"}]}
    assert tagged == [{"Bucket": "b", "Key": "k", "Tagging": tags}]


def test_functions_get_the_groups_of_a_user_joined_by_commas() -> None:
    changed = with_joined_lists(lambda claims: {name: str(value) for name, value in claims.items()})
    claims = {"sub": "ada", "cognito:groups": ["staff", "admins"], "exp": 7}
    assert changed(claims) == {"sub": "ada", "cognito:groups": "staff,admins", "exp": "7"}
