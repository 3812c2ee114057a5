"""ministack, changed in two ways; run by the emulator's own Python.

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
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    type Application = Callable[..., Coroutine[None, None, None]]

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


def main() -> None:
    """Serve until the process is ended."""
    run: Any = importlib.import_module("hypercorn.asyncio.run")
    serve = run.TCPServer

    def serve_changed(app: Application, *others: object) -> object:
        *rest, writer = others
        return serve(behind_tls(app), *rest, WholeWriter(cast("asyncio.StreamWriter", writer)))

    run.TCPServer = serve_changed
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
