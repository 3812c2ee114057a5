from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.uploads.fake_s3 import BUCKET, FakeS3, refuse
from uploads import result as results

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "uploads/table.csv"
RECORD = "processed/table.csv/result.json"


def make(sequencer: str = "0A", revision: str = "r1", **changes: Any) -> results.Result:
    made = results.Result(
        status="succeeded",
        source=results.Source(KEY, "v1", "0f343b", 5, sequencer),
        revision=revision,
        outputs=(
            results.Output(
                f"processed/table.csv/{revision}/t.parquet", "application/x", 7, {"rows": 2}
            ),
        ),
        details={"columns": ["größe"]},
        warnings=(results.Problem("odd", "It is odd."),),
        error=None,
        function=results.Function("transformer", "3", "sha"),
        duration_ms=12,
    )
    return replace(made, **changes)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


def stored(s3: FakeS3, result: results.Result) -> results.Stored:
    s3.put(RECORD, result.to_json())
    found = results.load(s3.client, BUCKET, KEY)
    assert found
    return found


def commit(
    s3: FakeS3, result: results.Result, before: results.Stored | None, *, again: bool = False
) -> tuple[str, results.Result | None]:
    return results.commit(s3.client, BUCKET, result, before, again=again)


def standing(s3: FakeS3) -> results.Result:
    return results.Result.from_json(s3.content(RECORD))


@pytest.mark.parametrize(
    "result",
    [
        make(),
        make(status="rejected", outputs=(), warnings=(), error=results.Problem("empty", "No.")),
    ],
)
def test_json_round_trip(result: results.Result) -> None:
    assert results.Result.from_json(result.to_json()) == result


def test_json_is_readable() -> None:
    assert "größe" in make().to_json().decode()
    assert json.loads(make().to_json())["schema_version"] == results.SCHEMA_VERSION


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        json.dumps(json.loads(make().to_json()) | {"schema_version": 99}).encode(),
        json.dumps(json.loads(make().to_json()) | {"surprise": 1}).encode(),
        json.dumps(json.loads(make().to_json()) | {"outputs": None}).encode(),
    ],
)
def test_other_content_is_no_record(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a result record of schema version 1"):
        results.Result.from_json(content)


def test_load_finds_nothing_before_the_first_result(s3: FakeS3) -> None:
    assert results.load(s3.client, BUCKET, KEY) is None


def test_load_finds_what_was_committed(s3: FakeS3) -> None:
    commit(s3, make(), None)
    found = results.load(s3.client, BUCKET, KEY)
    assert found
    assert found.result == make()
    assert s3.content_types[RECORD] == "application/json"


def test_load_does_not_take_another_failure_for_a_missing_record(s3: FakeS3) -> None:
    s3.before("get_object", RECORD, refuse("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        results.load(s3.client, BUCKET, KEY)


@pytest.mark.parametrize(
    ("sequencer", "revision", "again", "expected"),
    [
        ("0B", "r2", False, None),
        ("09", "r2", False, "superseded"),
        ("09", "r2", True, "superseded"),
        ("0A", "r1", False, "duplicate"),
        ("0A00", "r1", False, "duplicate"),
        ("0A", "r1", True, "duplicate"),
        ("0A", "r2", False, "duplicate"),
        ("0A", "r2", True, None),
    ],
)
def test_obstacle(
    s3: FakeS3,
    sequencer: str,
    revision: str,
    again: bool,  # noqa: FBT001 - a parameter of the test
    expected: str | None,
) -> None:
    there = stored(s3, make("0A", "r1"))
    found = results.reason_to_skip(there, sequencer=sequencer, revision=revision, again=again)
    assert found == expected


def test_nothing_stands_in_the_way_of_the_first_result() -> None:
    assert results.reason_to_skip(None, sequencer="0A", revision="r1", again=False) is None


@pytest.mark.parametrize(("again", "answer"), [(True, "committed"), (False, "duplicate")])
def test_commit_replaces_another_revision_only_when_asked(
    s3: FakeS3,
    again: bool,  # noqa: FBT001 - a parameter of the test
    answer: str,
) -> None:
    old = make("0A", "r1")
    found = commit(s3, make("0A", "r2"), stored(s3, old), again=again)
    assert found == (answer, old)
    assert standing(s3).revision == ("r2" if again else "r1")


def test_commit_tells_what_it_replaced(s3: FakeS3) -> None:
    old, new = make("0A"), make("0B", "r2")
    assert commit(s3, new, stored(s3, old)) == ("committed", old)
    assert standing(s3) == new


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("theirs", "answer"),
    [
        (make("0C", "r3"), "superseded"),
        (make("0B", "r2", duration_ms=1), "duplicate"),
    ],
)
def test_commit_that_lost_the_race_leaves_the_winner(
    s3: FakeS3,
    first: bool,  # noqa: FBT001 - a parameter of the test
    theirs: results.Result,
    answer: str,
) -> None:
    before = None if first else stored(s3, make("0A"))
    s3.before("put_object", RECORD, lambda: s3.put(RECORD, theirs.to_json()))
    assert commit(s3, make("0B", "r2"), before) == (answer, theirs)
    assert standing(s3) == theirs


def test_commit_replaces_an_older_version_that_came_between(s3: FakeS3) -> None:
    old, new = make("0A"), make("0B", "r2")
    s3.before("put_object", RECORD, lambda: s3.put(RECORD, old.to_json()))
    assert commit(s3, new, None) == ("committed", old)
    assert standing(s3) == new


@pytest.mark.parametrize(
    "interruption",
    [
        lambda s3: s3.remove(RECORD),
        lambda _: refuse("ConditionalRequestConflict", 409)(),
    ],
    ids=["404: the record was deleted", "409: another write was under way"],
)
def test_commit_tries_again(s3: FakeS3, interruption: Callable[[FakeS3], None]) -> None:
    before = stored(s3, make("0A"))
    s3.before("put_object", RECORD, lambda: interruption(s3))
    answer, _ = commit(s3, make("0B", "r2"), before)
    assert answer == "committed"
    assert standing(s3) == make("0B", "r2")


def test_commit_whose_answer_was_lost_recognises_its_own_record(s3: FakeS3) -> None:
    old, new = make("0A"), make("0B", "r2", details={"sizes": (1, 2)})
    before = stored(s3, old)
    s3.lose_answer(RECORD)
    assert commit(s3, new, before) == ("committed", old)


def test_the_same_record_of_another_delivery_is_not_taken_for_its_own(s3: FakeS3) -> None:
    record = make()
    s3.before("put_object", RECORD, lambda: commit(s3, record, None))
    assert commit(s3, record, None) == ("duplicate", record)


def test_commit_raises_any_other_failure(s3: FakeS3) -> None:
    s3.before("put_object", RECORD, refuse("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        commit(s3, make(), None)
    assert not s3.keys
