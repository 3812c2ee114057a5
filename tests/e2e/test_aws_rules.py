"""The emulator refuses and answers as AWS does, where a rule says so; docs/fidelity.md has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts import local_cloud
from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.support import root_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.local_cloud import Cloud

ROLE = "rules"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE}"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:rules-dlq"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An account of its own."""
    with local_cloud.running(tmp_path_factory.mktemp("rules") / "cloud") as running:
        yield running


def _client(account: Cloud, service: Any) -> Any:
    return root_user.session().client(service, endpoint_url=account.aws.url)


def test_a_stage_logs_only_with_the_role_of_the_account(account: Cloud) -> None:
    apigateway = _client(account, "apigateway")
    api = apigateway.create_rest_api(name="rules")["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    where = {"restApiId": api, "resourceId": root, "httpMethod": "OPTIONS"}
    apigateway.put_method(**where, authorizationType="NONE")
    put = apigateway.put_integration(**where, type="MOCK", integrationHttpMethod="POST")
    found = apigateway.get_integration(**where)
    assert (put["type"], found["type"]) == ("MOCK", "MOCK")
    assert "httpMethod" not in put | found

    deployment = apigateway.create_deployment(restApiId=api)["id"]
    apigateway.create_stage(restApiId=api, stageName="prod", deploymentId=deployment)
    level = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}

    def log() -> None:
        apigateway.update_stage(restApiId=api, stageName="prod", patchOperations=[level])

    log()
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}
    apigateway.update_account(patchOperations=[role])
    with pytest.raises(apigateway.exceptions.BadRequestException, match="CloudWatch Logs role"):
        log()


def test_a_request_that_breaks_a_model_is_refused(account: Cloud) -> None:
    # Unchecked, as a tool of another language might send it.
    unchecked = Config(parameter_validation=False)
    functions = root_user.session().client("lambda", endpoint_url=account.aws.url, config=unchecked)
    with pytest.raises(
        ClientError, match="lambda GetFunction: Qualifier is '!', which does not match"
    ):
        functions.get_function(FunctionName="f", Qualifier="!")
    iam: Any = root_user.session().client("iam", endpoint_url=account.aws.url, config=unchecked)
    with pytest.raises(ClientError, match="iam CreateRole: AssumeRolePolicyDocument is required"):
        iam.create_role(RoleName="r")


def test_a_function_needs_a_role_that_may_send_to_its_queue(account: Cloud) -> None:
    iam, functions = _client(account, "iam"), _client(account, "lambda")
    _client(account, "sqs").create_queue(QueueName="rules-dlq")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    zipped = (
        b"PK\x05\x06" + bytes(18)  # an empty zip
    )

    def create(name: str) -> None:
        functions.create_function(
            FunctionName=name,
            Role=ROLE_ARN,
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": zipped},
            DeadLetterConfig={"TargetArn": QUEUE_ARN},
        )

    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        create("rules")
    with pytest.raises(ClientError, match="permissions to call SendMessage on SQS"):
        create("rules")
    allowed = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": [QUEUE_ARN]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="function", PolicyDocument=policy)
    create("rules")

    s3 = _client(account, "s3")
    s3.create_bucket(Bucket="rules")
    arn = functions.get_function(FunctionName="rules")["Configuration"]["FunctionArn"]
    started = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}

    def notify() -> None:
        s3.put_bucket_notification_configuration(
            Bucket="rules",
            NotificationConfiguration={"LambdaFunctionConfigurations": [started]},
        )

    with pytest.raises(ClientError, match="Unable to validate the following destination"):
        notify()
    functions.add_permission(
        FunctionName="rules",
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::rules",
    )
    notify()

    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
        functions.put_function_concurrency(FunctionName="rules", ReservedConcurrentExecutions=901)
    functions.put_function_concurrency(FunctionName="rules", ReservedConcurrentExecutions=900)
