"""Cases of plan tests: a tfvars file beside what its plan must hold, written by hand.

`<module>/cases/<name>.tfvars` and `<module>/cases/<name>.yaml`. Variables that all cases of a
module share may be in `<module>/cases/common.tfvars`. The YAML file may hold

    resources   planned values by address; only those that are named, `null` means absent or empty
    counts      number of resources by type; only the types that are named
    outputs     values of outputs; only those that are named
    warnings    sentences of failed checks; all of them, so none where the key is missing
    errors      sentences with which the plan is refused; all of them
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.plan.harness import Json, Workspace, differences

_KEYS = {"resources", "counts", "outputs", "warnings", "errors"}
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One case file and the root it is about."""

    expectation: Path

    def __str__(self) -> str:
        return f"{self.root}/{self.expectation.stem}"

    @property
    def root(self) -> str:
        """Name of the module or environment: the folder that holds `cases`."""
        return self.expectation.parents[1].name

    @property
    def variables(self) -> list[Path]:
        """The tfvars files, the later overriding the earlier."""
        common = self.expectation.with_name("common.tfvars")
        return [*([common] if common.exists() else []), self.expectation.with_suffix(".tfvars")]

    def check(self, workspace: Workspace) -> list[str]:
        """Plan and compare; returns what differs."""
        expected: dict[str, Json] = yaml.safe_load(self.expectation.read_text())
        unknown = expected.keys() - _KEYS
        if unknown:
            return [f"{self.expectation.name}: no such key: {', '.join(sorted(unknown))}"]
        if "errors" in expected:
            return _check_errors(expected["errors"], workspace.errors(self.root, self.variables))
        plan = workspace.plan(self.root, self.variables)
        return [
            *differences(expected.get("resources", {}), plan.resources),
            *differences(expected.get("counts", {}), plan.counts, "counts"),
            *differences(expected.get("outputs", {}), plan.outputs, "outputs"),
            *differences(expected.get("warnings", []), plan.warnings, "warnings"),
        ]


def _check_errors(expected: list[str], actual: list[str]) -> list[str]:
    missing = [s for s in expected if not any(s in a for a in actual)]
    surplus = [a for a in actual if not any(s in a for s in expected)]
    return [
        *(f"not refused with: {sentence}" for sentence in missing),
        *(f"refused with what is not expected: {sentence}" for sentence in surplus),
    ]


def all_cases() -> list[Case]:
    """Every case below tests/plan."""
    return [Case(path) for path in sorted(_HERE.glob("*/cases/*.yaml"))]
