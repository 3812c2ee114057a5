"""What AWS does and the emulator does not: rules between clients and the emulator.

Run by the emulator's own Python, see `scripts/emulator.py`. docs/fidelity.md lists the rules.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    type Application = Callable[..., Coroutine[None, None, None]]

# Of the services with a rule; the bodies of others, such as uploads to S3, are passed on unread.
_SERVICES: Final = frozenset({"apigateway", "lambda"})
_CREDENTIAL: Final = re.compile(rb"Credential=[^/]+/\d+/[^/]+/([a-z0-9-]+)/aws4_request")
_STAGE: Final = re.compile(r"/restapis/[^/]+/stages/[^/]+")
_INTEGRATION: Final = re.compile(r"/restapis/[^/]+/resources/[^/]+/methods/[^/]+/integration")
_FUNCTION: Final = re.compile(r"/2015-03-31/functions(/[^/]+/configuration)?/?")
_CONCURRENCY: Final = re.compile(r"/2017-10-31/functions/([^/]+)/concurrency")

_NO_ROLE: Final = "CloudWatch Logs role ARN must be set in account settings to enable logging"
_NO_SEND: Final = "The provided execution role does not have permissions to call SendMessage on SQS"
_TOO_FEW: Final = (
    "Specified ReservedConcurrentExecutions for function decreases account's "
    "UnreservedConcurrentExecution below its minimum value of [{minimum}]."
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to one of the services with a rule."""

    method: str
    path: str
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body as JSON; empty when it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def patches(self) -> list[tuple[str, str]]:
        """Path and value of each of API Gateway's patch operations."""
        operations = self.content.get("patchOperations", [])
        return [(one.get("path", ""), one.get("value") or "") for one in operations]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of AWS's: the name of the error and its message; the status is 400."""

    error: str
    message: str


class Account(Protocol):
    """What the rules have to know of an account."""

    def may_send(self, role: str, queue: str) -> bool:
        """Tell whether a role may send messages to a queue, both by their ARNs."""

    def has_logging_role(self) -> bool:
        """Tell whether API Gateway has a role to write logs with."""


@dataclass(slots=True)
class Rules:
    """The rules.

    Attributes:
        account: asked where a rule depends on it.
        concurrency: executions at the same time that the account may have.
        reserved: reserved executions by function, noted from what was asked for.
    """

    account: Account
    concurrency: int = 1000
    reserved: dict[str, int] = field(default_factory=dict)

    def refusal(self, request: Request) -> Refusal | None:
        """Return with what AWS refuses a request; None when no rule does."""
        if request.method == "PATCH" and _STAGE.fullmatch(request.path):
            return self._of_stage(request)
        if request.method in {"POST", "PUT"} and _FUNCTION.fullmatch(request.path):
            return self._of_function(request)
        if request.method == "PUT" and (found := _CONCURRENCY.fullmatch(request.path)):
            return self._of_concurrency(found[1], request)
        return None

    def note(self, request: Request) -> None:
        """Note what a request that succeeded changed."""
        if found := _CONCURRENCY.fullmatch(request.path):
            self.reserved.pop(found[1], None)
            if request.method == "PUT":
                self.reserved[found[1]] = request.content["ReservedConcurrentExecutions"]

    def answer(self, request: Request, body: bytes) -> bytes:
        """Return an answer as AWS gives it.

        AWS keeps no httpMethod of a MOCK integration (terraform-provider-aws issue 5697).
        """
        if not _INTEGRATION.fullmatch(request.path):
            return body
        content = json.loads(body or b"{}")
        if content.get("type") != "MOCK":
            return body
        content.pop("httpMethod", None)
        return json.dumps(content).encode()

    def _of_stage(self, request: Request) -> Refusal | None:
        """A stage that logs needs the account's role (API Gateway: "Set up CloudWatch logging")."""
        logs = any(
            path.startswith("/accessLogSettings/")
            or (path.endswith("/logging/loglevel") and value.upper() != "OFF")
            for path, value in request.patches
            if value
        )
        if not logs or self.account.has_logging_role():
            return None
        return Refusal("BadRequestException", _NO_ROLE)

    def _of_function(self, request: Request) -> Refusal | None:
        """A dead-letter queue needs a role that may send to it (Lambda: "Dead-letter queues")."""
        queue = request.content.get("DeadLetterConfig", {}).get("TargetArn", "")
        role = request.content.get("Role", "")
        if ":sqs:" not in queue or not role or self.account.may_send(role, queue):
            return None
        return Refusal("InvalidParameterValueException", _NO_SEND)

    def _of_concurrency(self, function: str, request: Request) -> Refusal | None:
        """A tenth of the account's executions stay unreserved (Lambda: "Reserved concurrency")."""
        wanted = request.content.get("ReservedConcurrentExecutions", 0)
        others = sum(number for name, number in self.reserved.items() if name != function)
        minimum = max(10, self.concurrency // 10)
        if not wanted or self.concurrency - others - wanted >= minimum:
            return None
        return Refusal("InvalidParameterValueException", _TOO_FEW.format(minimum=minimum))


def ruled(app: Application, rules: Rules) -> Application:
    """Return an ASGI application that answers as the rules say."""

    async def served(scope: dict[str, Any], receive: Any, send: Any, *others: object) -> None:  # noqa: ANN401 - ASGI's callables
        if scope["type"] != "http" or _service(scope) not in _SERVICES:
            await app(scope, receive, send, *others)
            return
        request = Request(scope["method"], scope["path"], await _read(receive))
        refusal = await asyncio.to_thread(rules.refusal, request)
        if refusal:
            await _refuse(send, refusal)
            return
        answer = _Answer()
        await app(scope, _once(request.body), answer.send, *others)
        if answer.start["status"] < 400:
            rules.note(request)
            answer.body = rules.answer(request, answer.body)
        await answer.pass_on(send)

    return served


class _Answer:
    """An answer that is held back until it is whole."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self.body = b""

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def pass_on(self, send: Any) -> None:  # noqa: ANN401 - ASGI's callable
        headers = [
            (name, value)
            for name, value in self.start.get("headers", [])
            if name.lower() != b"content-length"
        ]
        length = (b"content-length", str(len(self.body)).encode())
        await send(self.start | {"headers": [*headers, length]})
        await send({"type": "http.response.body", "body": self.body})


def _service(scope: dict[str, Any]) -> str:
    headers = dict(scope["headers"])
    found = _CREDENTIAL.search(headers.get(b"authorization", b""))
    return found[1].decode() if found else ""


async def _read(receive: Any) -> bytes:  # noqa: ANN401 - ASGI's callable
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _once(body: bytes) -> Callable[[], Coroutine[None, None, dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _refuse(send: Any, refusal: Refusal) -> None:  # noqa: ANN401 - ASGI's callable
    body = json.dumps({"message": refusal.message, "Message": refusal.message}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", refusal.error.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
