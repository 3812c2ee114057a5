from __future__ import annotations

import gc
import hashlib
import json
import re
import tempfile
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from botocore.exceptions import ClientError

from tests.unit.uploads.fake_s3 import BUCKET, refuse
from tests.unit.uploads.setting import KEY, RECORD, Setting, Settings, Shouter
from uploads import keys
from uploads import result as results
from uploads.processing import Processed, RejectedError, Runner, S3Source
from uploads.time_limit import OutOfTimeError

if TYPE_CHECKING:
    from pathlib import Path

    from uploads.processing import Core, Source


def test_succeeded(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    assert setting.run(event) == "succeeded"
    result = setting.result()
    assert result.status == "succeeded"
    assert result.source.key == KEY
    assert result.source.version_id == "v1"
    assert result.source.sequencer == "0A"
    assert result.details == {"name": "note.txt"}
    assert result.warnings == (results.Problem("loud", "It is loud."),)
    assert result.error is None
    assert result.function == results.Function("shouter", "3", "sha")
    (output,) = result.outputs
    assert re.fullmatch(r"processed/folder/note\.txt/[0-9a-f]{16}/shouted\.txt", output.key)
    assert output.bytes == len("HELLO!")
    assert output.attributes == {"letters": 5}
    assert setting.s3.content_types[output.key] == "text/plain"
    assert setting.outputs() == [b"HELLO!"]


def test_one_line_is_logged_and_the_outcome_is_counted(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.run(setting.upload("hello", "0A"))
    (line,) = setting.lines()
    assert line["message"] == line["outcome"] == "succeeded"
    assert line["correlation_id"] == line["key"] == KEY
    assert line["function_request_id"] == "request-1"
    assert (line["bucket"], line["version_id"], line["size"]) == (BUCKET, "v1", 5)
    assert line["duration_ms"] >= 0
    metrics = json.loads(capsys.readouterr().out)
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ServerlessUploads"
    assert metrics["environment"] == "test"
    assert metrics["UploadsSucceeded"] == [1.0]
    assert metrics["ProcessingTime"][0] >= 0


def test_rejected_is_an_answer(setting: Setting) -> None:
    assert setting.run(setting.upload("reject", "0A")) == "rejected"
    result = setting.result()
    assert result.status == "rejected"
    assert result.error == results.Problem("too_quiet", "Nothing to shout.")
    assert result.outputs == ()
    (line,) = setting.lines()
    assert line["error"] == {"code": "too_quiet", "message": "Nothing to shout."}


def test_rejected_keeps_what_was_found_out(setting: Setting) -> None:
    setting.run(setting.upload("reject with report", "0A"))
    assert setting.result().details == {"bytes": 18}


def test_second_delivery_does_nothing(setting: Setting) -> None:
    event, core = setting.upload("hello", "0A"), Shouter()
    setting.run(event, core)
    before = setting.result()
    assert setting.run(event, core) == "duplicate"
    assert core.runs == 1
    assert setting.result() == before
    assert setting.lines()[-1]["outcome"] == "duplicate"


def test_newer_version_replaces_the_result_and_its_outputs(setting: Setting) -> None:
    setting.run(setting.upload("old", "0A"))
    assert setting.run(setting.upload("new", "0B")) == "succeeded"
    assert setting.result().source.version_id == "v2"
    assert setting.outputs() == [b"NEW!"]


def test_older_version_that_comes_late_does_nothing(setting: Setting) -> None:
    old, new = setting.upload("old", "0A"), setting.upload("new", "0B")
    setting.run(new)
    core = Shouter()
    assert setting.run(old, core) == "superseded"
    assert core.runs == 0
    assert setting.outputs() == [b"NEW!"]


def test_older_version_that_ends_late_does_not_overwrite(setting: Setting) -> None:
    old, new = setting.upload("old", "0A"), setting.upload("new", "0B")
    overtaken = Shouter(meanwhile=lambda: setting.run(new))
    assert setting.run(old, overtaken) == "superseded"
    assert setting.result().source.sequencer == "0B"
    assert setting.outputs() == [b"NEW!"]


def test_two_deliveries_at_once_leave_the_outputs_of_one(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    overtaken = Shouter(meanwhile=lambda: setting.run(event))
    assert setting.run(event, overtaken) == "duplicate"
    assert setting.outputs() == [b"HELLO!"]


def test_reprocess_after_a_change_of_settings(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    setting.run(event)
    assert setting.run(event, suffix="?") == "duplicate"
    assert setting.run(event | {"reprocess": True}, suffix="?") == "succeeded"
    assert setting.outputs() == [b"HELLO?"]


def test_reprocess_after_a_change_of_code(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = setting.upload("hello", "0A")
    setting.run(event)
    monkeypatch.setenv("CODE_SHA256", "other")
    assert setting.run(event | {"reprocess": True}) == "succeeded"
    assert setting.result().function.code_sha256 == "other"


def test_second_delivery_that_ends_late_does_not_undo_a_reprocessing(setting: Setting) -> None:
    event = setting.upload("hello", "0A")

    def meanwhile() -> None:
        setting.run(event)
        setting.run(event | {"reprocess": True}, suffix="?")

    assert setting.run(event, Shouter(meanwhile=meanwhile)) == "duplicate"
    assert setting.outputs() == [b"HELLO?"]


def test_reprocessings_that_overtake_each_other_keep_the_outputs_of_the_one_that_counts(
    setting: Setting,
) -> None:
    """A second delivery has its outputs stored while two others commit, the last by other settings.

    What these remove must not be what the second delivery goes on to name.
    """
    event = setting.upload("hello", "01")
    setting.run(event)
    again = event | {"reprocess": True}

    def overtake() -> None:
        assert setting.run(again, suffix="?") == "succeeded"
        assert setting.run(again, suffix="#") == "succeeded"

    setting.s3.before("put_object", RECORD, overtake)
    setting.run(again, suffix="?")
    assert len(setting.outputs()) == 1


def test_reprocess_without_a_change_does_nothing(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    setting.run(event)
    assert setting.run(event | {"reprocess": True}) == "duplicate"


@pytest.mark.parametrize("version", ["v9", None])
def test_deleted_upload_leaves_nothing(setting: Setting, version: str | None) -> None:
    event = setting.upload("hello", "0A")
    event["Records"][0]["s3"]["object"]["versionId"] = version
    setting.s3.remove(KEY)
    assert setting.run(event) == "deleted"
    assert not setting.s3.keys


def test_late_event_of_a_deleted_upload_leaves_nothing(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    setting.s3.hide(KEY)
    assert setting.run(event) == "deleted"
    assert setting.s3.keys == {KEY}


def test_upload_that_is_deleted_meanwhile_leaves_nothing(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    assert setting.run(event, Shouter(meanwhile=lambda: setting.s3.hide(KEY))) == "deleted"
    assert setting.s3.keys == {KEY}


def test_result_that_a_failed_attempt_left_of_a_deleted_upload_is_removed(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    setting.s3.before("head_object", KEY, refuse("SlowDown", 503))
    with pytest.raises(ClientError, match="SlowDown"):
        setting.run(event)
    setting.s3.hide(KEY)
    assert setting.run(event, retry=True) == "deleted"
    assert setting.s3.keys == {KEY}


def test_result_of_a_later_upload_of_the_same_key_stays(setting: Setting) -> None:
    old = setting.upload("old", "0A")
    setting.run(setting.upload("new", "0B"))
    # Requested before the later one was stored.
    setting.s3.before("head_object", KEY, refuse("404", 404))
    assert setting.run(old) == "deleted"
    assert setting.result().source.sequencer == "0B"
    assert len(setting.outputs()) == 1


def test_replaced_upload_counts_as_deleted_without_versioning(setting: Setting) -> None:
    event = setting.upload("old", "0A")
    event["Records"][0]["s3"]["object"]["versionId"] = None
    setting.upload("new", "0B")
    assert setting.run(event) == "deleted"


def test_upload_without_versioning(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    event["Records"][0]["s3"]["object"]["versionId"] = None
    assert setting.run(event) == "succeeded"
    assert setting.result().source.version_id is None


def test_other_failures_are_logged_and_raised(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    event = setting.upload("hello", "0A")
    setting.s3.before("get_object", KEY, refuse("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        setting.run(event)
    (line,) = setting.lines()
    assert line["level"] == "ERROR"
    assert line["message"] == "failed"
    assert line["key"] == KEY
    assert line["exception_name"] == "ClientError"
    assert setting.s3.keys == {KEY}
    assert capsys.readouterr().out == ""
    assert setting.run(event) == "succeeded"


def test_source_is_read_as_a_stream(setting: Setting) -> None:
    class Reader:
        def __call__(self, source: Source, directory: Path) -> Processed:  # noqa: ARG002 - a core's signature
            assert isinstance(source, S3Source)
            with source.open() as stream:
                assert (stream.read(2), stream.read()) == (b"he", b"llo")
            return Processed()

    assert setting.run(setting.upload("hello", "0A"), Reader()) == "succeeded"
    assert setting.result().outputs == ()


class Beginner:
    """A core that reads the first two bytes."""

    def __call__(self, source: Source, directory: Path) -> Processed:  # noqa: ARG002 - a core's signature
        with source.open() as stream:
            stream.read(2)
        return Processed()


SHA256 = hashlib.sha256(b"hello").hexdigest()
NOTE = f"processed/.sha256/.shared/{SHA256}"


@pytest.mark.parametrize("core", [Shouter(), Beginner()])
def test_a_declared_checksum_is_checked_and_noted(setting: Setting, core: Core) -> None:
    event = setting.upload("hello", "0A", metadata={"sha256": SHA256, "order": "17"})
    assert setting.run(event, core) == "succeeded"
    source = setting.result().source
    assert (source.sha256, source.metadata) == (SHA256, {"order": "17"})
    assert setting.s3.content(NOTE) == KEY.encode()


@pytest.mark.parametrize("core", [Shouter(), Beginner()])
def test_another_content_than_declared_is_rejected(setting: Setting, core: Core) -> None:
    assert setting.run(setting.upload("jello", "0A", metadata={"sha256": SHA256}), core) == (
        "rejected"
    )
    error = setting.result().error
    assert error is not None
    assert error.code == "wrong_checksum"
    assert f"{SHA256} was declared" in error.message
    assert setting.outputs() == []
    assert NOTE not in setting.s3.keys


def test_the_metadata_of_a_file_that_is_rejected_unopened_are_known(setting: Setting) -> None:
    class Refuser:
        def __call__(self, source: Source, directory: Path) -> Processed:  # noqa: ARG002 - a core's signature
            raise RejectedError("file_too_large", "It is too large.")

    setting.run(setting.upload("hello", "0A", metadata={"order": "17"}), Refuser())
    assert setting.result().source.metadata == {"order": "17"}


def test_a_deleted_upload_leaves_no_note(setting: Setting) -> None:
    event = setting.upload("hello", "0A", metadata={"sha256": SHA256})
    assert setting.run(event, Shouter(meanwhile=lambda: setting.s3.hide(KEY))) == "deleted"
    assert setting.s3.keys == {KEY}


def _joined(*events: dict[str, Any]) -> dict[str, Any]:
    return {"Records": [record for event in events for record in event["Records"]]}


def test_event_of_two_uploads(setting: Setting) -> None:
    first = setting.upload("hello", "0A")
    second = setting.upload("reject", "0A", key="uploads/other.txt")
    assert setting.run_all(_joined(first, second)) == {
        KEY: "succeeded",
        "uploads/other.txt": "rejected",
    }
    assert [line["outcome"] for line in setting.lines()] == ["succeeded", "rejected"]


def test_what_a_library_said_is_in_the_log_alone(setting: Setting) -> None:
    assert setting.run(setting.upload("reject for a library", "0A")) == "rejected"
    assert setting.result().error == results.Problem("too_odd", "It cannot be read.")
    cause, line = setting.lines()
    assert (cause["key"], cause["cause"]) == (KEY, "ValueError('at /tmp/input')")
    assert line["outcome"] == "rejected"


def test_one_failing_record_does_not_stop_the_others_and_is_retried_alone(
    setting: Setting,
) -> None:
    names = ["uploads/a", "uploads/b", "uploads/c"]
    event = _joined(*(setting.upload("hello", "0A", key=name) for name in names))
    core = Shouter()
    setting.s3.before("get_object", "uploads/b", refuse("SlowDown", 503))
    with pytest.raises(ClientError, match="SlowDown"):
        setting.run_all(event, core)
    assert {"processed/a/result.json", "processed/c/result.json"} <= setting.s3.keys
    assert "processed/b/result.json" not in setting.s3.keys
    runs = core.runs
    assert setting.run_all(event, core) == dict(
        zip(names, ("duplicate", "succeeded", "duplicate"), strict=True)
    )
    assert core.runs == runs + 1


def test_an_upload_outside_of_the_prefix_does_not_stop_the_others(setting: Setting) -> None:
    event = _joined(setting.upload("no", "0A", key="elsewhere/a"), setting.upload("hello", "0A"))
    with pytest.raises(ValueError, match="must start with 'uploads/'"):
        setting.run_all(event)
    assert setting.outputs() == [b"HELLO!"]


def test_several_failures_are_all_reported(setting: Setting) -> None:
    event = _joined(*(setting.upload("hello", "0A", key=f"uploads/{name}") for name in "abc"))
    for name in "ac":
        setting.s3.before("get_object", f"uploads/{name}", refuse(f"Fault{name}", 500))
    with pytest.raises(ExceptionGroup, match="2 uploads of the event failed") as caught:
        setting.run_all(event)
    assert [str(error).partition(")")[0] for error in caught.value.exceptions] == [
        "An error occurred (Faulta",
        "An error occurred (Faultc",
    ]


def test_a_commit_whose_answer_was_lost_counts_and_removes_what_it_replaced(
    setting: Setting,
) -> None:
    setting.run(setting.upload("old", "0A"))
    setting.s3.lose_answer(RECORD)
    assert setting.run(setting.upload("new", "0B")) == "succeeded"
    assert setting.outputs() == [b"NEW!"]


def test_a_failure_between_outputs_and_record_is_invisible_and_made_good_by_the_retry(
    setting: Setting,
) -> None:
    event = setting.upload("hello", "0A")
    setting.s3.before("put_object", RECORD, refuse("InternalError", 500))
    with pytest.raises(ClientError, match="InternalError"):
        setting.run(event)
    assert RECORD not in setting.s3.keys
    assert setting.run(event, retry=True) == "succeeded"
    assert setting.outputs() == [b"HELLO!"]


def test_too_little_time_stops_the_work_with_a_reason_and_without_a_record(
    setting: Setting,
) -> None:
    directories = []

    class Slow:
        def __call__(self, source: Source, directory: Path) -> Processed:
            directories.append(source.save(directory / "input").parent)
            time.sleep(60)
            raise AssertionError("was not stopped")

    setting.remaining_ms = 100
    event = setting.upload("hello", "0A")
    with pytest.raises(OutOfTimeError, match="give the function more time, or more memory"):
        setting.run(event, Slow())
    assert setting.s3.keys == {KEY}
    assert not directories[0].exists()
    (line,) = setting.lines()
    assert (line["message"], line["exception_name"]) == ("failed", "OutOfTimeError")


@pytest.fixture
def own_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process computes all the time; on a busy machine it would have to wait."""
    monkeypatch.setattr(time, "process_time", time.monotonic)


@pytest.mark.usefixtures("own_processor")
def test_a_file_that_keeps_the_processor_busy_too_long_is_rejected(setting: Setting) -> None:
    class Busy:
        def __call__(self, source: Source, directory: Path) -> Processed:
            (directory / "begun").touch()
            with source.open() as content:
                content.read(400_000)
                while True:
                    sum(range(1000))

    setting.remaining_ms = 200
    event = setting.upload("x" * 1_000_000, "0A")
    assert setting.run(event, Busy()) == "rejected"
    error = setting.result().error
    assert error is not None
    assert error.code == "too_slow"
    assert "longer than the 0 seconds" in error.message
    assert "0.4 of 1.0 MB were read" in error.message
    # A retry would cost the same again.
    assert setting.run(event, Busy()) == "duplicate"


@pytest.mark.usefixtures("own_processor")
def test_outputs_that_cannot_be_stored_in_time_are_no_fault_of_the_file(setting: Setting) -> None:
    event = setting.upload("hello", "0A")
    setting.remaining_ms = 300

    class Busy(Shouter):
        def __call__(self, source: Source, directory: Path) -> Processed:
            end = time.process_time() + 0.15
            while time.process_time() < end:
                sum(range(1000))
            return super().__call__(source, directory)

    def stored_slowly(**_: object) -> None:
        time.sleep(60)

    setting.s3.put_object = stored_slowly  # type: ignore[method-assign]
    with pytest.raises(OutOfTimeError):
        setting.run(event, Busy())


@pytest.mark.parametrize(
    "key",
    [
        "uploads/a b+c%20d%2Bé/ü 漢字 ~'()*!.txt",
        "uploads/" + "ü" * 508,  # 1,024 bytes, the most that S3 takes
    ],
    ids=["odd characters", "1,024 bytes"],
)
def test_odd_keys(setting: Setting, key: str) -> None:
    event = setting.upload("hello", "0A", key=key)
    event["Records"][0]["s3"]["object"]["key"] = quote_plus(key)
    assert setting.run_all(event) == {key: "succeeded"}
    assert keys.result_key(key) in setting.s3.keys


def test_two_hundred_invocations_leave_nothing_behind(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runner = Runner(Shouter(), settings=Settings(), s3=setting.s3.client, logger=setting._logger)
    events = [setting.upload("hello", f"{number:04X}") for number in range(1, 201)]
    for event in events[:100]:
        runner.run(event, setting.context())
    gc.collect()
    before = len(gc.get_objects())
    for event in events[100:]:
        runner.run(event, setting.context())
    gc.collect()
    assert len(gc.get_objects()) - before < 100 * 5  # the fake bucket keeps the versions
    assert not list(tmp_path.iterdir())
