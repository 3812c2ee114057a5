"""Behaviour of AWS that the emulator lacks, as rules between clients and the emulator.

Run by the emulator's own Python, see `scripts/emulator`. docs/fidelity.md lists the rules.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol
from urllib.parse import parse_qs, parse_qsl, quote
from uuid import uuid4
from xml.sax.saxutils import escape, unescape

from scripts.emulator.aws_requests import ParsedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    type Application = Callable[..., Coroutine[None, None, None]]

# Requests to an API of the account's, which are signed for this, are none to AWS.
_OWN_API: Final = "execute-api"
_CREDENTIAL: Final = re.compile(rb"Credential=([^/]+)/\d+/[^/]+/([a-z0-9-]+)/aws4_request")
_IN_ADDRESS: Final = re.compile(
    rb"X-Amz-Credential=([^&%]+)[^&]*?%2F([a-z0-9-]+)%2Faws4_request", re.IGNORECASE
)
_API_HOST: Final = re.compile(r"([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$")
# The service whose operations are known by their addresses, and whose bodies may be large.
_IN_ADDRESSES: Final = "s3"
# Services that answer in XML, and how the others call the message.
# KMS actions that Lambda performs with a customer's key on behalf of the deployer.
_ENCRYPTING: Final = ("kms:CreateGrant", "kms:Encrypt")
_IN_XML: Final = frozenset({"iam", "monitoring", "s3", "sns", "sts"})
_MESSAGE: Final = ("message", "Message")
_ERROR_OF_OTHERS: Final = "<ErrorResponse><Error>{}</Error></ErrorResponse>"

_NO_ROLE: Final = "CloudWatch Logs role ARN must be set in account settings to enable logging"
_NO_SEND: Final = "The provided execution role does not have permissions to call SendMessage on SQS"
_NOT_YET: Final = "The role defined for the function cannot be assumed by Lambda."
_NO_START: Final = "Unable to validate the following destination configurations"
_TOO_FEW: Final = (
    "Specified ReservedConcurrentExecutions for function decreases account's "
    "UnreservedConcurrentExecution below its minimum value of [{minimum}]."
)
_DENIED: Final = (
    "You are not authorized to perform: {action} on resource: {resource} because no "
    "identity-based policy allows the {action} action"
)
# The subject of a request to CloudWatch: its member, and the resource that it names.
_ALARMS: Final = {
    "AlarmName": "alarm:{}",
    "AlarmNames": "alarm:{}",
    "DashboardName": "dashboard/{}",
    "DashboardNames": "dashboard/{}",
    "ResourceARN": "{}",
}
_WRONG_ORDER: Final = (
    "The list of parts was not in ascending order. Parts must be ordered by part number."
)
_TOO_SMALL: Final = "Your proposed upload is smaller than the minimum allowed size"
_PART: Final = re.compile(rb"<PartNumber>(\d+)</PartNumber>")
_SMALLEST_PART: Final = 5 * 1024 * 1024
_KEYS: Final = re.compile(rb"(<(?:Key|KeyMarker|NextKeyMarker|Prefix)>)([^<]+)")
_WITHOUT_ID: Final = re.compile(rb'(:(?:api-destination|connection)/[^/"]+)"')
_STARTED: Final = re.compile(rb"<CloudFunction>([^<]+)</CloudFunction>")


@dataclass(frozen=True, slots=True)
class Request:
    """A request: service and operation, the values in its address, its body, and who signed it."""

    name: str
    path: dict[str, str]
    body: bytes
    access_key: str = ""

    @property
    def service(self) -> str:
        """Name of the service, as signatures have it."""
        return self.name.partition(" ")[0]

    @property
    def content(self) -> dict[str, Any]:
        """The body as JSON; empty when it is none."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def roles(self) -> list[str]:
        """Names of the roles that the body, a form, is about."""
        return parse_qs(self.body.decode()).get("RoleName", [])


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of AWS's: the name of the error, its message, and the HTTP status."""

    error: str
    message: str
    status: int = 400


class Account(Protocol):
    """The state of an account that the rules need."""

    def may_send(self, role: str, queue: str) -> bool:
        """Return whether a role may send messages to a queue, both by their ARNs."""

    def may_start(self, bucket: str, function: str) -> bool:
        """Return whether a bucket may invoke a function, given its ARN."""

    def has_logging_role(self) -> bool:
        """Return whether API Gateway has a role to write logs with."""

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource, such as `alarm:errors`, of its account and region."""

    def may(self, access_key: str, action: str, resource: str, **conditions: str) -> bool:
        """Return whether who signed may do something to a resource, under conditions."""

    def part_sizes(self, bucket: str, key: str, upload_id: str) -> dict[int, int]:
        """Return the bytes of the parts of an upload by their numbers; none of no upload."""


@dataclass(slots=True)
class Rules:
    """The rules.

    Attributes:
        account: state of the emulator that rules depend on.
        concurrency: executions at the same time that the account may have.
        reserved: reserved executions by function, noted from the requests.
        new_roles: names of roles that Lambda cannot assume yet.
        new_policies: names of roles whose first policy does not hold yet.
    """

    account: Account
    concurrency: int = 1000
    reserved: dict[str, int] = field(default_factory=dict)
    new_roles: set[str] = field(default_factory=set)
    new_policies: set[str] = field(default_factory=set)

    def refusal(self, request: Request) -> Refusal | None:
        """Return with what AWS refuses a request; None when no rule does."""
        rule = self.refusals.get(request.name) or self.refusals.get(request.service)
        return rule(self, request) if rule else None

    def refusal_of_missing(self, request: Request) -> Refusal | None:
        """Without the right to list, a missing object is answered with 403 (S3: GetObject).

        The condition key s3:prefix is the requested key (ceph/ceph pull request 68577,
        after tests on AWS).
        """
        bucket, key = request.path["Bucket"], request.path["Key"]
        action = "s3:ListBucketVersions" if "versionId" in request.path else "s3:ListBucket"
        where = (action, f"arn:aws:s3:::{bucket}")
        if self.account.may(request.access_key, *where, **{"s3:prefix": key}):
            return None
        return _denied(*where, error="AccessDenied")

    def note(self, request: Request) -> None:
        """Note what a request that succeeded changed."""
        match request.name:
            case "iam CreateRole":
                self.new_roles.update(request.roles)
            case "iam PutRolePolicy":
                self.new_policies.update(self.new_roles.intersection(request.roles))
            case "lambda PutFunctionConcurrency":
                wanted = request.content["ReservedConcurrentExecutions"]
                self.reserved[request.path["FunctionName"]] = wanted
            case "lambda DeleteFunctionConcurrency":
                self.reserved.pop(request.path["FunctionName"], None)

    def answer(self, request: Request, body: bytes) -> bytes:
        """Return an answer as AWS gives it."""
        change = _CHANGES.get(request.name) or _CHANGES.get(request.service)
        return change(self, request, body) if change else body

    def _of_stage(self, request: Request) -> Refusal | None:
        """A stage that logs needs the account's role (API Gateway: "Set up CloudWatch logging")."""
        changes = [
            (one.get("path", ""), one["value"])
            for one in request.content.get("patchOperations", [])
            if one.get("value")
        ]
        logs = any(
            path.startswith("/accessLogSettings/")
            or (path.endswith("/logging/loglevel") and value.upper() != "OFF")
            for path, value in changes
        )
        if not logs or self.account.has_logging_role():
            return None
        return Refusal("BadRequestException", _NO_ROLE)

    def _of_function(self, request: Request) -> Refusal | None:
        """A dead-letter queue needs a role that may send to it (Lambda: "Dead-letter queues").

        Also, Lambda can assume a new role only after some time, and its policy applies even later
        (IAM: "Troubleshoot IAM", changes that are not immediately visible; terraform-provider-aws
        waits for both): here at the second and the third request.
        """
        queue = request.content.get("DeadLetterConfig", {}).get("TargetArn", "")
        role = request.content.get("Role", "")
        name = role.rpartition("/")[2]
        # Lambda developer guide: "Granting users permission to pass a role".
        passed = {"iam:PassedToService": "lambda.amazonaws.com"}
        if role and not self.account.may(request.access_key, "iam:PassRole", role, **passed):
            return _denied("iam:PassRole", role)
        key = request.content.get("KMSKeyArn", "")
        for action in _ENCRYPTING if key else ():
            grant = {"kms:GrantIsForAWSResource": "true"}
            if not self.account.may(request.access_key, action, key, **grant):
                return _denied(action, key)
        if name in self.new_roles:
            self.new_roles.remove(name)
            return Refusal("InvalidParameterValueException", _NOT_YET)
        if ":sqs:" not in queue or not role:
            return None
        if name not in self.new_policies and self.account.may_send(role, queue):
            return None
        self.new_policies.discard(name)
        return Refusal("InvalidParameterValueException", _NO_SEND)

    def _of_targets(self, request: Request) -> Refusal | None:
        """Who sets a rule's target passes the target's role (EventBridge: "Using IAM policies")."""
        passed = {"iam:PassedToService": "events.amazonaws.com"}
        for target in request.content.get("Targets", []):
            role = target.get("RoleArn")
            if role and not self.account.may(request.access_key, "iam:PassRole", role, **passed):
                return _denied("iam:PassRole", role)
        return None

    def _of_concurrency(self, request: Request) -> Refusal | None:
        """A tenth of the account's executions stay unreserved (Lambda: "Reserved concurrency")."""
        wanted = request.content["ReservedConcurrentExecutions"]
        function = request.path["FunctionName"]
        others = sum(number for name, number in self.reserved.items() if name != function)
        minimum = max(10, self.concurrency // 10)
        if not wanted or self.concurrency - others - wanted >= minimum:
            return None
        return Refusal("InvalidParameterValueException", _TOO_FEW.format(minimum=minimum))

    def _of_notification(self, request: Request) -> Refusal | None:
        """A function that a bucket starts must let it (S3: "Granting permissions to publish")."""
        functions = {found.decode() for found in _STARTED.findall(request.body)}
        bucket = request.path["Bucket"]
        if all(self.account.may_start(bucket, function) for function in functions):
            return None
        return Refusal("InvalidArgument", _NO_START)

    def _of_cloudwatch(self, request: Request) -> Refusal | None:
        """The emulator enforces IAM for all services but CloudWatch, which moto answers."""
        action = f"cloudwatch:{request.name.partition(' ')[2]}"
        for resource in self._about(request):
            if not self.account.may(request.access_key, action, resource):
                return _denied(action, resource)
        return None

    def _about(self, request: Request) -> list[str]:
        form = parse_qs(request.body.decode()).items()
        given = request.content or {name.partition(".")[0]: values[0] for name, values in form}
        found = [
            named if named.startswith("arn:") else self.account.arn("cloudwatch", named)
            for member, name in _ALARMS.items()
            for value in _listed(given.get(member))
            for named in [name.format(value)]
        ]
        return found or ["*"]

    def _of_parts(self, request: Request) -> Refusal | None:
        """Parts come in order, and all but the last have 5 MiB (S3: CompleteMultipartUpload)."""
        numbers = [int(number) for number in _PART.findall(request.body)]
        if numbers != sorted(set(numbers)):
            return Refusal("InvalidPartOrder", _WRONG_ORDER)
        where = (request.path[name] for name in ("Bucket", "Key", "uploadId"))
        sizes = self.account.part_sizes(*where)
        if any(sizes.get(number, _SMALLEST_PART) < _SMALLEST_PART for number in numbers[:-1]):
            return Refusal("EntityTooSmall", _TOO_SMALL)
        return None

    refusals: ClassVar = {
        "apigateway UpdateStage": _of_stage,
        "events PutTargets": _of_targets,
        "lambda CreateFunction": _of_function,
        "lambda UpdateFunctionConfiguration": _of_function,
        "lambda PutFunctionConcurrency": _of_concurrency,
        "monitoring": _of_cloudwatch,
        "s3 CompleteMultipartUpload": _of_parts,
        "s3 PutBucketNotificationConfiguration": _of_notification,
    }


def _denied(action: str, resource: str, error: str = "AccessDeniedException") -> Refusal:
    return Refusal(error, _DENIED.format(action=action, resource=resource), status=403)


def _listed(value: Any) -> list[str]:  # noqa: ANN401 - of a request
    return value if isinstance(value, list) else [value] if value else []


def _without_method(_: Rules, __: Request, body: bytes) -> bytes:
    """A MOCK integration has no httpMethod (terraform-provider-aws issue 5697)."""
    integration = json.loads(body or b"{}")
    if integration.get("type") == "MOCK":
        integration.pop("httpMethod", None)
    return json.dumps(integration).encode()


def _with_encoded_keys(_: Rules, request: Request, body: bytes) -> bytes:
    """Keys are percent-encoded on request (S3 API reference: ListObjectVersions).

    Terraform requests it to empty a bucket, and decodes; boto3 decodes if the answer says so.
    """
    if "encoding-type" not in request.path:
        return body
    keys = _KEYS.sub(lambda key: key[1] + quote(unescape(key[2].decode())).encode(), body)
    return keys.replace(b"<Name>", b"<EncodingType>url</EncodingType><Name>", 1)


def _with_ids(_: Rules, __: Request, body: bytes) -> bytes:
    """The ARN of a connection or an API destination ends in an ID.

    Source: EventBridge API reference, CreateApiDestination: the pattern of ConnectionArn.
    """
    return _WITHOUT_ID.sub(rb'\1/00000000-0000-4000-8000-000000000000"', body)


def _without_secrets(rules: Rules, request: Request, body: bytes) -> bytes:
    """Lambda shows environment variables that a key encrypts to who may decrypt alone.

    Source: "Securing Lambda environment variables", Lambda developer guide.
    """
    answer = json.loads(body or b"{}")
    shown = answer.get("Configuration", answer)
    key = shown.get("KMSKeyArn")
    if key and not rules.account.may(request.access_key, "kms:Decrypt", key):
        refusal = _denied("kms:Decrypt", key)
        shown["Environment"] = {"Error": {"ErrorCode": refusal.error, "Message": refusal.message}}
    return json.dumps(answer).encode()


def _with_dead_letters(_: Rules, __: Request, body: bytes) -> bytes:
    """A dead letter is the event, with attributes (Lambda: "Adding a dead-letter queue").

    The emulator wraps it as the record of a failure destination does.
    """
    answer = json.loads(body or b"{}")
    for message in answer.get("Messages", []):
        try:
            record = json.loads(message["Body"])
            event, error = record["requestPayload"], record.get("responsePayload") or {}
        except (ValueError, TypeError, KeyError):
            continue
        texts = {
            "RequestID": str(uuid4()),  # the emulator does not report that of the event
            "ErrorCode": "200",
            "ErrorMessage": str(error.get("errorMessage") or error.get("errorType") or "")[:1024],
        }
        message["Body"] = json.dumps(event)
        message["MD5OfBody"] = md5(message["Body"].encode(), usedforsecurity=False).hexdigest()
        message["MessageAttributes"] = {
            name: {"StringValue": text, "DataType": "Number" if text.isdigit() else "String"}
            for name, text in texts.items()
            if text
        }
        message.pop("MD5OfMessageAttributes", None)
    return json.dumps(answer).encode()


_OF_OBJECTS: Final = frozenset({"s3 GetObject", "s3 HeadObject"})
# How an answer is changed, by the operation.
_CHANGES: Final = {
    "apigateway PutIntegration": _without_method,
    "apigateway GetIntegration": _without_method,
    "events": _with_ids,
    "lambda GetFunction": _without_secrets,
    "lambda GetFunctionConfiguration": _without_secrets,
    "s3 ListObjectVersions": _with_encoded_keys,
    "sqs ReceiveMessage": _with_dead_letters,
}
# Operations, and a service, that a rule reads or answers; the last ones are noted alone.
_READ: Final = frozenset({*Rules.refusals, *_CHANGES}) | {
    *("iam CreateRole", "iam PutRolePolicy", "lambda DeleteFunctionConcurrency"),
}


def ruled(app: Application, rules: Rules) -> Application:
    """Return an ASGI application that answers as the rules say."""

    async def served(scope: dict[str, Any], receive: Any, send: Any, *others: object) -> None:  # noqa: ANN401 - ASGI's callables
        access_key, service = signer(scope) if scope["type"] == "http" else ("", "")
        if not service or service == _OWN_API:
            await app(_to_own_api(scope), receive, send, *others)
            return
        try:
            # Bodies of uploads are streamed.
            body = b"" if service == _IN_ADDRESSES else await read_body(receive)
            parsed = await asyncio.to_thread(_parsed, service, scope, body)
            streams = service == _IN_ADDRESSES and parsed.operation.has_streaming_input
            if service == _IN_ADDRESSES and not streams:
                body = await read_body(receive)
            faults = await asyncio.to_thread(parsed.faults, body)
            found = f"{parsed.name}: {'; '.join(faults)}" if faults else ""
        except LookupError as error:
            found = str(error)
        if found:
            await refuse(send, service, scope, Refusal("ValidationException", found))
            return
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        request = Request(parsed.name, {**dict(query), **parsed.in_path}, body, access_key)
        if parsed.name in _OF_OBJECTS:
            answer = _Answer(send)
            await app(scope, receiving(body), answer.send_found, *others)
            if answer.start:
                refusal = rules.refusal_of_missing(request)
                await (refuse(send, service, scope, refusal) if refusal else answer.pass_on())
            return
        if _READ.isdisjoint((parsed.name, service)):
            await app(scope, receive if streams else receiving(body), send, *others)
            return
        refusal = await asyncio.to_thread(rules.refusal, request)
        if refusal:
            await refuse(send, service, scope, refusal)
            return
        answer = _Answer(send)
        await app(scope, receiving(request.body), answer.send, *others)
        if answer.start["status"] < 400:
            rules.note(request)
            answer.body = rules.answer(request, answer.body)
        await answer.pass_on()

    return served


class _Answer:
    """An answer that is held back until it is whole."""

    def __init__(self, send: Any) -> None:  # noqa: ANN401 - ASGI's callable
        self.start: dict[str, Any] = {}
        self.body = b""
        self._send = send

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    async def send_found(self, message: dict[str, Any]) -> None:
        """Hold back answers with 404 only."""
        is_start = message["type"] == "http.response.start"
        held = message["status"] == 404 if is_start else bool(self.start)
        await (self.send(message) if held else self._send(message))

    async def pass_on(self) -> None:
        headers = [
            (name, value)
            for name, value in self.start.get("headers", [])
            if name.lower() != b"content-length"
        ]
        length = (b"content-length", str(len(self.body)).encode())
        await self._send(self.start | {"headers": [*headers, length]})
        await self._send({"type": "http.response.body", "body": self.body})


def signer(scope: dict[str, Any]) -> tuple[str, str]:
    """Return the access key that signed a request, and for which service; nothing if none did."""
    headers = dict(scope["headers"])
    found = _CREDENTIAL.search(headers.get(b"authorization", b""))
    found = found or _IN_ADDRESS.search(scope.get("query_string", b""))
    return (found[1].decode(), found[2].decode()) if found else ("", "")


def _to_own_api(scope: dict[str, Any]) -> dict[str, Any]:
    """Return a request to a REST API as the emulator takes it; others unchanged.

    Its path stays percent-encoded, as functions get it (serverless/serverless issue 5037;
    hotsock/voker pull request 8 has AWS's own events), and AWS's host name of the API is one here.
    """
    path = scope.get("raw_path", b"").decode("latin-1")
    found = _API_HOST.match(dict(scope.get("headers", [])).get(b"host", b"").decode("latin-1"))
    if found:
        stage, _, rest = path.removeprefix("/").partition("/")
        return scope | {"path": f"/restapis/{found[1]}/{stage}/_user_request_/{rest}"}
    return scope | {"path": path} if "/_user_request_/" in path else scope


def _parsed(service: str, scope: dict[str, Any], body: bytes) -> ParsedRequest:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    url = f"https://{headers.get('host', 'aws')}{path.decode('latin-1')}"
    query = scope.get("query_string", b"").decode("latin-1")
    return ParsedRequest(
        service, scope["method"], f"{url}?{query}" if query else url, headers, body
    )


async def read_body(receive: Any) -> bytes:  # noqa: ANN401 - ASGI's callable
    """Return the body of a request."""
    body, more = bytearray(), True  # to add to bytes copies them: 5 s of a zip of 28 MB
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def receiving(body: bytes) -> Callable[[], Coroutine[None, None, dict[str, Any]]]:
    """Return what receives a body that was read."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def refuse(send: Any, service: str, scope: dict[str, Any], refusal: Refusal) -> None:  # noqa: ANN401 - ASGI's callable
    """Answer as AWS refuses a request."""
    form, body = "application/json", json.dumps(dict.fromkeys(_MESSAGE, refusal.message)).encode()
    # CloudWatch speaks both, and answers in the protocol of the request.
    in_json = b"json" in dict(scope["headers"]).get(b"content-type", b"")
    if service in _IN_XML and not in_json:
        inner = f"<Code>{refusal.error}</Code><Message>{escape(refusal.message)}</Message>"
        whole = "<Error>{}</Error>" if service == "s3" else _ERROR_OF_OTHERS
        form, body = "application/xml", whole.format(inner).encode()
    headers = [
        (b"content-type", form.encode()),
        (b"x-amzn-errortype", refusal.error.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
