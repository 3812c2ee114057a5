"""ministack, with each of its answers sent in one piece. Run by the emulator's own Python.

It answers so soon that Terraform's provider may still be about to finish sending the request. The
provider then closes the connection when the head of the answer is there; a body that comes in a
second piece is lost, and it asks again for what has been made already ("already exists").
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, Final, cast

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


def main() -> None:
    """Serve until the process is ended."""
    run: Any = importlib.import_module("hypercorn.asyncio.run")
    serve = run.TCPServer

    def serve_whole(*arguments: object) -> object:
        *others, writer = arguments
        return serve(*others, WholeWriter(cast("asyncio.StreamWriter", writer)))

    run.TCPServer = serve_whole
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
