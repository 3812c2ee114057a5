from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")


def _imported() -> Any:
    sys.modules.pop("image_processor.index", None)
    return importlib.import_module("image_processor.index")


def test_importing_needs_no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"):
        monkeypatch.delenv(name, raising=False)
    assert _imported()._runner.cache_info().currsize == 0


@pytest.mark.usefixtures("region")
def test_lambda_makes_the_runner_during_initialisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "image-processor-test")
    assert _imported()._runner.cache_info().currsize == 1


@pytest.mark.usefixtures("region")
def test_the_test_event_of_s3_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    context = SimpleNamespace(aws_request_id="1")
    assert _imported().handler({"Event": "s3:TestEvent"}, context) == {}
