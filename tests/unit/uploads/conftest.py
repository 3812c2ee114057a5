"""A bucket, functions that process its uploads, and their environment."""

import pytest

from tests.unit.uploads.setting import Setting


@pytest.fixture(autouse=True)
def function_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE_SHA256", "sha")
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "ServerlessUploads")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "shouter")


@pytest.fixture
def setting() -> Setting:
    return Setting()
