"""An event for each result, after its record: at least once, with one id for one record."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import jsonschema
import pytest

from scripts import ROOT
from tests.unit.uploads.fake_s3 import BUCKET
from tests.unit.uploads.setting import KEY, RECORD, Setting, Shouter
from uploads import keys
from uploads import result as results
from uploads.event_bus import EventBus, NotSentError, detail

SCHEMA = json.loads((ROOT / "docs" / "events.schema.json").read_text())


@dataclass
class Bus:
    """EventBridge: what came, and how often it is to fail."""

    failures: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - botocore's
        if self.failures:
            self.failures -= 1
            entry = {"ErrorCode": "InternalFailure", "ErrorMessage": "try again"}
            return {"FailedEntryCount": 1, "Entries": [entry]}
        self.entries += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    @property
    def details(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for entry in self.entries]


@pytest.fixture
def bus(setting: Setting) -> Bus:
    made = Bus()
    setting.event_bus = EventBus(made, "serverless-uploads-dev")
    return made


def test_a_result_is_sent(setting: Setting, bus: Bus) -> None:
    setting.run(setting.upload("hello", "0A"))
    (entry,) = bus.entries
    assert entry["EventBusName"] == "serverless-uploads-dev"
    assert (entry["Source"], entry["DetailType"]) == ("serverless-uploads", "FileSucceeded")
    (sent,) = bus.details
    jsonschema.validate(sent, SCHEMA)
    assert (sent["bucket"], sent["key"], sent["result_key"]) == (BUCKET, KEY, RECORD)
    assert (sent["state"], sent["error"], sent["size"]) == ("succeeded", None, 5)
    assert sent["owner"] is None
    (output,) = sent["outputs"]
    assert setting.s3.content(output["key"]) == b"HELLO!"


def test_a_rejection_is_sent_without_the_content(setting: Setting, bus: Bus) -> None:
    setting.run(setting.upload("reject", "0A"))
    (sent,) = bus.details
    jsonschema.validate(sent, SCHEMA)
    assert bus.entries[0]["DetailType"] == "FileRejected"
    assert (sent["state"], sent["error"], sent["outputs"]) == ("rejected", "too_quiet", [])


def test_the_owner_is_sent(setting: Setting, bus: Bus) -> None:
    key = f"uploads/ada/{keys.time_ordered_id()}/a.txt"
    setting.run_all(setting.upload("hello", "0A", key=key))
    jsonschema.validate(bus.details[0], SCHEMA)
    assert bus.details[0]["owner"] == "ada"


def test_an_event_that_was_not_sent_is_made_good_by_the_retry(setting: Setting, bus: Bus) -> None:
    event, core = setting.upload("hello", "0A"), Shouter()
    bus.failures = 1
    with pytest.raises(NotSentError, match="InternalFailure: try again"):
        setting.run(event, core)
    assert setting.result().status == "succeeded"
    assert setting.run(event, core, retry=True) == "duplicate"
    assert (core.runs, len(bus.entries)) == (1, 1)


def test_a_repeated_event_has_the_id_of_the_first(setting: Setting, bus: Bus) -> None:
    event = setting.upload("hello", "0A")
    setting.run(event)
    setting.run(event)
    first, second = bus.details
    assert first == second
    setting.run(setting.upload("hello", "0B"))
    assert bus.details[2]["id"] != first["id"]


def test_what_does_not_count_is_not_sent(setting: Setting, bus: Bus) -> None:
    older, newer = setting.upload("old", "0A"), setting.upload("new", "0B")
    setting.run(newer)
    assert setting.run(older) == "superseded"
    assert [sent["size"] for sent in bus.details] == [3]
    setting.s3.client.delete_object(Bucket=BUCKET, Key=KEY)
    assert setting.run(newer) == "deleted"
    assert len(bus.entries) == 1


def test_a_detail_is_smaller_than_an_entry_may_be(setting: Setting) -> None:
    setting.run(setting.upload("hello", "0A"))
    (output,) = setting.result().outputs
    made = results.Result.from_json(setting.s3.content(RECORD))
    object.__setattr__(made, "outputs", (output,) * 5_000)
    sent = detail(BUCKET, made)
    assert (sent["output_count"], len(sent["outputs"])) == (5_000, 100)
    jsonschema.validate(sent, SCHEMA)
