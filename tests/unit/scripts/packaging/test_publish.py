"""`python -m scripts.packaging --publish`, to the emulator's S3."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from scripts import local_cloud
from scripts.packaging.project import PackagingError
from scripts.packaging.publish import VARIABLES, publish

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


@pytest.mark.parametrize(
    ("place", "prefix"),
    [("", ""), ("/releases", "releases/"), ("/v1/zips/", "v1/zips/")],
)
def test_zips_are_published_once_and_never_overwritten(
    s3: S3Client, build: Path, place: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(build, [record()], f"s3://{BUCKET}{place}")
    key = f"{prefix}{record()['s3_key']}"
    assert f"package: s3://{BUCKET}/{key} is uploaded\n" in capsys.readouterr().out
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
    publish(build, [record()], f"s3://{BUCKET}{place}")
    assert f"package: s3://{BUCKET}/{key} was there\n" in capsys.readouterr().out
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"PK"


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there(build: Path) -> None:
    with pytest.raises(PackagingError, match=r"cannot be written to s3://none: .*NoSuchBucket"):
        publish(build, [record()], "s3://none")


@pytest.mark.parametrize("text", ["", "bucket", "https://bucket/x", "s3://"])
def test_anything_else_is_no_place(tmp_path: Path, text: str) -> None:
    with pytest.raises(PackagingError, match=r"write s3://bucket/prefix\."):
        publish(tmp_path, [], text)
