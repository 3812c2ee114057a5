"""No variable and no validation is left without a case."""

import re
from pathlib import Path

import pytest
import yaml

from tests.plan.cases import all_cases
from tests.plan.harness import REPOSITORY

ROOTS = sorted(
    path.parent
    for folder in ("modules", "envs")
    for path in (REPOSITORY / folder).glob("*/variables.tf")
)


def _cases_of(root: Path) -> list[Path]:
    return [case.expectation for case in all_cases() if case.root == root.name]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_every_variable_is_set_by_a_case(root: Path) -> None:
    declared = re.findall(r'^variable "(\w+)"', (root / "variables.tf").read_text(), re.MULTILINE)
    tfvars = (REPOSITORY / "tests/plan" / root.name / "cases").glob("*.tfvars")
    used = {
        name
        for path in tfvars
        for name in re.findall(r"^(\w+)\s*=", path.read_text(), re.MULTILINE)
    }
    assert set(declared) - used == set()


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_every_refusal_is_shown_by_a_case(root: Path) -> None:
    expected = [
        sentence
        for path in _cases_of(root)
        for sentence in yaml.safe_load(path.read_text()).get("errors", [])
    ]
    messages = [
        message
        for path in sorted(root.glob("*.tf"))
        for message in re.findall(r"error_message\s*=\s*\"(.*)\"$", path.read_text(), re.MULTILINE)
    ]
    missing = [m for m in messages if not any(_starts(m, sentence) for sentence in expected)]
    assert missing == []


def _starts(message: str, sentence: str) -> bool:
    """Whether a sentence agrees with a template, up to where the shorter of both ends."""
    parts = re.split(r"\$\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}", message)
    fixed = [part.replace('\\"', '"') for part in parts]
    position = 0
    for part in fixed:
        found = sentence.find(part[: max(1, len(sentence) - position)], position)
        if found < 0 or (position == 0 and found > 0):
            # A sentence may stop inside of the last part that it reaches.
            return position > 0 and part.startswith(sentence[position:])
        position = found + len(part)
        if position >= len(sentence):
            return True
    return True
