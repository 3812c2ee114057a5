"""The whole platform is killed in the middle of uploads, and comes back."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scripts.local_cloud import ACCOUNT_ID, REGION, samples
from scripts.operations import __main__ as operate
from scripts.operations import reprocess
from scripts.operations.environment import Environment
from scripts.operations.progress import Screen
from scripts.packaging.project import host_architecture
from tests.e2e.faults import commit
from tests.support.durable_cloud import DurableCloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Stack

BUCKET: Final = "faults-restart"
FUNCTION: Final = "data_transformer"
UPLOADS: Final = 12


class Copy:
    """One function of the deployed environment, its role and its queue, in a cloud of its own."""

    def __init__(self, cloud: DurableCloud) -> None:
        self.cloud = cloud
        self.session = boto3.Session("test", "test", region_name=REGION)
        self.name = ""

    def aws(self, service: Any) -> Any:
        # A client of the uploads gives up quickly: the test counts what was accepted.
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=30)
        return self.session.client(service, endpoint_url=self.cloud.url, config=config)

    def make(self, stack: Stack, package: bytes) -> None:
        """Make it as Terraform made the original; only the bucket has another name."""
        source, target = stack.aws("lambda"), self.aws("lambda")
        self.name = stack.outputs["functions"][FUNCTION]["function_name"]
        self.functions = {
            name: function | {"function_name": self.name}
            for name, function in stack.outputs["functions"].items()
        }
        original = source.get_function_configuration(FunctionName=self.name)
        role = original["Role"].rpartition("/")[2]
        iam = stack.aws("iam")
        trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        self.aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            text = json.dumps(document).replace(stack.outputs["s3_bucket_name"], BUCKET)
            self.aws("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=text)
        self.aws("sqs").create_queue(QueueName=f"{self.name}-dlq")
        same = ("Role", "Runtime", "Handler", "Timeout", "MemorySize", "Environment")
        wanted = {
            "FunctionName": self.name,
            "Code": {"ZipFile": package},
            "DeadLetterConfig": original["DeadLetterConfig"],
            **{setting: original[setting] for setting in same},
        }
        # A role is there for Lambda some time after it was made, and its policy later still.
        refused = target.exceptions.InvalidParameterValueException
        for reason in ("cannot be assumed", "permissions to call SendMessage"):
            with pytest.raises(refused, match=reason):
                target.create_function(**wanted)
        made = target.create_function(**wanted)
        target.add_permission(
            FunctionName=self.name,
            StatementId="bucket",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{BUCKET}",
            SourceAccount=ACCOUNT_ID,
        )
        s3 = self.aws("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        rule = {
            "LambdaFunctionArn": made["FunctionArn"],
            "Events": ["s3:ObjectCreated:*"],
            "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "uploads/"}]}},
        }
        s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"LambdaFunctionConfigurations": [rule]}
        )

    def reprocess_pending(self, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        """Run the operator's command; return its output."""
        outputs = {"s3_bucket_name": BUCKET, "functions": self.functions}
        endpoints = {"AWS_ENDPOINT_URL": self.cloud.url}
        options = operate.parser().parse_args(
            ["reprocess", "--state", "pending", "--rate", "100", "--json"]
        )
        capsys.readouterr()
        with contextlib.closing(Environment("copy", outputs, self.session, endpoints)) as found:
            assert reprocess.run(options, found, Screen(as_json=True)) == 0
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return printed


@pytest.fixture
def copy(stack: Stack, packages: Path, tmp_path: Path) -> Iterator[Copy]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cloud = DurableCloud(tmp_path, port)
    cloud.start()
    try:
        copy = Copy(cloud)
        architecture = host_architecture()
        copy.make(stack, (packages / f"{FUNCTION}-{architecture}.zip").read_bytes())
        # Stopped in order, it keeps functions, roles and queues; killed later, it has these again.
        cloud.stop()
        cloud.start()
        yield copy
    finally:
        cloud.stop()


def test_no_accepted_upload_is_lost_when_everything_is_killed(
    copy: Copy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The emulator forgets the events that waited for a function when it is killed.

    AWS keeps them, so there the uploads go on by themselves; here they stay `pending`, to be found
    as what they are, and are processed on request. Either way the bucket shows what is due.
    """
    content = samples.write(tmp_path / "samples")[2].read_bytes()
    keys = [f"uploads/{number:02}/weather.csv" for number in range(UPLOADS)]
    accepted: list[str] = []
    enough = threading.Event()

    def upload(key: str) -> None:
        """Upload as a client does who goes on until the bucket says yes."""
        while True:
            try:
                copy.aws("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
                continue
            accepted.append(key)
            if len(accepted) >= UPLOADS // 2:
                enough.set()
            return

    with ThreadPoolExecutor(2) as clients:
        done = [clients.submit(upload, key) for key in keys]
        assert enough.wait(60)
        copy.cloud.kill()
        time.sleep(0.5)  # for a client that has its answer and did not count it yet
        accepted_before = tuple(accepted)
        copy.cloud.start()
        for one in done:
            one.result()
    s3 = copy.aws("s3")
    assert sorted(accepted) == keys
    assert len(accepted_before) < UPLOADS, "the kill came too late to be in the middle"
    listed = [
        entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="uploads/")["Contents"]
    ]
    assert listed == keys

    def pending() -> list[str]:
        return [key for key in keys if not commit.read(s3, BUCKET, key)]

    # What came after the restart is processed by itself, what waited for a function is not.
    deadline = time.monotonic() + 60
    while set(pending()) - set(accepted_before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert set(pending()) <= set(accepted_before)
    forgotten = len(pending())
    printed = copy.reprocess_pending(capsys)
    assert printed["looked_at"] == UPLOADS
    assert printed["selected"] == ({copy.name: forgotten} if forgotten else {})
    while pending() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not pending()
    assert not [breach for key in keys for breach in commit.breaches(s3, BUCKET, key)]
    results = [commit.read(s3, BUCKET, key) for key in keys]
    assert [found and found[0]["status"] for found in results] == ["succeeded"] * UPLOADS
