"""The README leads from an account as AWS gives it to a first upload, and back to an empty account.

Its commands are typed as they stand there, in a copy of the project. What is typed in their place:
the account's id and region, and `yes`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scripts import ROOT, local_cloud, terraform
from scripts.local_cloud import ACCOUNT_ID, REGION
from scripts.operations import environment
from tests import verify_aws
from tests.support import root_user
from tests.support.buckets import remove_all
from tests.support.documentation import commands, copy_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.local_cloud import Cloud

DEPLOYED = "terraform apply -var=suffix=alice"
PROD = {
    "account_id": ACCOUNT_ID,
    "alarm_topic_arns": [f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:oncall"],
    "cors_allowed_origins": ["https://app.example.com"],
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with local_cloud.running(
        tmp_path_factory.mktemp("new") / "cloud", new_account=True, repeat_events=True
    ) as cloud:
        yield cloud


class Walk:
    """A shell in a copy of the project, from an empty account on."""

    def __init__(self, account: Cloud, project: Path) -> None:
        copy_project(project)
        self.project = project
        self.env = {
            **account.client_environment(terraform.environment(os.environ)),
            "TF_VAR_region": REGION,
            "TF_CLI_ARGS_apply": "-auto-approve -no-color",
            "TF_CLI_ARGS_destroy": "-auto-approve -no-color",
        }

    def type(self, *lines: str, folder: str = ".") -> str:
        """Type lines one after the other; return what they printed."""
        script = "\n".join(["set -e", *lines])
        script = script.replace("123456789012", ACCOUNT_ID)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.project / folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.project / path
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))


def test_from_an_empty_account_to_a_first_upload_and_back(account: Cloud, tmp_path: Path) -> None:
    walk = Walk(account, tmp_path / "project")
    for name in ("dev", "prod"):
        example = f"envs/{name}/backend.hcl.example"
        walk.edit(example, "123456789012", ACCOUNT_ID)
        walk.edit(example, "eu-central-1", REGION)
    documented = commands(ROOT / "README.md")
    first, last = documented.index("make package"), documented.index(DEPLOYED)
    walk.type(*documented[first : last + 1])

    with (
        contextlib.closing(environment.find(str(walk.project / "envs/dev"), walk.env)) as dev,
        httpx.Client(timeout=60) as http,
    ):
        findings = list(verify_aws.comparisons(dev, http, tmp_path / "samples"))
    assert len(findings) > 15
    assert [finding for finding in findings if finding.expected != finding.found] == []
    again = walk.type("terraform plan -no-color -var=suffix=alice", folder="envs/dev")
    assert "No changes." in again

    (walk.project / "envs/prod/terraform.tfvars.json").write_text(json.dumps(PROD))
    planned = walk.type(
        "cp backend.hcl.example backend.hcl",
        "terraform init -backend-config=backend.hcl",
        "terraform plan -no-color",
        folder="envs/prod",
    )
    assert " to add, 0 to change, 0 to destroy." in planned

    walk.type("terraform destroy -var=suffix=alice", folder="envs/dev")
    for path in ("envs/account/main.tf", "envs/account/logging.tf"):
        walk.edit(path, "prevent_destroy = true", "prevent_destroy = false")
    remove_all(root_user.client(account, "s3"), f"terraform-state-{ACCOUNT_ID}")
    walk.type("terraform destroy -var=account_id=123456789012", folder="envs/account")
    assert _left(account) == {}


def test_another_account_is_not_touched(
    account: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in account.environment().items():
        monkeypatch.setenv(name, value)
    assert verify_aws.main(["--account", "123456789012"]) == 1
    assert "the credentials are of account 000000000000, not of" in capsys.readouterr().err


def _left(account: Cloud) -> dict[str, Any]:
    """Return what the account still has, by kind."""
    kinds = {
        ("s3", "list_buckets"): "Buckets",
        ("lambda", "list_functions"): "Functions",
        ("apigateway", "get_rest_apis"): "items",
        ("sqs", "list_queues"): "QueueUrls",
        ("iam", "list_roles"): "Roles",
        ("logs", "describe_log_groups"): "logGroups",
    }
    found = {
        f"{service} {kind}": getattr(root_user.client(account, service), operation)().get(kind)
        for (service, operation), kind in kinds.items()
    }
    return {name: things for name, things in found.items() if things}
