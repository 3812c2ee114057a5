"""The roles of the GitHub workflows: the one that plans can, and can change nothing.

`envs/github` is applied to the emulator for the shared environment, which its role then plans.
What the emulator cannot judge is in tests/plan/github: the trust in GitHub's tokens, and the
condition on the boundary, whose key the emulator does not know.
"""

import json
import shutil
from collections.abc import Iterator

import boto3
import pytest
import tftest  # type: ignore[import-untyped]  # tftest ships no types
from botocore.exceptions import ClientError

from scripts import ROOT, terraform
from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.conftest import STATE_BUCKET, SUFFIX, Stack
from tests.plan import harness
from tests.security.actions import access_levels, allowed
from tests.security.credentials import session_of, variables_of

PLAN, DEPLOY = f"serverless-uploads-{SUFFIX}-plan", f"serverless-uploads-{SUFFIX}-deploy"
# What is asked for in the name of reading.
READS = {"Read", "List"}


@pytest.fixture(scope="module")
def roles(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`envs/github` for the shared environment, with its state in a folder."""
    tree = tmp_path_factory.mktemp("github")
    # The functions' names are those of their folders.
    shutil.copytree(ROOT / "functions", tree / "functions")
    root = tree / "envs" / "github"
    root.mkdir(parents=True)
    for path in [*ROOT.glob("envs/github/*.tf"), ROOT / "envs/github/.terraform.lock.hcl"]:
        (root / path.name).write_text(path.read_text().replace('backend "s3"', 'backend "local"'))
    versions = root / "versions.tf"
    versions.write_text(versions.read_text().replace("encrypt      = true", ""))
    versions.write_text(versions.read_text().replace("use_lockfile = true", ""))
    environment = terraform.environment(
        stack.cloud.client_environment(), directory=stack.cloud.directory
    )
    variables = {
        "account_id": ACCOUNT_ID,
        "environments": [SUFFIX],
        "region": REGION,
        "subject_prefix": "repo:octo-org@1/uploads@2",
    }
    (root / "test.auto.tfvars.json").write_text(json.dumps(variables))
    run = harness.Terraform(str(root), env=environment)
    run.execute_command("init", "-input=false", "-no-color")
    run.apply()
    yield
    run.destroy()


@pytest.fixture(scope="module")
def planner(stack: Stack, roles: None) -> boto3.Session:  # noqa: ARG001 - made before it is used
    """Credentials of the role that plans."""
    return session_of(stack.cloud, PLAN)


def plan(stack: Stack, session: boto3.Session) -> tftest.TerraformCommandOutput:
    """Plan the shared environment as .github/workflows/plan.yml does, with a session's keys."""
    keys = variables_of(session)
    run = harness.Terraform(stack.terraform.tfdir, env={**stack.terraform.env, **keys})
    variables = f"-var-file={stack.variables}"
    return run.execute_command(
        "plan", "-input=false", "-no-color", "-lock=false", "-detailed-exitcode", variables
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


@pytest.mark.usefixtures("roles")
def test_the_role_that_plans_changes_nothing(stack: Stack) -> None:
    for arn in ("*", *_own(stack)):
        found = allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{PLAN}", arn)
        assert {action for action in found if access_levels()[action] not in READS} == set(), arn


@pytest.mark.usefixtures("roles")
def test_the_role_that_plans_reads_no_upload(stack: Stack) -> None:
    upload = f"arn:aws:s3:::{stack.outputs['s3_bucket_name']}/uploads/1/a.csv"
    assert allowed(stack, f"arn:aws:iam::{ACCOUNT_ID}:role/{PLAN}", upload) <= WITHOUT_RESOURCE


@pytest.mark.usefixtures("roles")
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


@pytest.mark.usefixtures("roles")
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
