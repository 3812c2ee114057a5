"""The roles of the GitHub workflows: the one that plans can, and can change nothing.

The shared environment was applied by the role that deploys. What the emulator cannot judge is in
tests/plan/github: the trust in GitHub's tokens.
"""

import boto3
import pytest
import tftest  # type: ignore[import-untyped]  # tftest ships no types
from botocore.exceptions import ClientError

from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.conftest import SUFFIX, Stack
from tests.plan import harness
from tests.security.actions import access_levels, allowed
from tests.support.credentials import session_of, variables_of
from tests.support.environments import STATE_BUCKET

PLAN, DEPLOY = f"serverless-uploads-{SUFFIX}-plan", f"serverless-uploads-{SUFFIX}-deploy"
# Requests that a reading role makes.
READS = {"Read", "List"}


@pytest.fixture(scope="module")
def planner(stack: Stack) -> boto3.Session:
    """Credentials of the role that plans."""
    return session_of(stack.cloud, PLAN)


def plan(stack: Stack, session: boto3.Session) -> tftest.TerraformCommandOutput:
    """Plan the shared environment as .github/workflows/plan.yml does, with a session's keys."""
    keys = variables_of(session)
    run = harness.Terraform(stack.terraform.tfdir, env={**stack.terraform.env, **keys})
    return run.execute_command(
        "plan", "-input=false", "-no-color", "-lock=false", "-detailed-exitcode"
    )


def test_the_role_that_plans_can_plan(stack: Stack, planner: boto3.Session) -> None:
    planned = plan(stack, planner)
    assert planned.retcode == 0, planned.out


def test_what_was_changed_by_hand_is_in_the_plan(stack: Stack, planner: boto3.Session) -> None:
    function = stack.outputs["functions"]["image_processor"]["function_name"]
    lambdas = stack.aws("lambda")
    before = lambdas.get_function_configuration(FunctionName=function)["Timeout"]
    lambdas.update_function_configuration(FunctionName=function, Timeout=before - 1)
    try:
        planned = plan(stack, planner)
    finally:
        lambdas.update_function_configuration(FunctionName=function, Timeout=before)
    assert planned.retcode == 2
    assert f"{before - 1} -> {before}" in planned.out


def test_the_role_that_plans_lists_no_states(stack: Stack, planner: boto3.Session) -> None:
    s3 = stack.aws("s3", planner)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=STATE_BUCKET)


def test_the_role_that_plans_changes_nothing(stack: Stack) -> None:
    for arn in ("*", *_own(stack)):
        found = allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{PLAN}", arn)
        assert {action for action in found if access_levels()[action] not in READS} == set(), arn


def test_the_role_that_plans_reads_no_upload(stack: Stack) -> None:
    upload = f"arn:aws:s3:::{stack.outputs['s3_bucket_name']}/uploads/1/a.csv"
    assert allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{PLAN}", upload) <= WITHOUT_RESOURCE


@pytest.mark.parametrize(
    "foreign",
    [
        f"arn:aws:iam::{ACCOUNT_ID}:role/admin",
        f"arn:aws:iam::{ACCOUNT_ID}:role/{DEPLOY}",
        f"arn:aws:iam::{ACCOUNT_ID}:policy/serverless-uploads-{SUFFIX}-boundary",
        f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:image-processor-prod",
        f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:image-processor-prod-dlq",
        f"arn:aws:s3:::serverless-uploads-prod-{ACCOUNT_ID}",
        f"arn:aws:s3:::serverless-uploads-{SUFFIX}-{ACCOUNT_ID}/uploads/1/a.csv",
        f"arn:aws:s3:::terraform-state-{ACCOUNT_ID}/serverless-uploads/prod.tfstate",
    ],
)
def test_the_role_that_deploys_keeps_to_its_environment(stack: Stack, foreign: str) -> None:
    found = allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{DEPLOY}", foreign)
    assert found <= WITHOUT_RESOURCE


def test_the_role_that_deploys_makes_no_role_without_the_boundary(stack: Stack) -> None:
    for arn in (f["role_arn"] for f in stack.outputs["functions"].values()):
        found = allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{DEPLOY}", arn)
        assert "iam:GetRole" in found
        assert not found & {
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRolePermissionsBoundary",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:UpdateAssumeRolePolicy",
        }


# The statements for all resources, of actions that know none: see envs/github/permissions.tf.
WITHOUT_RESOURCE = {
    "cloudwatch:DescribeAlarms",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "wafv2:GetWebACLForResource",
}


def _own(stack: Stack) -> list[str]:
    region = f"{REGION}:{ACCOUNT_ID}"
    functions = stack.outputs["functions"].values()
    return [
        f"arn:aws:s3:::{stack.outputs['s3_bucket_name']}",
        f"arn:aws:s3:::terraform-state-{ACCOUNT_ID}/serverless-uploads/{SUFFIX}.tfstate",
        *(f["role_arn"] for f in functions),
        *(f["arn"] for f in functions),
        *(f"arn:aws:sqs:{region}:{f['function_name']}-dlq" for f in functions),
        f"arn:aws:apigateway:{REGION}::/restapis/{stack.outputs['api_id']}",
    ]
