"""Whether all uploads came out right, read from the bucket and the queues themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scripts.operations.dead_letters import Queue
from uploads import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectVersionTypeDef

    from scripts.load.drive import Record
    from scripts.operations.environment import Environment


@dataclass(slots=True)
class Verdict:
    """Faults by their kind; all empty after a good run.

    Attributes:
        failed: uploads that the API or the bucket did not accept in the end, or whose result did
            not come; with the reason.
        lost: uploads that were accepted and are not in the bucket.
        wrong: uploads that ended in another state than they had to.
        doubled: uploads whose result was committed more often than they were sent.
        partial: outputs that a result names, but that are not there in that size.
        dead_letters: messages that the run added to the dead-letter queues.
    """

    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    dead_letters: int = 0

    @property
    def good(self) -> bool:
        """Return whether nothing is wrong."""
        return not (
            self.failed
            or self.lost
            or self.wrong
            or self.doubled
            or self.partial
            or self.dead_letters
        )


def dead_letters(environment: Environment) -> int:
    """Count the messages in all dead-letter queues, roughly, as SQS does."""
    levels = [
        Queue(environment.sqs, environment.queue_url(function)).level()
        for function in environment.function_names
    ]
    return sum(level.waiting + level.in_flight for level in levels)


def judge(environment: Environment, records: Sequence[Record], letters_before: int) -> Verdict:
    """Compare the clients' records with the bucket and the queues.

    The keys of uploads begin with the time, so two listings from the first key to the last suffice.
    """
    verdict = Verdict(dead_letters=max(0, dead_letters(environment) - letters_before))
    names = sorted(record.key.removeprefix(keys.UPLOADS_PREFIX) for record in records if record.key)
    s3, bucket = environment.s3, environment.bucket
    uploads = Counter(v["Key"] for v in _between(s3, bucket, keys.UPLOADS_PREFIX, names))
    commits: Counter[str] = Counter()
    sizes: dict[str, int] = {}
    for version in _between(s3, bucket, keys.PROCESSED_PREFIX, names):
        if version["Key"].endswith(f"/{keys.RESULT_NAME}"):
            commits[version["Key"]] += 1
        if version["IsLatest"]:
            sizes[version["Key"]] = version["Size"]
    for record in records:
        if record.error or record.key is None:
            verdict.failed.append(f"{record.key or record.kind}: {record.error}")
            continue
        if not uploads[record.key]:
            verdict.lost.append(record.key)
        if record.state != record.expected:
            verdict.wrong.append(f"{record.key}: {record.state} instead of {record.expected}")
        result = keys.result_key(record.key)
        if commits[result] > record.sent:
            verdict.doubled.append(f"{record.key}: {commits[result]} results")
        verdict.partial += [
            f"{key}: {sizes.get(key, 'no')} bytes instead of {size}"
            for key, size in record.outputs.items()
            if sizes.get(key) != size
        ]
    return verdict


def _between(
    s3: S3Client, bucket: str, prefix: str, names: Sequence[str]
) -> Iterator[ObjectVersionTypeDef]:
    """Return the versions of the objects whose names begin with those from the first to the last.

    The names must be sorted; other objects may lie between them.
    """
    if not names:
        return
    wanted = set(names)
    marker = {"KeyMarker": prefix + names[0].partition("/")[0]}
    last = prefix + names[-1]
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=prefix, **marker)  # type: ignore[arg-type]  # a dict of the right keys
        versions: Iterable[ObjectVersionTypeDef] = page.get("Versions", [])
        for version in versions:
            if "/".join(version["Key"].split("/")[1:3]) in wanted:
                yield version
        if not page["IsTruncated"] or page["NextKeyMarker"][: len(last)] > last:
            return
        marker = {
            "KeyMarker": page["NextKeyMarker"],
            "VersionIdMarker": page["NextVersionIdMarker"],
        }
