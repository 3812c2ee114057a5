"""The example client that signs its requests, against an API that lets in signed requests only."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.local_cloud import REGION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.api.conftest import Deployment

_PROGRAM = ROOT / "examples" / "python-client" / "uploads_client.py"


def upload(
    deployment: Deployment, file: Path, user: str, *actions: str
) -> subprocess.CompletedProcess[str]:
    """Run the client as a new IAM user who may do these actions."""
    iam = deployment.aws("iam")
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="use", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return subprocess.run(
        [sys.executable, _PROGRAM, deployment.signed_api, file],
        env={
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_DEFAULT_REGION": REGION,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_user_whom_iam_lets_in_gets_the_result(deployment: Deployment, tmp_path: Path) -> None:
    table = tmp_path / "visitors & more.csv"
    table.write_text("day,visitors\n1,2\n")
    done = upload(deployment, table, "uploader", "execute-api:Invoke")
    assert (done.returncode, done.stderr) == (0, "")
    file = json.loads(done.stdout)
    assert file["key"].endswith("/visitors & more.csv")
    assert file["state"] == "succeeded"


def test_another_user_learns_that_this_is_forbidden(deployment: Deployment, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("a\n1\n")
    done = upload(deployment, table, "reader", "s3:ListAllMyBuckets")
    assert (done.returncode, done.stdout) == (1, "")
    assert " answered 403: " in done.stderr
