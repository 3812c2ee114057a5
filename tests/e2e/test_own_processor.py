"""`examples/own-processor`, applied: a processor of a user's own is a function like the others."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from scripts import ROOT, terraform
from scripts.operations import __main__ as operate
from scripts.packaging import __main__ as packaging
from scripts.packaging.project import host_architecture
from tests.plan import harness
from tests.support import root_user
from tests.support.waiting import eventually
from uploads_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.local_cloud import Cloud

EXAMPLE = ROOT / "examples" / "own-processor"


class Words:
    """The example's environment, and its word counter."""

    def __init__(
        self, cloud: Cloud, root: Path, outputs: dict[str, Any], http: httpx.Client
    ) -> None:
        self.root = root
        self.outputs = outputs
        self.function = outputs["functions"]["word_count"]
        self.client = Client(cloud.api_url(outputs["api_id"]), http)
        self._cloud = cloud

    def aws(self, service: Any) -> Any:
        return root_user.client(self._cloud, service)

    def set_handler(self, handler: str) -> None:
        functions, name = self.aws("lambda"), self.function["function_name"]
        functions.update_function_configuration(FunctionName=name, Handler=handler)
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)

    def dead_letters(self) -> int:
        answer = self.aws("sqs").get_queue_attributes(
            QueueUrl=self.function["queue_url"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture(scope="module")
def words(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Words]:
    tree = tmp_path_factory.mktemp("words")
    ignored = shutil.ignore_patterns(".terraform", "*.tfstate*")
    for folder in ("modules", "examples"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    build = ["--arch", "host", "--to", str(tree / "build")]
    assert packaging.main(build) == 0
    assert packaging.main([str(EXAMPLE / "word_count"), *build]) == 0
    root = tree / "examples" / "own-processor"
    (root / "terraform.tfvars").write_text(f'architecture = "{host_architecture()}"\n')
    environment = terraform.environment(cloud.client_environment(), directory=tree / ".local")
    test = harness.Terraform(str(root), env=environment)
    test.setup()
    test.apply()
    outputs = test.output()
    with httpx.Client(timeout=60) as http:
        yield Words(cloud, root, {name: outputs[name] for name in outputs}, http)


@pytest.fixture
def ask(
    words: Words,
    cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Runs an operator's command on the example's environment."""
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(terraform.Terraform, "outputs", lambda _: words.outputs)

    def run(*arguments: str) -> dict[str, Any]:
        capsys.readouterr()
        operate.main([*arguments, "--env", str(words.root), "--json"])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return run


def test_its_result_is_read_through_the_api(words: Words, tmp_path: Path) -> None:
    text = tmp_path / "Notes.MD"
    text.write_text("To be or not to be\n")
    file = words.client.wait(words.client.upload(text))
    assert file["state"] == "succeeded"
    assert file["result"]["details"] == {"words": 6, "different_words": 4}
    [output] = file["result"]["outputs"]
    assert httpx.get(output["url"]).text == "word,count\nto,2\nbe,2\nor,1\nnot,1\n"


def test_bad_input_is_rejected_with_its_reason(words: Words, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_bytes(b"caf\xe9")
    result = words.client.wait(words.client.upload(text))["result"]
    assert result["error"] == {"code": "not_utf8", "message": "Byte 4 is not UTF-8."}


def test_when_it_breaks_its_events_wait_and_are_replayed(
    words: Words, ask: Any, tmp_path: Path
) -> None:
    text = tmp_path / "later.txt"
    text.write_text("one two three")
    words.set_handler("word_count.index.missing")
    try:
        key = words.client.upload(text)
        eventually(lambda: words.dead_letters() == 1)
        red = [
            check["name"] for check in ask("doctor", "--no-round-trip")["checks"] if not check["ok"]
        ]
        assert "word_count: queue" in red
    finally:
        words.set_handler("word_count.index.handler")

    def redriven() -> bool:
        ask("redrive", "word_count")
        return not words.dead_letters()

    eventually(redriven)
    assert words.client.wait(key)["result"]["details"]["words"] == 3


def test_dashboard_and_doctor_know_it(words: Words, ask: Any) -> None:
    name = words.function["function_name"]
    dashboard = words.aws("cloudwatch").get_dashboard(DashboardName=words.outputs["dashboard_name"])
    assert name in dashboard["DashboardBody"]
    checks = {check["name"] for check in ask("doctor", "--no-round-trip")["checks"]}
    assert {f"word_count: {what}" for what in ("deployed", "code", "queue", "alarms")} <= checks
