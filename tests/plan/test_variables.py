"""No variable and no validation is left without a case."""

import re
from pathlib import Path

import pytest

from tests.plan.cases import Case, all_cases
from tests.plan.harness import REPOSITORY

ROOTS = sorted(
    path.parent
    for folder in ("modules", "envs")
    for path in (REPOSITORY / folder).glob("*/variables.tf")
)


def _cases_of(root: Path) -> list[Case]:
    return [case for case in all_cases() if case.root == root.name]


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_every_variable_is_set_by_a_case(root: Path) -> None:
    declared = re.findall(r'^variable "(\w+)"', (root / "variables.tf").read_text(), re.MULTILINE)
    used = {
        name
        for case in _cases_of(root)
        for name in re.findall(r"^(\w+)\s*=", case.text, re.MULTILINE)
    }
    assert set(declared) - used == set()


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_every_attribute_of_a_variable_is_set_by_a_case(root: Path) -> None:
    declared = re.findall(
        r"^    +(\w+) += (?:optional|string|number|bool|list|set|map|object)\b",
        (root / "variables.tf").read_text(),
        re.MULTILINE,
    )
    used = {
        name for case in _cases_of(root) for name in re.findall(r'[\s{]"?(\w+)"?\s*[=:]', case.text)
    }
    assert set(declared) - used == set()


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_every_refusal_is_shown_by_a_case(root: Path) -> None:
    expected = [
        sentence
        for case in _cases_of(root)
        for key in ("errors", "warnings")
        for sentence in case.expected.get(key, [])
    ]
    messages = [
        message
        for path in sorted(root.glob("*.tf"))
        for message in re.findall(r"error_message\s*=\s*\"(.*)\"$", path.read_text(), re.MULTILINE)
    ]
    missing = [m for m in messages if not any(_says(sentence, m) for sentence in expected)]
    assert missing == []


def _says(sentence: str, message: str) -> bool:
    """Whether a sentence holds the start of the longest part of a template without values."""
    parts = re.split(r"\$\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}", message)
    longest = max((part.replace('\\"', '"') for part in parts), key=len)
    return longest[:40].strip() in sentence
