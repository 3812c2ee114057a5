from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import NoCredentialsError
from rich.console import Console

from scripts.operations import __main__ as operate
from scripts.operations import doctor, environment
from scripts.operations.errors import OperationError
from scripts.operations.options import positive, span, text
from scripts.operations.progress import Pace, Screen, age
from scripts.terraform import TerraformError
from tests.unit.scripts.operations.fakes import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.scripts.operations.fakes import Aws


@pytest.fixture
def found(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces every environment by the one in memory; returns the requested names."""
    names: list[str] = []

    def find(name: str) -> environment.Environment:
        names.append(name)
        return aws.environment()

    monkeypatch.setattr(environment, "find", find)
    return names


def test_a_command_line(found: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert operate.main(["redrive", "image_processor", "--env", "dev", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["looked_at"] == 0
    assert found == ["dev"]


def test_the_local_environment_is_the_default(found: list[str]) -> None:
    operate.main(["reprocess"])
    assert found == ["local"]


@pytest.mark.parametrize(
    "error",
    [
        OperationError("[odd]"),
        TerraformError("[odd]"),
        refusal("[odd]"),
        NoCredentialsError(),
    ],
)
def test_an_error_is_a_sentence(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find(_: str) -> None:
        raise error

    monkeypatch.setattr(environment, "find", find)
    assert operate.main(["doctor"]) == 1
    shown = capsys.readouterr()
    assert shown.err == f"error: {error}\n"
    assert shown.out == ""


@pytest.mark.usefixtures("found")
def test_an_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", run)
    assert operate.main(["doctor"]) == 130
    assert "nothing is lost" in capsys.readouterr().err


@pytest.mark.usefixtures("found")
def test_a_reader_that_has_seen_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def run(*_: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(doctor, "run", run)
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert operate.main(["doctor"]) == 1
        out.write("late")  # goes nowhere, and does not fail
    assert (tmp_path / "out").read_text() == ""


@pytest.mark.parametrize("command", operate.COMMANDS)
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        operate.main([command, "--help"])
    assert ended.value.code == 0
    assert "--env ENV" in capsys.readouterr().out


def test_progress_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Screen(as_json=True)
    with shown.progress("Working", 2) as advance:
        advance()
    assert capsys.readouterr().err == ""
    shown._progress = Console(stderr=True, force_terminal=True, width=80)
    with shown.progress("Working", 2) as advance:
        advance()
    captured = capsys.readouterr()
    assert "Working" in captured.err
    assert captured.out == ""


def test_pace() -> None:
    now = 100.0
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(round(seconds, 3))
        now += seconds

    pace = Pace(4, sleep, lambda: now)
    for _ in range(3):
        pace.wait()
    assert slept == [0.25, 0.25]
    now += 10
    pace.wait()  # what was not used is not made up for
    pace.wait()
    assert slept == [0.25] * 3


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (7200, "2 h"), (14 * 86400, "14 d")],
)
def test_age(seconds: float, expected: str) -> None:
    assert age(seconds) == expected


def test_numbers_above_zero() -> None:
    assert positive(int)("3") == 3
    assert positive(float)("0.5") == 0.5
    for wrong in ("0", "-1", "x", "inf", "nan"):
        with pytest.raises(argparse.ArgumentTypeError, match="not a number above 0"):
            positive(float)(wrong)


def test_time_spans() -> None:
    assert span("30m") == timedelta(minutes=30)
    assert span("7d") == timedelta(days=7)
    for wrong in ("1w", "h", "-1h", "10000d"):
        with pytest.raises(argparse.ArgumentTypeError, match="such as 30m"):
            span(wrong)


def test_texts() -> None:
    assert text("a") == "a"
    with pytest.raises(argparse.ArgumentTypeError, match="empty"):
        text(" ")
