"""A deployed environment in memory: what the operator's commands ask of AWS, and no more."""

# ruff: noqa: N803 - the arguments have the names of the AWS APIs

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.exceptions import ClientError

from scripts.operations.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSION = boto3.Session("id", "secret", region_name="us-east-1")  # slow to make, and never changed
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BUCKET = "bucket"
KEY = "uploads/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/beach.jpg"
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:"
PROCESSORS = {
    "image_processor": (".jpg", ".jpeg", ".png"),
    "data_transformer": (".json", ".csv"),
}
FUNCTIONS = (*PROCESSORS, "api_handler")
OUTPUTS: dict[str, Any] = {
    "api_gateway_url": "https://a1.example/prod",
    "api_id": "a1",
    "api_log_group_name": "access",
    "api_name": "api-dev",
    "functions": {
        f: {
            "function_name": f"{f}-dev",
            "queue_url": f"https://sqs.example/1/{f}-dev-dlq",
            "log_group": f"/aws/lambda/{f}",
            "kinds": {ending: ["x/y"] for ending in PROCESSORS.get(f, ())},
        }
        for f in FUNCTIONS
    },
    "image_processor_arn": f"{ARN}image_processor-dev",
    "s3_bucket_name": BUCKET,
}


def refusal(code: str, status: int = 400) -> ClientError:
    return ClientError(
        cast(
            "Any",
            {
                "Error": {"Code": code, "Message": f"{code}!"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            },
        ),
        "Operation",
    )


class Sqs:
    """One queue. Its clock stands still, but for what `receive_message` advances it."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.hidden: dict[str, datetime] = {}
        self.now = NOW
        self.seconds_a_receive = 0
        self.on_receive: Callable[[], object] = lambda: None
        self.deleted_twice: list[str] = []
        self.refuses_release = False

    def put(
        self,
        name: str,
        body: object,
        sent_at: datetime = NOW - timedelta(hours=1),
        **attributes: str,
    ) -> None:
        self.messages[name] = {
            "MessageId": name,
            "ReceiptHandle": name,
            "Body": body if isinstance(body, str) else json.dumps(body),
            "Attributes": {"SentTimestamp": str(int(sent_at.timestamp() * 1000))},
            "MessageAttributes": {k: {"StringValue": v} for k, v in attributes.items()},
        }

    def visible(self) -> list[str]:
        return [n for n in self.messages if self.hidden.get(n, self.now) <= self.now]

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        visible = len(self.visible())
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(len(self.messages) - visible),
            },
            "ResponseMetadata": {
                "HTTPHeaders": {"date": self.now.strftime("%a, %d %b %Y %H:%M:%S GMT")}
            },
        }

    def receive_message(
        self, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: object
    ) -> dict[str, Any]:
        self.on_receive()
        self.now += timedelta(seconds=self.seconds_a_receive)
        names = self.visible()[:MaxNumberOfMessages]
        for name in names:
            self.hidden[name] = self.now + timedelta(seconds=VisibilityTimeout)
        return {"Messages": [self.messages[name] for name in names]} if names else {}

    def delete_message(self, ReceiptHandle: str, **_: object) -> None:
        if self.messages.pop(ReceiptHandle, None) is None:
            self.deleted_twice.append(ReceiptHandle)

    def change_message_visibility_batch(self, Entries: list[dict[str, Any]], **_: object) -> None:
        if self.refuses_release:
            raise refusal("ExpiredToken")
        assert len(Entries) <= 10
        for entry in Entries:
            self.hidden[entry["ReceiptHandle"]] = self.now + timedelta(
                seconds=entry["VisibilityTimeout"]
            )


class Functions:
    """Lambda: keeps what it was given, and refuses what a test says."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.refusals: dict[int, ClientError] = {}
        self.configuration: dict[str, Any] = {
            "Architectures": ["arm64"],
            "CodeSha256": "code",
            "LastModified": "2026-03-04T04:00:00.000+0000",
            "LastUpdateStatus": "Successful",
            "State": "Active",
        }
        self.concurrency: dict[str, Any] = {}
        self.queues = True

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        assert InvocationType == "Event"
        refused = self.refusals.pop(len(self.events), None)
        if refused:
            raise refused
        self.events.append((FunctionName, json.loads(Payload)))
        return {"StatusCode": 202}

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        target = f"arn:aws:sqs:eu-west-1:111122223333:{FunctionName}-dlq"
        queue = {"DeadLetterConfig": {"TargetArn": target}} if self.queues else {}
        return {"FunctionName": FunctionName} | queue | self.configuration

    def get_function(self, FunctionName: str) -> dict[str, Any]:
        configuration = self.get_function_configuration(FunctionName)
        return {"Configuration": configuration} | self.concurrency


class Pages:
    """A paginator that cuts what a call returns into pages."""

    def __init__(self, call: Callable[..., Iterator[dict[str, Any]]]) -> None:
        self.paginate = call


class S3:
    """A bucket with the current versions of its objects."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.configurations: list[dict[str, Any]] = []
        self.failing: dict[str, ClientError] = {}
        self.versioned = True
        self.pages_taken = 0

    def put(self, key: str, body: bytes = b"x", version: str = "v1", at: datetime = NOW) -> None:
        self.objects[key] = {
            "ContentLength": len(body),
            "ETag": '"e1"',
            "VersionId": version,
            "LastModified": at,
            "Content": body,
        }

    def _get(self, key: str, missing: str) -> dict[str, Any]:
        if key in self.failing:
            raise self.failing[key]
        if key not in self.objects:
            raise refusal(missing, 404)
        found = dict(self.objects[key])
        if not self.versioned:
            del found["VersionId"]
        return found

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        return self._get(Key, "404")

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        found = self._get(Key, "NoSuchKey")
        return found | {"Body": io.BytesIO(found["Content"])}

    def delete_object(self, Bucket: str, Key: str, VersionId: str) -> None:
        assert Bucket == BUCKET
        assert self._get(Key, "NoSuchKey")["VersionId"] == VersionId
        del self.objects[Key]

    def get_bucket_notification_configuration(self, Bucket: str) -> dict[str, Any]:
        assert Bucket == BUCKET
        return {"LambdaFunctionConfigurations": self.configurations}

    def get_paginator(self, operation: str) -> Pages:
        def paginate(Bucket: str, Prefix: str, **_: object) -> Iterator[dict[str, Any]]:
            assert Bucket == BUCKET
            if Prefix in self.failing:
                raise self.failing[Prefix]
            keys = sorted(key for key in self.objects if key.startswith(Prefix))
            for start in range(0, len(keys), 2):
                self.pages_taken += 1
                entries = [{"Key": k, "VersionId": "v1"} for k in keys[start : start + 2]]
                yield (
                    {"Contents": entries}
                    if operation == "list_objects_v2"
                    else {"Versions": entries}
                )
            yield {}

        return Pages(paginate)


class Logs:
    """Log groups; a filter finds the words of its pattern anywhere in a line, like a rough one."""

    def __init__(self) -> None:
        self.lines: dict[str, list[dict[str, Any]]] = {}
        self.patterns: list[str] = []

    def put(self, group: str, message: object, at: datetime = NOW, stream: str = "s") -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        line = {"timestamp": int(at.timestamp() * 1000), "logStreamName": stream, "message": text}
        self.lines.setdefault(group, []).append(line)

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "filter_log_events"

        def paginate(
            logGroupName: str, filterPattern: str, startTime: int
        ) -> Iterator[dict[str, Any]]:
            self.patterns.append(filterPattern)
            words = filterPattern.strip('"').split()
            for line in self.lines.get(logGroupName, []):
                if line["timestamp"] >= startTime and all(w in line["message"] for w in words):
                    yield {"events": [line]}

        return Pages(paginate)


class ApiGateway:
    """The account's settings."""

    def __init__(self) -> None:
        self.account: dict[str, Any] = {"cloudwatchRoleArn": "arn:aws:iam::111122223333:role/logs"}

    def get_account(self) -> dict[str, Any]:
        return self.account


class CloudWatch:
    """Alarms."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Pages:
        assert operation == "describe_alarms"

        def paginate(AlarmNamePrefix: str, **_: object) -> Iterator[dict[str, Any]]:
            found = [a for a in self.alarms if a["AlarmName"].startswith(AlarmNamePrefix)]
            yield {"MetricAlarms": found}

        return Pages(paginate)


TARGETS: dict[str, Any] = {
    "event_bus": {"arn": "arn:bus", "name": "bus"},
    "event_targets": {
        "crm": {"rule_name": "crm", "queue_url": "https://sqs.example/1/bus-crm-dlq"}
    },
}


class Events:
    """EventBridge: a rule that sends to a webhook, and what was put on the bus."""

    def __init__(self) -> None:
        self.state = "ENABLED"
        self.targets: list[dict[str, Any]] = [
            {
                "Arn": "arn:aws:events:eu-west-1:111122223333:api-destination/bus-crm/0a1b",
                "DeadLetterConfig": {"Arn": "arn:dlq"},
            }
        ]
        self.connection = "AUTHORIZED"
        self.sent: list[dict[str, Any]] = []
        self.refusal: dict[str, str] | None = None

    def describe_rule(self, Name: str, EventBusName: str) -> dict[str, Any]:
        assert (Name, EventBusName) == ("crm", "bus")
        return {"State": self.state}

    def list_targets_by_rule(self, Rule: str, EventBusName: str) -> dict[str, Any]:
        assert (Rule, EventBusName) == ("crm", "bus")
        return {"Targets": self.targets}

    def describe_api_destination(self, Name: str) -> dict[str, Any]:
        assert Name == "bus-crm"
        return {"ConnectionArn": "arn:aws:events:eu-west-1:111122223333:connection/key/0a1b"}

    def describe_connection(self, Name: str) -> dict[str, Any]:
        assert Name == "key"
        return {"ConnectionState": self.connection}

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        if self.refusal:
            return {"Entries": [self.refusal]}
        self.sent += Entries
        return {"Entries": [{"EventId": "1"}]}


@dataclass
class Aws:
    """All of it."""

    sqs: Sqs = field(default_factory=Sqs)
    functions: Functions = field(default_factory=Functions)
    s3: S3 = field(default_factory=S3)
    logs: Logs = field(default_factory=Logs)
    cloudwatch: CloudWatch = field(default_factory=CloudWatch)
    apigateway: ApiGateway = field(default_factory=ApiGateway)
    events: Events = field(default_factory=Events)
    outputs: dict[str, Any] = field(default_factory=dict)

    def environment(
        self, session: boto3.Session | None = None, endpoint: str = "", **outputs: Any
    ) -> Environment:
        made = Environment(
            "dev",
            OUTPUTS | self.outputs | outputs,
            session or SESSION,
            {"AWS_ENDPOINT_URL": endpoint},
        )
        vars(made).update({name: value for name, value in vars(self).items() if name != "outputs"})
        return made


def s3_event(key: str = "uploads/1/a+b.jpg") -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}
