"""A deployed environment as its Terraform outputs describe it, on AWS or on the emulator."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.client import BaseClient
from botocore.config import Config

from scripts import LOCAL, ROOT, local_cloud, terraform
from scripts.local_cloud import stage_url
from scripts.operations.errors import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_apigateway.client import APIGatewayClient
    from types_boto3_cloudwatch.client import CloudWatchClient
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_logs.client import CloudWatchLogsClient
    from types_boto3_s3.client import S3Client
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sts.client import STSClient

LOCAL_NAME: Final = "local"

# How many requests to one service may be under way.
CONNECTIONS: Final = 16

_NEEDED: Final = frozenset(
    {
        "api_gateway_url",
        "api_id",
        "api_name",
        "functions",
        "image_processor_arn",
        "s3_bucket_name",
    }
)
_CONFIG: Final = Config(
    connect_timeout=10,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=CONNECTIONS,
)


@dataclass(frozen=True)
class Environment:
    """The resources of an environment, and clients for them.

    Attributes:
        name: as the user gave it, a folder of `envs/` or a path.
        outputs: Terraform's outputs.
        session: credentials and region.
        endpoints: `AWS_ENDPOINT_URL…` variables, empty for AWS itself.
    """

    name: str
    outputs: Mapping[str, Any]
    session: boto3.Session
    endpoints: Mapping[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self.outputs["s3_bucket_name"])

    @property
    def region(self) -> str:
        """Region that the environment is in."""
        return self._arn_part(3)

    @property
    def account(self) -> str:
        """Account that the environment is in."""
        return self._arn_part(4)

    @property
    def api_url(self) -> str:
        """Address of the API, without a trailing slash."""
        if self.is_emulated:
            return stage_url(self.endpoints["AWS_ENDPOINT_URL"], self.outputs["api_id"])
        return str(self.outputs["api_gateway_url"])

    @property
    def is_emulated(self) -> bool:
        """Whether the environment is on an emulator instead of AWS."""
        return bool(self.endpoints.get("AWS_ENDPOINT_URL"))

    @property
    def api_log_group(self) -> str | None:
        """Name of the log group with the API's access log; None when the API does not log."""
        return self.outputs.get("api_log_group_name")

    @property
    def function_names(self) -> tuple[str, ...]:
        """The functions, as the Terraform modules call them (`image_processor`)."""
        return tuple(self.outputs["functions"])

    @property
    def processors(self) -> dict[str, tuple[str, ...]]:
        """The functions that uploads start, each with the endings of their files' names."""
        return {
            name: tuple(function["kinds"])
            for name, function in self.outputs["functions"].items()
            if function["kinds"]
        }

    @property
    def event_targets(self) -> tuple[str, ...]:
        """Names of the receivers of events."""
        return tuple(self.outputs.get("event_targets", {}))

    def function_name(self, function: str) -> str:
        """Return a function's name in AWS."""
        return self._of(function, "function_name")

    def queue_url(self, name: str) -> str:
        """Return the address of the dead-letter queue of a function or an event target."""
        if name in self.event_targets:
            return str(self.outputs["event_targets"][name]["queue_url"])
        return self._of(name, "queue_url")

    def log_group(self, function: str) -> str:
        """Return the name of a function's log group."""
        return self._of(function, "log_group")

    @cached_property
    def apigateway(self) -> APIGatewayClient:
        """Client of API Gateway."""
        return self.session.client(
            "apigateway", endpoint_url=self._endpoint("API_GATEWAY"), config=_CONFIG
        )

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Client of CloudWatch."""
        return self.session.client(
            "cloudwatch", endpoint_url=self._endpoint("CLOUDWATCH"), config=_CONFIG
        )

    @cached_property
    def events(self) -> EventBridgeClient:
        """Client of EventBridge."""
        return self.session.client(
            "events", endpoint_url=self._endpoint("EVENTBRIDGE"), config=_CONFIG
        )

    @cached_property
    def functions(self) -> LambdaClient:
        """Client of Lambda."""
        return self.session.client("lambda", endpoint_url=self._endpoint("LAMBDA"), config=_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Client of CloudWatch Logs."""
        return self.session.client("logs", endpoint_url=self._endpoint("LOGS"), config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        """Client of S3."""
        return self.session.client("s3", endpoint_url=self._endpoint("S3"), config=_CONFIG)

    @cached_property
    def sqs(self) -> SQSClient:
        """Client of SQS."""
        return self.session.client("sqs", endpoint_url=self._endpoint("SQS"), config=_CONFIG)

    @cached_property
    def sts(self) -> STSClient:
        """Client of STS."""
        return self.session.client("sts", endpoint_url=self._endpoint("STS"), config=_CONFIG)

    def check_account(self) -> None:
        """Make sure that the credentials are of the account that the environment is in.

        Raises:
            OperationError: they belong to a different account.
        """
        account = self.sts.get_caller_identity()["Account"]
        if account != self.account:
            raise OperationError(
                f"{self.name} is in account {self.account}, but the credentials are of account "
                f"{account}: set AWS_PROFILE, or log in to the other account"
            )

    def close(self) -> None:
        """Close the connections of the clients that were used."""
        for value in vars(self).values():
            if isinstance(value, BaseClient):
                value.close()

    def _of(self, function: str, attribute: str) -> str:
        if function not in self.function_names:
            raise OperationError(
                f"{self.name} has no function {function}: name one of "
                f"{', '.join((*self.function_names, *self.event_targets))}"
            )
        return str(self.outputs["functions"][function][attribute])

    def _arn_part(self, index: int) -> str:
        return str(self.outputs["image_processor_arn"]).split(":")[index]

    def _endpoint(self, service: str) -> str | None:
        return self.endpoints.get(f"AWS_ENDPOINT_URL_{service}") or self.endpoints.get(
            "AWS_ENDPOINT_URL"
        )


def find(name: str, variables: Mapping[str, str] = os.environ) -> Environment:
    """Return a deployed environment.

    Args:
        name: a folder of `envs/`, or a path with a slash; `local` is the local cloud's.
        variables: environment variables.

    Raises:
        OperationError: the environment does not exist or is not applied, or the credentials are not
            of its account.
        TerraformError: Terraform is missing, or cannot read the state.
    """
    directory = Path(name) if "/" in name else ROOT / "envs" / name
    if not (directory / "main.tf").is_file():
        known = sorted(
            path.parent.name
            for path in ROOT.glob("envs/*/outputs.tf")
            if 'output "functions"' in path.read_text()
        )
        raise OperationError(
            f"unknown environment {name}: name one of {', '.join(known)}, or the path of its folder"
        )
    if name == LOCAL_NAME:
        cloud = local_cloud.find()
        if not cloud:
            raise OperationError("the local cloud is not running: `make up` starts it")
        variables = cloud.client_environment(variables)
    env = terraform.environment(variables)
    outputs = terraform.Terraform(directory, env, LOCAL / "terraform.log").outputs()
    missing = sorted(_NEEDED - outputs.keys())
    if missing:
        raise OperationError(
            f"{name} has no output {', '.join(missing)}: run `terraform init` and `terraform "
            f"apply` in {directory}"
        )
    session = boto3.Session(
        aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name=str(outputs["image_processor_arn"]).split(":")[3],
    )
    endpoints = {key: v for key, v in variables.items() if key.startswith("AWS_ENDPOINT_URL")}
    environment = Environment(name, outputs, session, endpoints)
    try:
        environment.check_account()
    except BaseException:
        environment.close()
        raise
    return environment
