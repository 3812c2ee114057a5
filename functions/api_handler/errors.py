"""Errors that a client sees."""

from __future__ import annotations


class ApiError(Exception):
    """A request that cannot be served, with the answer for the client.

    Attributes:
        status: HTTP status.
        code: short, stable, for programs (`invalid_name`).
        message: a sentence for the person at the other end; no names of the cloud's own.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
