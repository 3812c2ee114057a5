"""Cases of plan tests: a tfvars file beside what its plan must hold, written by hand.

`<module or environment>/cases/<name>.tfvars` and `<name>.yaml`, which may hold

    resources   planned values by address; only those that are named, `null` means absent or empty
    counts      number of resources by type; only the types that are named
    outputs     values of outputs; only those that are named
    warnings    sentences of failed checks; all of them, so none where the key is missing
    errors      sentences with which the plan is refused; all of them

`python -m tests.plan.cases FILE.tfvars …` writes the YAML file of a new case: all that its plan
holds, to be read, and cut down to what the case is about.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from scripts import local_cloud
from tests.plan.harness import REPOSITORY, Workspace, expanded, running_workspace
from tests.plan.planned import KNOWN_AFTER_APPLY, Json, Plan, differences

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


def written(case: Case, workspace: Workspace) -> dict[str, Json]:
    """Return all that the plan of a new case holds, as its YAML file has it."""
    if case.is_of_module:
        errors = workspace.errors_of_modules(f"{case.label}_refused", {case.label: case.call})
        refused = errors[case.label]
    else:
        refused = workspace.errors(case.root, case.file)
    if refused:
        return {"errors": refused}
    plan = (
        workspace.plan_modules(case.label, {case.label: case.call})[case.label]
        if case.is_of_module
        else workspace.plan(case.root, case.file)
    )
    found = {
        "counts": plan.counts,
        "resources": {address: _known(values) for address, values in plan.resources.items()},
        "outputs": _known(plan.outputs),
        "warnings": plan.warnings,
    }
    return {key: value for key, value in found.items() if value}


def _known(value: Json) -> Json:
    """Return a value without what is not set, or known after an apply; JSON texts are opened."""
    if isinstance(value, str) and value[:1] == "{":
        with contextlib.suppress(ValueError):  # a text that only looks so, such as a log's format
            value = json.loads(value)
    if isinstance(value, list) and value and all(isinstance(v, dict) and "Sid" in v for v in value):
        value = {statement["Sid"]: statement for statement in value}
    if isinstance(value, dict):
        opened = {name: _known(part) for name, part in value.items()}
        return {
            name: part
            for name, part in opened.items()
            if part not in (None, "", [], {}, KNOWN_AFTER_APPLY)
        }
    return [_known(part) for part in value] if isinstance(value, list) else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the YAML files of new cases; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.plan.cases", description=main.__doc__)
    parser.add_argument("files", metavar="FILE.tfvars", nargs="+", type=Path)
    cases = [Case(file.resolve()) for file in parser.parse_args(arguments).files]
    there = [case for case in cases if case.file.with_suffix(".yaml").exists()]
    if there:
        print(f"error: {there[0]} has a YAML file already: delete it first", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as folder,
        local_cloud.running(Path(folder) / "cloud") as cloud,
        running_workspace(Path(folder), cloud.environment()) as workspace,
    ):
        for case in cases:
            file = case.file.with_suffix(".yaml")
            file.write_text(yaml.safe_dump(written(case, workspace), sort_keys=False, width=100))
            print(f"{file}: written; cut it down to what {case} is about")
    return 0


if __name__ == "__main__":
    sys.exit(main())
