"""The S3 side of a processing function; the function itself is a pure core from file to files.

For each upload of an event: skip it when a result of this or a newer version is there, run the
core, store its outputs, commit the result record. An input that cannot be processed is an answer
(`rejected`), not a failure; all other errors are raised, so that Lambda retries and the
dead-letter queue keeps the event.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from botocore.exceptions import ClientError

from uploads import aws, events, keys, metadata
from uploads import result as results
from uploads.event_bus import EventBus
from uploads.log import json_logger
from uploads.time_limit import OutOfTimeError, stop_in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import BinaryIO, Self

    from _typeshed import DataclassInstance
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from botocore.response import StreamingBody
    from types_boto3_s3.client import S3Client

    from uploads.events import Upload
    from uploads.result import Output, Problem, Result

_COPY_BYTES: Final = 1024 * 1024
_MEGABYTE: Final = 1_000_000

Outcome = Literal["succeeded", "rejected", "duplicate", "superseded", "deleted"]


class RejectedError(Exception):
    """The upload cannot be processed and never will: its content is at fault.

    Attributes:
        code: short, stable, for programs (`not_an_image`).
        message: a sentence for the person who uploaded the file.
        processed: partial outputs and details, such as rejected rows or dimensions.
    """

    def __init__(self, code: str, message: str, processed: Processed | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.processed = processed or Processed()


class DeletedError(Exception):
    """The upload is gone: there is nothing left to process."""


@dataclass(frozen=True, slots=True)
class Produced:
    """A file that a core made.

    Attributes:
        path: where it lies.
        name: its name among the outputs (`thumbnail-160.webp`).
        content_type: media type.
        attributes: what fits its kind (width, height, rows, …), JSON values.
    """

    path: Path
    name: str
    content_type: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Processed:
    """The outcome of a core: output files, details (JSON values) and warnings."""

    outputs: Sequence[Produced] = ()
    details: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[Problem] = ()


class Source(Protocol):
    """The uploaded object as a core sees it."""

    @property
    def name(self) -> str:
        """File name: the key's last part."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    def open(self) -> BinaryIO:
        """Return the content as a stream that can be read once, from the start."""

    def save(self, path: Path) -> Path:
        """Write the content to `path` and return it."""


class Core(Protocol):
    """A function's own work: files from a file, without AWS."""

    def __call__(self, source: Source, directory: Path) -> Processed:
        """Process `source`, writing below `directory` only (it is removed afterwards).

        It is stopped by an exception when the time limit is near, see `uploads.time_limit`.

        Raises:
            RejectedError: the content is at fault.
        """


class _Content:
    """The body of an object, hashed while it is read."""

    def __init__(self, body: StreamingBody) -> None:
        self._body = body
        self._hash = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read, in hexadecimal."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()

    def read(self, size: int | None = None) -> bytes:
        """Return the next bytes, or all that are left."""
        content = self._body.read(size)
        self._hash.update(content)
        return content

    def tell(self) -> int:
        """Return the number of bytes read; urllib3 reports it for closed responses, too."""
        return self._body.tell()


class S3Source:
    """One version of an object, read lazily.

    Attributes:
        metadata: of the object, which the API signed into the form; known once it is opened.
    """

    def __init__(self, s3: S3Client, upload: Upload) -> None:
        self._s3 = s3
        self._upload = upload
        self._bodies: list[Any] = []
        self.metadata: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """Key of the object."""
        return self._upload.key

    @property
    def bytes_read(self) -> int:
        """Number of content bytes read."""
        return max((body.tell() for body in self._bodies), default=0)

    @property
    def name(self) -> str:
        """File name: the key's last part."""
        return PurePosixPath(self._upload.key).name

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self._upload.size

    def open(self) -> BinaryIO:
        """Return the content of exactly this version as a stream.

        Raises:
            DeletedError: the version, or the object, is gone.
        """
        version: dict[str, Any] = (
            {"VersionId": self._upload.version_id}
            if self._upload.version_id
            else {"IfMatch": self._upload.etag}
        )
        try:
            answer = self._s3.get_object(
                Bucket=self._upload.bucket, Key=self._upload.key, **version
            )
        except ClientError as error:
            # Without versioning, another ETag means that the version of this event was replaced.
            if results.error_code(error) in {"NoSuchKey", "NoSuchVersion", "PreconditionFailed"}:
                raise DeletedError(self._upload.key) from error
            raise
        self.metadata = answer.get("Metadata", {})
        body: Any = answer["Body"]  # a StreamingBody: read-only, checks the length at its end
        if metadata.SHA256 in self.metadata:
            body = _Content(body)
        self._bodies.append(body)
        stream: BinaryIO = body
        return stream

    def save(self, path: Path) -> Path:
        """Write the content to `path` and return it.

        Raises:
            DeletedError: the version, or the object, is gone.
        """
        with self.open() as content, path.open("wb") as file:
            shutil.copyfileobj(content, file, _COPY_BYTES)
        return path

    def know_metadata(self) -> None:
        """Learn the metadata, also of an object that nobody opened.

        Raises:
            DeletedError: the version, or the object, is gone.
        """
        if not self._bodies:
            self.open().close()

    def check(self) -> None:
        """Check the SHA-256 that the uploader declared, if any; read what was not read.

        S3 has checked that of a form. Of an upload in parts it cannot: it takes the checksums of
        the parts and makes one of these ("Checking object integrity in Amazon S3", S3 User Guide).

        Raises:
            DeletedError: the version, or the object, is gone.
            RejectedError: the content has another one.
        """
        declared = self.metadata.get(metadata.SHA256)
        if declared is None:
            return
        if not any(body.tell() == self.size for body in self._bodies):
            rest = self.open()
            while rest.read(_COPY_BYTES):
                pass
        content = next(body for body in self._bodies if body.tell() == self.size)
        if content.sha256 != declared:
            raise RejectedError(
                "wrong_checksum",
                f"The file has the SHA-256 {content.sha256}, and {declared} was declared: it was "
                "changed or damaged on its way. Upload it again.",
            )


class Runner:
    """Runs a core for S3 events. Made once per process, used for every invocation."""

    def __init__(
        self,
        core: Core,
        *,
        settings: DataclassInstance | None,
        s3: S3Client,
        logger: Logger,
        event_bus: EventBus | None = None,
    ) -> None:
        """Bind a core to its settings (what the outputs depend on) and to AWS."""
        self._event_bus = event_bus
        self._core = core
        self._s3 = s3
        self._logger = logger
        self._code_sha256 = os.environ.get("CODE_SHA256", "")
        chosen = json.dumps(asdict(settings) if settings else None, sort_keys=True)
        self._fingerprint = f"{self._code_sha256} {chosen}"

    def run(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Outcome]:
        """Process every upload of an S3 event.

        Args:
            event: S3 notification, see `uploads.events.parse`.
            context: the Lambda context.

        Returns:
            The outcome for each key.

        Raises:
            MalformedEventError: the event is not an S3 notification.
            Exception: an error of the core or S3, after all uploads were tried. The event
                will be delivered again, and what succeeded is then a duplicate.
            ExceptionGroup: several uploads failed.
        """
        outcomes: dict[str, Outcome] = {}
        failures: list[Exception] = []
        for upload in events.parse(event):
            try:
                outcomes[upload.key] = self._run_one(upload, context)
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
        if len(failures) > 1:
            raise ExceptionGroup(f"{len(failures)} uploads of the event failed", failures)
        for failure in failures:
            raise failure
        return outcomes

    def _run_one(self, upload: Upload, context: LambdaContext) -> Outcome:
        started = time.monotonic()
        line: dict[str, Any] = {
            "correlation_id": upload.key,
            "function_request_id": context.aws_request_id,
            "bucket": upload.bucket,
            "key": upload.key,
            "version_id": upload.version_id,
            "size": upload.size,
        }
        try:
            outcome, result = self._process(upload, context, started)
            # Checked after the commit: whoever deletes an upload deletes it before its results. So
            # either they find this result, or it is removed here.
            if results.head(self._s3, upload.bucket, upload.key) is None:
                self._remove_result(upload)
                outcome, result = "deleted", None
            elif self._event_bus and result:
                # Told of a duplicate, too: the delivery before may have ended between its commit
                # and its event.
                self._event_bus.send(upload.bucket, result)
        except Exception:
            self._logger.exception("failed", extra=line | _elapsed(started))
            raise
        if result and result.error and outcome == "rejected":
            line["error"] = asdict(result.error)
        self._logger.info(outcome, extra=line | {"outcome": outcome} | _elapsed(started))
        _count(outcome, started)
        return outcome

    def _process(
        self, upload: Upload, context: LambdaContext, started: float
    ) -> tuple[Outcome, Result | None]:
        revision = _digest(f"{upload.sequencer} {self._fingerprint}")
        before = results.load(self._s3, upload.bucket, upload.key)
        skipped = results.reason_to_skip(
            before, sequencer=upload.sequencer, revision=revision, again=upload.reprocess
        )
        if skipped:
            return skipped, before.result if before and skipped == "duplicate" else None
        source = S3Source(self._s3, upload)
        folder = _digest(f"{revision} {context.aws_request_id}")
        processed, problem = Processed(), None
        outputs: tuple[Output, ...] = ()
        computes = True
        try:
            with tempfile.TemporaryDirectory() as name, stop_in_time(context):
                processed, problem = self._ask_core(source, Path(name))
                computes = False
                outputs = tuple(self._store(upload, folder, made) for made in processed.outputs)
        except DeletedError:
            return "deleted", None
        except OutOfTimeError as error:
            # Who waited, for S3 or for a store, may have more luck the next time.
            if not (computes and error.computed):
                raise
            problem = _too_slow(error, source)
        result = results.Result(
            status="rejected" if problem else "succeeded",
            source=results.Source(
                upload.key,
                upload.version_id,
                upload.etag,
                upload.size,
                upload.sequencer,
                source.metadata.get(metadata.SHA256),
                metadata.public(source.metadata),
            ),
            revision=revision,
            outputs=outputs,
            details=processed.details,
            warnings=tuple(processed.warnings),
            error=problem,
            function=results.Function(
                context.function_name, context.function_version, self._code_sha256
            ),
            duration_ms=_elapsed(started)["duration_ms"],
        )
        results.write_note(self._s3, upload.bucket, result)
        answer, other = results.commit(
            self._s3, upload.bucket, result, before, again=upload.reprocess
        )
        others = other.outputs if other else ()
        if answer == "committed":
            self._remove(upload, others, keep=result.outputs)
            return result.status, result
        self._remove(upload, result.outputs, keep=others)
        return answer, other if answer == "duplicate" else None

    def _ask_core(
        self, source: S3Source, directory: Path
    ) -> tuple[Processed, results.Problem | None]:
        """Return what the core made, and why it rejected the upload, if it did."""
        try:
            made = self._core(source, directory)
            source.check()
        except RejectedError as error:
            source.know_metadata()
            if error.__cause__:
                # For operators: what a library said may hold paths and internal names.
                cause = {"key": source.key, "cause": repr(error.__cause__)}
                self._logger.info("cause of the rejection", extra=cause)
            return error.processed, results.Problem(error.code, error.message)
        return made, None

    def _store(self, upload: Upload, folder: str, made: Produced) -> results.Output:
        """Write a file with one request, so that no multipart upload can be left open.

        The folder is of one delivery alone, so whoever removes what a result named, or what lost,
        takes nothing from another delivery that may still name it. A failure leaves what was
        written before. No record names it, and Lambda's retry, which has the same request id,
        writes over it.
        """
        key = keys.output_key(upload.key, folder, made.name)
        with made.path.open("rb") as body:
            self._s3.put_object(
                Bucket=upload.bucket, Key=key, Body=body, ContentType=made.content_type
            )
        return results.Output(key, made.content_type, made.path.stat().st_size, made.attributes)

    def _remove_result(self, upload: Upload) -> None:
        """Delete the result of a deleted upload, but none of a later one of the same key."""
        stored = results.load(self._s3, upload.bucket, upload.key)
        if stored and not stored.result.source.is_newer_than(upload.sequencer):
            for key in results.records(stored.result):
                self._s3.delete_object(Bucket=upload.bucket, Key=key)
            self._remove(upload, stored.result.outputs, keep=())

    def _remove(self, upload: Upload, outputs: Iterable[Output], keep: Iterable[Output]) -> None:
        """Delete the outputs of a result that does not count, but none of one that does."""
        for key in {output.key for output in outputs} - {output.key for output in keep}:
            self._s3.delete_object(Bucket=upload.bucket, Key=key)


def _too_slow(error: OutOfTimeError, source: S3Source) -> results.Problem:
    """Return the rejection of a file that takes too long; a retry would take as long."""
    read = f"{source.bytes_read / _MEGABYTE:.1f} of {source.size / _MEGABYTE:.1f} MB"
    return results.Problem(
        "too_slow",
        f"Processing the file takes longer than the {error.seconds:.0f} seconds that there are for "
        f"it: {read} were read by then. Split it, or upload less of it.",
    )


def lambda_handler(
    core: Core, settings: DataclassInstance | None = None
) -> Callable[[Mapping[str, Any], LambdaContext], dict[str, Outcome]]:
    """Return a Lambda function's handler, see `Runner.run`; made once, while the function starts.

    Args:
        core: the function's own work.
        settings: what the outputs depend on besides the upload and the code; null is nothing.
    """
    name = os.environ.get("EVENT_BUS")
    return Runner(
        core,
        settings=settings,
        s3=aws.s3_client(),
        logger=json_logger(),
        event_bus=EventBus(aws.events_client(), name) if name else None,
    ).run


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _elapsed(started: float) -> dict[str, int]:
    return {"duration_ms": round((time.monotonic() - started) * 1000)}


def _count(outcome: Outcome, started: float) -> None:
    """Print the metrics of one upload in CloudWatch's embedded metric format."""
    metrics = EphemeralMetrics()
    metrics.set_default_dimensions(environment=os.environ.get("ENVIRONMENT", "unknown"))
    metrics.add_metric(f"Uploads{outcome.capitalize()}", MetricUnit.Count, 1)
    metrics.add_metric("ProcessingTime", MetricUnit.Milliseconds, _elapsed(started)["duration_ms"])
    metrics.flush_metrics()
