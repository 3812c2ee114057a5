"""`python -m scripts.package --publish`, to the emulator's S3."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from scripts import local_cloud
from scripts.packaging.errors import PackagingError
from scripts.packaging.publish import VARIABLES, Place, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3.client import S3Client

    from scripts.packaging import outputs

BUCKET = "artifacts-of-the-packager"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_cloud.Cloud]:
    with local_cloud.running(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def s3(cloud: local_cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> S3Client:
    for name, value in cloud.environment().items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def build(tmp_path: Path) -> Path:
    for suffix, content in ((".zip", b"PK"), (".cdx.json", b"{}"), (".json", b"{}")):
        (tmp_path / f"f-arm64{suffix}").write_bytes(content)
    return tmp_path


def record() -> outputs.Record:
    digest = hashlib.sha256(b"PK")
    return {
        "function": "f",
        "architecture": "arm64",
        "runtime": "python3.12",
        "zip": "f-arm64.zip",
        "bom": "f-arm64.cdx.json",
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
        "s3_key": f"f/arm64/{digest.hexdigest()}.zip",
    }


def test_zips_are_published_once_and_never_overwritten(s3: S3Client, build: Path) -> None:
    said: list[str] = []
    place = Place.parse(f"s3://{BUCKET}/releases/")
    publish(build, [record()], place, said.append)
    key = f"releases/{record()['s3_key']}"
    assert said[0] == f"package: s3://{BUCKET}/{key} is uploaded"
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"PK"
    for suffix in (".json", ".cdx.json"):
        assert s3.head_object(Bucket=BUCKET, Key=key.replace(".zip", suffix))

    variables: dict[str, Any] = json.loads((build / VARIABLES).read_bytes())
    zips = {
        "f-arm64": {
            "key": key,
            "sha256_base64": record()["sha256_base64"],
            "runtime": "python3.12",
            "architecture": "arm64",
        }
    }
    assert variables == {"artifacts": {"bucket": BUCKET, "zips": zips}}

    (build / "f-arm64.zip").write_bytes(b"other bytes")
    publish(build, [record()], place, said.append)
    assert said[2] == f"package: s3://{BUCKET}/{key} was there"
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"PK"


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there(build: Path) -> None:
    with pytest.raises(PackagingError, match=r"cannot be written to s3://none: .*NoSuchBucket"):
        publish(build, [record()], Place.parse("s3://none"), print)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("s3://b", Place("b", "")),
        ("s3://b/", Place("b", "")),
        ("s3://b/v1/zips/", Place("b", "v1/zips/")),
    ],
)
def test_a_place_is_a_bucket_and_a_prefix(text: str, place: Place) -> None:
    assert Place.parse(text) == place


@pytest.mark.parametrize("text", ["", "bucket", "https://bucket/x", "s3://"])
def test_anything_else_is_no_place(text: str) -> None:
    with pytest.raises(PackagingError, match=r"write s3://bucket/prefix\."):
        Place.parse(text)
