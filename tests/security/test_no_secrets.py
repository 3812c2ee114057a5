"""What the platform writes down for operators holds no secret: state, plan and logs.

Anybody who may read these shall not be able to upload or to download with what is in them.
"""

import json
import re
from pathlib import Path

import httpx
import pytest

from tests.conftest import Stack
from tests.support.environments import STATE_BUCKET

# What opens a door by itself: signatures and session tokens with their value, and keys.
SECRETS = re.compile(
    r"x-amz-(?:signature|security-token)[\\\"']*\s*[=:]\s*[\\\"']*[\w+/%-]{16,}"
    r"|(?:aws_?secret_?(?:access_?)?key|secretaccesskey|secret_key)[\\\"']*\s*[=:]\s*[\\\"']*\w+"
    r"|BEGIN [A-Z ]*PRIVATE KEY"
    # Access keys of people and roles.
    r"|\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    "text",
    [
        "https://b/?X-Amz-Signature=0123456789abcdef0123",
        r"{\"x-amz-signature\": \"0123456789abcdef0123\"}",
        '"X-Amz-Security-Token": "IQoJb3JpZ2luX2VjEXAMPLE"',
        'aws_secret_access_key = "wJalrXUtnFEMI"',
        '"SecretAccessKey": "wJalrXUtnFEMI"',
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
)
def test_the_pattern_finds_a_secret(text: str) -> None:
    assert SECRETS.search(text)


def test_the_pattern_passes_the_name_of_a_header() -> None:
    assert not SECRETS.search("'Content-Type,X-Amz-Security-Token,X-Api-Key'")


def test_the_pattern_finds_what_a_client_gets(stack: Stack) -> None:
    form = stack.client.start("secret.csv")
    assert SECRETS.search(json.dumps(form))


def test_state_and_plan_hold_no_secret(stack: Stack, tmp_path: Path) -> None:
    s3 = stack.aws("s3")
    states = [o["Key"] for o in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert any(key.endswith(".tfstate") for key in states)
    texts = {k: s3.get_object(Bucket=STATE_BUCKET, Key=k)["Body"].read().decode() for k in states}
    plan = tmp_path / "plan.tfplan"
    run = stack.terraform.execute_command
    run("plan", "-input=false", "-no-color", f"-out={plan}")
    texts["plan"] = run("show", "-json", str(plan)).out
    texts["plan file"] = plan.read_bytes().decode("latin-1")
    assert [(name, found) for name, text in texts.items() if (found := SECRETS.findall(text))] == []


def test_the_logs_hold_no_secret(stack: Stack) -> None:
    # A form and a link were made, by this request at the latest.
    form = stack.client.start("logged.csv")
    httpx.post(form["url"], data=form["fields"], files={"file": b"a\n1\n"}).raise_for_status()
    assert "X-Amz-" in json.dumps(stack.client.wait(form["key"]))
    logs = stack.aws("logs")
    groups = [
        *(f["log_group"] for f in stack.outputs["functions"].values()),
        stack.outputs["api_log_group_name"],
    ]
    lines = {
        group: [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        for group in groups
    }
    assert lines[stack.outputs["functions"]["api_handler"]["log_group"]]
    assert lines[stack.outputs["functions"]["data_transformer"]["log_group"]]
    assert [line for group in groups for line in lines[group] if SECRETS.search(line)] == []
