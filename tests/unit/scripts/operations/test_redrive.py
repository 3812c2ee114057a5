from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from scripts.operations.dead_letters import Queue, classify, read
from tests.unit.scripts.operations.fakes import NOW, TARGETS, refusal, s3_event

if TYPE_CHECKING:
    from tests.unit.scripts.operations.conftest import Run
    from tests.unit.scripts.operations.fakes import Aws

FAST = ("--rate", "100000")


def looked(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_all_events_are_replayed_and_deleted(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(25):
        aws.sqs.put(f"m{number}", s3_event(f"uploads/{number}/a.jpg"))
    assert run("redrive", "image_processor", *FAST) == 0
    assert aws.sqs.messages == {}
    assert [name for name, _ in aws.functions.events] == ["image_processor-dev"] * 25
    assert aws.functions.events[3][1] == s3_event("uploads/3/a.jpg")
    shown = capsys.readouterr().out
    assert "25 waiting, 0 in flight; 25 looked at." in shown
    assert "25 selected, 25 replayed and deleted." in shown
    assert "Age: 1 h to 1 h." in shown


EVENT = {
    "id": "e1",
    "source": "serverless-uploads",
    "detail-type": "FileSucceeded",
    "detail": {"id": "1", "key": "uploads/1/a.csv"},
}


def test_events_of_a_receiver_go_to_the_bus_again(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.outputs = TARGETS
    aws.sqs.put("m1", EVENT, ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="status 400")
    assert run("redrive", "crm", *FAST, "--key-prefix", "uploads/1/", "--json") == 0
    assert aws.sqs.messages == {}
    assert aws.events.sent == [
        {
            "EventBusName": "bus",
            "Source": "serverless-uploads",
            "DetailType": "FileSucceeded",
            "Detail": json.dumps(EVENT["detail"]),
        }
    ]
    assert looked(capsys)["errors"] == {"status #": 1}


def test_an_event_that_the_bus_refuses_stays(aws: Aws, run: Run) -> None:
    aws.outputs = TARGETS
    aws.events.refusal = {"ErrorCode": "ThrottlingException"}
    aws.sqs.put("m1", EVENT)
    with pytest.raises(ClientError, match="ThrottlingException"):
        run("redrive", "crm", *FAST)
    assert aws.sqs.visible() == ["m1"]


def test_a_dry_run_leaves_all_as_it_was(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.sqs.put(
        "m1",
        s3_event(),
        RequestID="r1",
        ErrorCode="200",
        ErrorMessage="Task timed out after 3.00 seconds",
    )
    aws.sqs.put("m2", s3_event(), ErrorMessage="[Errno 28] full")
    assert run("redrive", "image_processor", "--dry-run", "--json") == 0
    assert aws.functions.events == []
    assert aws.sqs.visible() == ["m1", "m2"]
    found = looked(capsys)
    assert found["errors"] == {"Task timed out after # seconds": 1, "[Errno # full": 1}
    assert (found["looked_at"], found["selected"], found["replayed"]) == (2, 2, 0)
    assert found["sample"] == [
        {
            "message_id": "m1",
            "sent_at": "2026-03-04T04:06:07+00:00",
            "request_id": "r1",
            "keys": ["uploads/1/a b.jpg"],
            "error_class": "Task timed out after # seconds",
            "error": "Task timed out after 3.00 seconds",
            "event": s3_event(),
        },
        {
            "message_id": "m2",
            "sent_at": "2026-03-04T04:06:07+00:00",
            "request_id": None,
            "keys": ["uploads/1/a b.jpg"],
            "error_class": "[Errno # full",
            "error": "[Errno 28] full",
            "event": s3_event(),
        },
    ]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (["--error", "timed out"], {"late"}),
        (["--error", "timed out", "--error", "OSError"], {"late", "disk"}),
        (["--key-prefix", "uploads/2/"], {"disk"}),
        (["--message-id", "odd", "--message-id", "late"], {"odd", "late"}),
        (["--error", "OSError", "--key-prefix", "uploads/1/"], set()),
    ],
)
def test_a_selection_is_replayed_and_the_rest_comes_back_at_once(
    aws: Aws, run: Run, selection: list[str], expected: set[str]
) -> None:
    aws.sqs.put("late", s3_event("uploads/1/a.jpg"), ErrorMessage="Task timed out after 3 s")
    aws.sqs.put("disk", s3_event("uploads/2/a.jpg"), ErrorMessage="OSError: disk is full")
    aws.sqs.put("odd", {"no": "S3 event"})
    assert run("redrive", "image_processor", *FAST, *selection) == 0
    assert set(aws.sqs.messages) == {"late", "disk", "odd"} - expected
    assert len(aws.functions.events) == len(expected)
    assert set(aws.sqs.visible()) == set(aws.sqs.messages)


def test_the_sample_shows_what_leads_to_the_log_lines(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.sqs.put("m1", s3_event(), RequestID="4f0c8f62", ErrorMessage="late")
    assert run("redrive", "image_processor", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "uploads/1/a b.jpg" in shown
    assert "4f0c8f62" in shown


def test_a_limit_ends_it(aws: Aws, run: Run) -> None:
    for name in ("m1", "m2", "m3"):
        aws.sqs.put(name, s3_event())
    run("redrive", "image_processor", *FAST, "--limit", "2")
    assert aws.sqs.visible() == ["m3"]


def test_a_limit_ends_a_look(aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("m1", "m2", "m3"):
        aws.sqs.put(name, s3_event())
    run("redrive", "image_processor", "--dry-run", "--limit", "2", "--json")
    assert looked(capsys)["looked_at"] == 2


def test_a_function_that_takes_nothing_ends_it_and_nothing_is_lost(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("m1", "m2", "m3"):
        aws.sqs.put(name, s3_event())
    aws.functions.refusals[1] = refusal("ResourceNotFoundException", 404)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        run("redrive", "image_processor", *FAST)
    assert aws.sqs.visible() == ["m2", "m3"]
    assert "2 selected, 1 replayed and deleted." in capsys.readouterr().out


def test_messages_that_cannot_be_released_come_back_by_themselves(aws: Aws, run: Run) -> None:
    aws.sqs.put("m1", s3_event())
    aws.sqs.refuses_release = True
    assert run("redrive", "image_processor", "--dry-run") == 0
    assert aws.sqs.visible() == []
    aws.sqs.now += timedelta(seconds=120)
    assert aws.sqs.visible() == ["m1"]


def test_what_a_killed_redrive_holds_is_reported(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.sqs.put("m1", s3_event())
    Queue(aws.environment().sqs, "url").receive()
    assert run("redrive", "image_processor") == 0
    assert "come back within two minutes" in capsys.readouterr().out
    aws.sqs.now += timedelta(seconds=120)
    run("redrive", "image_processor")
    assert aws.sqs.messages == {}


def test_a_refused_event_stays_and_the_others_go_on(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.sqs.put("big", s3_event())
    aws.sqs.put("good", s3_event())
    aws.functions.refusals[0] = refusal("RequestTooLargeException", 413)
    assert run("redrive", "image_processor", *FAST) == 1
    assert aws.sqs.visible() == ["big"]
    assert "big was refused and stays: " in capsys.readouterr().out


def test_a_message_without_an_event_stays(
    aws: Aws, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.sqs.put("m1", "no JSON")
    assert run("redrive", "image_processor", *FAST) == 1
    assert aws.sqs.visible() == ["m1"]
    assert "m1 holds no event and stays" in capsys.readouterr().out


def test_what_fails_again_is_not_replayed_in_the_same_run(aws: Aws, run: Run) -> None:
    aws.sqs.put("m1", s3_event())

    def fail_again() -> None:
        if aws.functions.events:
            number = len(aws.sqs.messages) + 2
            aws.sqs.put(f"m{number}", s3_event(), sent_at=NOW + timedelta(seconds=5))

    aws.sqs.on_receive = fail_again
    assert run("redrive", "image_processor", *FAST) == 0
    assert len(aws.functions.events) == 1
    assert "m2" in aws.sqs.visible()


def test_messages_that_were_kept_and_come_back_do_not_keep_it_going(aws: Aws, run: Run) -> None:
    for number in range(30):
        aws.sqs.put(f"kept{number}", s3_event())
    aws.sqs.put("wanted", s3_event(), ErrorMessage="OSError: disk is full")
    aws.sqs.seconds_a_receive = 60  # what was received two rounds ago is there again
    run("redrive", "image_processor", *FAST, "--error", "OSError")
    assert len(aws.sqs.visible()) == len(aws.sqs.messages)
    assert len(aws.sqs.messages) >= 30


def test_an_event_that_sqs_delivers_twice_is_replayed_once(aws: Aws, run: Run) -> None:
    aws.sqs.put("m1", s3_event())
    first = dict(aws.sqs.messages["m1"])

    def deliver_again() -> None:
        if "m1" not in aws.sqs.messages and not aws.sqs.hidden.pop("again", None):
            aws.sqs.messages["m1"] = first
            aws.sqs.hidden = {"again": NOW} if len(aws.functions.events) == 1 else {}
            aws.sqs.on_receive = lambda: None

    aws.sqs.on_receive = deliver_again
    run("redrive", "image_processor", *FAST)
    assert len(aws.functions.events) == 1
    assert aws.sqs.messages == {}


def test_a_slow_rate_takes_few_messages_at_a_time(
    aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        aws.sqs.put(f"m{number}", s3_event())
    slept: list[float] = []
    name = "scripts.operations.progress.Pace.wait"
    monkeypatch.setattr(name, lambda pace: slept.append(pace.rate))
    taken: list[int] = []
    receive = aws.sqs.receive_message

    def watched(**arguments: Any) -> dict[str, Any]:
        taken.append(arguments["MaxNumberOfMessages"])
        return receive(**arguments)

    monkeypatch.setattr(aws.sqs, "receive_message", watched)
    run("redrive", "image_processor", "--rate", "0.1")
    assert slept == [0.1] * 3
    assert set(taken) == {1}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", "unknown"),
        ("An error occurred (503): slow\nsecond line", "An error occurred # slow"),
        ("x" * 300, "x" * 100),
    ],
)
def test_error_classes(message: str, expected: str) -> None:
    assert classify(message) == expected


def test_a_message_with_a_code_only() -> None:
    letter = read(
        {
            "MessageId": "m",
            "ReceiptHandle": "r",
            "Body": "{}",
            "MessageAttributes": {"ErrorCode": {"StringValue": "429", "DataType": "Number"}},
        }
    )
    assert (letter.error, letter.error_class, letter.keys) == ("429", "#", ())
