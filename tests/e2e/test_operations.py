"""The operator's commands on a deployed environment: broken, looked into, repaired."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from scripts import ROOT, terraform
from scripts.operations import __main__ as operate
from scripts.operations import doctor
from scripts.packaging.project import host_architecture
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Stack

_BROKEN = "def handler(event, context):\n    raise RuntimeError('broken on purpose')\n"


@pytest.fixture(autouse=True)
def shell(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of a shell that is to use the stack, and queues that nobody left a thing in."""
    for name, value in stack.cloud.environment().items():
        monkeypatch.setenv(name, value)
    # Terraform's outputs are read once; the redrive in a separate process reads them again.
    monkeypatch.setattr(terraform.Terraform, "outputs", lambda _: stack.outputs)
    for queue in (f["queue_url"] for f in stack.outputs["functions"].values()):
        stack.aws("sqs").purge_queue(QueueUrl=queue)


class Command:
    """Runs an operator's command line on the stack."""

    def __init__(self, stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
        self.env = str(stack.root)
        self._capsys = capsys

    def status(self, *arguments: str) -> int:
        return operate.main([*arguments, "--env", self.env])

    def ask(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        self._capsys.readouterr()
        assert self.status(*arguments, "--json") == status
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return answer


@pytest.fixture
def command(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(stack, capsys)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(doctor.picture())
    return path


@pytest.fixture
def broken(stack: Stack) -> Iterator[Callable[[], None]]:
    """Deploys a version of the image processor that always fails; returns what repairs it."""
    functions = stack.aws("lambda")
    name = stack.outputs["functions"]["image_processor"]["function_name"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("image_processor/index.py", _BROKEN)
    functions.update_function_code(FunctionName=name, ZipFile=content.getvalue())
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    def repair() -> None:
        zipped = ROOT / "build" / f"image_processor-{host_architecture()}.zip"
        functions.update_function_code(FunctionName=name, ZipFile=zipped.read_bytes())
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    yield repair
    repair()


def test_a_broken_version_is_repaired_and_its_events_replayed(
    stack: Stack, command: Command, broken: Callable[[], None], photo: Path
) -> None:
    sqs = stack.aws("sqs")
    queue = stack.outputs["functions"]["image_processor"]["queue_url"]

    def in_queue() -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    keys = [stack.client.upload(photo) for _ in range(3)]
    eventually(lambda: in_queue() == len(keys))
    looked = command.ask("redrive", "image_processor", "--dry-run")
    assert looked["errors"] == {"broken on purpose": 3}
    assert sorted(key for letter in looked["sample"] for key in letter["keys"]) == sorted(keys)
    assert in_queue() == 3
    broken()

    # A redrive that is killed between two events loses none.
    line = f"-m scripts.operations redrive image_processor --env {command.env} --rate 0.5 --hold 3"
    killed = subprocess.Popen(
        [sys.executable, *line.split()],
        cwd=ROOT,
        env=os.environ | stack.cloud.environment(),
        stdout=subprocess.DEVNULL,
    )
    eventually(lambda: in_queue() < len(keys))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert in_queue()

    def redriven() -> bool:
        command.ask("redrive", "image_processor")
        return not in_queue()

    eventually(redriven)
    for key in keys:
        assert stack.client.wait(key)["state"] == "succeeded"


def test_doctor_is_content_and_leaves_nothing(stack: Stack, command: Command) -> None:
    before = sum(1 for _ in stack.client.files())
    found = command.ask("doctor")
    assert [check for check in found["checks"] if not check["ok"]] == []
    assert len(found["checks"]) == 19
    assert sum(1 for _ in stack.client.files()) == before


def test_doctor_names_what_is_wrong_and_its_fix(stack: Stack, command: Command) -> None:
    queue = stack.outputs["functions"]["data_transformer"]["queue_url"]
    bucket = stack.outputs["s3_bucket_name"]
    alarm = f"{stack.outputs['functions']['api_handler']['function_name']}-throttles"
    s3, alarms = stack.aws("s3"), stack.aws("cloudwatch")
    stack.aws("sqs").send_message(QueueUrl=queue, MessageBody="{}")
    alarms.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    complete = s3.get_bucket_notification_configuration(Bucket=bucket)[
        "LambdaFunctionConfigurations"
    ]
    partial = [c for c in complete if not c["Id"].endswith(".json")]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": partial}
    )
    try:
        found = command.ask("doctor", "--no-round-trip", status=1)
    finally:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": complete}
        )
        alarms.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")
    red = {c["name"]: (c["found"], c["fix"]) for c in found["checks"] if not c["ok"]}
    assert {name: text for name, (text, _) in red.items()} == {
        "notifications": "missing: .json → data_transformer",
        "data_transformer: queue": "1 waiting, 0 in flight",
        "api_handler: alarms": f"in alarm: {alarm}",
    }
    assert all(fix for _, fix in red.values())


def test_new_settings_are_applied_to_what_is_there(
    stack: Stack, command: Command, photo: Path
) -> None:
    functions = stack.aws("lambda")
    name = stack.outputs["functions"]["image_processor"]["function_name"]
    prefix = "uploads/new settings/"
    keys = [f"{prefix}{number}/photo.png" for number in range(2)]
    bucket, content = stack.outputs["s3_bucket_name"], photo.read_bytes()
    for key in keys:
        stack.aws("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType="image/png")
    for key in keys:
        stack.client.wait(key)
    was = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def configure(variables: dict[str, str]) -> None:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    def outputs(key: str) -> list[str]:
        result = stack.client.file(key)["result"]
        return [output["name"] for output in result["outputs"]]

    configure(was | {"THUMBNAIL_SIZES": "16"})
    try:
        time.sleep(1)  # S3 reports the time of a result in whole seconds
        arguments = ("reprocess", prefix, "--margin", "0")
        assert command.ask(*arguments, "--dry-run")["selected"] == {name: 2}
        assert command.ask(*arguments, "--state", "rejected")["other_state"] == 2
        assert command.ask(*arguments)["selected"] == {name: 2}
        eventually(lambda: all(outputs(key) == ["thumbnail-16.webp"] for key in keys))
        # A second run asks the functions at the most, and these find nothing to do.
        eventually(lambda: command.ask(*arguments)["current"] == 2)
    finally:
        configure(was)


def test_the_life_of_a_file(
    stack: Stack, command: Command, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = stack.client.upload(photo)
    stack.client.wait(key)

    def life(wanted: str) -> list[dict[str, Any]]:
        capsys.readouterr()
        assert command.status("logs", wanted, "--json") in {0, 1}
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def processed() -> dict[str, Any] | None:
        lines = (line for line in life(key) if line["source"] == "image_processor")
        return next((x for x in lines if isinstance(x["line"], dict)), None)

    eventually(processed)
    lines = life(key)
    assert lines[0]["line"]["route"] == "POST /files"
    assert sorted(lines, key=lambda line: line["time"]) == lines
    line = processed()
    assert line is not None
    assert (line["line"]["outcome"], line["line"]["key"]) == ("succeeded", key)
    # An invocation's id leads to the same.
    assert {x["source"] for x in life(line["request_id"])} == {"api_handler", "image_processor"}
