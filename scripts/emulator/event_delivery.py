"""EventBridge's delivery: retries, dead-letter queues, and policies of queues and topics.

ministack calls a target once and drops what fails. EventBridge calls it again, and puts the event
into the target's dead-letter queue when it gives up: after the last retry, and at once when the
target refuses the event or does not let the rule in (EventBridge user guide: "How EventBridge
retries delivering events", "Using dead-letter queues", "API destinations": error codes).
"""

from __future__ import annotations

import contextvars
import importlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    type Invoke = Callable[..., None]
    type Send = Callable[[str, str, dict[str, str]], object]

# EventBridge's own, but for the pause: it waits for seconds, then for up to an hour.
_RETRIES: Final = 185
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 2.0
# These answers of a webhook are tried again, and all of 500 and above.
_TRIED_AGAIN: Final = frozenset({401, 407, 409, 429})
_SERVICE: Final = "events.amazonaws.com"


class NotDeliveredError(Exception):
    """A target did not take an event; `is_final` when another try would not help."""

    def __init__(self, code: str, message: str, *, is_final: bool) -> None:
        super().__init__(message)
        self.code = code
        self.is_final = is_final


def with_retries(
    invoke: Invoke, send: Send, pause: Callable[[float], object] = time.sleep
) -> Invoke:
    """Return a way to call targets that tries again and uses dead-letter queues.

    Args:
        invoke: ministack's way, given target, event, rule and ministack's view of the event.
        send: sends a message with attributes to a queue, given the queue's ARN.
        pause: waits for some seconds.
    """

    def started(target: dict[str, Any], *others: Any) -> None:  # noqa: ANN401 - of ministack
        # In the same context, which says whose account it is.
        context = contextvars.copy_context()
        arguments = (deliver, target, *others)
        threading.Thread(target=context.run, args=arguments, daemon=True).start()

    def deliver(
        target: dict[str, Any],
        event: dict[str, Any],
        rule: dict[str, Any],
        *view: Any,  # noqa: ANN401 - of ministack
    ) -> None:
        retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", _RETRIES)
        wait, attempt = _FIRST_PAUSE, 0
        while True:
            try:
                if ":api-destination/" in target["Arn"]:
                    _send_to_webhook(target, _message(event))
                else:
                    _check_access(target["Arn"], rule["Arn"])
                    invoke(target, event, rule, *view)
            except NotDeliveredError as error:
                if error.is_final or attempt == retries:
                    give_up(target, event, rule["Arn"], error, attempt)
                    return
            else:
                return
            pause(wait)
            wait, attempt = min(_LONGEST_PAUSE, wait * 2), attempt + 1

    def give_up(
        target: dict[str, Any],
        event: dict[str, Any],
        rule: str,
        error: NotDeliveredError,
        retries: int,
    ) -> None:
        queue = target.get("DeadLetterConfig", {}).get("Arn")
        if not queue or not _is_allowed("sqs:SendMessage", queue, rule):
            return  # as on AWS, where a metric alone counts it
        attributes = {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
            "RETRY_ATTEMPTS": str(retries),
            "RULE_ARN": rule,
            "TARGET_ARN": target["Arn"],
        }
        if not error.is_final:
            attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
        send(queue, _message(event), attributes)

    return started


def _message(event: dict[str, Any]) -> str:
    bridge: Any = importlib.import_module("ministack.services.eventbridge")
    return json.dumps(bridge._pattern_event_view(event).event_with_detail())  # noqa: SLF001 - no API returns it


def _check_access(target: str, rule: str) -> None:
    """Raise NotDeliveredError where a queue or topic is missing or does not let the rule in."""
    action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(target.split(":")[2])
    if action and not _is_allowed(action, target, rule):
        message = f"{target} does not exist, or its policy does not allow {action} to {rule}"
        raise NotDeliveredError("NO_PERMISSIONS", message, is_final=True)


def _is_allowed(action: str, resource: str, rule: str) -> bool:
    """Return whether the policy of a queue or topic allows a rule an action."""
    service = action.partition(":")[0]
    module: Any = importlib.import_module(f"ministack.services.{service}")
    find = module._queue_by_arn if service == "sqs" else module._topic_by_arn_any_scope  # noqa: SLF001 - no API takes an ARN
    policy = (find(resource) or {}).get("attributes", {}).get("Policy")
    iam: Any = importlib.import_module("ministack.core.iam_evaluator")
    _, _, _, region, account, _ = rule.split(":", 5)
    context = iam.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=region,
        service_context={
            "aws:sourcearn": rule,
            "aws:sourceaccount": account,
            "aws:sourceowner": account,
            "aws:securetransport": "true",
        },
    )
    return bool(policy) and (
        iam.evaluate_resource_policy(policy, context, service=_SERVICE).decision == "Allow"
    )


def _send_to_webhook(target: dict[str, Any], message: str) -> None:
    """Send an event to an API destination once.

    Raises:
        NotDeliveredError: the destination did not take it.
    """
    bridge: Any = importlib.import_module("ministack.services.eventbridge")
    destination = bridge._api_destinations.get(target["Arn"].split("/")[1])  # noqa: SLF001 - no API in this process
    if destination is None:
        reason = f"{target['Arn']} does not exist"
        raise NotDeliveredError("RESOURCE_NOT_FOUND", reason, is_final=True)
    name = destination["ConnectionArn"].split("/")[1]
    connection = bridge._connections.get(name)  # noqa: SLF001 - no API in this process
    if connection is None or connection.get("ConnectionState") != "AUTHORIZED":
        raise NotDeliveredError(
            "CONNECTION_NOT_AUTHORIZED", f"connection {name} is not authorized", is_final=False
        )
    parameters = target.get("HttpParameters") or {}
    request = bridge._build_api_destination_request(destination, connection, parameters, message)  # noqa: SLF001 - see above
    _, _, _, region, account, _ = target["Arn"].split(":", 5)
    token = (account, region, name)
    try:
        headers = bridge._connection_auth_headers(connection, token)  # noqa: SLF001 - see above
        status = bridge._api_destination_send_sync(request, headers)  # noqa: SLF001 - see above
    except Exception as error:
        raise NotDeliveredError("SDK_CLIENT_ERROR", str(error), is_final=False) from error
    if not 200 <= status < 300:
        raise NotDeliveredError(
            "SDK_CLIENT_ERROR",
            f"the API destination answered with status {status}",
            is_final=status < 500 and status not in _TRIED_AGAIN,
        )
