"""Who has no business with the bucket and the queues is refused, and so is plain HTTP."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from scripts.local_cloud import REGION
from tests.conftest import Stack

FOREIGN_ACCOUNT = "111122223333"
KEY = "uploads/strangers/a.csv"
REFUSED = {"AccessDenied", "AccessDeniedException", "AllAccessDisabled"}


@pytest.fixture(scope="module")
def bucket(stack: Stack) -> str:
    """The bucket, with an upload that a stranger would like to have."""
    name: str = stack.outputs["s3_bucket_name"]
    stack.aws("s3").put_object(Bucket=name, Key=KEY, Body=b"a\n1\n")
    return name


@pytest.fixture(scope="module")
def colleague(stack: Stack) -> Iterator[boto3.Session]:
    """A user of our account who may do everything, by a policy of their own."""
    iam = stack.aws("iam")
    iam.create_user(UserName="colleague")
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    iam.put_user_policy(
        UserName="colleague", PolicyName="everything", PolicyDocument=json.dumps(everything)
    )
    key = iam.create_access_key(UserName="colleague")["AccessKey"]
    yield boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    iam.delete_access_key(UserName="colleague", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="colleague", PolicyName="everything")
    iam.delete_user(UserName="colleague")


@pytest.fixture(scope="module")
def stranger() -> boto3.Session:
    """The root user of another account: the emulator takes an account's number for its key."""
    return boto3.Session(FOREIGN_ACCOUNT, "test", region_name=REGION)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", KEY),
        ("HEAD", KEY),
        ("PUT", KEY),
        ("DELETE", KEY),
        ("PUT", "uploads/strangers/new.csv"),
        ("GET", ""),
        ("GET", "?versions"),
        ("GET", "?policy"),
        ("GET", "?uploads"),
        ("POST", "?delete"),
        ("DELETE", ""),
    ],
)
def test_without_a_signature_nothing_is_answered(
    stack: Stack, bucket: str, method: str, path: str
) -> None:
    answer = httpx.request(method, f"{stack.cloud.aws.url}/{bucket}/{path}")
    assert answer.status_code == 403
    assert b"a\n1\n" not in answer.content


def test_a_form_without_a_signature_is_refused(stack: Stack, bucket: str) -> None:
    answer = httpx.post(
        f"{stack.cloud.aws.url}/{bucket}",
        data={"key": "uploads/strangers/form.csv"},
        files={"file": b"x"},
    )
    assert answer.status_code == 403


def test_a_link_is_good_for_its_time_and_its_object_alone(stack: Stack, bucket: str) -> None:
    signer = stack.session.client(
        "s3", endpoint_url=stack.cloud.aws.url, config=Config(signature_version="s3v4")
    )

    def link(seconds: int) -> str:
        url: str = signer.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": KEY}, ExpiresIn=seconds
        )
        return url

    good, short = link(60), link(1)
    assert httpx.get(good).content == b"a\n1\n"
    assert httpx.get(good.replace("a.csv", "b.csv")).status_code == 403
    assert httpx.get(good.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")).status_code == 403
    assert httpx.put(good, content=b"x").status_code == 403
    time.sleep(2)
    assert httpx.get(short).status_code == 403


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("get_object", {"Key": KEY}),
        ("put_object", {"Key": KEY, "Body": b"x"}),
        ("delete_object", {"Key": KEY}),
        ("list_objects_v2", {}),
        ("get_bucket_policy", {}),
        ("delete_bucket_policy", {}),
        ("delete_bucket", {}),
    ],
)
def test_another_account_cannot_use_the_bucket(
    stack: Stack, bucket: str, stranger: boto3.Session, action: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(stack.aws("s3", stranger), action)(Bucket=bucket, **arguments)
    # An account that cannot see our bucket may also get the answer that there is none.
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] in {403, 404}
    assert stack.aws("s3").get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"a\n1\n"


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("send_message", {"MessageBody": "{}"}),
        ("receive_message", {}),
        ("purge_queue", {}),
        ("get_queue_attributes", {"AttributeNames": ["All"]}),
        ("set_queue_attributes", {"Attributes": {"Policy": ""}}),
        ("delete_queue", {}),
    ],
)
def test_another_account_cannot_use_the_queues(
    stack: Stack, stranger: boto3.Session, action: str, arguments: dict[str, Any]
) -> None:
    for url in (f["queue_url"] for f in stack.outputs["functions"].values()):
        with pytest.raises(ClientError) as refusal:
            getattr(stack.aws("sqs", stranger), action)(QueueUrl=url, **arguments)
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 403}


def test_the_bucket_refuses_plain_http(stack: Stack, bucket: str, colleague: boto3.Session) -> None:
    s3 = stack.aws("s3", colleague)
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"a\n1\n"
    _over_plain_http(s3)
    with pytest.raises(ClientError) as refusal:
        s3.get_object(Bucket=bucket, Key=KEY)
    assert refusal.value.response["Error"]["Code"] in REFUSED


def test_the_queues_refuse_plain_http(stack: Stack, colleague: boto3.Session) -> None:
    for url in (f["queue_url"] for f in stack.outputs["functions"].values()):
        sqs = stack.aws("sqs", colleague)
        sqs.receive_message(QueueUrl=url)
        _over_plain_http(sqs)
        with pytest.raises(ClientError) as refusal:
            sqs.receive_message(QueueUrl=url)
        assert refusal.value.response["Error"]["Code"] in REFUSED


def _over_plain_http(client: Any) -> None:
    """Have a client say, as a proxy in front of the server does, that it uses plain HTTP."""
    client.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http")
    )
