"""Fixtures of the tests that need a cloud: an emulator, and an environment applied to it."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import tftest  # type: ignore[import-untyped]  # tftest ships no types

from scripts import ROOT, local_cloud, terraform
from scripts.local_cloud import ACCOUNT_ID, REGION, Cloud
from scripts.packaging import __main__ as packaging
from scripts.packaging.project import host_architecture
from scripts.packaging.publish import VARIABLES, publish
from tests.plan import harness
from tests.support import root_user
from uploads_client import Client

STATE_BUCKET = f"terraform-state-{ACCOUNT_ID}"
ARTIFACT_BUCKET = f"artifacts-{ACCOUNT_ID}"
SUFFIX = "e2e"

# Fixtures that take long to make and serve several files: environments, and plans.
SHARED = ("stack", "deployment", "workspace")


# Before pytest-xdist reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give one worker all tests of what files share; what destroys an environment comes last."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        shared = next((name for name in SHARED if name in fixtures), None)
        item.add_marker(pytest.mark.xdist_group(shared or str(item.path)))
    items.sort(key=lambda item: item.get_closest_marker("destroys") is not None)


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An AWS emulator of its own for the session, empty at first."""
    with local_cloud.running(tmp_path_factory.mktemp("cloud") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def workspace(
    cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[harness.Workspace]:
    """Plans modules and environments, with one running provider."""
    folder = tmp_path_factory.mktemp("plan")
    with harness.running_workspace(folder, cloud.environment()) as running:
        yield running


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the real zips, for this machine's architecture."""
    assert packaging.main(["--arch", "host"]) == 0
    return ROOT / "build"


@dataclass
class Stack:
    """`envs/dev`, applied to the emulator."""

    cloud: Cloud
    terraform: tftest.TerraformTest
    variables: Path
    http: httpx.Client

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """Terraform's outputs."""
        outputs = self.terraform.output()
        return {name: outputs[name] for name in outputs}

    @cached_property
    def session(self) -> boto3.Session:
        """The emulator's root user."""
        return root_user.session()

    @cached_property
    def client(self) -> Client:
        """A client of the API."""
        url = self.cloud.api_url(self.outputs["api_id"])
        return Client(url, self.http)

    def aws(self, service: Any, session: boto3.Session | None = None) -> Any:
        """Return a client of an emulated service, as the root user or with a session's keys."""
        return (session or self.session).client(service, endpoint_url=self.cloud.aws.url)


@pytest.fixture(scope="session")
def stack(
    cloud: Cloud, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """`envs/dev` as a team has it, with state and zips in buckets; only the endpoints differ."""
    tree = tmp_path_factory.mktemp("stack")
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars", "backend.hcl")
    for folder in ("modules", "envs", "functions"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    root = tree / "envs" / "dev"
    # The name that Terraform reads by itself, so that the documents' commands need no more.
    variables = root / "terraform.tfvars"
    variables.write_text(
        f'suffix = "{SUFFIX}"\nregion = "{REGION}"\narchitecture = "{host_architecture()}"\n'
    )
    # The path of a backend file, so that the command is the one of the README.
    (root / "backend.hcl").write_text(
        f'bucket = "{STATE_BUCKET}"\nkey = "serverless-uploads/{SUFFIX}.tfstate"\n'
        f'region = "{REGION}"\n'
        "use_path_style = true\nskip_requesting_account_id = true\n"
    )
    environment = terraform.environment(
        cloud.client_environment(os.environ), directory=tree / ".local"
    )
    test = harness.Terraform(str(root), env=environment)
    with httpx.Client(timeout=60) as http:
        stack = Stack(cloud, test, variables, http)
        stack.aws("s3").create_bucket(Bucket=STATE_BUCKET)
        publish_zips(stack, packages, root / "artifacts.auto.tfvars.json")
        test.execute_command("init", "-input=false", "-no-color", "-backend-config=backend.hcl")
        test.apply(tf_var_file=str(variables))
        yield stack


def publish_zips(stack: Stack, packages: Path, variables: Path) -> None:
    """Do as `make package-publish`; put what it writes where Terraform reads it by itself."""
    stack.aws("s3").create_bucket(Bucket=ARTIFACT_BUCKET)
    # A copy: what is written beside the zips names a bucket that only the tests have.
    build = shutil.copytree(packages, variables.with_name("published"))
    records = [
        json.loads(path.read_bytes()) for path in build.glob(f"*-{host_architecture()}.json")
    ]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.cloud.environment().items():
            patch.setenv(name, value)
        publish(build, records, f"s3://{ARTIFACT_BUCKET}/releases")
    (build / VARIABLES).rename(variables)
    shutil.rmtree(build)
