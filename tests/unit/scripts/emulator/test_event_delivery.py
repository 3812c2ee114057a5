from __future__ import annotations

import json
import sys
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.emulator.event_delivery import with_retries

RULE = {"Arn": "arn:aws:events:r:1:rule/bus/crm"}
WEBHOOK = "arn:aws:events:r:1:api-destination/crm/0a1b"
QUEUE, DEAD = "arn:aws:sqs:r:1:results", "arn:aws:sqs:r:1:dlq"
TOPIC = "arn:aws:sns:r:1:news"
OPEN = json.dumps({"Service": "events.amazonaws.com"})


class Emulator:
    """ministack's modules; `answers` are what the webhook's server answers, one after the other."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.answers: list[int | Exception] = []
        self.connection: dict[str, str] | None = {"ConnectionState": "AUTHORIZED"}
        self.destinations = {"crm": {"ConnectionArn": "arn:aws:events:r:1:connection/key/0a1b"}}
        self.resources = {DEAD: OPEN, QUEUE: OPEN, TOPIC: OPEN}
        self.invoked: list[str] = []
        self.pauses: list[float] = []
        self.ended: Queue[Any] = Queue()
        view = SimpleNamespace(event_with_detail=lambda: {"detail": {"id": "1"}})
        bridge = SimpleNamespace(
            _api_destinations=self.destinations,
            _connections=SimpleNamespace(get=lambda name: self.connection if name else None),
            _pattern_event_view=lambda _: view,
            _build_api_destination_request=lambda *given: given,
            _connection_auth_headers=lambda _, token: {"key": token},
            _api_destination_send_sync=self._answer,
        )
        patch.setitem(sys.modules, "ministack.services.eventbridge", bridge)
        sqs, sns = SimpleNamespace(_queue_by_arn=self._find), SimpleNamespace()
        sns._topic_by_arn_any_scope = self._find
        patch.setitem(sys.modules, "ministack.services.sqs", sqs)
        patch.setitem(sys.modules, "ministack.services.sns", sns)
        iam = SimpleNamespace(
            EvalContext=lambda **given: given, evaluate_resource_policy=self._evaluate
        )
        patch.setitem(sys.modules, "ministack.core.iam_evaluator", iam)

    def _answer(self, request: tuple[Any, ...], headers: dict[str, Any]) -> int:
        assert request[3] == '{"detail": {"id": "1"}}'
        assert headers == {"key": ("1", "r", "key")}
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer < 300:
            self.ended.put("delivered")
        return answer

    def _find(self, arn: str) -> dict[str, Any] | None:
        policy = self.resources.get(arn)
        return None if policy is None else {"attributes": {"Policy": policy}}

    @staticmethod
    def _evaluate(policy: str, context: dict[str, Any], service: str) -> SimpleNamespace:
        assert context["service_context"]["aws:sourcearn"] == RULE["Arn"]
        assert context["action"] in {"sqs:SendMessage", "sns:Publish"}
        return SimpleNamespace(decision="Allow" if service in policy else "Deny")

    def deliver(self, arn: str, retries: int | None = None) -> Any:
        """Deliver an event; return "delivered", what was sent to the queue, or None."""
        target: dict[str, Any] = {"Arn": arn, "DeadLetterConfig": {"Arn": DEAD}}
        if retries is not None:
            target["RetryPolicy"] = {"MaximumRetryAttempts": retries}

        def invoke(target: dict[str, Any], *_: object) -> None:
            self.ended.put(target["Arn"])

        def send(*message: object) -> None:
            self.ended.put(message)

        with_retries(invoke, send, self.pauses.append)(target, {}, RULE, "view")
        return self.ended.get(timeout=10)


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Emulator:
    return Emulator(monkeypatch)


def test_a_failed_call_is_tried_again_after_longer_and_longer_pauses(emulated: Emulator) -> None:
    emulated.answers = [500, TimeoutError("slow"), 429, 401, 503, 204]
    assert emulated.deliver(WEBHOOK) == "delivered"
    assert emulated.pauses == [0.25, 0.5, 1, 2, 2]


def test_after_the_last_retry_an_event_waits_in_the_queue(emulated: Emulator) -> None:
    emulated.answers = [500, 500, 500]
    queue, body, attributes = emulated.deliver(WEBHOOK, retries=2)
    assert (queue, body) == (DEAD, '{"detail": {"id": "1"}}')
    assert attributes == {
        "ERROR_CODE": "SDK_CLIENT_ERROR",
        "ERROR_MESSAGE": "the API destination answered with status 500",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "RETRY_ATTEMPTS": "2",
        "RULE_ARN": RULE["Arn"],
        "TARGET_ARN": WEBHOOK,
    }


def test_a_refused_event_is_not_tried_again(emulated: Emulator) -> None:
    emulated.answers = [400]
    _, _, attributes = emulated.deliver(WEBHOOK)
    assert attributes["RETRY_ATTEMPTS"] == "0"
    assert "EXHAUSTED_RETRY_CONDITION" not in attributes


def test_credentials_that_do_not_hold_are_waited_for(emulated: Emulator) -> None:
    emulated.connection = None
    _, _, attributes = emulated.deliver(WEBHOOK, retries=1)
    assert attributes["ERROR_CODE"] == "CONNECTION_NOT_AUTHORIZED"


def test_a_webhook_that_is_gone_ends_in_the_queue(emulated: Emulator) -> None:
    emulated.destinations.clear()
    assert emulated.deliver(WEBHOOK)[2]["ERROR_CODE"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("arn", [QUEUE, TOPIC])
def test_a_queue_and_a_topic_must_let_the_rule_in(emulated: Emulator, arn: str) -> None:
    assert emulated.deliver(arn) == arn
    emulated.resources[arn] = "nobody"
    assert emulated.deliver(arn)[2]["ERROR_CODE"] == "NO_PERMISSIONS"
    del emulated.resources[arn]
    assert emulated.deliver(arn)[2]["ERROR_MESSAGE"].startswith(f"{arn} does not exist")


def test_other_targets_are_called_once(emulated: Emulator) -> None:
    function = "arn:aws:lambda:r:1:function:f"
    assert emulated.deliver(function) == function


def test_without_a_queue_that_takes_it_an_event_is_lost(emulated: Emulator) -> None:
    emulated.resources[DEAD] = ""
    emulated.answers = [400]
    emulated.ended.put("nothing was sent")
    assert emulated.deliver(WEBHOOK) == "nothing was sent"
    assert emulated.ended.empty()
