from __future__ import annotations

import importlib
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import pytest


def test_the_handler_serves_with_the_settings_of_its_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BUCKET_NAME", "bucket")
    kinds = '{"f": {".png": ["image/png"]}}'
    monkeypatch.setenv("KINDS", kinds)
    monkeypatch.setenv("MAX_UPLOAD_BYTES", "77")
    monkeypatch.delitem(sys.modules, "api_handler.index", raising=False)
    index = importlib.import_module("api_handler.index")
    event = {
        "httpMethod": "POST",
        "resource": "/files",
        "body": '{"name": "a.png"}',
        "requestContext": {"requestId": "r"},
    }
    answer = index.handler(event, cast("Any", SimpleNamespace(aws_request_id="f")))
    assert answer["statusCode"] == 201
    assert '"max_bytes": 77' in answer["body"]
