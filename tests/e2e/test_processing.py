"""What S3 may do to a function: deliver twice, at once, in the wrong order, and with odd keys.

The built functions run under AWS's runtime client, on the emulator's S3; the last tests use the
deployed environment.
"""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from PIL import Image

from scripts.packaging.project import host_architecture
from tests.e2e.test_platform import eventually
from tests.support import root_user
from tests.support.buckets import remove_all
from tests.support.lambda_runtime import LambdaFunction, unpack
from uploads import keys

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3 import S3Client

    from scripts.local_cloud import Cloud
    from tests.conftest import Stack

BUCKET = "uploads-of-the-processing-test"
TABLE = b"city,people\nBonn,330000\nKiel,247000\n"
ODD_NAMES = [
    "a picture with spaces",
    "1+1=2 & 50% + %2B%20",
    "größe 漢字 🏝",
    "it's (not) ~!*;:@$,[x]",
    "ü" * 400,
]


def picture(width: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, 100), "teal").save(content, "PNG")
    return content.getvalue()


class Bucket:
    """A versioned bucket, and the events with which S3 would announce what is put there."""

    def __init__(self, s3: S3Client, name: str = BUCKET) -> None:
        self.s3 = s3
        self.name = name
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})

    def upload(self, key: str, content: bytes, sequencer: str = "0A") -> dict[str, Any]:
        """Store a version of an upload; return its record in an event."""
        answer = self.s3.put_object(Bucket=self.name, Key=key, Body=content)
        described = {
            "key": quote_plus(key),
            "size": len(content),
            "eTag": answer["ETag"].strip('"'),
            "versionId": answer["VersionId"],
            "sequencer": sequencer,
        }
        s3_part = {"bucket": {"name": self.name}, "object": described}
        return {"eventName": "ObjectCreated:Post", "s3": s3_part}

    def result(self, key: str) -> dict[str, Any]:
        answer = self.s3.get_object(Bucket=self.name, Key=keys.result_key(key))
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found

    def check(self, key: str) -> dict[str, Any]:
        """Return a result, after a look that what it names is there, and nothing else."""
        result = self.result(key)
        prefix = keys.derived_prefix(key)
        there = self.s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        named = {output["key"] for output in result["outputs"]}
        assert {entry["Key"] for entry in there} == named | {keys.result_key(key)}
        assert {entry["Key"]: entry["Size"] for entry in there if entry["Key"] in named} == {
            output["key"]: output["bytes"] for output in result["outputs"]
        }
        return result


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> Iterator[Bucket]:
    s3 = root_user.client(cloud, "s3")
    yield Bucket(s3)
    for name in (BUCKET, f"{BUCKET}-later"):
        remove_all(s3, name)
        s3.delete_bucket(Bucket=name)


@pytest.fixture(scope="module")
def functions(
    cloud: Cloud, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, list[LambdaFunction]]]:
    """Two processes of the image function and one of the table function."""
    environment = {
        "ENVIRONMENT": "test",
        "CODE_SHA256": "0",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessUploads",
        **cloud.environment(),
    }
    with ExitStack() as exits:
        running = {}
        for name, processes in (("image_processor", 2), ("data_transformer", 1)):
            zip_file = packages / f"{name}-{host_architecture()}.zip"
            directory = unpack(zip_file, tmp_path_factory.mktemp(name))
            running[name] = [
                exits.enter_context(LambdaFunction(directory, f"{name}.index.handler", environment))
                for _ in range(processes)
            ]
        yield running


@pytest.fixture
def images(functions: dict[str, list[LambdaFunction]]) -> list[LambdaFunction]:
    return functions["image_processor"]


def run(function: LambdaFunction, *records: dict[str, Any]) -> Any:
    """Return the outcomes of an event."""
    answer = function.invoke({"Records": list(records)})
    assert answer.error is None, answer.error
    return list(answer.value.values()) if len(records) > 1 else next(iter(answer.value.values()))


def test_an_event_that_is_delivered_twice_does_the_work_once(
    bucket: Bucket, images: list[LambdaFunction]
) -> None:
    key = "uploads/twice/a.png"
    record = bucket.upload(key, picture(300))
    assert run(images[0], record) == "succeeded"
    first = bucket.check(key)
    assert run(images[1], record) == "duplicate"
    assert bucket.check(key) == first


def test_an_older_version_that_comes_late_does_nothing(
    bucket: Bucket, images: list[LambdaFunction]
) -> None:
    key = "uploads/late/a.png"
    old = bucket.upload(key, picture(100), "0A")
    new = bucket.upload(key, picture(200), "0A01")
    assert run(images[0], new) == "succeeded"
    assert run(images[1], old) == "superseded"
    assert bucket.check(key)["details"]["width"] == 200


def test_each_version_is_read_by_its_id_and_replaces_the_one_before(
    bucket: Bucket, images: list[LambdaFunction]
) -> None:
    key = "uploads/versions/a.png"
    old = bucket.upload(key, picture(100), "0A")
    new = bucket.upload(key, picture(200), "0B")
    assert run(images[0], old) == "succeeded"
    assert bucket.check(key)["details"]["width"] == 100
    assert run(images[0], new) == "succeeded"
    assert bucket.check(key)["details"]["width"] == 200


@pytest.mark.parametrize("number", range(5))
def test_at_once_the_newest_version_wins_and_one_delivery_of_it_counts(
    bucket: Bucket, images: list[LambdaFunction], number: int
) -> None:
    key = f"uploads/at-once/{number}.png"
    old = bucket.upload(key, picture(100), "0A")
    new = bucket.upload(key, picture(200), "0B")
    with ThreadPoolExecutor() as pool:
        twice = list(pool.map(run, images, [new, new]))
        mixed = list(pool.map(run, images, [old, new]))
    assert sorted(twice) == ["duplicate", "succeeded"]
    assert sorted(mixed) == ["duplicate", "superseded"]
    assert bucket.check(key)["details"]["width"] == 200

    key = f"uploads/at-once/{number}-mixed.png"
    old = bucket.upload(key, picture(100), "0A")
    new = bucket.upload(key, picture(200), "0B")
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(run, images, [old, new]))[1] == "succeeded"
    assert bucket.check(key)["details"]["width"] == 200


def test_an_upload_that_was_deleted_is_no_error(
    bucket: Bucket, images: list[LambdaFunction]
) -> None:
    key = "uploads/deleted/a.png"
    record = bucket.upload(key, picture(100))
    version = record["s3"]["object"]["versionId"]
    bucket.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    assert run(images[0], record) == "deleted"
    del record["s3"]["object"]["versionId"]
    assert run(images[0], record) == "deleted"
    assert "Contents" not in bucket.s3.list_objects_v2(
        Bucket=BUCKET, Prefix=keys.derived_prefix(key)
    )


def test_one_failing_record_does_not_stop_the_others_and_only_it_is_retried(
    bucket: Bucket, images: list[LambdaFunction]
) -> None:
    good = bucket.upload("uploads/several/a.png", picture(100))
    bad = bucket.upload("uploads/several/b.png", picture(100))
    bad["s3"]["bucket"] = {"name": f"{BUCKET}-later"}
    after = bucket.upload("uploads/several/c.png", b"no picture")
    event = {"Records": [good, bad, after]}
    answer = images[0].invoke(event)
    assert answer.error
    assert answer.error["errorType"] == "NoSuchBucket"
    times = [bucket.check(f"uploads/several/{name}.png")["duration_ms"] for name in "ac"]
    later = Bucket(bucket.s3, f"{BUCKET}-later")
    bad["s3"]["object"] = later.upload("uploads/several/b.png", picture(100))["s3"]["object"]
    assert run(images[0], good, bad, after) == ["duplicate", "succeeded", "duplicate"]
    assert times == [bucket.check(f"uploads/several/{name}.png")["duration_ms"] for name in "ac"]


@pytest.mark.parametrize("name", [*ODD_NAMES, "x" * 1008], ids=range(len(ODD_NAMES) + 1))
def test_odd_keys(bucket: Bucket, functions: dict[str, list[LambdaFunction]], name: str) -> None:
    for function, ending, content in (
        ("image_processor", ".png", picture(100)),
        ("data_transformer", ".csv", TABLE),
    ):
        key = f"uploads/odd/{name}"[: 1024 - 4] + ending
        assert run(functions[function][0], bucket.upload(key, content)) == "succeeded"
        assert bucket.check(key)["source"]["key"] == key


def test_no_multipart_upload_is_left_open(bucket: Bucket, images: list[LambdaFunction]) -> None:
    assert run(images[0], bucket.upload("uploads/parts/a.png", picture(100))) == "succeeded"
    assert not bucket.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def test_odd_keys_through_the_notifications_of_the_environment(stack: Stack) -> None:
    s3, bucket = stack.aws("s3"), stack.outputs["s3_bucket_name"]
    waiting = {f"uploads/odd keys/{name}.csv" for name in ODD_NAMES}

    def finished() -> bool:
        for key in list(waiting):
            with suppress(s3.exceptions.NoSuchKey):
                found = s3.get_object(Bucket=bucket, Key=keys.result_key(key))
                assert json.loads(found["Body"].read())["status"] == "succeeded"
                waiting.remove(key)
        return not waiting

    try:
        for key in list(waiting):
            s3.put_object(Bucket=bucket, Key=key, Body=TABLE)
        eventually(finished)
        assert not waiting
    finally:
        # The emulator's lists of versions cannot name some of these when Terraform empties it.
        for prefix in ("uploads/odd keys/", "processed/odd keys/"):
            remove_all(s3, bucket, prefix)


@pytest.mark.parametrize("function", ["image_processor", "data_transformer"])
def test_the_role_lets_a_function_see_that_an_upload_was_deleted(
    stack: Stack, function: str
) -> None:
    described = {"key": "uploads/gone.csv", "size": 5, "eTag": "e", "sequencer": "0A"}
    s3_part = {"bucket": {"name": stack.outputs["s3_bucket_name"]}, "object": described}
    answer = stack.aws("lambda").invoke(
        FunctionName=stack.outputs["functions"][function]["function_name"],
        Payload=json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3_part}]}),
    )
    assert json.loads(answer["Payload"].read()) == {"uploads/gone.csv": "deleted"}
