from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import pytest

from api_handler.app import App
from api_handler.files import Files
from api_handler.settings import Settings
from tests.unit.api_handler.support import PROCESSORS, Aws, Client
from uploads.log import json_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.fixture
def aws(region: None) -> Iterator[Aws]:  # noqa: ARG001 - clients read it when they are made
    made = Aws()
    yield made
    made.done()


@pytest.fixture
def make_client(aws: Aws) -> Callable[..., Client]:
    def make(**settings: object) -> Client:
        log = io.StringIO()
        chosen = Settings(
            **cast(
                "Any",
                # Long, since the uploads of the tests have a fixed date.
                {"bucket": "bucket", "environment": "test", "failed_after_seconds": 10**10}
                | {"processors": PROCESSORS}
                | settings,
            )
        )
        files = Files(chosen, aws.s3, lambda: aws.functions)
        return Client(App(chosen, files, json_logger(f"api-{id(log)}", log)), log)

    return make


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()
