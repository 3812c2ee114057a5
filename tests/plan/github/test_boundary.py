"""The boundary of the functions' roles allows all that the roles' own policies do."""

import json
from fnmatch import fnmatchcase

import pytest

from tests.plan.harness import Workspace, call_of
from tests.plan.planned import Json, Plan

SUFFIX = "team-a"
REGION = "us-east-1"
ACCOUNT = "000000000000"
# The settings that add a statement to a function's policy.
EVERYTHING = {
    "api": {"deletion_enabled": True, "reprocessing_enabled": True},
    "kms_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data",
    "tracing_enabled": True,
    "vpc": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
}
SETTINGS: dict[str, dict[str, Json]] = {
    "nothing": {},
    **{name: {name: value} for name, value in EVERYTHING.items()},
    "everything": EVERYTHING,
}


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> dict[str, Plan]:
    return workspace.plan_modules(
        "boundary",
        {
            name: call_of("serverless_stack", {"suffix": SUFFIX, **settings})
            for name, settings in SETTINGS.items()
        },
    )


@pytest.fixture(scope="module")
def boundary(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    variables = tmp_path_factory.mktemp("boundary") / "terraform.tfvars.json"
    arguments = {
        "account_id": ACCOUNT,
        "environments": [SUFFIX],
        "region": REGION,
        "subject_prefix": "repo:octo-org/uploads",
    }
    variables.write_text(json.dumps(arguments))
    plan = workspace.plan("github", variables)
    return list(plan.policy(f'aws_iam_policy.boundary["{SUFFIX}"]').values())


@pytest.mark.parametrize("settings", SETTINGS)
def test_no_statement_of_a_function_is_outside_of_the_boundary(
    plans: dict[str, Plan], boundary: list[Json], settings: str
) -> None:
    policies = plans[settings].of_type("aws_iam_role_policy")
    assert len(policies) == len(plans[settings].of_type("aws_lambda_function"))
    asked = {
        (action, resource)
        for policy in policies.values()
        for statement in json.loads(policy["policy"])["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert {pair for pair in asked if not _allows(boundary, *pair)} == set()


def _allows(boundary: list[Json], action: str, resource: str) -> bool:
    return any(
        action in _listed(statement["Action"])
        and any(fnmatchcase(resource, allowed) for allowed in _listed(statement["Resource"]))
        for statement in boundary
    )


def _listed(value: Json) -> list[str]:
    return [value] if isinstance(value, str) else value
