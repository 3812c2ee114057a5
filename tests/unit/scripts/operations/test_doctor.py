from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from scripts.operations import doctor
from tests.unit.scripts.operations.fakes import (
    ARN,
    FUNCTIONS,
    PROCESSORS,
    TARGETS,
    refusal,
    s3_event,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.scripts.operations.conftest import Run
    from tests.unit.scripts.operations.fakes import Aws

ZIP = b"zip"
CODE = base64.b64encode(hashlib.sha256(ZIP).digest()).decode()


class Api:
    """Answers as the deployed API and its bucket would."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.status = {"status": "ok", "version": CODE}
        self.state = "succeeded"
        self.requests: list[httpx.Request] = []
        self.refusal = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host == "bucket.example":
            return httpx.Response(204)
        if self.refusal:
            return httpx.Response(self.refusal, json={"message": "Unauthorized"})
        if request.url.path == "/prod/status":
            return httpx.Response(200, json=self.status)
        if request.method == "POST":
            key = f"uploads/id/{json.loads(request.content)['name']}"
            self.aws.s3.put(key)
            self.aws.s3.put(key.replace("uploads", "processed") + "/result.json")
            form = {"key": key, "url": "http://bucket.example/", "fields": {}}
            return httpx.Response(201, json=form)
        return httpx.Response(200, json={"state": self.state, "result": None})


@pytest.fixture
def api(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Api:
    made, client = Api(aws), httpx.Client
    monkeypatch.setattr(
        httpx,
        "Client",
        lambda timeout, auth: client(
            timeout=timeout, auth=auth, transport=httpx.MockTransport(made.answer)
        ),
    )
    return made


@pytest.fixture(autouse=True)
def healthy(aws: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for function in FUNCTIONS:
        (tmp_path / f"{function}-arm64.zip").write_bytes(ZIP)
        aws.cloudwatch.alarms += [
            alarm(f"{function}-dev-errors", FunctionName=f"{function}-dev"),
            alarm(f"{function}-dev-dead-letters", QueueName=f"{function}-dev-dlq"),
        ]
    aws.cloudwatch.alarms.append(alarm("api-dev-errors", ApiName="api-dev"))
    monkeypatch.setattr(doctor, "BUILD", tmp_path)
    aws.functions.configuration["CodeSha256"] = CODE
    for function, extensions in PROCESSORS.items():
        aws.s3.configurations += [notification(function, extension) for extension in extensions]


def alarm(name: str, state: str = "OK", **dimensions: str) -> dict[str, Any]:
    listed = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"AlarmName": name, "StateValue": state, "Dimensions": listed}


def notification(function: str, extension: str, **changes: Any) -> dict[str, Any]:
    rules = [{"Name": "Prefix", "Value": "uploads/"}, {"Name": "Suffix", "Value": extension}]
    return {
        "LambdaFunctionArn": f"{ARN}{function}-dev:live",
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    } | changes


def outcome(capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str | None]]:
    """Return the red checks: what was found, and the fix."""
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] == all(check["ok"] for check in printed["checks"])
    return {c["name"]: (c["found"], c["fix"]) for c in printed["checks"] if not c["ok"]}


def test_all_is_well_and_nothing_stays(
    aws: Aws, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("doctor") == 0
    shown = capsys.readouterr().out
    assert "20 of 20 checks are good." in shown
    assert "bad" not in shown
    assert "round trip: doctor.png" in shown
    assert aws.s3.objects == {}
    assert {request.url.host for request in api.requests} == {"a1.example", "bucket.example"}


def test_requests_of_the_api_are_signed_and_forms_are_not(api: Api, run: Run) -> None:
    run("doctor")
    signed = {"authorization" in r.headers for r in api.requests if r.url.host == "a1.example"}
    assert signed == {True}
    forms = [r for r in api.requests if r.url.host == "bucket.example"]
    assert forms
    assert not any("authorization" in request.headers for request in forms)


def test_reading_only(api: Api, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--no-round-trip", "--json") == 0
    assert outcome(capsys) == {}
    assert [str(request.url.path) for request in api.requests] == ["/prod/status"]


def red(run: Run, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[str, str | None]]:
    assert run("doctor", "--no-round-trip", "--json") == 1
    return outcome(capsys)


def test_an_api_that_does_not_know_the_caller_needs_a_token(
    api: Api, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    api.refusal = 401
    found, fix = red(run, capsys)["API: status"]
    assert "401" in found
    assert fix == "credentials that may call the API, or a user's token in UPLOADS_TOKEN"


@pytest.fixture
def receiver(aws: Aws) -> Aws:
    """An environment whose events go to a webhook."""
    aws.outputs = TARGETS
    aws.cloudwatch.alarms.append(alarm("bus-crm-dead-letters", QueueName="bus-crm-dlq"))
    return aws


@pytest.mark.usefixtures("receiver", "api")
def test_a_receiver_of_events_is_well(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor", "--no-round-trip") == 0
    shown = capsys.readouterr().out
    assert "sent to arn:aws:events:eu-west-1:111122223333:api-destination/bus-crm/0a1b" in shown


@pytest.mark.usefixtures("api")
def test_what_keeps_events_from_a_receiver_is_found(
    receiver: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.events.state = "DISABLED"
    del receiver.events.targets[0]["DeadLetterConfig"]
    receiver.events.connection = "DEAUTHORIZED"
    found, fix = red(run, capsys)["crm: events"]
    assert found == (
        "the rule is DISABLED; undelivered events go to no queue; connection key is DEAUTHORIZED"
    )
    assert fix == "aws events update-connection --name key, with credentials that work"
    receiver.events.targets = []
    found, fix = red(run, capsys)["crm: events"]
    assert found == "the rule is DISABLED; the rule has no target"
    assert fix == "terraform apply restores rule crm of bus"


def test_an_api_that_does_not_log_needs_no_role(aws: Aws) -> None:
    aws.apigateway.account = {}
    [check] = doctor._logging_role(aws.environment(api_log_group_name=None))
    assert (check.ok, check.found) == (True, "off")


def test_the_emulator_logs_without_a_role(aws: Aws) -> None:
    assert list(doctor._logging_role(aws.environment(endpoint="http://127.0.0.1:1"))) == []


@pytest.mark.usefixtures("api")
class TestRed:
    def test_no_role_to_write_logs_with(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.apigateway.account = {}
        found, fix = red(run, capsys)["API: logs"]
        assert found == "none: API Gateway has no role to write logs with in eu-west-1"
        assert fix is not None
        assert fix.startswith("terraform -chdir=envs/account apply")

    def test_waiting_dead_letters(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.sqs.put("m1", s3_event())
        found = red(run, capsys)
        assert set(found) == {f"{function}: queue" for function in FUNCTIONS}
        assert found["image_processor: queue"] == (
            "1 waiting, 0 in flight",
            "make redrive ENV=dev FUNCTION=image_processor ARGS=--dry-run",
        )

    def test_other_code(
        self, aws: Aws, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.functions.configuration["CodeSha256"] = "other"
        api.status["version"] = "other"
        found = red(run, capsys)
        assert found["image_processor: code"][0] == (
            f"other deployed, {CODE} in image_processor-arm64.zip"
        )
        assert len(found) == 3

    def test_no_zip(self, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "api_handler-arm64.zip").unlink()
        assert red(run, capsys) == {
            "api_handler: code": (
                "there is no api_handler-arm64.zip to compare with",
                "make package",
            )
        }

    def test_function_that_is_not_ready(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.functions.configuration |= {"State": "Failed", "StateReason": "no network"}
        found = red(run, capsys)["image_processor: deployed"]
        assert found[0] == "state Failed, last update Successful: no network"

    def test_function_that_is_switched_off(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.functions.concurrency = {"Concurrency": {"ReservedConcurrentExecutions": 0}}
        assert "switched off" in red(run, capsys)["image_processor: deployed"][0]

    def test_function_without_a_queue(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        aws.functions.queues = False
        found, fix = red(run, capsys)["image_processor: deployed"]
        assert found == "active, dead letters to nowhere"
        assert fix == "terraform apply sets its dead-letter queue to image_processor-dev-dlq"

    def test_missing_notifications(
        self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        del aws.s3.configurations[0]
        aws.s3.configurations[-1] = notification(
            "data_transformer", ".csv", Events=["s3:ObjectRemoved:*"]
        )
        found, fix = red(run, capsys)["notifications"]
        assert found == "missing: .jpg → image_processor, .csv → data_transformer"
        assert fix is not None
        assert "make reprocess ENV=dev ARGS='--state pending'" in fix

    def test_alarms(self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        dimensions = [{"Name": "FunctionName", "Value": "api_handler-dev"}]
        aws.cloudwatch.alarms += [
            alarm("image_processor-dev-throttles", "ALARM", FunctionName="image_processor-dev"),
            # Of another environment, whose name begins alike.
            alarm("image_processor-dev-2-errors", "ALARM", FunctionName="image_processor-dev-2"),
            {
                "AlarmName": "api_handler-dev-error-rate",
                "StateValue": "ALARM",
                "Metrics": [{"MetricStat": {"Metric": {"Dimensions": dimensions}}}],
            },
        ]
        found = red(run, capsys)
        assert {name: text for name, (text, _) in found.items()} == {
            "image_processor: alarms": "in alarm: image_processor-dev-throttles",
            "api_handler: alarms": "in alarm: api_handler-dev-error-rate",
        }

    def test_no_alarms(self, aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        aws.cloudwatch.alarms.clear()
        assert red(run, capsys)["api_handler: alarms"][0] == "there are none"

    def test_api_of_another_version(
        self, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.status["version"] = "older"
        assert red(run, capsys) == {
            "API: status": (
                "ok, version older",
                f"terraform apply: the deployed code is {CODE}",
            )
        }

    def test_one_refusal_does_not_hide_the_rest(
        self,
        aws: Aws,
        run: Run,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def refuse(**_: object) -> None:
            raise refusal("AccessDenied", 403)

        monkeypatch.setattr(aws.functions, "get_function", refuse)
        aws.sqs.put("m1", s3_event())
        found = red(run, capsys)
        assert "AccessDenied" in found["image_processor: deployed"][0]
        assert "image_processor: queue" in found

    def test_a_round_trip_that_is_rejected(
        self, aws: Aws, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.state = "rejected"
        assert run("doctor", "--json") == 1
        found, fix = outcome(capsys)["round trip: doctor.png"]
        assert found.startswith("rejected after ")
        assert fix == "make logs ENV=dev KEY=uploads/id/doctor.png"
        assert aws.s3.objects == {}

    def test_a_round_trip_that_takes_too_long(
        self, aws: Aws, api: Api, run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        api.state = "pending"
        assert run("doctor", "--json", "--seconds", "0.01") == 1
        assert "still pending" in outcome(capsys)["round trip: doctor.csv"][0]
        assert aws.s3.objects == {}


@pytest.mark.usefixtures("api")
def test_what_may_not_be_removed_is_reported(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.s3.failing["uploads/id/"] = refusal("AccessDenied", 403)
    assert run("doctor", "--json") == 0
    printed = json.loads(capsys.readouterr().out)["checks"]
    found = next(c["found"] for c in printed if c["name"] == "round trip: doctor.csv")
    assert "uploads/id/doctor.csv stays" in found


def test_the_picture_is_one() -> None:
    with Image.open(io.BytesIO(doctor.picture())) as picture:
        picture.load()
        assert (picture.size, picture.mode) == ((8, 8), "L")
        assert picture.getpixel((3, 4)) == 0x80


@pytest.mark.usefixtures("api")
def test_files_that_started_no_function_are_counted(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.csv", "b.CSV", "c.cSv", "d.xyz"):
        aws.s3.put(f"uploads/1/{name}")
    assert run("doctor", "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    [found] = [check["found"] for check in checks if check["name"] == "uploads"]
    assert found == (
        "4, of which 2 started no function (such as uploads/1/c.cSv); 1 of these have a known "
        "ending in an unusual spelling, which `make reprocess ENV=dev` takes"
    )
