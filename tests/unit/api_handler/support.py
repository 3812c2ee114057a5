from __future__ import annotations

import io
import json
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.response import StreamingBody
from botocore.stub import Stubber

from api_handler import aws as clients
from api_handler.settings import Settings
from uploads import result as results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from api_handler.app import App

KEY = "uploads/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/beach.jpg"
RECORD = "processed/0192f0c1-2d3e-7a4b-8c5d-6e7f80910213/beach.jpg/result.json"
REQUEST_ID = "request-1"

PROCESSORS = {
    "image-processor-test": {
        ".jpg": ["image/jpeg", "image/pjpeg"],
        ".jpeg": ["image/jpeg", "image/pjpeg"],
        ".png": ["image/png"],
    },
    "data-transformer-test": {
        ".json": ["application/json", "application/x-ndjson"],
        ".csv": ["text/csv", "application/vnd.ms-excel"],
    },
}
KINDS = Settings(bucket="bucket", processors=PROCESSORS).kinds


class Aws:
    """Clients whose answers a test writes; what is not written fails."""

    def __init__(self) -> None:
        self.s3, self.functions = clients.s3_client(), clients.lambda_client()
        self._s3, self._functions = Stubber(self.s3), Stubber(self.functions)
        self._s3.activate()
        self._functions.activate()

    def answers(self, operation: str, answer: dict[str, Any], **expected: object) -> None:
        stub = self._functions if operation == "invoke" else self._s3
        if operation != "invoke":
            expected = {"Bucket": "bucket"} | expected
        stub.add_response(operation, answer, expected)

    def refuses(self, operation: str, code: str, status: int) -> None:
        self._s3.add_client_error(operation, code, http_status_code=status)

    def has(
        self,
        key: str = KEY,
        *,
        version: str | None = "v1",
        etag: str = "e1",
        modified: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        metadata: dict[str, str] | None = None,
    ) -> None:
        answer: dict[str, Any] = {
            "ContentLength": 5,
            "ContentType": "image/jpeg",
            "ETag": f'"{etag}"',
            "LastModified": modified,
            "Metadata": metadata or {},
        }
        self.answers("head_object", answer | ({"VersionId": version} if version else {}), Key=key)

    def has_result(self, result: results.Result) -> None:
        body = result.to_json()
        self.answers(
            "get_object",
            {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": '"r1"'},
            Key=RECORD,
        )

    def has_no_result(self) -> None:
        self.refuses("get_object", "NoSuchKey", 404)

    def done(self) -> None:
        self._s3.assert_no_pending_responses()
        self._functions.assert_no_pending_responses()


def result(status: results.Status = "succeeded", **changes: object) -> results.Result:
    source = results.Source(KEY, "v1", "e1", 5, "0A")
    output = results.Output(
        f"{RECORD.removesuffix('result.json')}r1/thumbnail-160.webp",
        "image/webp",
        7,
        {"width": 160, "height": 120},
    )
    rejected = status == "rejected"
    return results.Result(
        **{
            "status": status,
            "source": source,
            "revision": "r1",
            "outputs": () if rejected else (output,),
            "details": {"format": "JPEG"},
            "warnings": (results.Problem("odd", "It is odd."),),
            "error": results.Problem("not_an_image", "This is no image.") if rejected else None,
            "function": results.Function("f", "1", "sha"),
            "duration_ms": 12,
        }
        | cast("dict[str, Any]", changes)
    )


def source(**changes: str | None) -> results.Source:
    return results.Source(**cast("Any", asdict(result().source) | changes))


class Client:
    """Sends requests to the app as API Gateway does, and keeps what it logged."""

    def __init__(self, app: App, log: io.StringIO) -> None:
        self._app = app
        self._log = log

    @property
    def routes(self) -> frozenset[tuple[str, str]]:
        return self._app.routes

    def send(
        self,
        method: str,
        resource: str,
        *,
        key: str | None = None,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        base64: bool = False,
        context: Mapping[str, object] | None = None,
    ) -> SimpleNamespace:
        event = {
            "httpMethod": method,
            "resource": resource,
            "pathParameters": path if key is None else {"key": key},
            "queryStringParameters": query,
            "headers": headers,
            "body": body,
            "isBase64Encoded": base64,
            "requestContext": {"requestId": REQUEST_ID, **(context or {})},
        }
        lambda_context = SimpleNamespace(aws_request_id="function-request-1")
        answer = self._app.handle(event, cast("LambdaContext", lambda_context))
        return SimpleNamespace(
            status=answer["statusCode"],
            headers=answer["headers"],
            body=answer["body"],
            json=json.loads(answer["body"]) if answer["body"] else None,
        )

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]
