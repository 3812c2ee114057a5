"""A receiver of the platform's events: checks the key, and handles each result once.

    WEBHOOK_KEY=… python receiver.py results.sqlite 8080

EventBridge sends an event until it gets an answer of 200 to 299 within five seconds, so it may come
more than once: the receiver stores the event by its `id` before it answers, and drops one that it
has. The work itself belongs into another process that reads the stored events. EventBridge sends
only to https://, with a certificate that a public authority issued: put a proxy in front.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, override

if TYPE_CHECKING:
    from collections.abc import Iterator

# The header that the connection's API key is sent in.
_KEY_HEADER = "X-Api-Key"


class Receiver(ThreadingHTTPServer):
    """An HTTP server that stores events.

    Attributes:
        key: what senders must give in X-Api-Key.
        database: path of the SQLite database with the table `events (id, detail)`.
    """

    def __init__(self, database: str, key: str, port: int = 0) -> None:
        """Listen on a port of this machine; 0 takes a free one."""
        self.database, self.key = database, key
        with self.connect() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, detail)")
        super().__init__(("127.0.0.1", port), _Handler)

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Open the database; what is done in the block is committed at its end."""
        with (
            contextlib.closing(sqlite3.connect(self.database, timeout=4)) as connection,
            connection,
        ):
            yield connection

    def store(self, event: dict[str, dict[str, object]]) -> None:
        """Store an event, unless it is there."""
        row = (event["detail"]["id"], json.dumps(event["detail"]))
        with self.connect() as connection:
            connection.execute("INSERT OR IGNORE INTO events VALUES (?, ?)", row)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        """Take an event."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self._status(body))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self, body: bytes) -> int:
        given = self.headers.get(_KEY_HEADER, "")
        if not hmac.compare_digest(given.encode(), self.server.key.encode()):
            return 401  # EventBridge tries again, so that a wrong key can be put right
        try:
            self.server.store(json.loads(body))
        except (ValueError, KeyError, TypeError):
            return 400  # no event of the platform: goes to the dead-letter queue
        return 204

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    Receiver(sys.argv[1], os.environ["WEBHOOK_KEY"], int(sys.argv[2])).serve_forever()
