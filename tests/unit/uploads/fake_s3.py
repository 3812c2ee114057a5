"""A bucket in memory, with versions and conditional requests, for what the functions call."""

# ruff: noqa: N803 - the arguments have the names of the S3 API

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, BinaryIO, cast

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_s3.client import S3Client

BUCKET = "bucket"


class _Raw(io.BytesIO):
    """Tells where it stands when it is closed, too, as urllib3's answers do."""

    _stood = 0

    def tell(self) -> int:
        return self._stood if self.closed else super().tell()

    def close(self) -> None:
        self._stood = self.tell()
        super().close()


class FakeS3:
    """One versioned bucket. A test may let something happen just before a request."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, bytes]] = {}
        self._before: dict[tuple[str, str], list[Callable[[], object]]] = {}
        self._lost: set[str] = set()
        self._hidden: set[str] = set()
        self.content_types: dict[str, str] = {}
        self._metadata: dict[str, dict[str, str]] = {}

    @property
    def client(self) -> S3Client:
        return cast("S3Client", self)

    @property
    def keys(self) -> set[str]:
        return set(self._versions)

    def content(self, key: str) -> bytes:
        return list(self._versions[key].values())[-1]

    def put(
        self, key: str, content: bytes, metadata: dict[str, str] | None = None
    ) -> tuple[str, str]:
        """Store a version; return its id and its entity tag."""
        versions = self._versions.setdefault(key, {})
        version = f"v{len(versions) + 1}"
        versions[version] = content
        self._metadata[key] = metadata or {}
        self._hidden.discard(key)
        return version, _etag(content)

    def remove(self, key: str) -> None:
        self._versions.pop(key, None)

    def hide(self, key: str) -> None:
        """Delete a key, but not its versions."""
        self._hidden.add(key)

    def before(self, operation: str, key: str, *actions: Callable[[], object]) -> None:
        """Let one action after the other happen, each before one request for the key."""
        self._before[operation, key] = list(actions)

    def lose_answer(self, key: str) -> None:
        """Let the client repeat the next write of a key, although it was done."""
        self._lost.add(key)

    def get_object(
        self, *, Bucket: str, Key: str, VersionId: str | None = None, IfMatch: str | None = None
    ) -> dict[str, object]:
        self._begin("get_object", Bucket, Key)
        versions = self._versions.get(Key, {})
        if VersionId and VersionId not in versions:
            raise error("NoSuchVersion", 404)
        if not versions:
            raise error("NoSuchKey", 404)
        content = versions[VersionId] if VersionId else self.content(Key)
        if IfMatch and IfMatch.strip('"') != _etag(content):
            raise error("PreconditionFailed", 412)
        return {
            "Body": StreamingBody(_Raw(content), len(content)),
            "ETag": f'"{_etag(content)}"',
            "Metadata": self._metadata.get(Key, {}),
        }

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, object]:
        self._begin("head_object", Bucket, Key)
        if Key not in self._versions or Key in self._hidden:
            raise error("404", 404)
        return {"ETag": f'"{_etag(self.content(Key))}"'}

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes | BinaryIO,
        ContentType: str = "binary/octet-stream",
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
        Metadata: dict[str, str] | None = None,
    ) -> None:
        self._begin("put_object", Bucket, Key)
        if len(Key.encode()) > 1024:
            raise error("KeyTooLongError", 400)
        there = Key in self._versions
        if IfMatch and not there:
            raise error("NoSuchKey", 404)
        if (IfMatch and IfMatch.strip('"') != _etag(self.content(Key))) or (IfNoneMatch and there):
            raise error("PreconditionFailed", 412)
        self.put(Key, Body if isinstance(Body, bytes) else Body.read(), Metadata)
        self.content_types[Key] = ContentType
        if Key in self._lost:
            self._lost.remove(Key)
            raise error("PreconditionFailed", 412)

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self._begin("delete_object", Bucket, Key)
        self.remove(Key)

    def _begin(self, operation: str, bucket: str, key: str) -> None:
        assert bucket == BUCKET
        actions = self._before.get((operation, key))
        if actions:
            actions.pop(0)()


def error(code: str, status: int) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": code},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "request",
                "HostId": "host",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "Operation",
    )


def refuse(code: str, status: int) -> Callable[[], None]:
    """Return an action that lets the request fail."""

    def action() -> None:
        raise error(code, status)

    return action


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
