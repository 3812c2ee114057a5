"""S3 event notifications, parsed into the uploads that they announce.

Source of the format: "Event message structure", Amazon S3 User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping


# Of an upload without a result. It is lower than any of S3's, so the upload's own event, which may
# still be under way, wins.
LOWEST_SEQUENCER: Final = "0"


class MalformedEventError(ValueError):
    """The event is not an S3 object-created notification."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One version of one uploaded object.

    Attributes:
        bucket: bucket name.
        key: object key, decoded.
        version_id: object version, or None in a bucket without versioning.
        etag: entity tag without quotes.
        size: bytes.
        sequencer: order of this event among those of the same key (see `order`).
        reprocess: process again if the settings or the code changed since the last result.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    size: int
    sequencer: str
    reprocess: bool = False


def order(sequencer: str) -> int:
    """Return a number that grows with a key's sequencers.

    S3 sequencers are hexadecimal strings of varying length, to be compared after the shorter one is
    padded with zeros on the right.
    """
    return int(sequencer.ljust(64, "0"), 16)


def reprocess_event(
    bucket: str, key: str, *, size: int, etag: str, version_id: str | None, sequencer: str
) -> dict[str, Any]:
    """Return the event that S3 sent when an upload came, marked to process the upload again.

    Retries, the dead-letter queue and the order of versions then work as for an upload.
    """
    described = {
        "key": quote_plus(key, safe="/"),
        "size": size,
        "eTag": etag,
        "versionId": version_id,
        "sequencer": sequencer,
    }
    s3 = {"bucket": {"name": bucket}, "object": described}
    return {"reprocess": True, "Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}


def parse(event: Mapping[str, Any]) -> list[Upload]:
    """Return the uploads that an S3 notification announces.

    Args:
        event: the Lambda event. `{"Event": "s3:TestEvent", …}`, which S3 sends when a notification
            is set up, announces none. `"reprocess": true` beside `Records` requests a second run.

    Raises:
        MalformedEventError: a record lacks a field or is of another kind.
    """
    if event.get("Event") == "s3:TestEvent":
        return []
    try:
        records = event["Records"]
        uploads = [
            _parse_record(record, reprocess=bool(event.get("reprocess"))) for record in records
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedEventError(
            f"not an S3 object-created event ({type(error).__name__}: {error}); "
            "this function takes S3 notifications only"
        ) from error
    return uploads


def _parse_record(record: Mapping[str, Any], *, reprocess: bool) -> Upload:
    name = record["eventName"]
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        raise ValueError(f"eventName is {name!r}")
    s3 = record["s3"]
    described = s3["object"]
    upload = Upload(
        bucket=str(s3["bucket"]["name"]),
        key=unquote_plus(described["key"]),
        version_id=described.get("versionId"),
        etag=str(described["eTag"]).strip('"'),
        size=int(described["size"]),
        sequencer=str(described["sequencer"]),
        reprocess=reprocess,
    )
    order(upload.sequencer)  # a sequencer that cannot be ordered is refused here, not half way
    return upload
