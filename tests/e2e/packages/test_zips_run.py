"""The built zips start under AWS's own runtime client and answer a good event and a bad one."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pillow_heif
import pytest
from PIL import Image

from scripts import local_cloud
from scripts.packaging.project import host_architecture
from tests.support import root_user
from tests.support.lambda_runtime import LambdaFunction, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_s3 import S3Client


ROOT = Path(__file__).parents[3]
BUCKET = "uploads-of-the-zip-test"
COMMON = {
    "ENVIRONMENT": "test",
    "CODE_SHA256": "0",
    "POWERTOOLS_SERVICE_NAME": "test",
    "POWERTOOLS_METRICS_NAMESPACE": "ServerlessUploads",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_cloud.Cloud]:
    with local_cloud.running(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def s3(cloud: local_cloud.Cloud) -> S3Client:
    client: S3Client = root_user.client(cloud, "s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="module")
def zips() -> Path:
    command = [sys.executable, "-m", "scripts.packaging", "--arch", "host"]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / "build"


def unpacked(zips: Path, function: str, directory: Path) -> Path:
    return unpack(zips / f"{function}-{host_architecture()}.zip", directory)


def upload(s3: S3Client, key: str, content: bytes) -> dict[str, Any]:
    """Store an object; return the event with which S3 announces it."""
    answer = s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    described = {"key": key, "size": len(content), "eTag": answer["ETag"], "sequencer": "0A"}
    s3_part = {"bucket": {"name": BUCKET}, "object": described}
    return {"Records": [{"eventName": "ObjectCreated:Post", "s3": s3_part}]}


def picture(form: str) -> bytes:
    content = io.BytesIO()
    pillow_heif.register_heif_opener()
    Image.new("RGB", (400, 300), "teal").save(content, form)
    return content.getvalue()


def workbook() -> bytes:
    content = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["city", "people"])
    book.active.append(["Bonn", 330000])
    book.save(content)
    return content.getvalue()


POINT = {"type": "Point", "coordinates": [7.1, 50.7]}
PLACE = {"type": "Feature", "properties": {"city": "Bonn"}, "geometry": POINT}
# A file for each library that is in a zip.
PICTURES = {"photo.jpg": picture("JPEG"), "photo.heic": picture("HEIF"), "a.avif": picture("AVIF")}
TABLES = {
    "table.csv": b"city,people\nBonn,330000\nKiel,247000\n",
    "table.xlsx": workbook(),
    "table.geojson": json.dumps({"type": "FeatureCollection", "features": [PLACE]}).encode(),
    "legacy.csv": "Stadt;Fluß\nKöln;Rhein\n".encode("cp1252"),
}


@pytest.mark.parametrize(
    ("function", "good", "bad"),
    [
        ("image_processor", PICTURES, b"no picture"),
        ("data_transformer", TABLES, b"\0" * 64),
    ],
    ids=["image_processor", "data_transformer"],
)
def test_a_processor_runs_from_its_zip(
    *,
    function: str,
    good: dict[str, bytes],
    bad: bytes,
    zips: Path,
    cloud: local_cloud.Cloud,
    s3: S3Client,
    tmp_path: Path,
) -> None:
    directory = unpacked(zips, function, tmp_path)
    environment = {**COMMON, **cloud.environment(), "OUTPUT_FORMATS": "parquet,xlsx"}
    with LambdaFunction(directory, f"{function}.index.handler", environment) as running:
        results = {}
        for name, content in {**good, f"bad-{next(iter(good))}": bad}.items():
            answer = running.invoke(upload(s3, f"uploads/1/{name}", content))
            assert answer.error is None, running.log
            result = s3.get_object(Bucket=BUCKET, Key=f"processed/1/{name}/result.json")
            results[name] = json.loads(result["Body"].read())
        malformed = running.invoke({"no": "event"})
    *succeeded, rejected = results.values()
    assert all(result["status"] == "succeeded" and result["outputs"] for result in succeeded)
    assert rejected["status"] == "rejected"
    assert malformed.error
    assert malformed.error["errorType"] == "MalformedEventError"


def test_the_api_runs_from_its_zip(
    zips: Path, cloud: local_cloud.Cloud, s3: S3Client, tmp_path: Path
) -> None:
    directory = unpacked(zips, "api_handler", tmp_path)
    environment = {
        **COMMON,
        **cloud.environment(),
        "BUCKET_NAME": BUCKET,
        "CORS_ALLOWED_ORIGINS": "*",
        "MAX_UPLOAD_BYTES": "1000",
        "KINDS": '{"f": {".jpg": ["image/jpeg"]}}',
        "CODE_SHA256": "1",
    }

    def request(body: str) -> dict[str, Any]:
        context = {"requestId": "r", "httpMethod": "POST", "resourcePath": "/files"}
        path = {"httpMethod": "POST", "path": "/files", "resource": "/files"}
        return {**path, "headers": {}, "body": body, "requestContext": context}

    with LambdaFunction(directory, "api_handler.index.handler", environment) as running:
        created = running.invoke(request('{"name": "photo.jpg"}')).value
        refused = running.invoke(request('{"name": "program.exe"}')).value
    assert created["statusCode"] == 201
    assert json.loads(created["body"])["key"].endswith("/photo.jpg")
    assert refused["statusCode"] in {400, 415}
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="uploads/program")["KeyCount"] == 0
