from __future__ import annotations

import gc
import importlib
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.uploads.fake_s3 import FakeS3


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("uploads.aws.s3_client", lambda: FakeS3().client)
    monkeypatch.delitem(sys.modules, "image_processor.index", raising=False)
    return importlib.import_module("image_processor.index")


def test_the_test_event_of_s3_is_answered(index: Any) -> None:
    assert index.handler({"Event": "s3:TestEvent"}, SimpleNamespace(aws_request_id="1")) == {}


def test_garbage_is_collected_again_after_the_start(index: Any) -> None:
    assert index is not None
    assert gc.isenabled()
