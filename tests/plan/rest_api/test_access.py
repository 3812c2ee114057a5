"""Who may call what: permissions of functions and the API's policy, with the API's ARN known."""

from pathlib import Path

import pytest

from tests.plan.cases import Case
from tests.plan.harness import Workspace
from tests.plan.planned import Plan

ANY = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
ARN = "arn:aws:execute-api:us-east-1:000000000000:abc123"
# An API that is there already; else the ARN, and all that holds it, is known after apply only.
API = {
    "module": "module.api",
    "mode": "managed",
    "type": "aws_api_gateway_rest_api",
    "name": "this",
    "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
    "instances": [
        {
            "schema_version": 0,
            "attributes": {"id": "abc123", "execution_arn": ARN, "root_resource_id": "root"},
        }
    ],
}


@pytest.fixture(scope="module")
def plan(workspace: Workspace) -> Plan:
    case = Case(Path(__file__).parent / "cases/complete.tfvars")
    return workspace.plan_modules("access", {"api": case.call}, state=[API])["api"]


@pytest.mark.parametrize(
    ("route", "request_of_stage"),
    [
        ("root", "v1/*/"),
        ("create_order", "v1/POST/orders"),
        ("line", "v1/GET/orders/*/lines/*"),
        ("remove", "v1/DELETE/orders/*"),
    ],
)
def test_a_function_answers_its_route_of_this_stage_alone(
    plan: Plan, route: str, request_of_stage: str
) -> None:
    permission = plan.resources[f'aws_lambda_permission.route["{route}"]']
    assert permission["source_arn"] == f"{ARN}/{request_of_stage}"
    assert permission["principal"] == "apigateway.amazonaws.com"


def test_the_policy_opens_no_route_that_relies_on_iam(plan: Plan) -> None:
    statement = plan.policy("aws_api_gateway_rest_api_policy.this[0]")["AllowRoutesWithoutIam"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == "*"
    assert statement["Action"] == "execute-api:Invoke"
    assert set(statement["Resource"]) == {
        *(f"{ARN}/v1/{method}/" for method in ANY),
        f"{ARN}/v1/POST/orders",
        f"{ARN}/v1/GET/orders/*/lines/*",
        f"{ARN}/v1/OPTIONS/*",
    }


def test_the_policy_refuses_other_networks_on_every_route(plan: Plan) -> None:
    statement = plan.policy("aws_api_gateway_rest_api_policy.this[0]")["DenyOtherNetworks"]
    assert statement["Effect"] == "Deny"
    assert statement["Principal"] == "*"
    assert statement["Resource"] == [f"{ARN}/*"]
    assert statement["Condition"] == {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24"]}}


def test_the_execution_log_has_the_name_that_api_gateway_gives_it(plan: Plan) -> None:
    group = plan.resources["aws_cloudwatch_log_group.execution[0]"]
    assert group["name"] == "API-Gateway-Execution-Logs_abc123/v1"
