"""Rules between clients and the emulator: what AWS refuses, and how it answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any
from urllib.parse import unquote

import pytest

from scripts.emulator.aws_rules import Refusal, Request, Rules, ruled

ROLE = "arn:aws:iam::000000000000:role/function"
QUEUE = "arn:aws:sqs:us-east-1:000000000000:function-dlq"
STAGE = "apigateway UpdateStage"
CONCURRENCY = "lambda PutFunctionConcurrency"
LOG_LEVEL = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}
LOG_GROUP = {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": "arn"}


class Account:
    """An account that is as the test says."""

    def __init__(self, *, sends: bool = False, logs: bool = False, starts: bool = False) -> None:
        self.sends = sends
        self.logs = logs
        self.starts = starts
        self.asked: list[tuple[object, ...]] = []

    def may_send(self, role: str, queue: str) -> bool:
        assert (role, queue) == (ROLE, QUEUE)
        return self.sends

    def may_start(self, bucket: str, function: str) -> bool:
        assert (bucket, function) == ("b", "arn:f")
        return self.starts

    def has_logging_role(self) -> bool:
        return self.logs

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:r:1:{resource}"

    def may(self, access_key: str, action: str, resource: str, **conditions: str) -> bool:
        self.asked.append((access_key, action, resource, conditions))
        return access_key not in {"stranger", action}

    def part_sizes(self, bucket: str, key: str, upload_id: str) -> dict[int, int]:
        assert (bucket, key, upload_id) == ("b", "k", "i")
        return {1: 5 * 1024**2, 2: 5 * 1024**2 - 1, 3: 1}


def request(name: str, function: str = "", **content: Any) -> Request:
    path = {"FunctionName": function, "Bucket": "b"}
    return Request(name, path, json.dumps(content).encode())


@pytest.mark.parametrize("operation", [LOG_LEVEL, LOG_GROUP])
def test_a_stage_may_log_only_where_the_account_has_a_role(operation: dict[str, str]) -> None:
    asked = request(STAGE, patchOperations=[operation])
    refusal = Rules(Account()).refusal(asked)
    assert refusal is not None
    assert refusal.error == "BadRequestException"
    assert "CloudWatch Logs role ARN must be set in account settings" in refusal.message
    assert Rules(Account(logs=True)).refusal(asked) is None


def test_a_role_is_passed_by_who_may() -> None:
    content = {"Role": ROLE}
    account = Account()
    asked = Request("lambda CreateFunction", {}, json.dumps(content).encode(), "stranger")
    refusal = Rules(account).refusal(asked)
    assert refusal is not None
    assert (refusal.error, refusal.status) == ("AccessDeniedException", 403)
    assert f"perform: iam:PassRole on resource: {ROLE}" in refusal.message
    passed = {"iam:PassedToService": "lambda.amazonaws.com"}
    assert account.asked == [("stranger", "iam:PassRole", ROLE, passed)]


def test_the_role_of_a_target_is_passed_by_who_may() -> None:
    targets = [{"Id": "a", "RoleArn": ROLE}, {"Id": "b"}]
    body = json.dumps({"Rule": "crm", "Targets": targets}).encode()
    account = Account()
    refusal = Rules(account).refusal(Request("events PutTargets", {}, body, "stranger"))
    assert refusal is not None
    assert refusal.error == "AccessDeniedException"
    assert account.asked[0][3] == {"iam:PassedToService": "events.amazonaws.com"}
    assert Rules(account).refusal(Request("events PutTargets", {}, body, "owner")) is None


def test_the_arns_of_webhooks_and_connections_end_in_an_id() -> None:
    prefix = b'{"Arn": "arn:aws:events:r:1:'
    answers = {
        b'api-destination/crm"}': b'api-destination/crm/00000000-0000-4000-8000-000000000000"}',
        b'connection/key"}': b'connection/key/00000000-0000-4000-8000-000000000000"}',
        b'connection/key/0a1b"}': b'connection/key/0a1b"}',
        b'rule/bus/crm"}': b'rule/bus/crm"}',
    }
    for given, expected in answers.items():
        found = Rules(Account()).answer(Request("events Any", {}, b""), prefix + given)
        assert found == prefix + expected


@pytest.mark.parametrize("missing", ["kms:CreateGrant", "kms:Encrypt"])
def test_a_key_is_used_for_who_may(missing: str) -> None:
    content = {"Role": ROLE, "KMSKeyArn": "arn:key"}
    body = json.dumps(content).encode()
    account = Account()
    refusal = Rules(account).refusal(Request("lambda CreateFunction", {}, body, missing))
    assert refusal is not None
    assert f"perform: {missing} on resource: arn:key" in refusal.message
    assert account.asked[-1][-1] == {"kms:GrantIsForAWSResource": "true"}
    assert Rules(account).refusal(Request("lambda CreateFunction", {}, body, "friend")) is None


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize(
    ("access_key", "key", "shown"),
    [("friend", "arn:key", True), ("kms:Decrypt", "arn:key", False), ("kms:Decrypt", None, True)],
)
def test_environment_variables_are_shown_to_who_may_decrypt_them(
    *, nested: bool, access_key: str, key: str | None, shown: bool
) -> None:
    configuration = {"KMSKeyArn": key, "Environment": {"Variables": {"A": "b"}}}
    body = {"Configuration": configuration} if nested else configuration
    name = "lambda GetFunction" if nested else "lambda GetFunctionConfiguration"
    request = Request(name, {}, b"", access_key)
    answer = json.loads(Rules(Account()).answer(request, json.dumps(body).encode()))
    environment = (answer["Configuration"] if nested else answer)["Environment"]
    assert (environment == configuration["Environment"]) is shown
    assert ("Error" in environment) is not shown


@pytest.mark.parametrize(
    ("operation", "body", "resources"),
    [
        ("PutMetricAlarm", '{"AlarmName": "a"}', ["arn:aws:cloudwatch:r:1:alarm:a"]),
        ("PutMetricAlarm", "AlarmName=a&Period=60", ["arn:aws:cloudwatch:r:1:alarm:a"]),
        ("DeleteAlarms", "AlarmNames.member.1=a", ["arn:aws:cloudwatch:r:1:alarm:a"]),
        (
            "DeleteAlarms",
            '{"AlarmNames": ["a", "b"]}',
            ["arn:aws:cloudwatch:r:1:alarm:a", "arn:aws:cloudwatch:r:1:alarm:b"],
        ),
        ("PutDashboard", '{"DashboardName": "d"}', ["arn:aws:cloudwatch:r:1:dashboard/d"]),
        ("TagResource", '{"ResourceARN": "arn:a"}', ["arn:a"]),
        ("DescribeAlarms", "{}", ["*"]),
    ],
)
def test_cloudwatch_is_for_who_may(operation: str, body: str, resources: list[str]) -> None:
    account = Account()
    asked = Request(f"monitoring {operation}", {}, body.encode(), "friend")
    assert Rules(account).refusal(asked) is None
    action = f"cloudwatch:{operation}"
    assert account.asked == [("friend", action, resource, {}) for resource in resources]
    refusal = Rules(account).refusal(Request(asked.name, {}, asked.body, "stranger"))
    assert refusal is not None
    assert f"perform: {action} on resource: {resources[0]}" in refusal.message


@pytest.mark.parametrize(
    ("numbers", "error"),
    [
        ((1, 2), None),
        ((1, 3), None),
        ((3,), None),
        ((1, 4), None),
        ((1, 2, 3), "EntityTooSmall"),
        ((2, 1), "InvalidPartOrder"),
        ((1, 1), "InvalidPartOrder"),
    ],
)
def test_parts_are_in_order_and_large_enough(numbers: tuple[int, ...], error: str | None) -> None:
    body = "".join(f"<Part><PartNumber>{number}</PartNumber></Part>" for number in numbers)
    path = {"Bucket": "b", "Key": "k", "uploadId": "i"}
    refusal = Rules(Account()).refusal(Request("s3 CompleteMultipartUpload", path, body.encode()))
    assert (refusal and refusal.error) == error


@pytest.mark.parametrize(
    "operation",
    [
        LOG_LEVEL | {"value": "OFF"},
        {"op": "remove", "path": "/accessLogSettings"},
        {"op": "replace", "path": "/*/*/metrics/enabled", "value": "true"},
    ],
)
def test_a_stage_that_does_not_log_needs_no_role(operation: dict[str, str]) -> None:
    asked = request(STAGE, patchOperations=[operation])
    assert Rules(Account()).refusal(asked) is None


@pytest.mark.parametrize("name", ["lambda CreateFunction", "lambda UpdateFunctionConfiguration"])
def test_a_dead_letter_queue_needs_a_role_that_may_send(name: str) -> None:
    asked = request(name, Role=ROLE, DeadLetterConfig={"TargetArn": QUEUE})
    refusal = Rules(Account()).refusal(asked)
    assert refusal is not None
    assert refusal.error == "InvalidParameterValueException"
    assert "SendMessage on SQS" in refusal.message
    assert Rules(Account(sends=True)).refusal(asked) is None
    assert Rules(Account()).refusal(request(name, Role=ROLE)) is None


def test_a_tenth_of_the_executions_stays_unreserved() -> None:
    rules = Rules(Account())

    def reserve(function: str, number: int) -> Refusal | None:
        asked = request(CONCURRENCY, function, ReservedConcurrentExecutions=number)
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
    rules.note(request("lambda DeleteFunctionConcurrency", "b"))
    assert reserve("c", 300) is None


def test_a_new_account_can_reserve_nothing() -> None:
    asked = request(CONCURRENCY, "a", ReservedConcurrentExecutions=1)
    refusal = Rules(Account(), concurrency=10).refusal(asked)
    assert refusal is not None
    assert "minimum value of [10]" in refusal.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
def test_a_body_that_is_no_object_is_left_to_the_emulator(body: bytes) -> None:
    assert Rules(Account()).refusal(Request("lambda CreateFunction", {}, body)) is None


def test_a_new_role_cannot_be_assumed_at_once() -> None:
    rules = Rules(Account(sends=True))
    rules.note(Request("iam CreateRole", {}, b"Action=CreateRole&RoleName=function"))
    asked = request("lambda CreateFunction", Role=ROLE)
    refusal = rules.refusal(asked)
    assert refusal is not None
    assert "cannot be assumed by Lambda" in refusal.message
    assert rules.refusal(asked) is None


def test_the_first_policy_of_a_new_role_holds_later_still() -> None:
    rules = Rules(Account(sends=True))
    for operation in ("CreateRole", "PutRolePolicy"):
        rules.note(Request(f"iam {operation}", {}, b"RoleName=function&PolicyName=p"))
    asked = request("lambda CreateFunction", Role=ROLE, DeadLetterConfig={"TargetArn": QUEUE})
    refusals = [rules.refusal(asked) for _ in range(3)]
    said = [refusal.message if refusal else "" for refusal in refusals]
    assert "cannot be assumed" in said[0]
    assert "call SendMessage" in said[1]
    assert said[2] == ""


def test_a_bucket_starts_functions_that_let_it() -> None:
    body = b"<NotificationConfiguration><CloudFunctionConfiguration><CloudFunction>arn:f<"
    asked = Request(
        "s3 PutBucketNotificationConfiguration", {"Bucket": "b"}, body + b"/CloudFunction>"
    )
    refusal = Rules(Account()).refusal(asked)
    assert refusal == Refusal(
        "InvalidArgument", "Unable to validate the following destination configurations"
    )
    assert Rules(Account(starts=True)).refusal(asked) is None
    nothing = Request(asked.name, asked.path, b"<NotificationConfiguration/>")
    assert Rules(Account()).refusal(nothing) is None


def test_a_dead_letter_is_the_event_with_attributes() -> None:
    record = {
        "requestPayload": {"Records": []},
        "responsePayload": {"errorMessage": "it broke"},
    }
    messages = [
        {"Body": json.dumps(record), "MD5OfMessageAttributes": "x"},
        {"Body": "{}"},
        {"Body": "a"},
    ]
    answer = json.dumps({"Messages": messages}).encode()
    found = json.loads(Rules(Account()).answer(Request("sqs ReceiveMessage", {}, b""), answer))
    first, *others = found["Messages"]
    assert json.loads(first["Body"]) == {"Records": []}
    assert first["MD5OfBody"] == hashlib.md5(first["Body"].encode()).hexdigest()  # noqa: S324 - as SQS does
    assert len(first["MessageAttributes"].pop("RequestID")["StringValue"]) == 36
    assert first["MessageAttributes"] == {
        "ErrorCode": {"StringValue": "200", "DataType": "Number"},
        "ErrorMessage": {"StringValue": "it broke", "DataType": "String"},
    }
    assert "MD5OfMessageAttributes" not in first
    assert others == messages[1:]


INTEGRATION = "/restapis/a/resources/b/methods/OPTIONS/integration"


def _ask(
    path: str,
    answer: dict[str, Any],
    *,
    service: str = "apigateway",
    status: int = 200,
    body: bytes = b'{"type": "MOCK"}',
    query: bytes = b"",
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
            "query_string": query,
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
    if start["status"] == 400 and service in {"iam", "s3"}:
        return 400, {"xml": content}, passed
    if (b"x", b"y") not in start["headers"] or (b"content-length", b"999") not in start["headers"]:
        assert (b"content-length", str(len(content)).encode()) in start["headers"]
    return start["status"], json.loads(content), passed


def _refused(path: str, *, service: str, query: bytes) -> bytes:
    status, answer, _ = _ask(path, {}, service=service, body=b"", query=query)
    assert status == 400
    xml: bytes = answer["xml"]
    return xml


def test_a_mock_integration_has_no_http_method() -> None:
    answer = {"type": "MOCK", "httpMethod": "POST", "passthroughBehavior": "NEVER"}
    status, content, passed = _ask(INTEGRATION, answer, body=b'{"type": "MOCK"}')
    assert (status, content) == (200, {"type": "MOCK", "passthroughBehavior": "NEVER"})
    assert passed == b'{"type": "MOCK"}'


def test_other_answers_stay_as_they_are() -> None:
    proxy = {"type": "AWS_PROXY", "httpMethod": "POST"}
    assert _ask(INTEGRATION, proxy)[1] == proxy
    mock = {"type": "MOCK", "httpMethod": "POST"}
    assert _ask("/restapis/a", mock, query=b"mode=merge")[1] == mock
    assert _ask(INTEGRATION, mock, status=404) == (404, mock, b'{"type": "MOCK"}')


def test_what_is_uploaded_is_passed_on_unread() -> None:
    assert _ask("/bucket/key", {}, service="s3", body=b"ab") == (200, {}, b"a")


def test_other_requests_to_s3_are_read() -> None:
    tags = b"<Tagging><TagSet/></Tagging>"
    assert _ask("/bucket", {}, service="s3", body=tags, query=b"tagging")[2] == tags


@pytest.mark.parametrize(
    ("query", "action"), [("", "s3:ListBucket"), ("versionId=v1", "s3:ListBucketVersions")]
)
@pytest.mark.parametrize(("access_key", "status"), [("stranger", 403), ("lister", 404)])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_may_not_list_does_not_learn_what_is_missing(
    *, query: str, action: str, access_key: str, status: int, method: str
) -> None:
    account = Account()
    rules = Rules(account)
    found = _answer_of(f"{method} /b/a%20key?{query}", access_key, 404, rules)
    assert found[0] == status
    assert (b"<Code>AccessDenied</Code>" in found[1]) is (status == 403)
    assert account.asked == [(access_key, action, "arn:aws:s3:::b", {"s3:prefix": "a key"})]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (
            {"encoding-type": "url"},
            b"<EncodingType>url</EncodingType><Name>b</Name><Key>a/b%20%2B%26.csv</Key>",
        ),
        ({}, b"<Name>b</Name><Key>a/b +&amp;.csv</Key>"),
    ],
)
def test_keys_are_encoded_where_that_is_asked_for(query: dict[str, str], keys: bytes) -> None:
    listed = b"<Name>b</Name><Key>a/b +&amp;.csv</Key>"
    asked = Request("s3 ListObjectVersions", {"Bucket": "b", **query}, b"")
    assert Rules(Account()).answer(asked, listed) == keys


def test_an_object_that_is_there_is_passed_on_part_by_part() -> None:
    rules = Rules(Account())
    assert _answer_of("GET /b/key", "reader", 200, rules) == (200, b"part part")


def _answer_of(line: str, access_key: str, status: int, rules: Rules) -> tuple[int, bytes]:
    """Ask for an object, which the emulator answers with a status."""
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    sent: list[dict[str, Any]] = []

    async def app(_scope: object, _receive: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"part ", "more_body": True})
        await send({"type": "http.response.body", "body": b"part"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    signed = f"AWS4-HMAC-SHA256 Credential={access_key}/20261130/us-east-1/s3/aws4_request"
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"authorization", signed.encode()), (b"host", b"127.0.0.1")],
    }
    asyncio.run(ruled(app, rules)(scope, receive, send))
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


@pytest.mark.parametrize(
    ("host", "path", "served"),
    [
        ("127.0.0.1:1", "/restapis/a/prod/_user_request_/f/a%2520b", None),
        ("127.0.0.1:1", "/other/a%20b", "/other/a b"),
        (
            "a1.execute-api.eu-west-1.amazonaws.com",
            "/prod/files/a%2520b",
            "/restapis/a1/prod/_user_request_/files/a%2520b",
        ),
        (
            "a1.execute-api.cn-north-1.amazonaws.com.cn",
            "/prod",
            "/restapis/a1/prod/_user_request_/",
        ),
        ("a1.execute-api.amazonaws.com.example", "/prod/a%20b", "/prod/a b"),
    ],
)
def test_a_request_to_an_api_of_the_account(host: str, path: str, served: str | None) -> None:
    seen: list[str] = []

    async def app(scope: dict[str, Any], *_: object) -> None:
        seen.append(scope["path"])

    scope = {
        "type": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "headers": [(b"host", host.encode())],
    }
    asyncio.run(ruled(app, Rules(Account()))(scope, None, None))
    assert seen == [served or path]


def test_an_api_of_the_account_is_none_of_aws() -> None:
    assert _ask("/restapis/a/prod/_user_request_", {"a": 1}, service="execute-api")[1] == {"a": 1}


@pytest.mark.parametrize(
    ("service", "path", "said"),
    [
        ("apigateway", INTEGRATION, "apigateway PutIntegration: type is required"),
        ("lambda", "/nothing", "lambda has no operation for PUT https://"),
    ],
)
def test_what_aws_does_not_take_is_refused(service: str, path: str, said: str) -> None:
    status, content, passed = _ask(path, {}, service=service, body=b"{}")
    assert (status, passed) == (400, b"")
    assert said in content["message"]


@pytest.mark.parametrize(("service", "path"), [("s3", "/b?tagging"), ("iam", "/")])
def test_services_that_speak_xml_are_refused_in_it(service: str, path: str) -> None:
    address, _, query = path.partition("?")
    answer = _refused(address, service=service, query=query.encode())
    assert answer.startswith(b"<Error><Code>" if service == "s3" else b"<ErrorResponse><Error>")
    assert b"<Code>ValidationException</Code><Message>" in answer


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
