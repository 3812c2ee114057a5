"""Every command of the documents is run, on the shared environment or on a local cloud.

It is typed as it stands there, in a copy of the project in which `envs/dev` and `envs/prod` are the
shared environment. `ELSEWHERE` lists what cannot be run here, and why.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from scripts import ROOT
from scripts.local_cloud import samples
from scripts.operations import doctor
from tests.conftest import ARTIFACT_BUCKET, Stack
from tests.support.documentation import commands, copy_project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DOCUMENTS: Final = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
DOCUMENTED: Final = list(dict.fromkeys(line for path in DOCUMENTS for line in commands(path)))

_TESTS = "these are the tests"
_RECEIVERS = "tests/e2e/api/test_events.py has a receiver of events"
_ONLINE = "needs the internet"
_ACCOUNT = "needs an account; tests/e2e/test_new_account.py makes its comparisons"
_WALK = "tests/e2e/test_new_account.py types it"
_GITHUB = "wants a repository; tests/security/test_workflow_roles.py applies the folder"
ELSEWHERE: Final = {
    "make unit": _TESTS,
    "make lint": _TESTS,
    "make test": _TESTS,
    ".venv/bin/pytest tests/unit/uploads": _TESTS,
    ".venv/bin/pytest tests/plan -k prod": _TESTS,
    "make audit": _ONLINE,
    "make verify-aws ENV=dev ACCOUNT=123456789012": _ACCOUNT,
    "make lock LOCK_FLAGS=--upgrade": _ONLINE,
    "terraform -chdir=envs/dev init -upgrade": _ONLINE,
    "make redrive ENV=prod FUNCTION=crm ARGS=--dry-run": _RECEIVERS,
    "make redrive ENV=prod FUNCTION=crm": _RECEIVERS,
    "git checkout HEAD~1": "the copy has no history",
    "cd envs/account": _WALK,
    "terraform init": _WALK,
    "terraform apply -var=account_id=123456789012": _WALK,
    "cd ../dev": _WALK,
    "cp backend.hcl.example backend.hcl": _WALK,
    "terraform apply -var=suffix=alice": _WALK,
    "cd envs/github": _GITHUB,
    "gh api repos/OWNER/REPOSITORY/actions/oidc/customization/sub --jq .sub_claim_prefix": _GITHUB,
    'terraform apply -var=account_id=123456789012 -var=\'environments=["dev", "prod"]\''
    " -var=subject_prefix=repo:OWNER@1/REPOSITORY@2": _GITHUB,
    "terraform output boundary_arns": _GITHUB,
}
# On a local cloud of their own; what removes it comes last.
LOCAL: Final = sorted(
    (
        line
        for line in DOCUMENTED
        if re.match(r"eval|make (demo|up|load|reprocess|down)\b(?!.* ENV=)", line)
    ),
    key="make down".__eq__,
)
SHARED: Final = [line for line in DOCUMENTED if line not in ELSEWHERE and line not in LOCAL]

# What stands in the documents for something of the reader's.
KEY: Final = "uploads/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/photo.jpg"
REQUESTS: Final = (
    "4f0c8f62-8e2c-4c55-9b5f-0a8b5b4d8e1a",
    "8a4f1a52-6d0d-4d55-9f0e-3a8e3f5f7c11",
)


@dataclass(frozen=True)
class Shell:
    """A shell in a copy of the project.

    Attributes:
        project: the copy.
        env: variables of the shell.
        replaced: what is typed in place of what the document says.
    """

    project: Path
    env: Mapping[str, str]
    replaced: Mapping[str, str]

    def start(self, line: str) -> subprocess.Popen[str]:
        for documented, typed in self.replaced.items():
            line = line.replace(documented, typed)
        # Terraform's lines without a folder follow a `cd` to one.
        bare = "terraform " in line and "-chdir" not in line
        return subprocess.Popen(
            ["bash", "-c", line],
            cwd=self.project / "envs" / "dev" if bare else self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, line: str) -> str:
        """Run a line to its end; return what it printed."""
        process = self.start(line)
        printed = process.communicate(timeout=300)[0]
        assert process.returncode == 0, f"{line}\n{printed}"
        return printed

    def follow(self, line: str, until: str) -> list[str]:
        """Run a line that has no end until a text is printed; return the printed lines."""
        process = self.start(line)
        assert process.stdout
        printed = []
        try:
            for part in process.stdout:
                printed.append(part)
                if until in part:
                    return printed
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=60)
        raise AssertionError("".join(printed))


@pytest.fixture(scope="module")
def shared(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose `dev` and `prod` are the shared environment, with an upload of the document."""
    project = tmp_path_factory.mktemp("documents")
    copy_project(project)
    for name in ("dev", "prod"):
        shutil.rmtree(project / "envs" / name)
        (project / "envs" / name).symlink_to(stack.root)
    # Terraform is in the folder itself, from where ../../build is another.
    (stack.root.parents[1] / "build").symlink_to(project / "build")
    for queue in (f["queue_url"] for f in stack.outputs["functions"].values()):
        stack.aws("sqs").purge_queue(QueueUrl=queue)
    (project / ".curlrc").write_text("fail-with-body\nsilent\n")
    env = {
        **stack.terraform.env,
        "url": stack.cloud.api_url(stack.outputs["api_id"]),
        "CURL_HOME": str(project),
    }
    bucket, picture = stack.outputs["s3_bucket_name"], doctor.picture()
    stack.aws("s3").put_object(Bucket=bucket, Key=KEY, Body=picture, ContentType="image/png")
    stack.client.wait(KEY)
    replaced = {
        # What a load measures is not looked at here.
        "--uploads 5000": "--uploads 10",
        "uploads/<id>/photo.jpg": KEY,
        "s3://our-artifacts/serverless-uploads": f"s3://{ARTIFACT_BUCKET}/releases",
        "s3://bucket/prefix": f"s3://{ARTIFACT_BUCKET}/releases",
    }
    shell = Shell(project, env, replaced)
    # An invocation whose lines can be looked for.
    lines = shell.follow(f"make logs ENV=prod KEY={KEY} ARGS='--follow --json'", until="succeeded")
    request = json.loads(lines[-1])["request_id"]
    return dataclasses.replace(shell, replaced={**replaced, **dict.fromkeys(REQUESTS, request)})


@pytest.mark.parametrize("line", SHARED)
def test_a_command_works_on_an_environment(shared: Shell, line: str) -> None:
    if "--follow" in line:
        shared.follow(line, until="succeeded")
    else:
        shared.run(line)


def test_the_commands_of_a_local_cloud_work(tmp_path: Path) -> None:
    copy_project(tmp_path)
    photo, _, table, _ = samples.write(tmp_path / "samples")
    photo.rename(tmp_path / "photo.jpg")
    table.rename(tmp_path / "table.csv")
    shell = Shell(tmp_path, os.environ, {"make load": "make load ARGS='--uploads 10'"})
    try:
        for line in LOCAL:
            shell.run(line)
    finally:
        shell.run("make down")


def test_what_is_run_elsewhere_is_documented() -> None:
    assert ELSEWHERE.keys() <= set(DOCUMENTED)
