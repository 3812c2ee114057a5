"""Run an unpacked zip as Lambda does: AWS's runtime client, and a stand-in for the Runtime API.

    with LambdaFunction(directory, "api_handler.index.handler", {"BUCKET_NAME": "b"}) as function:
        answer = function.invoke({"httpMethod": "GET"})

The process sees the standard library, the unpacked zip and the runtime client, and nothing else of
the virtual environment: what the zip lacks is missing here too. The protocol is that of "Using the
Lambda runtime API" in the Lambda developer guide.
"""

from __future__ import annotations

import importlib.util
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_PREFIX = "/2018-06-01/runtime"
_CLIENT_MODULES = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
_BOOTSTRAP = """
import sys
sys.path[:0] = [sys.argv[1]]
sys.path.append(sys.argv[2])
from awslambdaric.__main__ import main
main(["bootstrap", sys.argv[3]])
"""


@dataclass(frozen=True)
class Answer:
    """What a function made of an event: a value, or an error as Lambda reports it."""

    value: Any = None
    error: dict[str, Any] | None = None


class StartError(Exception):
    """The function could not be started."""


def unpack(zip_file: Path, directory: Path) -> Path:
    """Unpack a zip where the function is to run; return the directory."""
    with zipfile.ZipFile(zip_file) as archive:
        archive.extractall(directory)
    return directory


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a function that is stopped leaves its last request open."""


class LambdaFunction:
    """A running function.

    Attributes:
        init_seconds: From the start of the process to its first request for an event.
        log: What the function has written so far.
    """

    def __init__(
        self,
        directory: Path,
        handler: str,
        environment: Mapping[str, str],
        *,
        python: str = sys.executable,
        timeout: float = 60,
    ) -> None:
        self._directory = directory
        self._handler = handler
        self._environment = dict(environment)
        self._python = python
        self._timeout = timeout
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._ready = threading.Event()
        self._init_error: dict[str, Any] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="lambda-")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.init_seconds = 0.0

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), self._request_handler())
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [
                *(self._python, "-S", "-P", "-c", _BOOTSTRAP),
                *(str(self._directory), str(self._client_directory()), self._handler),
            ],
            env=self._lambda_environment(),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self._directory,
        )
        try:
            self._await_ready()
        except BaseException:
            self._stop()
            raise
        self.init_seconds = time.perf_counter() - started
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def invoke(self, event: object, timeout: float | None = None) -> Answer:
        """Send an event and wait for the answer.

        Raises:
            TimeoutError: There was none in time.
        """
        self._events.put((str(uuid.uuid4()), json.dumps(event).encode()))
        try:
            return self._answers.get(timeout=timeout or self._timeout)
        except queue.Empty:
            raise TimeoutError(f"{self._handler} gave no answer.\n{self.log}") from None

    def _lambda_environment(self) -> dict[str, str]:
        host, port = self._server.server_address[:2]
        name = self._handler.partition(".")[0]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(self._directory),
            "_HANDLER": self._handler,
            # As on Lambda, where the task root is read-only.
            "PYTHONDONTWRITEBYTECODE": "1",
            **self._environment,
        }

    def _client_directory(self) -> Path:
        """Return a directory with the runtime client and nothing else."""
        directory = Path(self._scratch.name)
        for module in _CLIENT_MODULES:
            spec = importlib.util.find_spec(module)
            if spec is None or spec.origin is None:
                raise StartError(f"{module} is not installed. Run `make setup`.")
            origin = Path(spec.origin)
            target = origin.parent if origin.name == "__init__.py" else origin
            (directory / target.name).symlink_to(target)
        return directory

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self._timeout
        while not self._ready.wait(0.005):
            if self._init_error is not None or self._process.poll() is not None:
                error = json.dumps(self._init_error)
                raise StartError(f"{self._handler} does not start: {error}\n{self.log}")
            if time.monotonic() > deadline:
                raise StartError(f"{self._handler} is not ready in time.\n{self.log}")

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._events.put(("", b""))
        self._server.shutdown()
        self._server.server_close()
        self._log.close()
        self._scratch.cleanup()

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class RuntimeApi(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                function._ready.set()
                request_id, event = function._events.get()
                if not request_id:
                    self.close_connection = True
                    return
                deadline = int((time.time() + function._timeout) * 1000)
                arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function._handler}"
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(event)))
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", arn)
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:
                body = json.loads(self._body() or b"null")
                if self.path == f"{_PREFIX}/init/error":
                    function._init_error = body
                elif self.path.endswith("/error"):
                    function._answers.put(Answer(error=body))
                else:
                    function._answers.put(Answer(value=body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while length := int(self.rfile.readline(), 16):
                    body += self.rfile.read(length)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet: the function's own log is what counts."""

        return RuntimeApi
