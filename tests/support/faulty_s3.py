"""A proxy in front of S3 that injects the faults of networks and services.

It forwards requests as they are, host name and signature included, so the emulator checks them as
if they had come directly. A plan decides the fate of each request; it sees the key, which makes a
fault possible at exactly one step of a function's work.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast, override
from urllib.parse import unquote, urlsplit

_HOP_BY_HOP: Final = frozenset({"connection", "keep-alive", "transfer-encoding"})
# Closing a socket with this option sends RST at once.
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a plan sees it: its number from 0, its method and its path, decoded."""

    number: int
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a request.

    Attributes:
        kind: `refuse`: an error answer instead of S3's; `reset`: the connection ends before S3 sees
            the request; `lose_answer`: it ends after S3 did what was asked; `cut_answer`: it ends
            in the middle of the answer; `wait`: S3 gets the request after `seconds`; `hold`: the
            request waits until the proxy's `release`, and ends in a reset.
        status: of a refusal.
        code: of a refusal.
        seconds: see `wait`.
    """

    kind: Literal["refuse", "reset", "lose_answer", "cut_answer", "wait", "hold"]
    status: int = 503
    code: str = "SlowDown"
    seconds: float = 0.0


type Plan = Callable[[Request], Fault | None]


def nothing(_: Request) -> Fault | None:
    """Let every request pass."""
    return None


def at(number: int, fault: Fault) -> Plan:
    """Let a fault happen to one request, by its number."""
    return lambda request: fault if request.number == number else None


def matching(method: str, path: str, fault: Fault, times: int | None = None) -> Plan:
    """Let a fault happen to the first `times` requests (all: None) whose path has the pattern."""
    seen = 0
    lock = threading.Lock()

    def plan(request: Request) -> Fault | None:
        nonlocal seen
        if request.method != method or not re.search(path, request.path):
            return None
        with lock:
            seen += 1
            return fault if times is None or seen <= times else None

    return plan


@dataclass
class FaultyS3:
    """The running proxy.

    Attributes:
        url: its address.
        plan: decides the fate of each request.
        after: called after each request that may have changed something, before its answer goes on.
        requests: all that came.
        faults: how many of them met with a fault.
        holding: set once a request is held.
        release: lets go what is held.
    """

    url: str
    plan: Plan = nothing
    after: Callable[[], None] = lambda: None
    requests: list[Request] = field(default_factory=list)
    faults: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, plan: Plan = nothing, after: Callable[[], None] = lambda: None) -> None:
        """Count from 0 again, with a new plan."""
        with self._lock:
            self.plan, self.after = plan, after
            self.requests, self.faults = [], 0
            self.holding.clear()
            self.release.clear()

    def fate(self, method: str, path: str) -> Fault | None:
        with self._lock:
            request = Request(len(self.requests), method, unquote(path))
            self.requests.append(request)
            fault = self.plan(request)
            self.faults += fault is not None
            return fault


@contextlib.contextmanager
def running(upstream: str) -> Iterator[FaultyS3]:
    """Run a proxy in front of an S3 endpoint on a free loopback port."""
    server = _Server(urlsplit(upstream).netloc)
    proxy = server.proxy
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.release.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.proxy = FaultyS3(f"http://127.0.0.1:{self.server_address[1]}")

    @override
    def shutdown_request(self, request: Any) -> None:
        """Close, without the FIN that the base class sends first: a reset must look like one."""
        self.close_request(request)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    @override
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed, or gave up
            super().handle()

    def _serve(self) -> None:
        server = cast("_Server", self.server)
        proxy = server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = proxy.fate(self.command, urlsplit(self.path).path)
        match fault:
            case Fault("refuse"):
                self._refuse(fault)
                return
            case Fault("reset"):
                self._reset()
                return
            case Fault("hold"):
                proxy.holding.set()
                proxy.release.wait()
                self._reset()
                return
            case Fault("wait"):
                time.sleep(fault.seconds)
        answer, content = self._forward(server.upstream, body)
        if self.command != "GET":
            proxy.after()
        match fault:
            case Fault("lose_answer"):
                self._reset()
            case Fault("cut_answer"):
                self._answer(answer, content[: len(content) // 2], len(content) or 1)
                self._reset()
            case _:
                self._answer(answer, content, None)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - the base class's names

    def _forward(self, upstream: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(upstream, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP | {"expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _answer(self, answer: http.client.HTTPResponse, content: bytes, length: int | None) -> None:
        """Pass an answer on; `length` is announced in place of the content's own."""
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        if self.command == "HEAD":
            self.send_header("Content-Length", answer.headers.get("Content-Length", "0"))
        else:
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, fault: Fault) -> None:
        content = (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{fault.code}</Code>'
            "<Message>Injected by the test.</Message><RequestId>test</RequestId></Error>"
        ).encode()
        self.send_response_only(fault.status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
