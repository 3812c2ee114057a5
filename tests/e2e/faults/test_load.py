"""A small load, so that `make load` works when it is needed; the large one is run by hand."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from scripts.load import __main__ as load
from scripts.operations.environment import Environment
from scripts.operations.progress import Screen

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Stack


def test_a_load_of_good_and_bad_files_comes_out_right(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    options = load.parser().parse_args(["--uploads", "40", "--clients", "4", "--json"])
    environment = Environment("e2e", stack.outputs, stack.session, stack.cloud.environment())
    with contextlib.closing(environment):
        status = load.run(options, environment, Screen(as_json=True), stack.cloud.aws.process())
    printed = json.loads(capsys.readouterr().out)
    assert status == 0, printed["verdict"]
    assert printed["good"]
    assert printed["states"] == {"succeeded": 38, "rejected": 2}
    assert set(printed["kinds"]) == {"all", "jpeg", "png", "csv", "json"}
    for memory in printed["memory"].values():
        assert 0 < memory["peak_mb"] <= memory["size_mb"]
