"""A plan over the state of the version before: CHANGELOG.md says what an operator must do."""

from copy import deepcopy

import pytest

from tests.plan.harness import Workspace, call_of
from tests.plan.planned import Json, Plan

_CALL = call_of("serverless_stack", {"suffix": "team-a", "alarms": {"unattended": True}})
# What the version before called the modules, by what this one calls them.
_BEFORE = {
    f'module.functions["{function}"]': f"module.{function}"
    for function in ("api_handler", "data_transformer", "image_processor")
}


def _known(change: dict[str, Json]) -> dict[str, Json]:
    """The attributes of a resource as if it had been made; of what is unknown, what others need."""
    made = {
        "id": "made",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:made",
        "invoke_arn": "arn:aws:apigateway:us-east-1:lambda:path/made",
    }
    return made | {k: v for k, v in change["change"]["after"].items() if v is not None}


def _state_of(plan: Plan) -> list[Json]:
    """The functions' resources of a plan, as the state of the version before had them."""
    found: dict[tuple[str, str, str], Json] = {}
    for change in plan.raw["resource_changes"]:
        module = next((new for new in _BEFORE if change["address"].startswith(new)), None)
        if module is None or change["mode"] != "managed":
            continue
        entry = found.setdefault(
            (module, change["type"], change["name"]),
            {
                "module": f"module.stack.{_BEFORE[module]}",
                "mode": "managed",
                "type": change["type"],
                "name": change["name"],
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [],
            },
        )
        index = {"index_key": change["index"]} if "index" in change else {}
        entry["instances"].append({"schema_version": 0, "attributes": _known(change), **index})
    return list(found.values())


@pytest.fixture(scope="module")
def plan(workspace: Workspace) -> Plan:
    new = workspace.plan_modules("before_upgrade", {"stack": _CALL})["stack"]
    state = _state_of(deepcopy(new))
    return workspace.plan_modules("upgrade", {"stack": _CALL}, state=state)["stack"]


def _of_functions(plan: Plan) -> list[dict[str, Json]]:
    return [
        change
        for change in plan.raw["resource_changes"]
        if change["mode"] == "managed" and any(new in change["address"] for new in _BEFORE)
    ]


def test_each_resource_of_a_function_is_taken_over(plan: Plan) -> None:
    moved = {c["address"]: c.get("previous_address", "") for c in _of_functions(plan)}
    assert len(moved) > 30
    for address, before in moved.items():
        module = next(new for new in _BEFORE if address.startswith(new))
        assert before == f"module.stack.{address}".replace(module, _BEFORE[module])


def test_no_function_and_no_queue_is_replaced(plan: Plan) -> None:
    replaced = [
        change["address"]
        for change in _of_functions(plan)
        if change["type"] in {"aws_lambda_function", "aws_sqs_queue", "aws_cloudwatch_log_group"}
        and "delete" in change["change"]["actions"]
    ]
    assert replaced == []
