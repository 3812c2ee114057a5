from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from scripts.operations import __main__ as operate
from scripts.operations.progress import Screen
from tests.unit.scripts.operations.fakes import Aws

if TYPE_CHECKING:
    from collections.abc import Callable


class Run(Protocol):
    """Runs a command line with the environment in memory; returns its exit status."""

    def __call__(self, command: str, *arguments: str) -> int: ...


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def run(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    monkeypatch.setenv("COLUMNS", "200")

    def act(command: str, *arguments: str) -> int:
        options = operate.parser().parse_args([command, *arguments])
        status = operate.COMMANDS[command].run(
            options, aws.environment(), Screen(as_json=options.json)
        )
        return int(status)

    return act
