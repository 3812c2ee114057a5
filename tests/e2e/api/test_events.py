"""Results are sent to the event bus of the environment: a queue behind a rule receives them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from scripts import ROOT, local_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.api.conftest import Deployment

_SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())
_BUS = "serverless-uploads-local"


@pytest.fixture
def queue_url(deployment: Deployment) -> Iterator[str]:
    """A queue that gets all events of the bus."""
    sqs, events = deployment.aws("sqs"), deployment.aws("events")
    url = sqs.create_queue(QueueName="results")["QueueUrl"]
    arn = f"arn:aws:sqs:{local_cloud.REGION}:{local_cloud.ACCOUNT_ID}:results"
    pattern = json.dumps({"source": ["serverless-uploads"]})
    rule = events.put_rule(Name="results", EventBusName=_BUS, EventPattern=pattern)["RuleArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule="results", EventBusName=_BUS, Targets=[{"Id": "queue", "Arn": arn}])
    yield url
    events.remove_targets(Rule="results", EventBusName=_BUS, Ids=["queue"])
    events.delete_rule(Name="results", EventBusName=_BUS)
    sqs.delete_queue(QueueUrl=url)


def test_each_result_is_sent_at_least_once(deployment: Deployment, queue_url: str) -> None:
    s3 = deployment.aws("s3")
    bodies = {"uploads/sent/good.csv": b"a,b\n1,2\n", "uploads/sent/bad.csv": b""}
    for key, body in bodies.items():
        s3.put_object(Bucket=deployment.bucket, Key=key, Body=body)
    sent = _receive(deployment, queue_url, set(bodies))
    for event in sent.values():
        assert event["source"] == "serverless-uploads"
        jsonschema.validate(event["detail"], _SCHEMA)
    good, bad = sent["uploads/sent/good.csv"], sent["uploads/sent/bad.csv"]
    assert (good["detail-type"], bad["detail-type"]) == ("FileSucceeded", "FileRejected")
    assert bad["detail"]["error"] == "empty_file"
    for detail in (good["detail"], bad["detail"]):
        # The outputs of a sent result exist.
        for key in (detail["result_key"], *(output["key"] for output in detail["outputs"])):
            assert s3.head_object(Bucket=deployment.bucket, Key=key)


def _receive(deployment: Deployment, queue_url: str, keys: set[str]) -> dict[str, dict[str, Any]]:
    """Return an event of each key."""
    sqs = deployment.aws("sqs")
    sent: dict[str, dict[str, Any]] = {}
    end = time.monotonic() + 120
    while not keys <= sent.keys():
        assert time.monotonic() < end, f"sent: {sorted(sent)}"
        answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            event = json.loads(message["Body"])
            sent[event["detail"]["key"]] = event
    return sent
