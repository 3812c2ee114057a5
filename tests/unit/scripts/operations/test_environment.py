from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.client import BaseClient

from scripts import local_cloud, terraform
from scripts.local_cloud import Cloud, Server
from scripts.operations import environment
from scripts.operations.environment import Environment
from scripts.operations.errors import OperationError
from tests.unit.scripts import fake_terraform
from tests.unit.scripts.operations.fakes import OUTPUTS

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "111122223333"
AWS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "HOME": "/nowhere"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The account that credentials are of; a test may change it."""
    found = {"Account": ACCOUNT}

    class Sts:
        def get_caller_identity(self) -> dict[str, str]:
            return found

    monkeypatch.setattr(Environment, "sts", Sts())
    return found


@pytest.fixture
def variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = json.dumps({name: {"value": value} for name, value in OUTPUTS.items()})
    path = fake_terraform.install(tmp_path / "bin", f"echo '{values}'")
    monkeypatch.setattr(environment, "LOCAL", tmp_path)
    monkeypatch.setattr(terraform, "LOCAL", tmp_path)
    own = tmp_path / "own.rc"
    own.touch()
    return AWS | {"PATH": path, "TF_CLI_CONFIG_FILE": str(own)}


@pytest.mark.usefixtures("account")
def test_an_environment_on_aws(variables: dict[str, str]) -> None:
    found = environment.find("dev", variables)
    assert (found.bucket, found.region, found.account) == ("bucket", "eu-west-1", ACCOUNT)
    assert found.api_url == "https://a1.example/prod"
    assert found.queue_url("api_handler") == "https://sqs.example/1/api_handler-dev-dlq"
    assert found.function_name("api_handler") == "api_handler-dev"
    clients = (
        found.apigateway,
        found.cloudwatch,
        found.events,
        found.functions,
        found.logs,
        found.s3,
        found.sqs,
    )
    for client in clients:
        assert isinstance(client, BaseClient)
        assert client.meta.region_name == "eu-west-1"
        assert client.meta.endpoint_url.endswith(".amazonaws.com")
    with pytest.raises(OperationError, match="dev has no function word_count: name one of"):
        found.queue_url("word_count")
    found.close()


@pytest.mark.usefixtures("account")
def test_the_local_environment_is_in_the_local_cloud(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = Server("http://127.0.0.1:1", 1, 0.0)
    monkeypatch.setattr(local_cloud, "find", lambda: Cloud(tmp_path, aws))
    found = environment.find("local", variables)
    assert found.api_url == "http://127.0.0.1:1/restapis/a1/prod/_user_request_"
    assert found.sqs.meta.endpoint_url == "http://127.0.0.1:1"
    credentials = found.session.get_credentials()
    assert credentials is not None
    assert credentials.access_key == "test"
    found.close()


def test_a_local_cloud_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "find", lambda: None)
    with pytest.raises(OperationError, match="`make up` starts it"):
        environment.find("local", AWS)


def test_an_unknown_environment() -> None:
    with pytest.raises(OperationError, match="unknown environment staging: name one of dev, local"):
        environment.find("staging", AWS)


@pytest.mark.usefixtures("account")
def test_an_environment_elsewhere(variables: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "main.tf").touch()
    environment.find(str(tmp_path), variables)
    assert fake_terraform.runs(tmp_path / "bin") == [f"-chdir={tmp_path} output -json -no-color"]


def test_an_environment_that_is_not_applied(variables: dict[str, str], tmp_path: Path) -> None:
    variables["PATH"] = fake_terraform.install(tmp_path / "empty", "echo '{}'")
    with pytest.raises(OperationError, match=r"dev has no output api_.*`terraform init`"):
        environment.find("dev", variables)


def test_credentials_of_another_account(variables: dict[str, str], account: dict[str, str]) -> None:
    account["Account"] = "444455556666"
    with pytest.raises(OperationError, match=f"dev is in account {ACCOUNT}, .* of account 4444"):
        environment.find("dev", variables)


def test_a_client_of_sts() -> None:
    made = Environment("dev", OUTPUTS, boto3.Session("id", "secret", region_name="eu-west-1"))
    assert made.sts.meta.service_model.service_name == "sts"
    made.close()
