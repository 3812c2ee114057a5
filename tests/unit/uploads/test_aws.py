from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uploads import aws

if TYPE_CHECKING:
    import pytest


def test_client_gives_up_inside_the_time_limit_of_a_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config: Any = aws.s3_client().meta.config
    assert config.connect_timeout == 5
    assert config.read_timeout == 20
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
