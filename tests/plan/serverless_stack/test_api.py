"""The plan of the API against its published document, and what its switches grant."""

import json
from typing import Any

import pytest
import yaml

from tests.plan.harness import REPOSITORY, Workspace
from tests.plan.planned import Plan

DOCUMENT = yaml.safe_load((REPOSITORY / "functions/api_handler/openapi.yaml").read_text())
ROLE = 'module.functions["api_handler"].aws_iam_role_policy.this'
SETTINGS = {
    "off": "",
    "tagging": 'tag_names = ["team"]',
    "deleting": "deletion_enabled = true",
    "reprocessing": "deletion_enabled = true, reprocessing_enabled = true",
    "on": "deletion_enabled = true, reprocessing_enabled = true, multipart_enabled = true",
}


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> dict[str, Plan]:
    calls = {
        name: f"""
          source = "../../modules/serverless_stack"

          suffix = "team-a"
          alarms = {{ unattended = true }}
          api    = {{ {settings} }}
        """
        for name, settings in SETTINGS.items()
    }
    return workspace.plan_modules("switches", calls)


def _routes(plan: Plan) -> set[tuple[str, str]]:
    """Methods and paths; a plan knows both together only from the answers to preflights."""
    routes = set()
    for address, answer in plan.of_type("aws_api_gateway_integration_response").items():
        if ".preflight[" not in address:
            continue
        path = address.partition('["')[2].removesuffix('"]')
        methods = answer["response_parameters"][
            "method.response.header.Access-Control-Allow-Methods"
        ]
        routes |= {(method, f"/{path}") for method in methods.strip("'").split(",")}
    served = [m["http_method"] for m in plan.of_type("aws_api_gateway_method").values()]
    # OPTIONS answers preflights, ANY the methods that a path lacks.
    assert sorted(m for m in served if m not in {"ANY", "OPTIONS"}) == sorted(m for m, _ in routes)
    return routes


def _published(*, switched: bool) -> set[tuple[str, str]]:
    """Methods and paths of the document; a greedy parameter takes "/reprocess" with it."""
    return {
        (method.upper(), path.removesuffix("/reprocess").replace("{key}", "{key+}"))
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and (switched or "x-enabled-by" not in operation)
    }


def _actions(plan: Plan) -> set[str]:
    return {action for statement in plan.policy(ROLE).values() for action in statement["Action"]}


def test_routes_are_those_of_the_document(plans: dict[str, Plan]) -> None:
    assert _routes(plans["on"]) == _published(switched=True)


def test_routes_that_are_not_enabled_are_not_there(plans: dict[str, Plan]) -> None:
    assert _routes(plans["off"]) == _published(switched=False)


def test_each_switch_grants_what_its_route_needs_and_nothing_else(
    plans: dict[str, Plan],
) -> None:
    off, tagging, deleting, reprocessing, on = (_actions(plans[name]) for name in SETTINGS)
    assert tagging - off == {"s3:PutObjectTagging"}
    assert off < deleting < reprocessing < on
    assert deleting - off == {"s3:DeleteObject"}
    assert reprocessing - deleting == {"lambda:InvokeFunction"}
    assert on - reprocessing == {
        "s3:AbortMultipartUpload",
        "s3:ListBucketMultipartUploads",
        "s3:ListMultipartUploadParts",
    }


def test_the_gateway_checks_bodies_by_the_document(plans: dict[str, Plan]) -> None:
    model = plans["off"].resources['module.api.aws_api_gateway_model.request["create_file"]']
    checked = json.loads(model["schema"])
    del checked["$schema"], checked["title"]
    assert checked == _without_descriptions(DOCUMENT["components"]["schemas"]["NewFile"])


def _without_descriptions(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_descriptions(part) for name, part in schema.items() if name != "description"
    }
