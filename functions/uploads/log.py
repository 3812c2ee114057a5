"""The log of the functions: one JSON line an event, as Lambda's log filter reads it."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    from typing import TextIO


def json_logger(service: str | None = None, stream: TextIO | None = None) -> Logger:
    """Return a logger whose level is the environment variable LOG_LEVEL, INFO without it.

    Lambda counts a line whose `timestamp` is not RFC 3339 as INFO, regardless of its `level`
    (Lambda developer guide, "Log-level filtering"); Powertools writes another form by default.

    Args:
        service: name in every line, by default POWERTOOLS_SERVICE_NAME.
        stream: where the lines go, by default standard output.
    """
    logger = Logger(service=service, stream=stream, use_rfc3339=True)
    # Powertools takes the level of Lambda's filter, which metrics need at INFO, before LOG_LEVEL.
    logging.getLogger(logger.name).setLevel(os.environ.get("LOG_LEVEL", "INFO"))
    return logger
