"""Every action of AWS asked of every role of the functions: what is not expected is refused.

The emulator simulates the answer (`iam:SimulatePrincipalPolicy`), which is the evaluation
that real calls get; test_roles.py makes such calls.
"""

import pytest

from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.conftest import Stack
from tests.security.actions import access_levels, allowed
from tests.support.environments import STATE_BUCKET

FUNCTIONS = ("image_processor", "data_transformer", "api_handler")
FOREIGN_ACCOUNT = "111122223333"

# What each role may do where. A listing is allowed for prefixes alone, which a simulation does not
# know: test_roles.py lists.
EXPECTED = {
    "image_processor": {
        "an upload": {"s3:GetObject", "s3:GetObjectVersion"},
        "an output": {"s3:DeleteObject", "s3:GetObject", "s3:PutObject"},
        "own queue": {"sqs:SendMessage"},
        "own log stream": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "api_handler": {
        "an upload": {"s3:GetObject", "s3:PutObject"},
        "an output": {"s3:GetObject"},
        "own queue": {"sqs:SendMessage"},
        "own log stream": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
}
EXPECTED["data_transformer"] = EXPECTED["image_processor"]


def resources(stack: Stack, function: str) -> dict[str, str]:
    """ARNs of own and foreign resources."""
    bucket = f"arn:aws:s3:::{stack.outputs['s3_bucket_name']}"
    name, other = (
        stack.outputs["functions"][f]["function_name"]
        for f in (function, FUNCTIONS[(FUNCTIONS.index(function) + 1) % len(FUNCTIONS)])
    )

    def arn(service: str, resource: str, account: str = ACCOUNT_ID) -> str:
        return f"arn:aws:{service}:{REGION}:{account}:{resource}"

    role = stack.outputs["functions"][function]["role_arn"]
    return {
        "anything": "*",
        "the bucket": bucket,
        "an upload": f"{bucket}/uploads/1/a.csv",
        "an output": f"{bucket}/processed/1/a.csv/result.json",
        "beside the prefixes": f"{bucket}/other",
        "a prefix's neighbour": f"{bucket}/uploads-2/a.csv",
        "the state": f"arn:aws:s3:::{STATE_BUCKET}/serverless-uploads/e2e.tfstate",
        "a foreign object": "arn:aws:s3:::somebody-elses/uploads/1/a.csv",
        "own queue": arn("sqs", f"{name}-dlq"),
        "another queue": arn("sqs", f"{other}-dlq"),
        "a foreign queue": arn("sqs", f"{name}-dlq", FOREIGN_ACCOUNT),
        "own log stream": arn("logs", f"log-group:/aws/lambda/{name}:log-stream:s"),
        "own log group": arn("logs", f"log-group:/aws/lambda/{name}"),
        "another log stream": arn("logs", f"log-group:/aws/lambda/{other}:log-stream:s"),
        "own function": arn("lambda", f"function:{name}"),
        "another function": arn("lambda", f"function:{other}"),
        "a foreign function": arn("lambda", f"function:{name}", FOREIGN_ACCOUNT),
        "own role": role,
        "another role": f"arn:aws:iam::{ACCOUNT_ID}:role/admin",
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_may_do_what_is_expected_and_nothing_else(stack: Stack, function: str) -> None:
    role = stack.outputs["functions"][function]["role_arn"]
    found = {what: allowed(stack, role, arn) for what, arn in resources(stack, function).items()}
    assert {what: actions for what, actions in found.items() if actions} == EXPECTED[function]


def test_all_actions_are_asked_for() -> None:
    assert len(access_levels()) > 15_000
    assert {"s3:GetObject", "sqs:SendMessage", "iam:PassRole"} <= access_levels().keys()
