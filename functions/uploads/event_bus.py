"""Sends an event to an EventBridge bus for each result record, after its commit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from uploads import keys

if TYPE_CHECKING:
    from uploads.result import Result

SOURCE: Final = "serverless-uploads"
DETAIL_TYPES: Final = {"succeeded": "FileSucceeded", "rejected": "FileRejected"}
# Version of the detail. Members may be added to it; anything else is another version.
DETAIL_VERSION: Final = 1
# An entry has at most 256 KiB, and a file of very many sheets very many outputs.
_MOST_OUTPUTS: Final = 100


class NotSentError(Exception):
    """EventBridge did not take an event."""


class EventsClient(Protocol):
    """The part of botocore's EventBridge client that is used here."""

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - botocore's
        """Send events."""


@dataclass(frozen=True, slots=True)
class EventBus:
    """An event bus, and the client for it."""

    client: EventsClient
    name: str

    def send(self, bucket: str, result: Result) -> None:
        """Send the event of a result; the same record has the same `id` each time.

        Raises:
            NotSentError: EventBridge refused the event.
            botocore.exceptions.ClientError: or the request.
        """
        entry = {
            "EventBusName": self.name,
            "Source": SOURCE,
            "DetailType": DETAIL_TYPES[result.status],
            "Detail": json.dumps(detail(bucket, result), ensure_ascii=False),
        }
        answer = self.client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            failed = answer["Entries"][0]
            message = f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}"
            raise NotSentError(message)


def detail(bucket: str, result: Result) -> dict[str, Any]:
    """Return the detail of the event of a result, see docs/events.md."""
    source = result.source
    return {
        "version": DETAIL_VERSION,
        "id": hashlib.sha256(result.to_json()).hexdigest()[:32],
        "state": result.status,
        "bucket": bucket,
        "key": source.key,
        "owner": keys.owner_of(source.key),
        "version_id": source.version_id,
        "size": source.size,
        "metadata": source.metadata,
        "function": result.function.name,
        "result_key": keys.result_key(source.key),
        "output_count": len(result.outputs),
        "outputs": [
            {"key": one.key, "content_type": one.content_type, "bytes": one.bytes}
            for one in result.outputs[:_MOST_OUTPUTS]
        ],
        "warnings": sorted({warning.code for warning in result.warnings}),
        "error": result.error.code if result.error else None,
        "duration_ms": result.duration_ms,
    }
