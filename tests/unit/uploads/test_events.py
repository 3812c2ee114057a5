from __future__ import annotations

from typing import Any

import pytest

from uploads import events


def record(**changes: object) -> dict[str, Any]:
    described = {
        "key": "uploads/beach.jpg",
        "size": 5,
        "eTag": "0f343b",
        "versionId": "v1",
        "sequencer": "0055AED6DCD90281E5",
    }
    return {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "bucket"}, "object": described | changes},
    }


def parse_one(**changes: object) -> events.Upload:
    (upload,) = events.parse({"Records": [record(**changes)]})
    return upload


def test_upload() -> None:
    assert parse_one() == events.Upload(
        bucket="bucket",
        key="uploads/beach.jpg",
        version_id="v1",
        etag="0f343b",
        size=5,
        sequencer="0055AED6DCD90281E5",
    )


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("uploads/my+holiday.jpg", "uploads/my holiday.jpg"),
        ("uploads/a%2Bb.csv", "uploads/a+b.csv"),
        ("uploads/%C3%BCber%25.json", "uploads/über%.json"),
    ],
)
def test_key_is_decoded(encoded: str, key: str) -> None:
    assert parse_one(key=encoded).key == key


def test_bucket_without_versioning() -> None:
    event = record()
    del event["s3"]["object"]["versionId"]
    assert events.parse({"Records": [event]})[0].version_id is None


def test_etag_is_without_quotes() -> None:
    assert parse_one(eTag='"0f343b"').etag == "0f343b"


def test_event_name_may_have_the_prefix_of_notification_settings() -> None:
    event = record() | {"eventName": "s3:ObjectCreated:CompleteMultipartUpload"}
    assert len(events.parse({"Records": [event]})) == 1


def test_every_record_is_an_upload() -> None:
    found = events.parse({"Records": [record(key="uploads/a"), record(key="uploads/b")]})
    assert [upload.key for upload in found] == ["uploads/a", "uploads/b"]


@pytest.mark.parametrize("asked", [True, False])
def test_reprocess(asked: bool) -> None:  # noqa: FBT001 - a parameter of the test
    (upload,) = events.parse({"Records": [record()], "reprocess": asked})
    assert upload.reprocess is asked


def test_the_test_event_of_a_new_notification_announces_nothing() -> None:
    assert events.parse({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": None},
        {"Records": ["text"]},
        {"Records": [{"eventName": "ObjectCreated:Put"}]},
        {"Records": [record() | {"eventName": "ObjectRemoved:Delete"}]},
        {"Records": [record() | {"eventName": None}]},
        {"Records": [record(key=None)]},
        {"Records": [record(size="many")]},
        {"Records": [record(sequencer="not hexadecimal")]},
    ],
)
def test_malformed_event(event: dict[str, Any]) -> None:
    with pytest.raises(events.MalformedEventError, match="not an S3 object-created event"):
        events.parse(event)


def test_sequencers_are_padded_on_the_right_before_they_are_compared() -> None:
    assert events.order("0055AED6DCD90281E5") == events.order("0055aed6dcd90281e500")
    assert events.order("0A") < events.order("0A01") < events.order("0B")
    assert events.order("9") > events.order("0055AED6DCD90281E5")
