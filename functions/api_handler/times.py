"""Times in answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def timestamp(moment: datetime) -> str:
    """Return a time in UTC (RFC 3339)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_seconds(seconds: int) -> str:
    """Return the time that comes in so many seconds."""
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
