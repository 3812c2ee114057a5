"""Cold start of the API function, as it is packaged, beside one made the plain way.

    python -m tests.performance.bench_api [--runs 15]

Both run under AWS's runtime client with a stand-in for the Runtime API, in turns, and both with
compiled bytecode. `init` is the time from the start of the process to its first request for an
event, in milliseconds; the interpreter's own start and the runtime client's are part of it. `first`
is the first request, which lists files of a storage that answers at once. `peak` is the largest
resident size after it, in MiB. It prints, it judges nothing: times differ between machines.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, override

from scripts import ROOT
from tests.performance.processes import peak_bytes
from tests.support.lambda_runtime import LambdaFunction, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAGE = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
_EVENT = {
    "httpMethod": "GET",
    "resource": "/files",
    "path": "/files",
    "headers": {},
    "requestContext": {"requestId": "r", "stage": "prod"},
}
_PLAIN = """
import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

logger, tracer, metrics = Logger(), Tracer(), Metrics()
app = APIGatewayRestResolver(enable_validation=True)
s3 = boto3.client("s3")


@app.get("/files")
@tracer.capture_method
def files() -> dict:
    page = s3.list_objects_v2(Bucket=os.environ["BUCKET_NAME"], MaxKeys=100)
    return {"files": [entry["Key"] for entry in page.get("Contents", [])]}


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def handler(event, context):
    return app.resolve(event, context)
"""
_PLAIN_PACKAGES = ("boto3", "aws-lambda-powertools[tracer,parser]")


@contextlib.contextmanager
def _storage() -> Iterator[str]:
    class Storage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def _plain(directory: Path) -> Path:
    """Install what the plain function needs, at the versions of the tests' lock."""
    uv = ROOT / ".venv" / "bin" / "uv"
    subprocess.run(
        [
            *(str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--target"),
            *(str(directory), *_PLAIN_PACKAGES),
        ],
        check=True,
    )
    (directory / "plain.py").write_text(_PLAIN)
    return directory


def _empty(directory: Path) -> Path:
    directory.mkdir()
    (directory / "empty.py").write_text("def handler(event, context): return {'statusCode': 200}")
    return directory


def _measure(directory: Path, handler: str, endpoint: str) -> tuple[float, float, float]:
    environment = {
        "BUCKET_NAME": "bucket",
        "KINDS": "{}",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "POWERTOOLS_SERVICE_NAME": "api-handler",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessUploads",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }
    with LambdaFunction(directory, handler, environment) as function:
        started = time.perf_counter()
        answer: Any = function.invoke(_EVENT)
        first = time.perf_counter() - started
        if answer.error or answer.value["statusCode"] != 200:
            raise SystemExit(f"{handler} does not work: {answer}\n{function.log}")
        return function.init_seconds * 1000, first * 1000, peak_bytes(function._process.pid) / 2**20


def main() -> None:
    """Print the medians of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch, _storage() as endpoint:
        ours = unpack(ROOT / "build" / "api_handler-x86_64.zip", Path(scratch, "ours"))
        candidates = {
            "api_handler, as packaged": (ours, "api_handler.index.handler"),
            "nothing but the runtime client": (_empty(Path(scratch, "empty")), "empty.handler"),
            "boto3 and all of Powertools": (_plain(Path(scratch, "plain")), "plain.handler"),
        }
        measured: dict[str, list[tuple[float, float, float]]] = {name: [] for name in candidates}
        for _ in range(runs):
            for name, (directory, handler) in candidates.items():
                measured[name].append(_measure(directory, handler, endpoint))
    print(f"{'median of ' + str(runs):30} {'init ms':>8} {'first ms':>9} {'peak MiB':>9}")
    for name, values in measured.items():
        init, first, peak = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:30} {init:8.0f} {first:9.0f} {peak:9.1f}")


if __name__ == "__main__":
    main()
