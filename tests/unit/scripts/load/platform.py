"""An upload platform in memory, behind real HTTP: its API, its bucket's forms, and its faults."""

from __future__ import annotations

import http.server
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, cast, override
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable


class Platform:
    """Processes an upload at the second request for it.

    Attributes:
        versions: how often each upload was stored.
        commits: how often each result was.
        answers: statuses to give in place of the right answers, one after the other.
        lose_answers: how many answers to forms are lost after the file was stored.
        stuck: whether nothing is ever processed.
    """

    def __init__(self) -> None:
        self.versions: Counter[str] = Counter()
        self.commits: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.answers: list[int] = []
        self.lose_answers = 0
        self.stuck = False
        self.authorisations: set[bool] = set()
        self.verdict: Callable[[str], str] = lambda key: (
            "rejected" if "half" in key or "text" in key else "succeeded"
        )
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault(self) -> int | None:
        with self._lock:
            return self.answers.pop(0) if self.answers else None

    def form(self, name: str) -> dict[str, Any]:
        with self._lock:
            key = f"uploads/{len(self.asked):04}/{name}"
            self.asked[key] = 0
        return {"key": key, "url": f"{self.url}/bucket", "fields": {"key": key}}

    def store(self, key: str) -> bool:
        """Store a file; return whether the answer reaches the client."""
        with self._lock:
            self.versions[key] += 1
            self.lose_answers -= 1
            return self.lose_answers < 0

    def file(self, key: str) -> dict[str, Any]:
        with self._lock:
            self.asked[key] += 1
            if self.stuck or self.asked[key] < 2:
                return {"state": "pending", "result": None}
            self.commits[key] = self.commits[key] or 1
            outputs = [{"key": output, "bytes": 3} for output in outputs_of(key)]
            return {"state": self.verdict(key), "result": {"outputs": outputs}}


def outputs_of(key: str) -> list[str]:
    return [key.replace("uploads/", "processed/", 1) + "/1/output"]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, platform: Platform) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.platform = platform


class _Handler(http.server.BaseHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        platform = cast("_Server", self.server).platform
        self._answer(200, platform.file(unquote(self.path.removeprefix("/files/"))))

    def do_POST(self) -> None:
        platform = cast("_Server", self.server).platform
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = platform.fault()
        if self.path == "/files":
            platform.authorisations.add("Authorization" in self.headers)
            name = json.loads(body)["name"]
            self._answer(fault or 201, {} if fault else platform.form(name))
        elif fault:
            self._answer(fault, {})
        else:
            key = body.split(b'name="key"\r\n\r\n')[1].split(b"\r\n")[0].decode()
            if platform.store(key):
                self._answer(204, None)

    def _answer(self, status: int, content: object) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
