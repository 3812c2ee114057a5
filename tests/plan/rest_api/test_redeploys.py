"""The deployment's trigger changes exactly when something that the stage serves changes."""

from copy import deepcopy
from typing import Any

import pytest

from tests.plan.harness import Workspace, call_of

_FUNCTION = {"name": "orders", "invoke_arn": "arn:aws:apigateway:eu-west-1:lambda:path/orders"}
_JUDGE = {"name": "judge", "invoke_arn": "arn:aws:apigateway:eu-west-1:lambda:path/judge"}
_POOL = "arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_"
_DOMAIN = {
    "name": "api.example.com",
    "certificate_arn": "arn:aws:acm:eu-west-1:123456789012:certificate/abc",
}
_BASE: dict[str, Any] = {
    "name": "orders",
    "allowed_cidrs": ["192.0.2.0/24"],
    "authorizers": {"token": {"function": _JUDGE}, "people": {"user_pool_arns": [f"{_POOL}a"]}},
    "cors": {"allow_origins": ["https://a.example"]},
    "routes": {
        "status": {"method": "GET", "path": "/status", "function": _FUNCTION},
        "orders": {
            "method": "GET",
            "path": "/orders",
            "function": _FUNCTION,
            "authorization": "people",
        },
    },
}
_SERVED: dict[str, dict[str, Any]] = {
    "another route": {"routes": {"more": {"method": "GET", "path": "/x", "function": _FUNCTION}}},
    "one route less": {"routes": {"orders": None}},
    "another method": {"routes": {"status": {"method": "POST"}}},
    "another path": {"routes": {"status": {"path": "/state"}}},
    "another function": {"routes": {"status": {"function": _JUDGE}}},
    "another authorization": {"routes": {"status": {"authorization": "NONE"}}},
    "an authorizer of a route": {"routes": {"status": {"authorization": "token"}}},
    "another scope": {"routes": {"orders": {"authorization_scopes": ["orders/read"]}}},
    "another user pool": {"authorizers": {"people": {"user_pool_arns": [f"{_POOL}b"]}}},
    "another identity source": {
        "authorizers": {"token": {"identity_sources": ["method.request.header.X-Token"]}}
    },
    "a schema": {"routes": {"status": {"schema": '{"type": "object"}'}}},
    "another timeout": {"routes": {"status": {"timeout_seconds": 5}}},
    "another authorizer": {"authorizers": {"token": {"cache_seconds": 5}}},
    "another origin": {"cors": {"allow_origins": ["https://a.example", "https://b.example"]}},
    "another allowed header": {"cors": {"allow_headers": ["Content-Type"]}},
    "another readable header": {"cors": {"expose_headers": ["ETag"]}},
    "another preflight age": {"cors": {"max_age_seconds": 5}},
    "another network": {"allowed_cidrs": ["198.51.100.0/24"]},
    "no network": {"allowed_cidrs": []},
    # API Gateway closes the execute-api address with the next change of a stage only.
    "a domain that closes the other address": {"custom_domain": _DOMAIN},
}
_NOT_SERVED: dict[str, dict[str, Any]] = {
    "tags": {"tags": {"Team": "shop"}},
    "description": {"description": "Orders of the shop"},
    "log retention": {"access_log_retention_days": 30},
    "log level": {"execution_log_level": "INFO"},
    "metrics": {"metrics_enabled": False},
    "tracing": {"tracing_enabled": False},
    "limits of the stage": {"throttling_rate_limit": 5, "throttling_burst_limit": 5},
    "a web ACL": {
        "web_acl": {"arn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shop/1"}
    },
    "no access log": {"access_log_enabled": False},
    "alarms": {"alarms": {"unattended": True}},
    "a key for logs": {"log_kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/abc"},
}


@pytest.fixture(scope="module")
def triggers(workspace: Workspace) -> dict[str, str]:
    """The deployment's trigger by what was changed; "" is without any change."""
    changes: dict[str, dict[str, Any]] = {"": {}, **_SERVED, **_NOT_SERVED}
    plans = workspace.plan_modules(
        "redeploys",
        {
            _label(name): call_of("rest_api", _merged(deepcopy(_BASE), change))
            for name, change in changes.items()
        },
    )
    return {
        name: plans[_label(name)].resources["aws_api_gateway_deployment.this"]["triggers"]["served"]
        for name in changes
    }


@pytest.mark.parametrize("change", _SERVED)
def test_redeploys_with(change: str, triggers: dict[str, str]) -> None:
    assert triggers[change] != triggers[""]


@pytest.mark.parametrize("change", _NOT_SERVED)
def test_does_not_redeploy_with(change: str, triggers: dict[str, str]) -> None:
    assert triggers[change] == triggers[""]


def _label(name: str) -> str:
    return "with_" + name.replace(" ", "_")


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    for key, value in change.items():
        base[key] = _merged(base.get(key, {}), value) if isinstance(value, dict) else value
    return {key: value for key, value in base.items() if value is not None}
