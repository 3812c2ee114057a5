"""The clients of the functions: botocore alone, because boto3 lengthens a cold start."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

    from uploads.event_bus import EventsClient


def s3_client() -> S3Client:
    """Return an S3 client."""
    return cast("S3Client", _client("s3", signature_version="s3v4"))


def events_client() -> EventsClient:
    """Return a client for EventBridge."""
    return cast("EventsClient", _client("events"))


def _client(service: str, signature_version: str | None = None) -> object:
    """Return a client with bounded waits, so that a slow answer fails inside the time limit."""
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 5},
        signature_version=signature_version,
    )
    return botocore.session.get_session().create_client(service, config=config)
