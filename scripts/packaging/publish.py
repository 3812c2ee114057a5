"""Copy built zips to a bucket, so that one build is deployed everywhere.

A key holds the hash of its zip, so it always means the same bytes: nothing is overwritten, and what
an environment ran stays there for a rollback. The bill of materials and the record lie beside it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from scripts.packaging import outputs
from scripts.packaging.project import PackagingError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

VARIABLES = "artifacts.tfvars.json"


def publish(build: Path, records: Sequence[outputs.Record], place: str) -> None:
    """Upload what the bucket has not, and write the variables that deploy it.

    Args:
        build: The folder that holds the zips.
        records: What describes them.
        place: `s3://bucket` or `s3://bucket/prefix`.

    Raises:
        PackagingError: The place is none, or the bucket cannot be written to.
    """
    scheme, _, rest = place.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise PackagingError(f"{place!r} is not an S3 address: write s3://bucket/prefix.")
    s3: S3Client = boto3.client("s3")
    zips = {}
    try:
        for record in records:
            key = "/".join(part for part in (prefix.strip("/"), record["s3_key"]) if part)
            zipped = build / record["zip"]
            # The zip last: if it exists, so do its descriptions.
            for suffix in (".cdx.json", ".json", ".zip"):
                path, target = zipped.with_suffix(suffix), key.removesuffix(".zip") + suffix
                is_new = _upload(s3, bucket, target, path)
            print(f"package: s3://{bucket}/{key} {'is uploaded' if is_new else 'was there'}")
            described = ("sha256_base64", "runtime", "architecture")
            zips[zipped.stem] = {"key": key} | {name: record[name] for name in described}
    except (BotoCoreError, ClientError) as error:
        raise PackagingError(
            f"The zips cannot be written to s3://{bucket}: {error}. It needs a bucket that "
            "exists, and credentials that may s3:PutObject in it."
        ) from error
    variables = {"artifacts": {"bucket": bucket, "zips": zips}}
    outputs.replace(build / VARIABLES, outputs.to_json(variables))
    print(f"package: deploy them with `terraform apply -var-file=../../build/{VARIABLES}`")


def _upload(s3: "S3Client", bucket: str, key: str, path: Path) -> bool:
    """Upload a file unless its key exists; return whether it was uploaded."""
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
