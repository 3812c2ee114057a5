"""HTTP around `Files`: requests of an API Gateway REST API in, answers out.

API Gateway has routed a request before the function sees it, so a table of its resources is all
the routing that is needed.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from api_handler import files as file_rules
from api_handler import owners
from api_handler.errors import ApiError
from api_handler.new_file import NewFile
from uploads.keys import UPLOADS_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from api_handler.files import Files
    from api_handler.settings import Settings

REPROCESS: Final = "/reprocess"
METRICS_NAMESPACE: Final = "ServerlessUploads"

_QUERY: Final = frozenset({"cursor", "limit", "prefix"})
_UPLOADING: Final = "uploading"

_WAIT: Final = (
    f"The query may hold wait only, a number of seconds from 0 to {file_rules.MAX_WAIT_SECONDS}."
)

_STATUS: Final = ("GET", "/status")

# A probe every second must not become a request to S3 every second.
_STATUS_SECONDS: Final = 5.0


class _Answer(NamedTuple):
    """HTTP status, JSON content (None for no body) and the key that the request was about."""

    status: int
    content: dict[str, Any] | list[dict[str, Any]] | None
    key: str | None = None


class App:
    """Answers requests. Made once per process."""

    def __init__(self, settings: Settings, files: Files, logger: Logger) -> None:
        """Bind to the settings and to the files."""
        self._settings = settings
        self._files = files
        self._logger = logger
        self._probed_at = float("-inf")
        self._reachable = False
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, Any], Files], _Answer]] = {
            ("POST", "/files"): self._create,
            ("GET", "/files"): self._list,
            ("GET", "/files/{key+}"): self._describe,
        }
        if settings.enable_delete:
            self._routes["DELETE", "/files/{key+}"] = self._delete
        if settings.enable_reprocess:
            # A greedy parameter is the last part of a path, so this one takes "/reprocess" with it.
            self._routes["POST", "/files/{key+}"] = self._reprocess
        if settings.enable_multipart:
            # The requests of Uppy's Companion (@uppy/companion 6), so that Uppy works as it is.
            self._routes |= {
                ("GET", "/s3/params"): self._form,
                ("POST", "/s3/multipart"): self._start,
                ("GET", "/s3/multipart/{upload_id}"): self._parts,
                ("DELETE", "/s3/multipart/{upload_id}"): self._abort,
                ("GET", "/s3/multipart/{upload_id}/{part}"): self._sign,
                ("POST", "/s3/multipart/{upload_id}/{part}"): self._complete,
            }

    @property
    def routes(self) -> frozenset[tuple[str, str]]:
        """Method and resource of every request that is answered."""
        return frozenset({_STATUS, *self._routes})

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer a request of a Lambda proxy integration (payload format 1.0).

        Every request is logged in one line, and no error leaves: what the client cannot help is
        logged with its cause and answered with 500. The line's `correlation_id` is the key of the
        upload that the request is about, as it is in the lines of the processing functions, so
        that one search finds the life of a file.
        """
        started = time.monotonic()
        method, resource = event["httpMethod"], event["resource"]
        request_id = event["requestContext"]["requestId"]
        line: dict[str, Any] = {}
        fault: Exception | None = None
        try:
            answer = self._answer((method, resource), event)
        except ApiError as error:
            line["error"] = {"code": error.code, "message": error.message}
            answer = _error(error, request_id)
        except Exception as error:  # noqa: BLE001 - the last line of defence: a client never sees a trace
            fault = error
            answer = _error(
                ApiError(500, "internal", "The request could not be served. Please try again."),
                request_id,
            )
        line |= {
            "request_id": request_id,
            "function_request_id": context.aws_request_id,
            "route": f"{method} {resource}",
            "status": answer.status,
            "duration_ms": round((time.monotonic() - started) * 1000),
            "correlation_id": answer.key or _asked_key(event),
        }
        log = self._logger.error if fault else self._logger.info
        log("request", extra=line, exc_info=fault)
        return {
            "statusCode": answer.status,
            "headers": self._headers(event),
            "body": "" if answer.content is None else json.dumps(answer.content),
        }

    def _answer(self, route: tuple[str, str], event: Mapping[str, Any]) -> _Answer:
        if route == _STATUS:  # needs no owner
            return self._status()
        act = self._routes.get(route, _nowhere)
        caller = owners.caller(event, self._settings.owners)
        return act(event, self._files.seen_by(caller))

    def _status(self) -> _Answer:
        if time.monotonic() - self._probed_at >= _STATUS_SECONDS:
            try:
                self._files.probe()
                self._reachable = True
            except (BotoCoreError, ClientError):
                self._logger.exception("bucket unreachable")
                self._reachable = False
            self._probed_at = time.monotonic()
        return _Answer(
            200 if self._reachable else 503,
            {
                "status": "ok" if self._reachable else "unavailable",
                "version": self._settings.version,
                "environment": self._settings.environment,
                "accepts": sorted(self._settings.kinds),
                "checks": {"bucket": "ok" if self._reachable else "unreachable"},
            },
        )

    def _create(self, event: Mapping[str, Any], files: Files) -> _Answer:
        new = NewFile.parse(_json_object(event), self._settings.tag_names)
        if self._settings.enable_deduplication and (twin := files.twin(new)):
            return _Answer(200, twin, twin["key"])
        made = files.create(new)
        self._count_upload()
        return _Answer(201, made, made["key"])

    def _form(self, event: Mapping[str, Any], files: Files) -> _Answer:
        query = event.get("queryStringParameters") or {}
        made = files.create(_named(query.get("filename"), query.get("type")))
        self._count_upload()
        form = {"method": "POST", "url": made["url"], "fields": made["fields"]}
        return _Answer(200, form | {"expires": self._settings.upload_url_ttl_seconds}, made["key"])

    def _start(self, event: Mapping[str, Any], files: Files) -> _Answer:
        wanted = _json_object(event)
        named = _named(wanted.get("filename"), wanted.get("type"))
        made = files.create(named, in_parts=True)
        self._count_upload()
        return _Answer(200, {"key": made["key"], "uploadId": made["upload_id"]}, made["key"])

    def _parts(self, event: Mapping[str, Any], files: Files) -> _Answer:
        key, upload_id = _upload(event, files)
        return _Answer(200, files.multipart.parts(key, upload_id), key)

    def _sign(self, event: Mapping[str, Any], files: Files) -> _Answer:
        key, upload_id = _upload(event, files)
        part, query = event["pathParameters"]["part"], event["queryStringParameters"]
        known = {"key", "partNumbers" if part == "batch" else "size"}
        if not query.keys() <= known:  # a misspelt size would otherwise be no size
            raise ApiError(
                400, "invalid_query", f"The query may hold {', '.join(sorted(known))} only."
            )
        if part == "batch":
            numbers = map(_number, query.get("partNumbers", "").split(","))
            signed = {n: files.multipart.sign(key, upload_id, n) for n in numbers}
            return _Answer(200, {"presignedUrls": signed}, key)
        size = _number(query["size"]) if "size" in query else None
        url = files.multipart.sign(key, upload_id, _number(part), size)
        return _Answer(200, {"url": url, "expires": self._settings.upload_url_ttl_seconds}, key)

    def _complete(self, event: Mapping[str, Any], files: Files) -> _Answer:
        if event["pathParameters"]["part"] != "complete":
            return _nowhere(event, files)
        key, upload_id = _upload(event, files)
        files.multipart.complete(key, upload_id, _json_object(event).get("parts"))
        return _Answer(200, {"key": key, "location": files.location(key)}, key)

    def _abort(self, event: Mapping[str, Any], files: Files) -> _Answer:
        key, upload_id = _upload(event, files)
        files.multipart.abort(key, upload_id)
        return _Answer(200, {}, key)

    def _list(self, event: Mapping[str, Any], files: Files) -> _Answer:
        query = event.get("queryStringParameters") or {}
        known = _QUERY | ({"state"} if self._settings.enable_multipart else set())
        if not query.keys() <= known:  # a misspelt limit would otherwise be no limit
            raise ApiError(
                400, "invalid_query", f"The query may hold {', '.join(sorted(known))} only."
            )
        if query.get("state", _UPLOADING) != _UPLOADING:
            raise ApiError(400, "invalid_state", f"The state to list by can be {_UPLOADING} only.")
        limit = query.get("limit", str(file_rules.DEFAULT_LIMIT))
        if not (
            limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= file_rules.MAX_LIMIT
        ):
            raise ApiError(
                400,
                "invalid_limit",
                f"The limit must be a number from 1 to {file_rules.MAX_LIMIT}.",
            )
        prefix = query.get("prefix", UPLOADS_PREFIX)
        found = files.list_uploading if "state" in query else files.list
        return _Answer(200, found(prefix, int(limit), query.get("cursor")))

    def _describe(self, event: Mapping[str, Any], files: Files) -> _Answer:
        query = event.get("queryStringParameters") or {}
        wait = query.get("wait", "0")
        is_number = wait.isascii() and wait.isdigit() and len(wait) < 3
        if query.keys() - {"wait"} or not is_number or int(wait) > file_rules.MAX_WAIT_SECONDS:
            raise ApiError(400, "invalid_query", _WAIT)
        key, description = _for_key(event, files, lambda key: files.describe(key, int(wait)))
        return _Answer(200, description, key)

    def _delete(self, event: Mapping[str, Any], files: Files) -> _Answer:
        key, _ = _for_key(event, files, files.delete)
        return _Answer(204, None, key)

    def _reprocess(self, event: Mapping[str, Any], files: Files) -> _Answer:
        if not event["pathParameters"]["key"].endswith(REPROCESS):
            return _nowhere(event, files)
        key, _ = _for_key(event, files, files.reprocess)
        return _Answer(202, {"key": key}, key)

    def _headers(self, event: Mapping[str, Any]) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",  # answers hold links that are good for minutes
            "X-Content-Type-Options": "nosniff",
        }
        allowed = self._settings.cors_allowed_origins
        if "*" in allowed:
            return headers | {"Access-Control-Allow-Origin": "*"}
        headers["Vary"] = "Origin"
        origin = _header(event, "origin")
        return headers | ({"Access-Control-Allow-Origin": origin} if origin in allowed else {})

    def _count_upload(self) -> None:
        """Print a metric as a separate line, which no log level drops.

        The format is CloudWatch's embedded metric format.
        """
        name = "UploadsAsked"
        dimensions = {"service": self._logger.service, "environment": self._settings.environment}
        directive = {
            "Namespace": METRICS_NAMESPACE,
            "Dimensions": [list(dimensions)],
            "Metrics": [{"Name": name, "Unit": "Count"}],
        }
        about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
        print(json.dumps(dimensions | {name: 1, "_aws": about}))


def _nowhere(_: Mapping[str, Any], __: Files) -> _Answer:
    raise ApiError(404, "no_such_route", "There is nothing at this address.")


def _error(error: ApiError, request_id: str) -> _Answer:
    content = {"error": {"code": error.code, "message": error.message}, "request_id": request_id}
    return _Answer(error.status, content)


def _header(event: Mapping[str, Any], name: str) -> str:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _json_object(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event.get("body") or ""
    try:
        content = json.loads(base64.b64decode(body) if event.get("isBase64Encoded") else body)
    except (RecursionError, ValueError) as error:
        raise ApiError(400, "invalid_json", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ApiError(400, "invalid_body", "The body must be a JSON object.")
    return content


def _named(name: object, content_type: object) -> NewFile:
    """Return a file as Uppy names it; a browser may not know the type.

    Raises:
        ApiError: 400 where they are not texts.
    """
    if not isinstance(name, str) or not isinstance(content_type, str | None):
        raise ApiError(400, "invalid_name", "The file needs a name: send it as filename.")
    unknown = content_type == "application/octet-stream"
    return NewFile(name, "" if unknown else content_type or "")


def _upload(event: Mapping[str, Any], files: Files) -> tuple[str, str]:
    """Return the key and the id of an upload in parts that a request is about.

    Raises:
        ApiError: 400 for a malformed key, 404 for a key of another owner.
    """
    key = files.checked_key((event.get("queryStringParameters") or {}).get("key", ""))
    return key, unquote(event["pathParameters"]["upload_id"])


def _number(text: str) -> int:
    """Return the number of a part, or its size.

    Raises:
        ApiError: 400 for anything else.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 14):
        raise ApiError(400, "invalid_part", f"{text!r} is neither a part number nor a size.")
    return int(text)


def _asked_key(event: Mapping[str, Any]) -> str | None:
    """Return the key that a request names, if it does."""
    query = event.get("queryStringParameters") or {}
    return unquote(_encoded_key(event)) or query.get("key")


def _encoded_key(event: Mapping[str, Any]) -> str:
    key = str((event.get("pathParameters") or {}).get("key", ""))
    return key.removesuffix(REPROCESS) if event["httpMethod"] == "POST" else key


def _for_key[T](event: Mapping[str, Any], files: Files, act: Callable[[str], T]) -> tuple[str, T]:
    """Return the key that a path names, and what `act` answers for it.

    API Gateway's REST APIs pass parameters of the path percent-encoded; other implementations of
    the same event decode them, and a key may itself hold a percent sign. A key that is not
    found decoded is therefore looked up as it came.
    """
    encoded = _encoded_key(event)
    try:
        key = unquote(encoded, errors="strict")
    except UnicodeDecodeError:
        key = ""
    try:
        return key, act(files.checked_key(key))
    except ApiError as error:
        if error.status != 404 or encoded == key:
            raise
        try:
            files.checked_key(encoded)
        except ApiError:
            raise error from None
        return encoded, act(encoded)
