"""The promise of `result.json`, as a reader checks it: every output that it names is there."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Self

from botocore.exceptions import ClientError

from uploads import keys

if TYPE_CHECKING:
    from types import TracebackType

    from types_boto3_s3.client import S3Client


def read(s3: S3Client, bucket: str, upload_key: str) -> tuple[dict[str, Any], str] | None:
    """Return an upload's result record and its entity tag, or None."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=keys.result_key(upload_key))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None
        raise
    record: dict[str, Any] = json.loads(answer["Body"].read())
    return record, answer["ETag"]


def breaches(s3: S3Client, bucket: str, upload_key: str) -> list[str]:
    """Return the outputs of a result record that are missing or have another size."""
    found = read(s3, bucket, upload_key)
    if not found:
        return []
    record, tag = found
    missing = []
    for output in record["outputs"]:
        try:
            size = s3.head_object(Bucket=bucket, Key=output["key"])["ContentLength"]
        except ClientError:
            missing.append(f"{output['key']} is missing")
        else:
            if size != output["bytes"]:
                missing.append(f"{output['key']} has {size} bytes, not {output['bytes']}")
    if missing:
        # A newer record may have come in between; then its predecessor's outputs may go.
        now = read(s3, bucket, upload_key)
        if now is None or now[1] != tag:
            return []
    return missing


class Watcher:
    """Reads the results of uploads again and again while faults happen, from a thread."""

    def __init__(self, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._watched: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.breaches: list[str] = []

    def watch(self, upload_key: str) -> None:
        self._watched.append(upload_key)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for key in tuple(self._watched):
                self.breaches += breaches(self._s3, self._bucket, key)
