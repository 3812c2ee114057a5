"""Every HCL block of the READMEs can be planned as it stands."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plan.harness import REPOSITORY, Workspace


@dataclass(frozen=True)
class Example:
    readme: Path
    number: int
    source: str

    def __str__(self) -> str:
        return f"{self.readme.parent.name}-{self.number}"


def _examples() -> list[Example]:
    readmes = sorted([REPOSITORY / "README.md", *REPOSITORY.glob("modules/*/README.md")])
    return [
        Example(readme, number, source)
        for readme in readmes
        if readme.exists()
        for number, source in enumerate(
            re.findall(r"^```hcl\n(.*?)^```$", readme.read_text(), re.MULTILINE | re.DOTALL), 1
        )
    ]


@pytest.mark.parametrize("example", _examples(), ids=str)
def test_example_can_be_planned(example: Example, workspace: Workspace) -> None:
    root = workspace.tree / "envs" / f"readme-{example}"
    root.mkdir()
    (root / "main.tf").write_text(example.source)
    plan = workspace.plan(root, {})
    assert plan.resources
    assert plan.warnings == []
