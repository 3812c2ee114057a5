"""Every HCL block of the READMEs can be planned as it stands."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plan.harness import REPOSITORY, Workspace
from tests.plan.planned import Plan

FOLDERS = ("docs", "envs", "examples", "modules")


@dataclass(frozen=True)
class Example:
    readme: Path
    number: int
    source: str

    def __str__(self) -> str:
        return f"{self.readme.parent.name}_{self.readme.stem}_{self.number}"


def _examples() -> list[Example]:
    readmes = sorted(
        [
            REPOSITORY / "README.md",
            *(f for folder in FOLDERS for f in (REPOSITORY / folder).rglob("*.md")),
        ]
    )
    return [
        Example(readme, number, source)
        for readme in readmes
        for number, source in enumerate(
            re.findall(r"^```hcl\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL), 1
        )
    ]


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> dict[str, Plan]:
    calls = {}
    for example in _examples():
        folder = workspace.tree / "envs" / f"readme_{example}"
        folder.mkdir()
        (folder / "main.tf").write_text(example.source)
        calls[str(example)] = f'  source = "../readme_{example}"'
    return workspace.plan_modules("readmes", calls)


@pytest.mark.parametrize("example", _examples(), ids=str)
def test_example_can_be_planned(example: Example, plans: dict[str, Plan]) -> None:
    plan = plans[str(example)]
    assert plan.resources
    assert plan.warnings == []
