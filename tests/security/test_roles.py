"""Each function's role, asked both ways: what it must do is allowed, what it must not is denied.

The role's own policies are judged by the emulator: the test takes on the role (its trust is opened
for that on the emulator only, and closed again) and calls S3, SQS, Lambda and IAM with its keys.
"""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import Stack
from tests.support.credentials import session_of
from tests.support.environments import STATE_BUCKET

FUNCTIONS = ("image_processor", "data_transformer", "api_handler")
PROCESSORS = ("image_processor", "data_transformer")

type Call = Callable[[Stack, boto3.Session], Any]


@pytest.fixture(scope="module")
def sessions(stack: Stack) -> Iterator[dict[str, boto3.Session]]:
    """Credentials of each function's role."""
    roles = {n: f["role_arn"] for n, f in stack.outputs["functions"].items()}
    yield {
        function: session_of(stack.cloud, roles[function].rpartition("/")[2])
        for function in FUNCTIONS
    }
    for queue in (f["queue_url"] for f in stack.outputs["functions"].values()):
        stack.aws("sqs").purge_queue(QueueUrl=queue)


@pytest.fixture(scope="module")
def objects(stack: Stack) -> dict[str, str]:
    """An upload and an output that exist, so that a denial is not mistaken for an absence."""
    found = {"upload": "uploads/roles/a.csv", "output": "processed/roles/a.csv/x/table.parquet"}
    for key in found.values():
        stack.aws("s3").put_object(Bucket=stack.outputs["s3_bucket_name"], Key=key, Body=b"a\n1\n")
    return found


def s3(action: str, key: str, bucket: str | None = None, **arguments: Any) -> Call:
    """A call of S3 on a key of the environment's bucket, or of another one."""

    def call(stack: Stack, session: boto3.Session) -> Any:
        name = bucket or stack.outputs["s3_bucket_name"]
        return getattr(stack.aws("s3", session), action)(Bucket=name, Key=key, **arguments)

    return call


def s3_list(prefix: str) -> Call:
    return lambda stack, session: stack.aws("s3", session).list_objects_v2(
        Bucket=stack.outputs["s3_bucket_name"], Prefix=prefix
    )


def send_to_queue_of(function: str) -> Call:
    return lambda stack, session: stack.aws("sqs", session).send_message(
        QueueUrl=stack.outputs["functions"][function]["queue_url"], MessageBody="{}"
    )


def invoke(function: str) -> Call:
    return lambda stack, session: stack.aws("lambda", session).invoke(
        FunctionName=stack.outputs["functions"][function]["function_name"], Payload=b"{}"
    )


UPLOAD, OUTPUT = "uploads/roles/a.csv", "processed/roles/a.csv/x/table.parquet"
READ_UPLOAD = s3("get_object", UPLOAD)
READ_OUTPUT = s3("get_object", OUTPUT)
WRITE_UPLOAD = s3("put_object", "uploads/roles/b.txt", Body=b"x")
WRITE_OUTPUT = s3("put_object", "processed/roles/b.txt", Body=b"x")

ALLOWED: list[tuple[str, str, Call]] = [
    *((f, "read an upload", READ_UPLOAD) for f in FUNCTIONS),
    *((f, "read an output", READ_OUTPUT) for f in FUNCTIONS),
    *((f, "write an output", WRITE_OUTPUT) for f in PROCESSORS),
    *((f, "delete an output", s3("delete_object", "processed/roles/b.txt")) for f in PROCESSORS),
    *((f, "list outputs", s3_list("processed/")) for f in PROCESSORS),
    # So that S3 answers 404 for an upload that was deleted, not 403.
    *((f, "list uploads", s3_list("uploads/")) for f in PROCESSORS),
    *((f, "send to its own queue", send_to_queue_of(f)) for f in FUNCTIONS),
    ("api_handler", "write an upload", WRITE_UPLOAD),
    ("api_handler", "list uploads", s3_list("uploads/")),
]

DENIED: list[tuple[str, str, Call]] = [
    *((f, "write an upload", WRITE_UPLOAD) for f in PROCESSORS),
    *((f, "delete an upload", s3("delete_object", UPLOAD)) for f in FUNCTIONS),
    *((f, "write elsewhere", s3("put_object", "other/x", Body=b"x")) for f in FUNCTIONS),
    *((f, "list everything", s3_list("")) for f in FUNCTIONS),
    *((f, "read another bucket", s3("get_object", "x", STATE_BUCKET)) for f in FUNCTIONS),
    *(
        (
            f,
            "change the bucket's policy",
            lambda stack, session: stack.aws("s3", session).delete_bucket_policy(
                Bucket=stack.outputs["s3_bucket_name"]
            ),
        )
        for f in FUNCTIONS
    ),
    *(
        (f, f"send to the queue of {other}", send_to_queue_of(other))
        for f in FUNCTIONS
        for other in FUNCTIONS
        if other != f
    ),
    *((f, f"invoke {other}", invoke(other)) for f in FUNCTIONS for other in FUNCTIONS),
    *(
        (f, "list roles", lambda stack, session: stack.aws("iam", session).list_roles())
        for f in FUNCTIONS
    ),
    ("api_handler", "write an output", WRITE_OUTPUT),
    ("api_handler", "delete an output", s3("delete_object", OUTPUT)),
]


@pytest.mark.parametrize(
    ("function", "call"), [(f, c) for f, _, c in ALLOWED], ids=[f"{f}: {w}" for f, w, _ in ALLOWED]
)
@pytest.mark.usefixtures("objects")
def test_the_role_may(
    stack: Stack, sessions: dict[str, boto3.Session], function: str, call: Call
) -> None:
    call(stack, sessions[function])


@pytest.mark.parametrize(
    ("function", "call"), [(f, c) for f, _, c in DENIED], ids=[f"{f}: {w}" for f, w, _ in DENIED]
)
@pytest.mark.usefixtures("objects")
def test_the_role_must_not(
    stack: Stack, sessions: dict[str, boto3.Session], function: str, call: Call
) -> None:
    with pytest.raises(ClientError) as refusal:
        call(stack, sessions[function])
    assert refusal.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
