"""Cases of plan tests: a tfvars file beside what its plan must hold, written by hand.

`<module or environment>/cases/<name>.tfvars` and `<name>.yaml`, which may hold

    resources   planned values by address; only those that are named, `null` means absent or empty
    counts      number of resources by type; only the types that are named
    outputs     values of outputs; only those that are named
    warnings    sentences of failed checks; all of them, so none where the key is missing
    errors      sentences with which the plan is refused; all of them
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from tests.plan.harness import REPOSITORY, expanded
from tests.plan.planned import Json, Plan, differences

KEYS = {"resources", "counts", "outputs", "warnings", "errors"}
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One case and the module or environment that it is about."""

    file: Path

    def __str__(self) -> str:
        return f"{self.root}/{self.file.stem}"

    @property
    def root(self) -> str:
        """Name of the module or environment: the folder that holds `cases`."""
        return self.file.parents[1].name

    @property
    def label(self) -> str:
        """Name of the call when the case is planned among others."""
        return f"{self.root}_{self.file.stem}"

    @property
    def is_of_module(self) -> bool:
        """Whether it is about a module; else about an environment."""
        return (REPOSITORY / "modules" / self.root).is_dir()

    @property
    def is_refused(self) -> bool:
        """Whether the plan is expected to be refused."""
        return "errors" in self.expected

    @cached_property
    def expected(self) -> dict[str, Json]:
        """The content of the YAML file."""
        loaded: dict[str, Json] = yaml.safe_load(self.file.with_suffix(".yaml").read_text())
        return loaded

    @property
    def text(self) -> str:
        """The content of the tfvars file, see `harness.expanded`."""
        return expanded(self.file)

    @property
    def call(self) -> str:
        """The arguments of the module: its source, and what the tfvars file gives."""
        return f'  source = "../../modules/{self.root}"\n\n{self.text}'

    def differences(self, plan: Plan) -> list[str]:
        """Say where a plan is not what is expected."""
        return [
            *differences(self.expected.get("resources", {}), plan.resources),
            *differences(self.expected.get("counts", {}), plan.counts, "counts"),
            *differences(self.expected.get("outputs", {}), plan.outputs, "outputs"),
            *differences(self.expected.get("warnings", []), plan.warnings, "warnings"),
        ]


def all_cases() -> list[Case]:
    """Every case below tests/plan."""
    return [Case(path) for path in sorted(_HERE.glob("*/cases/*.tfvars"))]
