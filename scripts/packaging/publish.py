"""Copy built zips to a bucket, so that one build is deployed everywhere.

A key holds the hash of its zip, so it always means the same bytes: nothing is overwritten, and what
an environment ran stays there for a rollback. The bill of materials and the sidecar lie beside it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.packaging import outputs
from scripts.packaging.errors import PackagingError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

VARIABLES = "artifacts.tfvars.json"


@dataclass(frozen=True)
class Place:
    """Where zips go: a bucket, and what their keys begin with."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `s3://bucket` or `s3://bucket/prefix`.

        Raises:
            PackagingError: It is neither.
        """
        scheme, _, rest = text.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme != "s3" or not bucket:
            raise PackagingError(f"{text!r} is no place for zips: write s3://bucket/prefix.")
        return cls(bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else "")


def publish(
    build: Path, records: Sequence[outputs.Record], place: Place, report: Callable[[str], None]
) -> None:
    """Upload what the bucket has not, and write the variables that deploy it.

    Raises:
        PackagingError: The bucket cannot be written to.
    """
    s3: S3Client = boto3.client("s3")
    zips = {}
    try:
        for record in records:
            key = f"{place.prefix}{record['s3_key']}"
            stem = key.removesuffix(".zip")
            sidecar = f"{record['function']}-{record['architecture']}.json"
            # The zip last: where it is, what describes it is too.
            _upload(s3, place.bucket, f"{stem}.cdx.json", build / record["bom"])
            _upload(s3, place.bucket, f"{stem}.json", build / sidecar)
            new = _upload(s3, place.bucket, key, build / record["zip"])
            report(f"package: s3://{place.bucket}/{key} {'is uploaded' if new else 'was there'}")
            zips[record["zip"].removesuffix(".zip")] = {
                "key": key,
                "sha256_base64": record["sha256_base64"],
                "runtime": record["runtime"],
                "architecture": record["architecture"],
            }
    except (BotoCoreError, ClientError) as error:
        msg = (
            f"The zips cannot be written to s3://{place.bucket}: {error}. It needs a bucket that "
            "exists, and credentials that may s3:PutObject in it."
        )
        raise PackagingError(msg) from error
    variables = {"artifacts": {"bucket": place.bucket, "zips": zips}}
    outputs.replace(build / VARIABLES, outputs.to_json(variables))
    report(f"package: deploy them with `terraform apply -var-file=../../build/{VARIABLES}`")


def _upload(s3: "S3Client", bucket: str, key: str, path: Path) -> bool:
    """Upload a file unless its key is taken; tell whether it was uploaded."""
    try:
        s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=path.read_bytes(),
            ContentType="application/zip" if key.endswith(".zip") else "application/json",
            ChecksumAlgorithm="SHA256",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        return False
    return True
