"""Errors that end a command with a sentence instead of a traceback."""


class OperationError(Exception):
    """The operator must put something right; the message says what."""
