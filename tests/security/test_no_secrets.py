"""What the platform writes down for operators holds no secret: state, plan and logs.

Anybody who may read these shall not be able to upload or to download with what is in them.
"""

import json
import re
from pathlib import Path

import httpx

from tests.conftest import STATE_BUCKET, Stack

# What a signature is made of, or opens a door by itself.
SECRETS = re.compile(
    r"X-Amz-Signature|x-amz-signature|X-Amz-Security-Token|x-amz-security-token|AWSSecretKey"
    r"|aws_secret_access_key|secret_key|SecretAccessKey|BEGIN [A-Z ]*PRIVATE KEY"
    # Access keys of people, roles and root users.
    r"|\b(?:AKIA|ASIA|ABIA)[A-Z2-7]{16}\b"
)


def test_the_pattern_finds_what_a_client_gets(stack: Stack) -> None:
    form = stack.client.form("secret.csv")
    assert SECRETS.search(json.dumps(form))


def test_state_and_plan_hold_no_secret(stack: Stack, tmp_path: Path) -> None:
    s3 = stack.aws("s3")
    states = [o["Key"] for o in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert any(key.endswith(".tfstate") for key in states)
    texts = {k: s3.get_object(Bucket=STATE_BUCKET, Key=k)["Body"].read().decode() for k in states}
    plan = tmp_path / "plan.tfplan"
    run = stack.terraform.execute_command
    run("plan", "-input=false", "-no-color", f"-out={plan}", f"-var-file={stack.variables}")
    texts["plan"] = run("show", "-json", str(plan)).out
    texts["plan file"] = plan.read_bytes().decode("latin-1")
    assert [(name, found) for name, text in texts.items() if (found := SECRETS.findall(text))] == []


def test_the_logs_hold_no_secret(stack: Stack) -> None:
    # A form and a link were made, by this request at the latest.
    form = stack.client.form("logged.csv")
    httpx.post(form["url"], data=form["fields"], files={"file": b"a\n1\n"}).raise_for_status()
    assert "X-Amz-" in json.dumps(stack.client.wait(form["key"]))
    logs = stack.aws("logs")
    groups = [*stack.outputs["log_group_names"].values(), stack.outputs["api_log_group_name"]]
    lines = {
        group: [
            event["message"]
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        for group in groups
    }
    assert lines[stack.outputs["log_group_names"]["api_handler"]]
    assert lines[stack.outputs["log_group_names"]["data_transformer"]]
    assert [line for group in groups for line in lines[group] if SECRETS.search(line)] == []
