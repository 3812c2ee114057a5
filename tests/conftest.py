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
from scripts.packaging.project import host_architecture, local_build
from scripts.packaging.publish import VARIABLES, publish
from tests.plan import harness
from tests.support import root_user
from tests.support.credentials import session_of, variables_of
from tests.support.environments import STATE_BUCKET, initialised, workflow_roles
from uploads_client import Client

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
    return local_build(ROOT)


@dataclass
class Stack:
    """`envs/dev`, applied to the emulator.

    Attributes:
        cloud: the emulator.
        terraform: runs in the environment's folder, as the root user.
        workflow_roles: runs in the folder of the roles that applied it and that plan it.
        http: for the API and the bucket.
    """

    cloud: Cloud
    terraform: tftest.TerraformTest
    workflow_roles: tftest.TerraformTest
    http: httpx.Client

    @property
    def root(self) -> Path:
        """The environment's folder."""
        return Path(self.terraform.tfdir)

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
    """`envs/dev` as a team has it: applied by its role, with state and zips in buckets."""
    tree = tmp_path_factory.mktemp("stack")
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars", "backend.hcl")
    for folder in ("modules", "envs", "functions"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    environment = terraform.environment(
        cloud.client_environment(os.environ), directory=tree / ".local"
    )
    root_user.client(cloud, "s3").create_bucket(Bucket=STATE_BUCKET)
    artifacts = [f"arn:aws:s3:::{ARTIFACT_BUCKET}"]
    roles = workflow_roles(
        tree / "envs/github", SUFFIX, environment, artifact_bucket_arns=artifacts
    )
    root = tree / "envs/dev"
    variables = {
        "suffix": SUFFIX,
        "region": REGION,
        "architecture": host_architecture(),
        "permissions_boundary_arn": roles.output()["boundary_arns"][SUFFIX],
    }
    publish_zips(cloud, packages, root / "artifacts.auto.tfvars.json")
    test = initialised(root, SUFFIX, variables, environment)
    deploying = variables_of(session_of(cloud, f"serverless-uploads-{SUFFIX}-deploy"))
    harness.Terraform(str(root), env={**environment, **deploying}).apply()
    with httpx.Client(timeout=60) as http:
        yield Stack(cloud, test, roles, http)


def publish_zips(cloud: Cloud, packages: Path, variables: Path) -> None:
    """Do as `make package-publish`; put what it writes where Terraform reads it by itself."""
    root_user.client(cloud, "s3").create_bucket(Bucket=ARTIFACT_BUCKET)
    # A copy: what is written beside the zips names a bucket that only the tests have.
    build = shutil.copytree(packages, variables.with_name("published"))
    records = [
        json.loads(path.read_bytes()) for path in build.glob(f"*-{host_architecture()}.json")
    ]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cloud.environment().items():
            patch.setenv(name, value)
        publish(build, records, f"s3://{ARTIFACT_BUCKET}/releases")
    (build / VARIABLES).rename(variables)
    shutil.rmtree(build)
