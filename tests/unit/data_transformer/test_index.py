from __future__ import annotations

import importlib
import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.uploads.fake_s3 import BUCKET, FakeS3

CONTEXT: Any = SimpleNamespace(
    aws_request_id="request-1",
    function_name="data-transformer",
    function_version="3",
    get_remaining_time_in_millis=lambda: 180_000,
)


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def index(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("uploads.aws.s3_client", lambda: s3.client)
    monkeypatch.setenv("OUTPUT_FORMATS", "parquet,jsonl")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ServerlessUploads")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "data-transformer")
    monkeypatch.delitem(sys.modules, "data_transformer.index", raising=False)
    return importlib.import_module("data_transformer.index")


def _event(s3: FakeS3, key: str, content: bytes) -> dict[str, Any]:
    version, etag = s3.put(key, content)
    described = {
        "key": key,
        "size": len(content),
        "eTag": etag,
        "versionId": version,
        "sequencer": "0A",
    }
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": BUCKET}, "object": described},
    }
    return {"Records": [record]}


def _result(s3: FakeS3, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(s3.content(key))
    return found


def test_upload_is_processed_by_the_settings_of_the_environment(index: Any, s3: FakeS3) -> None:
    event = _event(s3, "uploads/table.csv", b"a,b\n1,x\n")
    assert index.handler(event, CONTEXT) == {"uploads/table.csv": "succeeded"}
    result = _result(s3, "processed/table.csv/result.json")
    assert [output["key"].rpartition("/")[2] for output in result["outputs"]] == [
        "table.parquet",
        "table.jsonl",
    ]
    assert s3.content(result["outputs"][1]["key"]) == b'{"a":1,"b":"x"}\n'


def test_second_delivery_is_a_duplicate(index: Any, s3: FakeS3) -> None:
    event = _event(s3, "uploads/table.json", b'{"a": 1}')
    assert index.handler(event, CONTEXT) == {"uploads/table.json": "succeeded"}
    assert index.handler(event, CONTEXT) == {"uploads/table.json": "duplicate"}


def test_broken_upload_is_rejected_with_a_sentence(index: Any, s3: FakeS3) -> None:
    event = _event(s3, "uploads/table.json", b'{"a": ')
    assert index.handler(event, CONTEXT) == {"uploads/table.json": "rejected"}
    assert _result(s3, "processed/table.json/result.json")["error"] == {
        "code": "invalid_json",
        "message": "The JSON is broken at line 1, column 7: the file ends too early.",
    }
