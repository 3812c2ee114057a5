"""The rules that make the emulator refuse and answer as AWS does; docs/fidelity.md lists them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import httpx
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
    alarms: Any = root_user.session().client(
        "cloudwatch", endpoint_url=account.aws.url, config=unchecked
    )
    with pytest.raises(
        ClientError, match=r"PutMetricAlarm: ComparisonOperator is .<., which is none of"
    ):
        alarms.put_metric_alarm(AlarmName="a", ComparisonOperator="<")


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


def _user(account: Cloud, name: str, *statements: dict[str, Any]) -> Any:
    """Return a client of S3 of a new user with some permissions."""
    iam = _client(account, "iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **s} for s in statements]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    return session.client("s3", endpoint_url=account.aws.url)


def test_a_missing_object_is_answered_with_404_to_who_may_list_it(account: Cloud) -> None:
    _client(account, "s3").create_bucket(Bucket="listed")
    read = {"Action": ["s3:GetObject", "s3:GetObjectVersion"], "Resource": "arn:aws:s3:::listed/*"}
    listing = {
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::listed",
        "Condition": {"StringLike": {"s3:prefix": ["uploads/*"]}},
    }
    reader, lister = _user(account, "reader", read), _user(account, "lister", read, listing)

    def status(s3: Any, method: str, key: str, **more: str) -> tuple[int, str]:
        with pytest.raises(ClientError) as caught:
            getattr(s3, method)(Bucket="listed", Key=key, **more)
        answer: Any = caught.value.response
        return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]

    assert status(reader, "get_object", "uploads/a b") == (403, "AccessDenied")
    assert status(reader, "head_object", "uploads/a b") == (403, "403")
    assert status(lister, "get_object", "uploads/a b") == (404, "NoSuchKey")
    assert status(lister, "head_object", "uploads/a b") == (404, "404")
    assert status(lister, "get_object", "other/a") == (403, "AccessDenied")
    version = "0" * 32
    assert status(lister, "get_object", "uploads/a", VersionId=version) == (403, "AccessDenied")


def test_a_refused_form_is_answered_in_xml_with_the_code(account: Cloud) -> None:
    version_4 = Config(signature_version="s3v4")
    s3 = root_user.session().client("s3", endpoint_url=account.aws.url, config=version_4)
    s3.create_bucket(Bucket="forms")
    form = s3.generate_presigned_post(
        "forms", "uploads/a", Conditions=[["content-length-range", 1, 3]]
    )

    def post(content: bytes, **changed: str) -> tuple[int, str, str]:
        answer = httpx.post(form["url"], data=form["fields"] | changed, files={"file": content})
        return answer.status_code, answer.headers["content-type"], answer.text

    for sent, changed, expected in (
        (b"abcd", {}, (400, "EntityTooLarge")),
        (b"", {}, (400, "EntityTooSmall")),
        (b"abc", {"key": "uploads/b"}, (403, "AccessDenied")),
        (b"abc", {"x-amz-signature": "0" * 64}, (403, "SignatureDoesNotMatch")),
    ):
        status, kind, text = post(sent, **changed)
        assert (status, kind) == (expected[0], "application/xml"), text
        assert f"<Error><Code>{expected[1]}</Code><Message>" in text


def test_keys_of_versions_come_as_they_were_stored(account: Cloud) -> None:
    s3 = _client(account, "s3")
    s3.create_bucket(Bucket="versions")
    s3.put_object(Bucket="versions", Key="uploads/odd keys/a+b %41.csv", Body=b"")
    listed = s3.list_object_versions(Bucket="versions", Prefix="uploads/odd keys/")
    assert [entry["Key"] for entry in listed["Versions"]] == ["uploads/odd keys/a+b %41.csv"]
    assert listed["Prefix"] == "uploads/odd keys/"


def test_iam_is_asked_about_alarms_and_about_roles_that_are_passed(account: Cloud) -> None:
    iam, sts = _client(account, "iam"), _client(account, "sts")
    trust = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **trust}]}
    iam.create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(document))

    def allow(**statements: str) -> None:
        allowed = [
            {"Effect": "Allow", "Action": action.replace("_", ":"), "Resource": resource}
            for action, resource in statements.items()
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_role_policy(RoleName="deployer", PolicyName="p", PolicyDocument=policy)

    role = f"arn:aws:iam::{ACCOUNT_ID}:role/deployer"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    deployer = boto3.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
    )
    alarms = deployer.client("cloudwatch", endpoint_url=account.aws.url)
    functions = deployer.client("lambda", endpoint_url=account.aws.url)

    def alarm(name: str) -> None:
        alarms.put_metric_alarm(
            AlarmName=name,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="m",
            Namespace="n",
            Period=60,
            Statistic="Sum",
            Threshold=1.0,
        )

    def function(passed: str) -> None:
        functions.create_function(
            FunctionName="f",
            Role=passed,
            Code={"ZipFile": b"x"},
            Handler="a.b",
            Runtime="python3.12",
        )

    own = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:own-*"
    allow(cloudwatch_PutMetricAlarm=own, lambda_CreateFunction="*", iam_PassRole=role)
    alarm("own-errors")
    with pytest.raises(ClientError, match=r"cloudwatch:PutMetricAlarm on resource: .*:alarm:other"):
        alarm("other")
    with pytest.raises(ClientError, match=r"iam:PassRole on resource: .*role/admin"):
        function(f"arn:aws:iam::{ACCOUNT_ID}:role/admin")
    # Further on, with a role that may be passed: Lambda cannot assume it yet.
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        function(role)
