from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from uploads import aws

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("make", [aws.s3_client, aws.events_client])
def test_client_gives_up_inside_the_time_limit_of_a_function(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config = make().meta.config
    assert config.connect_timeout == 5
    assert config.read_timeout == 20
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}
