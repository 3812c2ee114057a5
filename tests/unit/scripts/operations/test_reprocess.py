from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from scripts.operations import reprocess
from scripts.operations.errors import OperationError
from tests.unit.scripts.operations.fakes import BUCKET, KEY, NOW, refusal
from uploads import events, keys
from uploads import result as results

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.scripts.operations.conftest import Run
    from tests.unit.scripts.operations.fakes import Aws

TABLE = "uploads/0192f0c1-2d3e-7a4b-8c5d-6e7f80910214/t.CSV"


def result(key: str = KEY, **changes: Any) -> results.Result:
    made = results.Result(
        status="succeeded",
        source=results.Source(key, "v1", "e1", 1, "0A"),
        revision="r1",
        outputs=(),
        details={},
        warnings=(),
        error=None,
        function=results.Function("image_processor-dev", "$LATEST", "code"),
        duration_ms=2000,
    )
    return replace(made, **changes)


@pytest.fixture
def put(aws: Aws) -> Callable[..., None]:
    def act(key: str = KEY, record: results.Result | None = None, **changes: Any) -> None:
        aws.s3.put(key)
        if record:
            aws.s3.put(keys.result_key(key), record.to_json(), **changes)

    return act


def found(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_what_is_current_is_skipped(
    aws: Aws, put: Callable[..., None], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    put(KEY, result())
    assert run("reprocess", "--json") == 0
    assert aws.functions.events == []
    assert found(capsys)["current"] == 1


@pytest.mark.parametrize(
    ("record", "at"),
    [
        (result(function=results.Function("f", "1", "older code")), NOW),
        # Its work began before the function was changed.
        (result(duration_ms=4_000_000), NOW),
        (result(), NOW - timedelta(minutes=66)),
    ],
    ids=["other code", "began before the change", "ended before the change"],
)
def test_what_older_code_or_settings_made_is_processed_again(
    aws: Aws, put: Callable[..., None], run: Run, record: results.Result, at: Any
) -> None:
    put(KEY, record, at=at)
    assert run("reprocess", "--rate", "1000") == 0
    ((name, event),) = aws.functions.events
    assert name == "image_processor-dev"
    # The functions' own reading of the event: the same version, to be processed again.
    assert events.parse(event) == [
        events.Upload(BUCKET, KEY, "v1", "e1", 1, "0A", reprocess=True),
    ]


def test_a_margin_after_a_change_is_distrusted(
    aws: Aws, put: Callable[..., None], run: Run
) -> None:
    put(KEY, result(), at=NOW - timedelta(minutes=65, seconds=30))
    run("reprocess", "--margin", "0")
    assert aws.functions.events == []
    run("reprocess")
    assert len(aws.functions.events) == 1


def test_an_upload_without_a_result_of_its_version_is_pending(
    aws: Aws, put: Callable[..., None], run: Run
) -> None:
    put("uploads/1/new.jpg")
    older = results.Source("uploads/2/replaced.jpg", "v0", "e0", 1, "0A")
    put("uploads/2/replaced.jpg", result(source=older))
    put(KEY, result())
    assert run("reprocess", "--state", "pending") == 0
    sent = [events.parse(event)[0] for _, event in aws.functions.events]
    assert [(upload.key, upload.sequencer) for upload in sent] == [
        ("uploads/1/new.jpg", "0"),
        ("uploads/2/replaced.jpg", "0"),
    ]


def test_a_bucket_without_versions_is_compared_by_content(
    aws: Aws, put: Callable[..., None], run: Run
) -> None:
    aws.s3.versioned = False
    put(KEY, result())
    put(TABLE, result(TABLE, source=results.Source(TABLE, None, "e0", 1, "0A")))
    run("reprocess")
    assert [name for name, _ in aws.functions.events] == ["data_transformer-dev"]


def test_states_select(
    aws: Aws, put: Callable[..., None], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    old = results.Function("f", "1", "older code")
    put(KEY, result(function=old))
    put(TABLE, result(TABLE, status="rejected", function=old))
    assert run("reprocess", "--state", "rejected", "--json") == 0
    assert [name for name, _ in aws.functions.events] == ["data_transformer-dev"]
    assert found(capsys)["other_state"] == 1


def test_a_dry_run_invokes_nothing(
    aws: Aws, put: Callable[..., None], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    put("uploads/1/photo.JPG")
    for number in range(11):
        put(f"uploads/2/{number}.csv")
    aws.s3.put("uploads/3/notes.txt")
    assert run("reprocess", "--dry-run") == 0
    assert aws.functions.events == []
    shown = capsys.readouterr().out
    assert "13 uploads below uploads/: 12 would be processed again" in shown
    assert "1 are of no kind that is processed" in shown
    assert "  uploads/1/photo.JPG" in shown
    assert "uploads/2/9.csv" not in shown  # ten are enough


def test_a_prefix_and_a_limit(aws: Aws, put: Callable[..., None], run: Run) -> None:
    for number in range(20):
        put(f"uploads/1/{number}.jpg")
    put("uploads/2/other.jpg")
    run("reprocess", "uploads/1/", "--limit", "3", "--rate", "1000")
    assert len(aws.functions.events) == 3
    assert aws.s3.pages_taken < 10


def test_nothing_to_do(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reprocess") == 0
    assert "0 uploads below uploads/" in capsys.readouterr().out


def test_an_upload_that_is_gone_meanwhile_is_passed_over(aws: Aws, run: Run) -> None:
    aws.s3.put(KEY)
    aws.s3.failing[KEY] = refusal("404", 404)
    assert run("reprocess") == 0
    assert aws.functions.events == []


@pytest.mark.parametrize("key", [KEY, keys.result_key(KEY)])
def test_what_s3_refuses_ends_it(aws: Aws, run: Run, key: str) -> None:
    aws.s3.put(KEY)
    aws.s3.failing[key] = refusal("AccessDenied", 403)
    with pytest.raises(ClientError, match="AccessDenied"):
        run("reprocess")


def test_other_prefixes_than_those_of_uploads_are_refused(run: Run) -> None:
    with pytest.raises(OperationError, match="processed/ is not a prefix of uploads"):
        run("reprocess", "processed/")


def test_the_states_are_those_of_the_api() -> None:
    assert set(reprocess.STATES) == {"pending", "succeeded", "rejected"}
