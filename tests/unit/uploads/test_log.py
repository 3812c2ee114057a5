"""The log as Lambda filters it: "Log-level filtering" in the Lambda developer guide."""

from __future__ import annotations

import io
import json
import re
import uuid

import pytest

from uploads.log import json_logger

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def passes(line: str, filter_level: str) -> bool:
    """Whether Lambda keeps a line: without a valid level and timestamp it counts as INFO."""
    content = json.loads(line)
    level = content.get("level", "").replace("WARNING", "WARN").replace("CRITICAL", "FATAL")
    if level not in LEVELS or not RFC_3339.fullmatch(content.get("timestamp", "")):
        level = "INFO"
    return LEVELS.index(level) >= LEVELS.index(filter_level)


def test_an_error_passes_every_filter_up_to_its_level() -> None:
    log = io.StringIO()
    json_logger(str(uuid.uuid4()), log).error("failed")
    assert all(passes(log.getvalue(), level) for level in LEVELS[:5])
    assert not passes(log.getvalue(), "FATAL")


@pytest.mark.parametrize(("level", "kept"), [("INFO", 3), ("WARN", 2), ("ERROR", 1)])
def test_the_logger_drops_lines_below_log_level(
    monkeypatch: pytest.MonkeyPatch, level: str, kept: int
) -> None:
    monkeypatch.setenv("LOG_LEVEL", level)
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "INFO")
    log = io.StringIO()
    logger = json_logger(str(uuid.uuid4()), log)
    logger.info("request")
    logger.warning("slow")
    logger.error("failed")
    assert len(log.getvalue().splitlines()) == kept
