"""Errors that a client sees."""

from __future__ import annotations


class ApiError(Exception):
    """The request cannot be served, and the client can be told why.

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
