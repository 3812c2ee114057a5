"""The roles of `envs/github` are enough for production with every setting on.

An account's administrator makes what production names (a key, a web ACL, a bucket of zips) and the
roles; the deploying role applies `envs/prod`, and the planning role finds no change.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from scripts import local_cloud, terraform
from scripts.local_cloud import ACCOUNT_ID, REGION
from scripts.packaging import __main__ as packaging
from scripts.packaging.publish import VARIABLES
from tests.plan import harness
from tests.support import root_user
from tests.support.credentials import session_of, variables_of
from tests.support.documentation import copy_project
from tests.support.environments import STATE_BUCKET, initialised, workflow_roles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import boto3

    from scripts.local_cloud import Cloud

_RECEIVERS = """
module "stack" {
  event_targets = {
    crm    = { url = "https://crm.example.com/uploads", connection_arn = "CONNECTION" }
    tables = { queue_arn = "arn:aws:sqs:REGION:ACCOUNT:tables" }
  }
}
"""
ARTIFACTS, ACCESS_LOGS = "uploads-zips", "uploads-logs"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Cloud]:
    with local_cloud.running(tmp_path / "cloud") as cloud:
        for bucket in (STATE_BUCKET, ARTIFACTS, ACCESS_LOGS):
            root_user.client(cloud, "s3").create_bucket(Bucket=bucket)
        yield cloud


@pytest.fixture
def settings(account: Cloud, tmp_path: Path) -> dict[str, Any]:
    """What production names of the account, as variables of `envs/prod`."""
    acl = root_user.client(account, "wafv2").create_web_acl(
        Name="uploads",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False,
            "CloudWatchMetricsEnabled": False,
            "MetricName": "uploads",
        },
    )
    topic = root_user.client(account, "sns").create_topic(Name="oncall")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment().items():
            patch.setenv(name, value)
        where = ["--to", str(tmp_path / "zips"), "--publish", f"s3://{ARTIFACTS}/releases"]
        assert packaging.main(["--arch", "arm64", *where]) == 0
    published: dict[str, Any] = json.loads((tmp_path / "zips" / VARIABLES).read_bytes())
    return published | {
        "access_log": {"bucket": ACCESS_LOGS},
        "account_id": ACCOUNT_ID,
        "alarm_topic_arns": [topic["TopicArn"]],
        "events_enabled": True,
        "kms_key_arn": root_user.client(account, "kms").create_key()["KeyMetadata"]["Arn"],
        "region": REGION,
        "web_acl_arn": acl["Summary"]["ARN"],
    }


def test_production_is_applied_by_one_role_and_planned_by_the_other(
    account: Cloud, settings: dict[str, Any], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    copy_project(project)
    environment = account.client_environment(terraform.environment(os.environ))
    roles = workflow_roles(
        project / "envs/github",
        "prod",
        environment,
        artifact_bucket_arns=[f"arn:aws:s3:::{ARTIFACTS}"],
        kms_key_arns=[settings["kms_key_arn"]],
        web_acl_arns=[settings["web_acl_arn"]],
    )
    settings["permissions_boundary_arn"] = roles.output()["boundary_arns"]["prod"]
    connection = root_user.client(account, "events").create_connection(
        Name="crm",
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": "key"}},
    )
    receivers = _RECEIVERS.replace("CONNECTION", connection["ConnectionArn"])
    receivers = receivers.replace("REGION", REGION).replace("ACCOUNT", ACCOUNT_ID)
    (project / "envs/prod/main_override.tf").write_text(receivers)
    prod = initialised(project / "envs/prod", "prod", settings, environment)

    deploying = session_of(account, "serverless-uploads-prod-deploy")
    _as(deploying, prod, "apply", "-auto-approve")
    planning = session_of(account, "serverless-uploads-prod-plan")
    planned = _as(planning, prod, "plan", "-lock=false", "-detailed-exitcode")
    assert planned.retcode == 0, planned.out


def _as(session: boto3.Session, run: harness.Terraform, command: str, *options: str) -> Any:
    """Run a command with the credentials of a role."""
    other = harness.Terraform(run.tfdir, env={**run.env, **variables_of(session)})
    return other.execute_command(command, "-input=false", "-no-color", *options)
