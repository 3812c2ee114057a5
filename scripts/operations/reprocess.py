"""Has uploads below a prefix processed again, by the code and settings that are deployed now.

Current results are skipped: of the upload's current version, made by the deployed code, by
work that began after the function was last changed. In doubt the function is invoked,
and does nothing when nothing would change. So the command can be repeated, after an interruption
too.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import ClientError

from scripts.operations.environment import CONNECTIONS
from scripts.operations.errors import OperationError
from scripts.operations.options import positive
from scripts.operations.progress import Pace, plain
from uploads import events, keys

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from types_boto3_s3.client import S3Client

    from scripts.operations.environment import Environment
    from scripts.operations.progress import Screen

State = Literal["pending", "succeeded", "rejected"]
STATES: Final[tuple[State, ...]] = ("pending", "succeeded", "rejected")

_SAMPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function: its name, the hash of its code, and when it was last changed."""

    name: str
    code_sha256: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """An upload that a function processes.

    Attributes:
        key: object key.
        function: who processes it.
        state: what became of its current version.
        current: whether processing it again would change nothing.
        event: what the function is to be given.
    """

    key: str
    function: Function
    state: State
    current: bool
    event: dict[str, Any]


@dataclass(slots=True)
class Summary:
    """The counts of a run, and some of the keys that were (or would be) processed."""

    looked_at: int = 0
    not_processable: int = 0
    other_state: int = 0
    current: int = 0
    selected: Counter[str] = field(default_factory=Counter)
    sample: list[str] = field(default_factory=list)


def deployed(environment: Environment) -> dict[str, Function]:
    """Return the processing functions by the file extensions that they take."""
    found: dict[str, Function] = {}
    for function, extensions in environment.processors.items():
        name = environment.function_name(function)
        answer = environment.functions.get_function_configuration(FunctionName=name)
        changed_at = datetime.strptime(answer["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z")
        deployed = Function(name, answer["CodeSha256"], changed_at)
        found |= dict.fromkeys(extensions, deployed)
    return found


def uploads(s3: S3Client, bucket: str, prefix: str) -> Iterator[list[str]]:
    """Return the keys of the uploads below a prefix, page by page."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        yield [entry["Key"] for entry in page.get("Contents", [])]


def examine(
    s3: S3Client, bucket: str, key: str, functions: dict[str, Function], margin: timedelta
) -> Found | None:
    """Return the state of an upload; None if no function processes it or it was deleted.

    Args:
        s3: client.
        bucket: bucket name.
        key: key of the upload.
        functions: see `deployed`.
        margin: how long after a change of a function its old settings may still be at work.
    """
    kind = keys.kind_of(key, functions)
    if kind is None:
        return None
    function = functions[kind]
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "404":
            return None
        raise
    version, etag = head.get("VersionId"), head["ETag"].strip('"')
    record, began_at = _result(s3, bucket, key)
    source = record.get("source", {})
    known = bool(record) and (
        source["version_id"] == version if version else source["etag"] == etag
    )
    return Found(
        key=key,
        function=function,
        state=record["status"] if known else "pending",
        current=known
        and record["function"]["code_sha256"] == function.code_sha256
        and began_at > function.changed_at + margin,
        event=events.reprocess_event(
            bucket,
            key,
            size=head["ContentLength"],
            etag=etag,
            version_id=version,
            sequencer=source["sequencer"] if known else events.LOWEST_SEQUENCER,
        ),
    )


def _result(s3: S3Client, bucket: str, key: str) -> tuple[dict[str, Any], datetime]:
    """Return an upload's result record, empty when there is none, and when its work began."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=keys.result_key(key))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return {}, datetime.min.replace(tzinfo=UTC)
        raise
    record: dict[str, Any] = json.loads(answer["Body"].read())
    return record, answer["LastModified"] - timedelta(milliseconds=record["duration_ms"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "prefix",
        nargs="?",
        default=keys.UPLOADS_PREFIX,
        help="start of the keys (default: all uploads)",
    )
    parser.add_argument(
        "--state",
        action="append",
        choices=STATES,
        default=[],
        help="only uploads in this state (repeatable; default: all). pending: without a result",
    )
    parser.add_argument(
        "--rate", type=positive(float), default=10.0, help="uploads a second (default: 10)"
    )
    parser.add_argument("--limit", type=positive(int), help="stop after so many uploads")
    parser.add_argument(
        "--margin",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="how long old settings may have been at work after a change (default: 60); a result "
        "from that time is not taken for current",
    )
    parser.add_argument("--dry-run", action="store_true", help="look only")


def run(options: argparse.Namespace, environment: Environment, screen: Screen) -> int:
    """Run the command; return its exit status."""
    if not options.prefix.startswith(keys.UPLOADS_PREFIX):
        raise OperationError(
            f"{options.prefix} is not a prefix of uploads: it must start {keys.UPLOADS_PREFIX}"
        )
    summary = Summary()
    pace = Pace(options.rate)
    with screen.progress("Looking at uploads …") as progress:
        for found in _all(environment, options, summary):
            progress()
            if options.state and found.state not in options.state:
                summary.other_state += 1
            elif found.current:
                summary.current += 1
            else:
                if not options.dry_run:
                    pace.wait()
                    environment.functions.invoke(
                        FunctionName=found.function.name,
                        InvocationType="Event",
                        Payload=json.dumps(found.event).encode(),
                    )
                summary.selected[found.function.name] += 1
                if len(summary.sample) < _SAMPLE:
                    summary.sample.append(found.key)
                if options.limit and options.limit <= summary.selected.total():
                    break
    _show(screen, options, summary)
    return 0


def _all(
    environment: Environment, options: argparse.Namespace, summary: Summary
) -> Iterator[Found]:
    """Examine the uploads, a page at a time: two requests to S3 for each would take long alone."""
    one = functools.partial(
        examine,
        environment.s3,
        environment.bucket,
        functions=deployed(environment),
        margin=timedelta(seconds=options.margin),
    )
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for page in uploads(environment.s3, environment.bucket, options.prefix):
            for found in pool.map(one, page):
                summary.looked_at += 1
                if found:
                    yield found
                else:
                    summary.not_processable += 1


def _show(screen: Screen, options: argparse.Namespace, summary: Summary) -> None:
    done = "would be processed again" if options.dry_run else "are being processed again"
    screen.say(
        f"{summary.looked_at} uploads below {options.prefix}: {summary.selected.total()} {done}, "
        f"{summary.current} are current, {summary.other_state} are in another state, "
        f"{summary.not_processable} are of no kind that is processed."
    )
    if summary.selected:
        screen.table(
            ["Uploads", "Function"],
            [[str(count), plain(name)] for name, count in summary.selected.most_common()],
        )
        for key in summary.sample:
            screen.say(f"  {key}")
    screen.result(
        {
            "prefix": options.prefix,
            "dry_run": options.dry_run,
            "looked_at": summary.looked_at,
            "selected": dict(summary.selected),
            "current": summary.current,
            "other_state": summary.other_state,
            "not_processable": summary.not_processable,
            "sample": summary.sample,
        }
    )
