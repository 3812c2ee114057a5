"""Uploads in parts: S3's multipart uploads are started, signed part by part, and completed.

The bytes go from the client to the bucket; a lost connection costs one part. Who completes an
upload is the API, so nothing larger than allowed becomes a file.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from api_handler.errors import ApiError
from api_handler.times import timestamp
from uploads import result as results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from types_boto3_s3.client import S3Client

    from api_handler.settings import Settings

# Source: "Amazon S3 multipart upload limits", S3 User Guide.
MAX_PARTS: Final = 10_000
MAX_PART_BYTES: Final = 5 * 1024**3
_PART_BYTES: Final = 8 * 1024**2
# modules/s3_uploads has the bucket delete the parts of an upload that is not completed by then.
PARTS_LAST_SECONDS: Final = 7 * 24 * 60 * 60

_WRONG_PARTS: Final = frozenset({"EntityTooSmall", "InvalidPart", "InvalidPartOrder"})


def part_bytes(size: int) -> int:
    """Return the size of all parts but the last of a file, so that there are not too many."""
    return max(_PART_BYTES, -(-size // MAX_PARTS))


class Multipart:
    """The multipart uploads of one bucket."""

    def __init__(self, settings: Settings, s3: S3Client) -> None:
        """Bind to AWS."""
        self._settings = settings
        self._s3 = s3

    def start(
        self, key: str, content_type: str, metadata: Mapping[str, str], tags: Mapping[str, str]
    ) -> str:
        """Start an upload; return its id."""
        tagging: Any = {"Tagging": urlencode(tags)} if tags else {}
        started = self._s3.create_multipart_upload(
            Bucket=self._settings.bucket,
            Key=key,
            ContentType=content_type,
            Metadata=metadata,
            **tagging,
        )
        return started["UploadId"]

    def sign(self, key: str, upload_id: str, number: int, size: int | None = None) -> str:
        """Return an address to which one part can be sent with PUT.

        Args:
            key: of the upload.
            upload_id: from `start`.
            number: of the part, from 1.
            size: of the part in bytes, if known; then nothing of another size is taken.

        Raises:
            ApiError: 400 for a number or a size that no part can have.
        """
        length = {} if size is None else {"ContentLength": size}
        if not 1 <= number <= MAX_PARTS or (size is not None and not 1 <= size <= MAX_PART_BYTES):
            raise ApiError(
                400,
                "invalid_part",
                f"Parts are numbered from 1 to {MAX_PARTS} and have at most {MAX_PART_BYTES} "
                "bytes each.",
            )
        return self._s3.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self._settings.bucket,
                "Key": key,
                "UploadId": upload_id,
                "PartNumber": number,
                **length,
            },
            ExpiresIn=self._settings.upload_url_ttl_seconds,
        )

    def parts(self, key: str, upload_id: str) -> list[dict[str, Any]]:
        """Return number, entity tag and size of the parts that the bucket has.

        Raises:
            ApiError: 404 when the upload does not exist.
        """
        return [
            {"PartNumber": part["PartNumber"], "ETag": part["ETag"], "Size": part["Size"]}
            for part in self._parts(key, upload_id)
        ]

    def unfinished(
        self, prefix: str, limit: int, after: tuple[str, str] | None
    ) -> tuple[list[dict[str, Any]], tuple[str, str] | None]:
        """Return uploads that are neither completed nor abandoned, in the order of their keys.

        Args:
            prefix: of their keys.
            limit: most of them.
            after: key and id of the upload that they follow.

        Returns:
            Each with its parts, and key and id of the last one if there are more.
        """
        markers: Any = {"KeyMarker": after[0], "UploadIdMarker": after[1]} if after else {}
        page = self._s3.list_multipart_uploads(
            Bucket=self._settings.bucket, Prefix=prefix, MaxUploads=limit, **markers
        )
        found = []
        for upload in page.get("Uploads", []):
            key, upload_id = upload["Key"], upload["UploadId"]
            try:
                parts = self.parts(key, upload_id)
            except ApiError:  # completed or abandoned since
                continue
            began = upload["Initiated"]
            found.append(
                {
                    "key": key,
                    "upload_id": upload_id,
                    "size": sum(part["Size"] for part in parts),
                    "parts": parts,
                    "started_at": timestamp(began),
                    "expires_at": timestamp(began + timedelta(seconds=PARTS_LAST_SECONDS)),
                }
            )
        more = page["IsTruncated"]
        return found, (page["NextKeyMarker"], page["NextUploadIdMarker"]) if more else None

    def complete(self, key: str, upload_id: str, parts: object) -> None:
        """Make a file of the parts. To do it again does nothing.

        Args:
            key: of the upload.
            upload_id: from `start`.
            parts: `[{"PartNumber": 1, "ETag": "…"}, …]` in the order of their numbers.

        Raises:
            ApiError: 400 for parts that the bucket does not have, 404 when there is no such
                upload, 413 for more bytes than an upload may have; the parts are then deleted.
        """
        wanted = _checked_parts(parts)
        try:
            sizes = {part["PartNumber"]: part["Size"] for part in self._parts(key, upload_id)}
        except ApiError:
            if self._is_completed(key, len(wanted)):
                return
            raise
        size = sum(sizes.get(part["PartNumber"], 0) for part in wanted)
        if size > self._settings.max_upload_bytes:
            self.abort(key, upload_id)
            raise too_large(size, self._settings.max_upload_bytes)
        try:
            self._s3.complete_multipart_upload(
                Bucket=self._settings.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": wanted},
            )
        except ClientError as error:
            if results.error_code(error) in _WRONG_PARTS:
                raise _invalid_parts() from error
            # Somebody else completed or abandoned it in the meantime.
            if results.error_code(error) != "NoSuchUpload":
                raise
            if not self._is_completed(key, len(wanted)):
                raise _no_such_upload() from error

    def abort(self, key: str, upload_id: str) -> None:
        """Abandon an upload, and delete its parts. To do it again does nothing."""
        try:
            self._s3.abort_multipart_upload(
                Bucket=self._settings.bucket, Key=key, UploadId=upload_id
            )
        except ClientError as error:
            if results.error_code(error) != "NoSuchUpload":
                raise

    def _parts(self, key: str, upload_id: str) -> Iterator[Any]:
        pages = self._s3.get_paginator("list_parts").paginate(
            Bucket=self._settings.bucket, Key=key, UploadId=upload_id
        )
        try:
            for page in pages:
                yield from page.get("Parts", [])
        except ClientError as error:
            if results.error_code(error) == "NoSuchUpload":
                raise _no_such_upload() from error
            raise

    def _is_completed(self, key: str, count: int) -> bool:
        """Return whether the key, which is of one upload alone, is a file of so many parts."""
        head = results.head(self._s3, self._settings.bucket, key)
        return head is not None and head["ETag"].strip('"').endswith(f"-{count}")


def too_large(size: int, limit: int) -> ApiError:
    """Return the refusal of a file with too many bytes."""
    return ApiError(413, "too_large", f"The file has {size:,} bytes; at most {limit:,} are taken.")


def _checked_parts(parts: object) -> list[Any]:
    """Return the parts as S3 takes them.

    Raises:
        ApiError: 400 for anything else.
    """
    listed: Iterable[Any] = parts if isinstance(parts, list) else [None]
    if not parts or not all(_is_part(part) for part in listed):
        raise _invalid_parts()
    return [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]


def _is_part(part: object) -> bool:
    return (
        isinstance(part, dict)
        and type(part.get("PartNumber")) is int
        and 1 <= part["PartNumber"] <= MAX_PARTS
        and isinstance(part.get("ETag"), str)
    )


def _invalid_parts() -> ApiError:
    return ApiError(
        400,
        "invalid_parts",
        'The body must be {"parts": [{"PartNumber": 1, "ETag": "…"}, …]}, with the numbers in '
        "order, and the parts as the bucket answered; all but the last have at least 5 MiB.",
    )


def _no_such_upload() -> ApiError:
    return ApiError(
        404,
        "no_such_upload",
        "The upload does not exist: it was completed, aborted, or it expired. Start it again.",
    )
