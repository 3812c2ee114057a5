"""ministack, changed in some ways; run by the emulator's own Python.

Some requests are refused and some answers changed as AWS does it, see `aws_rules.py`.

It takes requests as if TLS had ended in front of it, so that policies which refuse plain HTTP hold
as they do on AWS. A request that says `X-Forwarded-Proto: http` is one over plain HTTP.

moto answers for CloudWatch: ministack describes alarms without period and dimensions, so that every
plan would show changes.

It passes the claims of a token to functions as AWS does, and adds IAM condition keys and resources
that ministack lacks. EventBridge tries failed targets again, see `event_delivery.py`. On request it
delivers asynchronous events twice: AWS delivers them at least once.

It sends each of its answers in one piece. ministack answers so soon that Terraform's provider may
still be about to finish sending the request. The provider then closes the connection when the head
of the answer is there; a body that comes in a second piece is lost, and the provider repeats the
request for a resource that exists already ("already exists").
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import itertools
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

# Started as a file, with nothing of this folder on the path.
sys.path.append(str(Path(__file__).parents[2]))
from scripts.emulator.aws_rules import Rules, ruled, signer
from scripts.emulator.event_delivery import with_retries
from scripts.emulator.upload_forms import with_forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts.emulator.aws_rules import Application

    type Conditions = Callable[[str, str, bytes, dict[str, Any]], dict[str, Any]]
    type Resource = Callable[..., str]
    type Texts = Callable[[dict[str, Any]], dict[str, str]]
    type Invoke = Callable[[dict[str, Any], dict[str, Any]], None]

_LARGEST: Final = 64 * 1024
_LARGEST_DASHBOARD: Final = 1024 * 1024
# When a repeated event comes again, in seconds.
_LATER: Final = 0.5


class WholeWriter:
    """A stream's writer that sends all writes of one turn of the event loop together."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> object:
        """Return any other attribute of the writer."""
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
        """Flush, and end the stream."""
        self._send()
        self._writer.write_eof()

    def close(self) -> None:
        """Flush and close."""
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


def cloudwatch() -> Application:
    """Return moto's CloudWatch."""
    moto: Any = importlib.import_module("moto.server")
    wrappers: Any = importlib.import_module("hypercorn.app_wrappers")
    server = moto.DomainDispatcherApplication(moto.create_backend_app)
    made: Application = wrappers.WSGIWrapper(server, _LARGEST_DASHBOARD)
    return made


def with_cloudwatch(app: Application, other: Application) -> Application:
    """Return an ASGI application that passes requests to CloudWatch to `other`."""

    async def served(scope: dict[str, Any], *others: object) -> None:
        is_cloudwatch = scope["type"] == "http" and signer(scope)[1] == "monitoring"
        await (other if is_cloudwatch else app)(scope, *others)

    return served


def with_boundaries(conditions: Conditions) -> Conditions:
    """Extend the condition keys of a request by `iam:PermissionsBoundary`.

    It is the boundary of the role that is made or changed (IAM: "Available keys for AWS Identity
    and Access Management").
    """

    def changed(
        service: str, action: str, body: bytes, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        found = conditions(service, action, body, parameters)
        if service != "iam" or "RoleName" not in parameters:
            return found
        roles: Any = importlib.import_module("ministack.services.iam")._roles  # noqa: SLF001 - no API during a request
        (name,), given = parameters["RoleName"], parameters.get("PermissionsBoundary", [None])
        boundary = given[0] or (roles.get(name) or {}).get("PermissionsBoundary")
        return found | ({"iam:PermissionsBoundary": boundary} if boundary else {})

    return changed


def with_resources(resource: Resource) -> Resource:
    """Find the resource of a request in its body, too.

    lambda:CreateFunction is allowed for the function's ARN, wafv2:AssociateWebACL for that of the
    web ACL, wafv2:DisassociateWebACL for that of the stage, events:CreateEventBus,
    events:CreateApiDestination, events:PutTargets and their kin for that of the event bus, the API
    destination or the rule (Service Authorization Reference).
    """

    def changed(service: str, method: str, path: str, *others: Any) -> str:  # noqa: ANN401 - headers, body, …
        found = resource(service, method, path, *others)
        headers, body, _, region, account = others
        if service not in {"events", "lambda", "wafv2"} or not body:
            return found
        target = {name.lower(): value for name, value in headers.items()}.get("x-amz-target", "")
        content = json.loads(body)
        # ministack takes these names for those of rules, and does not know that of a target's rule.
        for kind, prefix in (("EventBus", "event-bus"), ("ApiDestination", "api-destination")):
            if target.endswith(kind):
                return f"arn:aws:events:{region}:{account}:{prefix}/{content['Name']}"
        if service == "events" and "Rule" in content:
            rule = f"{content.get('EventBusName', 'default')}/{content['Rule']}"
            return f"arn:aws:events:{region}:{account}:rule/{rule}"
        if found != "*":
            return found
        if path.strip("/").endswith("/functions"):
            return f"arn:aws:lambda:{region}:{account}:function:{content['FunctionName']}"
        names = ("WebACLArn", "ResourceArn", "ResourceARN")
        return str(next(filter(None, map(content.get, names)), found))

    return changed


def with_joined_lists(texts: Texts) -> Texts:
    """Write lists in a token's claims with commas.

    So do REST APIs (aws/chalice issue 783); ministack writes "[a b]", as HTTP APIs do.
    """

    def changed(claims: dict[str, Any]) -> dict[str, str]:
        joined = {
            name: ",".join(map(str, value)) if isinstance(value, list) else value
            for name, value in claims.items()
        }
        return texts(joined)

    return changed


def with_repeats(invoke: Invoke) -> Invoke:
    """Return a way to hand asynchronous events to functions that repeats every second one.

    AWS delivers an event at least once (Lambda: "Asynchronous invocation"; S3: "Amazon S3 Event
    Notifications").
    """
    number = itertools.count(1)

    def repeated(function: dict[str, Any], event: dict[str, Any]) -> None:
        invoke(function, event)
        if next(number) % 2 == 0:
            # In the same context, which says whose account it is.
            context = contextvars.copy_context()
            again = threading.Timer(_LATER, context.run, [invoke, function, event])
            again.daemon = True
            again.start()

    return repeated


class EmulatedAccount:
    """The emulator's account, over the emulator's own API; see `aws_rules.Account`."""

    def may_send(self, role: str, queue: str) -> bool:
        """Return whether a role may send messages to a queue, both by their ARNs."""
        answer = self._client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=["sqs:SendMessage"], ResourceArns=[queue]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")

    def may_start(self, bucket: str, function: str) -> bool:
        """Return whether a bucket may invoke a function, given its ARN."""
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
        """Return whether API Gateway has a role to write logs with."""
        return bool(self._client("apigateway").get_account().get("cloudwatchRoleArn"))

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource, such as `alarm:errors`, of this account and region."""
        # A dashboard belongs to no region.
        region = "" if resource.startswith("dashboard/") else os.environ["MINISTACK_REGION"]
        return f"arn:aws:{service}:{region}:{os.environ['MINISTACK_ACCOUNT_ID']}:{resource}"

    def may(self, access_key: str, action: str, resource: str, **conditions: str) -> bool:
        """Return whether who signed may do something to a resource, under conditions."""
        # No operation of the API returns the owner of an access key.
        evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
        where = (os.environ["MINISTACK_REGION"], resource, conditions)
        service = action.partition(":")[0]
        return evaluator.enforce(access_key, action, service, *where) is None

    def part_sizes(self, bucket: str, key: str, upload_id: str) -> dict[int, int]:
        """Return the bytes of the parts of an upload by their numbers; none of no upload."""
        s3 = self._client("s3")
        pages = s3.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=upload_id)
        try:
            return {p["PartNumber"]: p["Size"] for page in pages for p in page.get("Parts", [])}
        except s3.exceptions.NoSuchUpload:
            return {}

    def tag(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        """Tag an object."""
        tag_set = [{"Key": name, "Value": text} for name, text in tags.items()]
        self._client("s3").put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": tag_set})

    def send(self, queue: str, body: str, attributes: dict[str, str]) -> None:
        """Send a message to a queue, given its ARN."""
        sqs = self._client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
        texts = {
            name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()
        }
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=texts)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - any client
        boto3: Any = importlib.import_module("boto3")
        root = boto3.Session("test", "test", region_name=os.environ["MINISTACK_REGION"])
        return root.client(service, endpoint_url=f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}")


def main() -> None:
    """Serve until the process is ended."""
    run: Any = importlib.import_module("hypercorn.asyncio.run")
    serve = run.TCPServer
    functions: Any = importlib.import_module("ministack.services.lambda_svc")
    if os.environ["REPEAT_EVENTS"] == "1":
        functions.invoke_async_with_retry = with_repeats(functions.invoke_async_with_retry)
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    actions.request_tag_context = with_boundaries(actions.request_tag_context)
    actions.extract_resource_arn = with_resources(actions.extract_resource_arn)
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    gateway._stringify_claims = with_joined_lists(gateway._stringify_claims)  # noqa: SLF001 - no API changes it
    account = EmulatedAccount()
    bridge: Any = importlib.import_module("ministack.services.eventbridge")
    bridge._invoke_target = with_retries(bridge._invoke_target, account.send)  # noqa: SLF001 - no API changes it
    rules = Rules(account, int(os.environ["ACCOUNT_CONCURRENCY"]))
    moto = cloudwatch()

    def serve_changed(app: Application, *others: object) -> object:
        *rest, writer = others
        changed = ruled(with_forms(behind_tls(with_cloudwatch(app, moto)), account), rules)
        return serve(changed, *rest, WholeWriter(cast("asyncio.StreamWriter", writer)))

    run.TCPServer = serve_changed
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
