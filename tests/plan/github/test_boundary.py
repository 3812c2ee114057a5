"""What the functions' and the webhooks' roles may do under any setting lies inside their boundary.

The emulator knows no boundary: on AWS, what is outside of it is denied.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from scripts.local_cloud import ACCOUNT_ID
from tests.plan.cases import all_cases
from tests.plan.harness import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.plan.harness import Workspace

OWN = ["word-count", "example"]
# Of the shipped functions, and of those of the cases.
NAMES = [*(function.replace("_", "-") for function in FUNCTIONS), *OWN, "serverless-uploads"]
CASES = [case for case in all_cases() if case.root == "serverless_stack" and not case.is_refused]
ENVIRONMENTS = [
    case for case in all_cases() if case.root in {"dev", "prod"} and not case.is_refused
]


@pytest.fixture(scope="module")
def roles(workspace: Workspace) -> list[dict[str, Any]]:
    """The statements of the functions' roles by role name, for each case."""
    modules = workspace.plan_modules("boundary", {case.label: case.call for case in CASES})
    plans = [*modules.values(), *(workspace.plan(case.root, case.file) for case in ENVIRONMENTS)]
    return [dict(_statements(plan.resources)) for plan in plans]


def _statements(resources: dict[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    for address, values in resources.items():
        of_function = ".module.functions[" in f".{address}" and ".aws_iam_role_policy." in address
        if of_function or "aws_iam_role_policy.webhooks[" in address:
            yield values["role"], json.loads(values["policy"])["Statement"]


def test_the_boundary_allows_what_the_functions_may_do_under_some_setting_and_no_more(
    roles: list[dict[str, Any]], workspace: Workspace, tmp_path: Path
) -> None:
    environments = {_environment(role) for one in roles for role in one}
    assert len(environments) > 3
    boundaries = _boundaries(workspace, environments, tmp_path)
    outside = {
        f"{role}: {action} on {resource}"
        for one in roles
        for role, statements in one.items()
        for statement in statements
        # What an environment lets its own processors do besides is for it to add.
        if statement["Effect"] == "Allow" and statement["Sid"] != "ReadDictionary"
        for action in _list(statement["Action"])
        for named in _list(statement["Resource"])
        # No environment gives its bucket another name.
        for resource in [named.replace("our-uploads", f"serverless-uploads-team-a-{ACCOUNT_ID}")]
        if not _allows(boundaries[_environment(role)], action, resource)
    }
    assert not outside
    used = {
        action
        for one in roles
        for statements in one.values()
        for statement in statements
        for action in _list(statement["Action"])
    }
    [allowed, *_] = boundaries.values()
    assert {a for statement in allowed for a in _list(statement["Action"])} <= used


def _environment(role: str) -> tuple[str, str]:
    """Return suffix and region in a role's name, such as image-processor-dev-us-east-1."""
    found = re.fullmatch(rf"({'|'.join(NAMES)})-(.+?)(?:-webhooks)?-([a-z]+-[a-z]+-\d)", role)
    assert found, role
    return found[2], found[3]


def _boundaries(
    workspace: Workspace, environments: set[tuple[str, str]], folder: Path
) -> dict[tuple[str, str], Any]:
    """Return the statements of each environment's boundary."""
    boundaries = {}
    for region in sorted({region for _, region in environments}):
        suffixes = sorted(suffix for suffix, where in environments if where == region)
        variables = folder / "cases" / f"{region}.tfvars"
        variables.parent.mkdir(exist_ok=True)
        variables.write_text(
            f'account_id = "{ACCOUNT_ID}"\nregion = "{region}"\n'
            f"environments = {json.dumps(suffixes)}\n"
            f"own_functions = {json.dumps(OWN)}\n"
            'subject_prefix = "repo:octo-org@1/uploads@2"\n'
        )
        planned = workspace.plan("github", variables).resources
        for suffix in suffixes:
            policy = planned[f'aws_iam_policy.boundary["{suffix}"]']["policy"]
            boundaries[suffix, region] = json.loads(policy)["Statement"]
    return boundaries


def _allows(boundary: list[dict[str, Any]], action: str, resource: str) -> bool:
    return any(
        action in _list(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
        for statement in boundary
    )


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
