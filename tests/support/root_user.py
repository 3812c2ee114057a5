"""Clients of the emulator's root user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3

from scripts.local_cloud import REGION

if TYPE_CHECKING:
    from scripts.local_cloud import Cloud


def session() -> boto3.Session:
    """Return a session with the keys that the emulator takes for those of the root user."""
    return boto3.Session("test", "test", region_name=REGION)


def client(cloud: Cloud, service: Any) -> Any:
    """Return a client of a service of the emulator."""
    return session().client(service, endpoint_url=cloud.aws.url)
