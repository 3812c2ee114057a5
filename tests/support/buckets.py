"""Buckets of the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def remove_all(s3: S3Client, name: str, prefix: str = "") -> None:
    """Delete every version of every object."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=name, Prefix=prefix)
    for page in pages:
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
