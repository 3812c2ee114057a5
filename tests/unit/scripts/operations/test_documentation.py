"""docs/operations.md: its commands exist, and it has a word for every alarm."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from scripts import ROOT
from scripts.operations import __main__ as operate
from tests.support.documentation import commands

DOCUMENT = ROOT / "docs" / "operations.md"
TEXT = DOCUMENT.read_text()
COMMANDS = commands(DOCUMENT)
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_a_make_command_is_one(line: str) -> None:
    target = shlex.split(line)[1]
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)
    if target not in operate.COMMANDS:
        return
    printed = subprocess.run(
        [*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (recipe,) = (x for x in printed.splitlines() if "scripts.operations" in x)
    options = operate.parser().parse_args(shlex.split(recipe)[3:])
    assert options.command == target
    assert (ROOT / "envs" / options.env / "main.tf").is_file()


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("terraform ")])
def test_a_terraform_command_is_for_an_environment(line: str) -> None:
    _, chdir, command, *_ = shlex.split(line)
    assert (ROOT / chdir.removeprefix("-chdir=") / "main.tf").is_file()
    assert command in {"init", "plan", "apply"}


def test_there_are_commands_of_no_other_kind() -> None:
    assert {line.split()[0] for line in COMMANDS} == {"make", "terraform", "git"}
    used = {shlex.split(line)[1] for line in COMMANDS if line.startswith("make ")}
    assert operate.COMMANDS.keys() <= used


def test_every_alarm_has_its_section() -> None:
    terraform = (ROOT / "modules" / "lambda_with_dlq" / "alarms.tf").read_text()
    alarms = re.findall(r"^      ([a-z-]+) = \{$", terraform, re.MULTILINE)
    assert alarms
    assert re.findall(r"^### (.*)$", TEXT, re.MULTILINE) == alarms


def test_links_lead_somewhere() -> None:
    headings = {
        title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target.removeprefix("#") in headings
        else:
            assert (DOCUMENT.parent / target.partition("#")[0]).exists()
