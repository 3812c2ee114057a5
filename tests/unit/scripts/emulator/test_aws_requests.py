"""Requests that AWS would refuse are found by its service models: one planted of each sort."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from scripts.emulator.aws_requests import ParsedRequest

FUNCTION = {
    "FunctionName": "f",
    "Role": "arn:aws:iam::123456789012:role/f",
    "Code": {"ZipFile": "UEs="},
    "Runtime": "python3.12",
    "Handler": "f.handler",
}


def rest(service: str, method: str, path: str, **content: Any) -> list[str]:
    body = json.dumps(content).encode() if content else b""
    headers = {"content-type": "application/json"}
    return ParsedRequest(service, method, f"https://aws{path}", headers, body).faults(body)


def function(**changes: Any) -> list[str]:
    return rest("lambda", "POST", "/2015-03-31/functions", **FUNCTION | changes)


def form(service: str, **parameters: str) -> list[str]:
    body = urlencode(parameters).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return ParsedRequest(service, "POST", "https://aws/", headers, body).faults(body)


def target(service: str, name: str, **content: Any) -> list[str]:
    body = json.dumps(content).encode()
    headers = {"x-amz-target": name, "content-type": "application/x-amz-json-1.0"}
    return ParsedRequest(service, "POST", "https://aws/", headers, body).faults(body)


def s3(method: str, path: str, body: bytes = b"") -> list[str]:
    return ParsedRequest("s3", method, f"https://aws{path}", {}, b"").faults(body)


def test_what_aws_takes_has_no_fault() -> None:
    assert function(MemorySize=512, Environment={"Variables": {"AB": "b"}}, Publish=True) == []
    assert form("iam", Action="GetRole", Version="2010-05-08", RoleName="r") == []
    assert form("iam", Action="GetAccountSummary") == []
    assert target("sqs", "AmazonSQS.ListQueues", MaxResults=10) == []
    assert target("logs", "Logs_20140328.DescribeLogGroups") == []
    assert s3("GET", "/bucket/a/key.txt?versionId=1&X-Amz-Signature=0") == []
    assert s3("GET", "/?x-id=ListBuckets") == []
    assert rest("apigateway", "GET", "/account") == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"Role": None}, "Role is required"),
        ({"Memory": 128}, "Memory is not a member"),
        ({"Environment": {"Variable": {}}}, "Environment.Variable is not a member"),
        ({"FileSystemConfigs": [{"Arm": "x"}]}, "FileSystemConfigs.Arm is not a member"),
        ({"Handler": 5}, "Handler is 5, which is not a string"),
        ({"Environment": {"Variables": {"A": "b"}}}, "Environment.Variables is 'A', which does"),
        ({"MemorySize": 64}, "MemorySize is 64, which is not from 128 to"),
        ({"MemorySize": "x"}, "it cannot be read"),
        ({"Runtime": "python2.5"}, "Runtime is 'python2.5', which is none of"),
        ({"Role": "f"}, "Role is 'f', which does not match arn:"),
        (
            {"Description": "x" * 300},
            "the length of Description is 300, which is not from 0 to 256",
        ),
        ({"Layers": [5]}, "Layers is 5, which is not a string"),
    ],
)
def test_a_member_that_breaks_a_rule_is_named(changes: dict[str, Any], fault: str) -> None:
    assert any(fault in found for found in function(**changes))


def test_parameters_of_forms_and_addresses_are_looked_at() -> None:
    assert form("iam", Action="GetRole", RoleNam="r") == [
        "RoleName is required",
        "RoleNam is not a member",
    ]
    assert s3("GET", "/bucket?list-type=2&prefix=a&suffix=b") == ["suffix is not a member"]
    [fault] = form("iam", Action="GetRole", RoleName="a b")
    assert "does not match" in fault


@pytest.mark.parametrize("name", ["prefix", "Suffix", "infix"])
def test_the_rule_of_a_filter_may_have_a_capital(name: str) -> None:
    body = (
        "<NotificationConfiguration><CloudFunctionConfiguration><Filter><S3Key><FilterRule>"
        f"<Name>{name}</Name><Value>a/</Value></FilterRule></S3Key></Filter>"
        "<CloudFunction>arn:aws:lambda:us-east-1:123456789012:function:f</CloudFunction>"
        "<Event>s3:ObjectCreated:*</Event>"
        "</CloudFunctionConfiguration></NotificationConfiguration>"
    )
    faults = s3("PUT", "/bucket?notification", body.encode())
    assert [fault.partition(", ")[2] for fault in faults] == (
        ["which is none of prefix, suffix"] if name == "infix" else []
    )


def test_maps_and_booleans_are_looked_into() -> None:
    [fault] = target("sqs", "AmazonSQS.CreateQueue", QueueName="q", Attributes={"Delay": "1"})
    assert fault.startswith("Attributes is 'Delay', which is none of ")
    name = "Logs_20140328.DescribeLogStreams"
    assert target("logs", name, logGroupName="g", descending="no") == [
        "descending is 'no', which is not a boolean"
    ]
    unknown = {"Id": "1", "MessageBody": "b", "MessageAttributes": {"n": {"Typ": "x"}}}
    found = target("sqs", "AmazonSQS.SendMessageBatch", QueueUrl="u", Entries=[unknown])
    assert "Entries.MessageAttributes.Typ is not a member" in found


@pytest.mark.parametrize(
    ("service", "method", "path"),
    [("lambda", "POST", "/2015-03-31/nothing"), ("teleport", "GET", "/"), ("s3", "BREW", "/b/k")],
)
def test_what_aws_does_not_know_is_named(service: str, method: str, path: str) -> None:
    with pytest.raises(LookupError, match=f"{service} has no operation for {method}"):
        rest(service, method, path)
