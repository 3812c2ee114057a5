"""The operations of the API on files in the bucket, without HTTP."""

from __future__ import annotations

import base64
import copy
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from api_handler import cursor as cursors
from api_handler import multipart, names, new_file
from api_handler.errors import ApiError
from api_handler.owners import ANYBODY
from api_handler.times import in_seconds, timestamp
from uploads import events, keys, metadata
from uploads import result as results
from uploads.table_options import TableOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from types_boto3_lambda.client import LambdaClient
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectTypeDef

    from api_handler.new_file import NewFile
    from api_handler.owners import Caller
    from api_handler.settings import Settings

MAX_WAIT_SECONDS: Final = 20
# Between two looks for a result: small files are done in less than a second.
_PAUSES: Final = (0.3, 0.4, 0.5, 0.8, 1.0, 1.5)
MAX_KEY_BYTES: Final = 1024
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
# Listing the parts of each takes a request, and an answer has time for some dozens.
_MOST_UPLOADING: Final = 20


class Files:
    """The files of one bucket that a caller may access.

    Attributes:
        multipart: uploads in parts, once they are started.
    """

    def __init__(
        self, settings: Settings, s3: S3Client, lambda_client: Callable[[], LambdaClient]
    ) -> None:
        """Bind to AWS; `lambda_client` is called when a function is first to be invoked."""
        self._settings = settings
        self._kinds = settings.kinds
        self._s3 = s3
        self._lambda = lambda_client
        self._caller = ANYBODY
        self.multipart = multipart.Multipart(settings, s3)

    def seen_by(self, caller: Caller) -> Self:
        """Return the same files as one caller sees them."""
        seen = copy.copy(self)
        seen._caller = caller  # noqa: SLF001 - of this class
        return seen

    def probe(self) -> None:
        """Check that the bucket answers, with a request that the API's role is allowed to make.

        Raises:
            BotoCoreError, ClientError: no answer, or a refusal.
        """
        self._s3.list_objects_v2(
            Bucket=self._settings.bucket, Prefix=keys.UPLOADS_PREFIX, MaxKeys=1
        )

    def create(self, new: NewFile, *, in_parts: bool = False) -> dict[str, Any]:
        """Return what uploads one file of this name and nothing else: a form, or upload in parts.

        Args:
            new: the file. Nothing of another size than it says is taken, and nothing with another
                SHA-256; without a size, a form.
            in_parts: upload in parts for any size.

        Raises:
            ApiError: 400 or 415, see `names`; 400 for options that are none, or not for this kind,
                and for more metadata than S3 stores; 413 for a file that is too large, or exceeds
                its owner's quota.
        """
        size = new.size
        name, kind, content_type = self._checked(new)
        stored = self._metadata(new, kind)
        key = f"{self._caller.folder}{keys.time_ordered_id()}/{name}"
        upload = {"key": key, "content_type": content_type}
        left = self._bytes_left(size or 1)
        largest = min(self._settings.largest_form_bytes, left)
        if in_parts or (size is not None and size > self._settings.largest_form_bytes):
            return upload | {
                "max_bytes": min(self._settings.max_upload_bytes, left),
                "expires_at": in_seconds(multipart.PARTS_LAST_SECONDS),
                "upload_id": self.multipart.start(key, content_type, stored, new.tags),
                "part_bytes": multipart.part_bytes(size or self._settings.max_upload_bytes),
            }
        fields = {"Content-Type": content_type} | {
            f"x-amz-meta-{name}": text for name, text in stored.items()
        }
        if new.sha256:  # S3 refuses another content
            digest = bytes.fromhex(new.sha256)
            fields["x-amz-checksum-sha256"] = base64.b64encode(digest).decode()
        if new.tags:
            fields["tagging"] = _tag_set(new.tags)
        expires_at = in_seconds(self._settings.upload_url_ttl_seconds)
        form = self._s3.generate_presigned_post(
            Bucket=self._settings.bucket,
            Key=key,
            Fields=fields,
            Conditions=[
                *({field: value} for field, value in fields.items()),
                ["content-length-range", size or 1, size or largest],
            ],
            ExpiresIn=self._settings.upload_url_ttl_seconds,
        )
        return upload | {
            "max_bytes": largest,
            "expires_at": expires_at,
            "url": form["url"],
            "fields": form["fields"],
        }

    def _bytes_left(self, size: int) -> int:
        """Return how many bytes the caller may still upload.

        The files are listed, at most ten requests: a counter would have to follow every deletion
        and expiry, and to be repaired. Uploads that are not finished do not count.

        Raises:
            ApiError: 413 when the quota does not allow another file of this size.
        """
        caller = self._caller
        if caller.max_files is None:
            return self._settings.max_upload_bytes
        sizes = [entry["Size"] for entry in self._entries(caller.folder)]
        if len(sizes) >= caller.max_files:
            raise _quota_exceeded(f"{len(sizes):,} of {caller.max_files:,} files")
        if caller.max_bytes is None:
            return self._settings.max_upload_bytes
        left = caller.max_bytes - sum(sizes)
        if size > left:
            raise _quota_exceeded(f"{sum(sizes):,} of {caller.max_bytes:,} bytes")
        return left

    def twin(self, new: NewFile) -> dict[str, Any] | None:
        """Return a file of the caller's with the same content, as `describe` does, if it succeeded.

        It has the same kind, and the same options, so another upload would have the same outputs.

        Raises:
            ApiError: as `create`.
        """
        if new.sha256 is None:
            return None
        _, kind, _ = self._checked(new)
        owner = self._caller.folder.removeprefix(keys.UPLOADS_PREFIX).rstrip("/")
        note = keys.note_key(owner or None, new.sha256)
        key = results.noted(self._s3, self._settings.bucket, note)
        head = key and results.head(self._s3, self._settings.bucket, key)
        if not (key and head):
            return None
        result = self._result(key, head)
        if (
            result is None
            or (result.status, result.source.sha256) != ("succeeded", new.sha256)
            or keys.kind_of(key, self._kinds) != kind
            or head.get("Metadata", {}).get(metadata.OPTIONS) != self._options(new, kind)
        ):
            return None
        return self._description(key, head, result, result.status)

    def _checked(self, new: NewFile) -> tuple[str, str, str]:
        """Return the name, the kind and the content type of a new file.

        Raises:
            ApiError: 413 for a file that is too large; 400 or 415, see `names`.
        """
        if new.size is not None and new.size > self._settings.max_upload_bytes:
            raise multipart.too_large(new.size, self._settings.max_upload_bytes)
        name, kind = names.checked_name(new.name, self._kinds)
        accepted = self._kinds[kind].content_types
        return name, kind, names.checked_content_type(new.content_type, kind, accepted)

    def _metadata(self, new: NewFile, kind: str) -> dict[str, str]:
        """Return what is stored with a new file."""
        known = {metadata.OPTIONS: self._options(new, kind), metadata.SHA256: new.sha256}
        found = new.metadata | {name: text for name, text in known.items() if text is not None}
        new_file.checked_total(found)
        return found

    def _options(self, new: NewFile, kind: str) -> str | None:
        """Return the options of a table as they are stored with it."""
        if new.options is None:
            return None
        if self._kinds[kind].function not in self._settings.option_functions:
            raise ApiError(
                400, "invalid_options", f"A file {kind} takes no options: they are of tables."
            )
        try:
            return TableOptions.parse(new.options).to_text()
        except ValueError as error:
            raise ApiError(400, "invalid_options", f"{error}") from error

    def list(self, prefix: str, limit: int, cursor: str | None) -> dict[str, Any]:
        """Return a page of the caller's uploads in the order of their keys.

        That is the order of their creation, owner by owner.

        Raises:
            ApiError: 400 for a prefix outside the uploads or a foreign cursor.
        """
        reached = self._reached(prefix)
        if reached is None:
            return {"files": [], "next_cursor": None}
        after: Any = {"StartAfter": cursors.decode(cursor, reached)} if cursor is not None else {}
        page = self._s3.list_objects_v2(
            Bucket=self._settings.bucket, Prefix=reached, MaxKeys=limit, **after
        )
        found: list[dict[str, Any]] = [
            {
                "key": entry["Key"],
                "size": entry["Size"],
                "last_modified": timestamp(entry["LastModified"]),
            }
            for entry in page.get("Contents", [])
            if _is_key(entry["Key"])  # not the folder itself, which the console can make
        ]
        more = page["IsTruncated"] and found
        return {
            "files": found,
            "next_cursor": cursors.encode(reached, found[-1]["key"]) if more else None,
        }

    def list_uploading(self, prefix: str, limit: int, cursor: str | None) -> dict[str, Any]:
        """Return a page of the caller's uploads in parts that are not completed, with their parts.

        Raises:
            ApiError: as `list`.
        """
        reached = self._reached(prefix)
        if reached is None:
            return {"files": [], "next_cursor": None}
        after = None
        if cursor is not None:  # no key holds a line feed
            key, _, upload_id = cursors.decode(cursor, reached).partition("\n")
            after = (key, upload_id)
        found, last = self.multipart.unfinished(reached, min(limit, _MOST_UPLOADING), after)
        return {
            "files": found,
            "next_cursor": cursors.encode(reached, "\n".join(last)) if last else None,
        }

    def _reached(self, prefix: str) -> str | None:
        """Return a prefix, limited to the caller's keys; None if none of them can have it.

        Raises:
            ApiError: 400 for a prefix outside the uploads.
        """
        if not _storable(prefix) or not prefix.startswith(keys.UPLOADS_PREFIX):
            raise ApiError(
                400,
                "invalid_prefix",
                f"The prefix must start with {keys.UPLOADS_PREFIX} and be a part of a key.",
            )
        reach = self._caller.reach
        if reach.startswith(prefix):
            return reach
        return prefix if prefix.startswith(reach) else None

    def describe(self, key: str, wait: float = 0) -> dict[str, Any]:
        """Return an upload, its state, its result, and links to everything that may be downloaded.

        Args:
            key: of the upload.
            wait: seconds to wait for a result that is not there yet.

        Raises:
            ApiError: 404 when the upload does not exist.
        """
        head = self._head(key)
        result = self._result(key, head)
        expected = self._expected(key, head)
        deadline = time.monotonic() + wait
        pauses = iter(_PAUSES)
        while not result and expected == "pending" and time.monotonic() < deadline:
            time.sleep(min(next(pauses, _PAUSES[-1]), max(0, deadline - time.monotonic())))
            result = self._result(key, head)
        return self._description(key, head, result, result.status if result else expected)

    def _description(
        self, key: str, head: HeadObjectOutputTypeDef, result: results.Result | None, state: str
    ) -> dict[str, Any]:
        name = quote(key.rpartition("/")[2], safe="")
        return {
            "key": key,
            "size": head["ContentLength"],
            "content_type": head["ContentType"],
            "last_modified": timestamp(head["LastModified"]),
            "state": state,
            "url": self._link(
                key, ResponseContentDisposition=f"attachment; filename*=UTF-8''{name}"
            ),
            "urls_expire_at": in_seconds(self._settings.download_url_ttl_seconds),
            "metadata": metadata.public(head.get("Metadata", {})),
            "result": self._public(result) if result else None,
        }

    def checked_key(self, text: str) -> str:
        """Return a key if it may be one of the caller's uploads.

        Raises:
            ApiError: 400 for a malformed key; 404 for a key of another owner, whether or not the
                file exists.
        """
        if not _is_key(text):
            raise _invalid_key()
        # S3 does not resolve "..", but a proxy may.
        if self._caller.reach != keys.UPLOADS_PREFIX and (
            not text.startswith(self._caller.reach) or ".." in text.split("/")
        ):
            raise _no_such_file()
        return text

    def _result(self, key: str, head: HeadObjectOutputTypeDef) -> results.Result | None:
        """Return the result of exactly this version of an upload, if there is one."""
        stored = results.load(self._s3, self._settings.bucket, key)
        return stored.result if stored and _is_of(stored.result, head) else None

    def _expected(self, key: str, head: HeadObjectOutputTypeDef) -> str:
        """Return the state of an upload without a result.

        It has failed when the time is over in which Lambda tries again: its event is in the
        dead-letter queue, or was lost. A result, after a redrive, ends that.
        """
        if not keys.starts_function(key, self._kinds):
            return "unsupported"
        age = datetime.now(UTC) - head["LastModified"]
        return "failed" if age.total_seconds() > self._settings.failed_after_seconds else "pending"

    def delete(self, key: str) -> None:
        """Delete an upload and everything derived from it; a versioned bucket keeps the versions.

        The upload goes first: a function that commits a result afterwards sees that, and removes
        its result and the note of its content. Of the results the record goes first, so that no
        reader finds one whose files are gone. A deletion that failed half way can be repeated.

        Raises:
            ApiError: 404 when neither the upload nor anything derived from it exists.
        """
        sha256 = None
        try:
            sha256 = self._head(key).get("Metadata", {}).get(metadata.SHA256)
        except ApiError:
            if next(self._derived(key), None) is None:
                raise
        self._s3.delete_object(Bucket=self._settings.bucket, Key=key)
        if sha256:
            note = keys.note_key(keys.owner_of(key), sha256)
            self._s3.delete_object(Bucket=self._settings.bucket, Key=note)
        record = keys.result_key(key)
        for doomed in sorted(self._derived(key), key=lambda found: found != record):
            self._s3.delete_object(Bucket=self._settings.bucket, Key=doomed)

    def reprocess(self, key: str) -> None:
        """Have an upload processed again, by the code and settings that are deployed now.

        Raises:
            ApiError: 404 when the upload does not exist, 409 when no function processes its kind.
        """
        head = self._head(key)
        kind = keys.kind_of(key, self._kinds)
        if kind is None:
            raise ApiError(409, "not_processable", "Files of this kind are not processed.")
        stored = results.load(self._s3, self._settings.bucket, key)
        known = stored is not None and _is_of(stored.result, head)
        event = events.reprocess_event(
            self._settings.bucket,
            key,
            size=head["ContentLength"],
            etag=head["ETag"].strip('"'),
            version_id=head.get("VersionId"),
            sequencer=(
                stored.result.source.sequencer if stored and known else events.LOWEST_SEQUENCER
            ),
        )
        self._lambda().invoke(
            FunctionName=self._kinds[kind].function,
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def _head(self, key: str) -> HeadObjectOutputTypeDef:
        try:
            head = results.head(self._s3, self._settings.bucket, key)
        except ClientError as error:
            # S3 refuses what leads above its root.
            if results.error_code(error) == "400" and ".." in key.split("/"):
                raise _invalid_key() from error
            raise
        if head is None:
            raise _no_such_file()
        return head

    def _derived(self, key: str) -> Iterator[str]:
        return (entry["Key"] for entry in self._entries(keys.derived_prefix(key)))

    def _entries(self, prefix: str) -> Iterator[ObjectTypeDef]:
        """Yield all objects below a prefix."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._settings.bucket, Prefix=prefix
        )
        for page in pages:
            yield from page.get("Contents", [])

    def _public(self, result: results.Result) -> dict[str, Any]:
        """Return the client's view of a result, with download links."""
        return {
            "outputs": [
                {"name": output.key.rpartition("/")[2], "url": self._link(output.key)}
                | asdict(output)
                for output in result.outputs
            ],
            "details": result.details,
            "warnings": [asdict(warning) for warning in result.warnings],
            "error": asdict(result.error) if result.error else None,
            "duration_ms": result.duration_ms,
        }

    def location(self, key: str) -> str:
        """Return the unsigned address of an upload in the bucket."""
        url = self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._settings.bucket, "Key": key}
        )
        return url.partition("?")[0]

    def _link(self, key: str, **override: str) -> str:
        return self._s3.generate_presigned_url(
            "get_object",
            Params={"Bucket": self._settings.bucket, "Key": key, **override},
            ExpiresIn=self._settings.download_url_ttl_seconds,
        )


def _is_key(text: str) -> bool:
    """Return whether a text may be the key of an upload."""
    name = text.removeprefix(keys.UPLOADS_PREFIX)
    return bool(text.startswith(keys.UPLOADS_PREFIX) and name and _storable(text))


def _quota_exceeded(used: str) -> ApiError:
    return ApiError(
        413,
        "quota_exceeded",
        f"The quota is used up: {used}. Delete files, or have it raised.",
    )


def _no_such_file() -> ApiError:
    return ApiError(404, "no_such_file", "No file has this key.")


def _invalid_key() -> ApiError:
    return ApiError(
        400, "invalid_key", "The key is not that of an upload; send it as it was listed."
    )


def _tag_set(tags: Mapping[str, str]) -> str:
    """Return tags as the field `tagging` of a form has them (S3: POST Object)."""
    inner = "".join(
        f"<Tag><Key>{escape(name)}</Key><Value>{escape(text)}</Value></Tag>"
        for name, text in tags.items()
    )
    return f"<Tagging><TagSet>{inner}</TagSet></Tagging>"


def _storable(text: str) -> bool:
    return not names.unprintable(text) and len(text.encode()) <= MAX_KEY_BYTES


def _is_of(result: results.Result, head: HeadObjectOutputTypeDef) -> bool:
    """Return whether a result is of the version that is current."""
    if result.source.version_id and head.get("VersionId"):
        return result.source.version_id == head["VersionId"]
    return result.source.etag == head["ETag"].strip('"')
