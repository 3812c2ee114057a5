"""The result record `processed/K/result.json`: what became of an upload.

It is written last, with a conditional write, and is the commit point: whoever reads it finds every
output that it names, and an older version of an upload never replaces the result of a newer one.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from botocore.exceptions import ClientError

from uploads import keys
from uploads.events import order

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

SCHEMA_VERSION: Final = 1

Status = Literal["succeeded", "rejected"]

_WRITER: Final = "writer"  # name of the object's metadata

# 404: the record that If-Match names is gone; 409: another write of it is under way; 412: another
# write won. Source: "How to prevent object overwrites with conditional writes", S3 User Guide.
_LOST_RACE: Final = frozenset({404, 409, 412})


@dataclass(frozen=True, slots=True)
class Source:
    """The version of the upload that was processed.

    Attributes:
        key: object key.
        version_id: object version, or None in a bucket without versioning.
        etag: entity tag without quotes.
        size: bytes.
        sequencer: order of the version among those of the key.
        sha256: what the uploader declared that the content has, in hexadecimal; it was checked
            where the upload succeeded.
        metadata: what the uploader stored with it.
    """

    key: str
    version_id: str | None
    etag: str
    size: int
    sequencer: str
    sha256: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def is_newer_than(self, sequencer: str) -> bool:
        """Return whether it was stored after another version of the key."""
        return order(sequencer) < order(self.sequencer)


@dataclass(frozen=True, slots=True)
class Output:
    """A stored output: its key, type and size in bytes, and what fits its kind (width, rows, …)."""

    key: str
    content_type: str
    bytes: int
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an upload was rejected, or what a reader should know of it: a code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Function:
    """Who made the result: function name, function version and SHA-256 of its zip (base64)."""

    name: str
    version: str
    code_sha256: str


@dataclass(frozen=True, slots=True)
class Result:
    """Content of `result.json`.

    Attributes:
        status: `succeeded`, or `rejected` when the input is at fault.
        source: the processed upload.
        revision: the same for the same version, code and settings.
        outputs: every output file; of a rejected upload, files that explain it (rejected rows).
        details: facts about the upload (dimensions, columns, …).
        warnings: oddities that did not prevent processing.
        error: the reason for `rejected`, else None.
        function: who made it.
        duration_ms: time from the start of the work to this record, in milliseconds.
        schema_version: version of this format.
    """

    status: Status
    source: Source
    revision: str
    outputs: tuple[Output, ...]
    details: dict[str, Any]
    warnings: tuple[Problem, ...]
    error: Problem | None
    function: Function
    duration_ms: int
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> bytes:
        """Return the record as UTF-8 JSON with a stable order of keys."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Result:
        """Read a record.

        Raises:
            ValueError: the content is not a record of this schema version.
        """
        try:
            raw = json.loads(content)
            known = {SCHEMA_VERSION: cls}
            return known[raw["schema_version"]](
                **raw
                | {
                    "source": Source(**raw["source"]),
                    "outputs": tuple(Output(**output) for output in raw["outputs"]),
                    "warnings": tuple(Problem(**warning) for warning in raw["warnings"]),
                    "error": raw["error"] and Problem(**raw["error"]),
                    "function": Function(**raw["function"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"not a result record of schema version {SCHEMA_VERSION}: {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class Stored:
    """A result record in the bucket.

    Attributes:
        result: its content.
        etag: entity tag, which a conditional write needs.
        writer: identifies one write, even of the same content.
    """

    result: Result
    etag: str
    writer: str


def load(s3: S3Client, bucket: str, upload_key: str) -> Stored | None:
    """Return the result record of an upload, or None when there is none yet."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=keys.result_key(upload_key))
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
    writer = answer.get("Metadata", {}).get(_WRITER, "")
    return Stored(Result.from_json(answer["Body"].read()), answer["ETag"], writer)


def head(s3: S3Client, bucket: str, key: str) -> HeadObjectOutputTypeDef | None:
    """Return the metadata of an object, or None if it does not exist or was deleted."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error_code(error) == "404":  # an answer to HEAD has no body for a code
            return None
        raise


def records(result: Result) -> list[str]:
    """Return the keys of the records of an upload: its result, and the note of its content."""
    note = _note_key(result)
    return [keys.result_key(result.source.key), *([note] if note else [])]


def write_note(s3: S3Client, bucket: str, result: Result) -> None:
    """Note which upload has a content, if that was declared, checked and processed."""
    note = _note_key(result)
    if note and result.status == "succeeded":
        s3.put_object(Bucket=bucket, Key=note, Body=result.source.key.encode())


def _note_key(result: Result) -> str | None:
    source = result.source
    return source.sha256 and keys.note_key(keys.owner_of(source.key), source.sha256)


def noted(s3: S3Client, bucket: str, note: str) -> str | None:
    """Return the key of the upload that a note names; None where there is no note."""
    try:
        return s3.get_object(Bucket=bucket, Key=note)["Body"].read().decode()
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise


def reason_to_skip(
    stored: Stored | None, *, sequencer: str, revision: str, again: bool
) -> Literal["duplicate", "superseded"] | None:
    """Return why a version of an upload need not be processed, or must not be committed.

    Args:
        stored: the result record in the bucket, or None.
        sequencer: order of the version in question.
        revision: revision that its processing has or would have.
        again: whether another revision of the same version is wanted.

    Returns:
        `superseded`: the record is of a newer version; `duplicate`: of this version; None: process.
    """
    if stored is None:
        return None
    source = stored.result.source
    if source.is_newer_than(sequencer):
        return "superseded"
    same = order(sequencer) == order(source.sequencer)
    if same and (revision == stored.result.revision or not again):
        return "duplicate"
    return None


def commit(
    s3: S3Client, bucket: str, result: Result, stored: Stored | None, *, again: bool
) -> tuple[Literal["committed", "duplicate", "superseded"], Result | None]:
    """Write a result record unless one that counts more is, or gets, in its place.

    Args:
        s3: client.
        bucket: bucket name.
        result: the new record.
        stored: the record seen before the work, or None.
        again: whether it may replace another revision of the same version.

    Returns:
        `committed` and the record that was replaced, if any; or why not (see `obstacle`) and the
        record that stands.
    """
    writer = uuid.uuid4().hex
    while True:
        standing = stored.result if stored else None
        reason = reason_to_skip(
            stored, sequencer=result.source.sequencer, revision=result.revision, again=again
        )
        if reason:
            return reason, standing
        condition = {"IfMatch": stored.etag} if stored else {"IfNoneMatch": "*"}
        try:
            s3.put_object(
                Bucket=bucket,
                Key=keys.result_key(result.source.key),
                Body=result.to_json(),
                ContentType="application/json",
                Metadata={_WRITER: writer},
                **cast("Any", condition),
            )
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] not in _LOST_RACE:
                raise
            stored = load(s3, bucket, result.source.key)
            # The client repeats a request whose answer was lost, and then meets its own record.
            if stored and stored.writer == writer:
                return "committed", standing
        else:
            return "committed", standing


def error_code(error: ClientError) -> str:
    """Return the service's code of a failed call, such as `NoSuchKey`."""
    return error.response.get("Error", {}).get("Code", "")
