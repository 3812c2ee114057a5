"""ministack, changed in three ways; run by the emulator's own Python.

Some requests are refused and some answers changed as AWS does it, see `scripts/aws_rules.py`.

It takes requests as if TLS had ended in front of it, so that policies which refuse plain HTTP hold
as they do on AWS. A request that says `X-Forwarded-Proto: http` is one over plain HTTP.

It sends each of its answers in one piece. ministack answers so soon that Terraform's provider may
still be about to finish sending the request. The provider then closes the connection when the head
of the answer is there; a body that comes in a second piece is lost, and it asks again for what has
been made already ("already exists").
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

# Started as a file, with nothing of this folder on the path.
sys.path.append(str(Path(__file__).parents[1]))
from scripts.aws_rules import Rules, ruled

if TYPE_CHECKING:
    from scripts.aws_rules import Application

_LARGEST: Final = 64 * 1024


class WholeWriter:
    """A stream's writer that sends together what is written until the event loop goes on."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        """Return whatever else the writer has."""
        found: object = getattr(self._writer, name)
        return found

    def write(self, data: bytes) -> None:
        """Send, now or soon."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._send)
        self._parts.append(data)
        if sum(map(len, self._parts)) > _LARGEST:
            self._send()

    def write_eof(self) -> None:
        """Send what is left, and its end."""
        self._send()
        self._writer.write_eof()

    def close(self) -> None:
        """Send what is left, and close."""
        self._send()
        self._writer.close()

    def _send(self) -> None:
        if self._parts:
            self._writer.write(b"".join(self._parts))
            self._parts.clear()


def behind_tls(app: Application) -> Application:
    """Return an ASGI application whose HTTP requests count as HTTPS."""

    async def served(scope: dict[str, Any], *others: object) -> None:
        if scope["type"] == "http":
            scope["scheme"] = "https"
        await app(scope, *others)

    return served


class EmulatedAccount:
    """The emulator's account, asked over its own API; see `aws_rules.Account`."""

    def may_send(self, role: str, queue: str) -> bool:
        """Tell whether a role may send messages to a queue, both by their ARNs."""
        answer = self._client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["sqs:SendMessage"], ResourceArns=[queue]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")

    def may_start(self, bucket: str, function: str) -> bool:
        """Tell whether a bucket may invoke a function, given its ARN."""
        parts = function.split(":")
        which = {"FunctionName": parts[6]} | ({"Qualifier": parts[7]} if len(parts) > 7 else {})
        functions = self._client("lambda")
        try:
            policy = json.loads(functions.get_policy(**which)["Policy"])
        except functions.exceptions.ResourceNotFoundException:
            return False
        return any(
            one["Principal"] == {"Service": "s3.amazonaws.com"}
            and f"arn:aws:s3:::{bucket}" in json.dumps(one.get("Condition"))
            for one in policy["Statement"]
        )

    def has_logging_role(self) -> bool:
        """Tell whether API Gateway has a role to write logs with."""
        return bool(self._client("apigateway").get_account().get("cloudwatchRoleArn"))

    def may_list(self, access_key: str, action: str, bucket: str, key: str) -> bool:
        """Tell whether who signed may list (s3:ListBucket, …) a bucket, with a key as prefix."""
        # No operation of the API tells whom an access key belongs to.
        evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
        where = (os.environ["MINISTACK_REGION"], f"arn:aws:s3:::{bucket}", {"s3:prefix": key})
        return evaluator.enforce(access_key, action, "s3", *where) is None

    def _client(self, service: str) -> Any:  # noqa: ANN401 - any client
        boto3: Any = importlib.import_module("boto3")
        root = boto3.Session("test", "test", region_name=os.environ["MINISTACK_REGION"])
        return root.client(service, endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}")


def main() -> None:
    """Serve until the process is ended."""
    run: Any = importlib.import_module("hypercorn.asyncio.run")
    serve = run.TCPServer
    rules = Rules(EmulatedAccount(), int(os.environ["ACCOUNT_CONCURRENCY"]))

    def serve_changed(app: Application, *others: object) -> object:
        *rest, writer = others
        return serve(
            ruled(behind_tls(app), rules), *rest, WholeWriter(cast("asyncio.StreamWriter", writer))
        )

    run.TCPServer = serve_changed
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
