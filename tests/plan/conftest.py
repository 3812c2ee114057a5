"""Fixtures of the plan tests: made once a session, and once a worker under pytest-xdist."""

import hashlib
import json
import os
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import local_cloud, terraform
from tests.plan.harness import Workspace, copy_tree, running_provider

FUNCTIONS = ("image_processor", "data_transformer", "api_handler", "example")
ARCHITECTURES = ("x86_64", "arm64")


@pytest.fixture(scope="session")
def cloud_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables for an emulator that answers who the caller is: one for each worker."""
    with local_cloud.running(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud.environment()


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of modules and environments, with small zips where `make package` would put them."""
    target = copy_tree(tmp_path_factory.mktemp("tree"))
    build = target / "build"
    build.mkdir()
    for function in FUNCTIONS:
        for architecture in ARCHITECTURES:
            write_package(build, function, architecture)
    write_package(build, "stale", "x86_64").write_bytes(b"built later")
    return target


@pytest.fixture(scope="session")
def workspace(
    tree: Path, cloud_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workspace]:
    """Plans roots of the copied tree with one running provider."""
    home = tmp_path_factory.mktemp("provider")
    # No profile, credentials or plug-in settings of whoever runs the tests reach a plan.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **cloud_environment,
    }
    for name in ("versions.tf", ".terraform.lock.hcl"):
        (home / name).write_text((tree / "envs/local" / name).read_text())
    install = terraform.environment(os.environ, directory=home) | {"HOME": str(home)}
    terraform.Terraform(home, install, home / "init.log").init()
    # `**` would not follow the link that a mirror leaves for the platform's folder.
    binary = next(home.glob(".terraform/providers/*/*/*/*/*/terraform-provider-aws_*"))
    with running_provider(binary, environment, home / "provider.log") as reattach:
        yield Workspace(tree, {**environment, "TF_REATTACH_PROVIDERS": reattach})


def write_package(build: Path, function: str, architecture: str) -> Path:
    """Write what the packager writes: a zip and, beside it, what it was built for."""
    package = build / f"{function}-{architecture}.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(f"{function}/index.py", "def handler(event, context): ...\n")
    digest = hashlib.sha256(package.read_bytes())
    facts = {
        "function": function,
        "architecture": architecture,
        "runtime": "python3.12",
        "sha256": digest.hexdigest(),
        "sha256_base64": b64encode(digest.digest()).decode(),
    }
    package.with_suffix(".json").write_text(json.dumps(facts))
    return package
