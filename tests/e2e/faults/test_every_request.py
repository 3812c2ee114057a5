"""A function fails at any of its requests to S3: the next delivery completes the work.

In process, so that every fault can happen at every request: the functions' own cores and client
code against the emulator's S3, through a proxy. Without the SDK's own retries, so that each fault
reaches the function.
"""

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.config import Config
from PIL import Image

from data_transformer.core import Transformer
from data_transformer.settings import Settings as TableSettings
from image_processor.core import process
from image_processor.settings import Settings as ImageSettings
from scripts.local_cloud import Cloud
from tests.e2e.faults import commit
from tests.support import faulty_s3, root_user
from tests.support.buckets import remove_all
from tests.support.faulty_s3 import Fault, FaultyS3
from uploads.processing import Runner

BUCKET = "faults-in-process"
CONTEXT: Any = SimpleNamespace(
    aws_request_id="request",
    function_name="function",
    function_version="1",
    get_remaining_time_in_millis=lambda: 300_000,
)
FAULTS = {
    "refused": Fault("refuse", 503, "SlowDown"),
    "lost answer": Fault("lose_answer"),
    "half answer": Fault("cut_answer"),
}


def picture(colour: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (200, 100), colour).save(content, "PNG")
    return content.getvalue()


def table(word: str) -> bytes:
    return f"a,b\n1,{word}\n2,{word}\n".encode()


@dataclass
class Bench:
    """A versioned bucket without notifications, and the functions in front of it.

    Attributes:
        s3: client that asks the emulator directly.
        proxy: what the functions' requests go through.
        dead_letters: events that failed three times.
        attempts: how often a function was started since the last `begin`.
        breaches: what a reader of `result.json` would have missed after any request.
    """

    s3: Any
    proxy: FaultyS3
    faulty: Any
    dead_letters: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0
    breaches: list[str] = field(default_factory=list)
    _order: int = field(default_factory=time.time_ns)

    def put(self, key: str, content: bytes) -> dict[str, Any]:
        """Upload a version; return its event."""
        stored = self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        self._order += 1
        described = {
            "key": key,
            "size": len(content),
            "eTag": stored["ETag"],
            "versionId": stored["VersionId"],
            "sequencer": f"{self._order:016X}",
        }
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET}, "object": described},
        }
        return {"Records": [record]}

    def begin(self, key: str, plan: faulty_s3.Plan = faulty_s3.nothing) -> None:
        """Inject faults, and look at the result behind every request of the function."""
        self.attempts = 0

        def look() -> None:
            self.breaches += commit.breaches(self.s3, BUCKET, key)

        self.proxy.begin(plan, look)

    def deliver(self, event: dict[str, Any]) -> None:
        """Deliver an event as Lambda does: three times at the most, then to the queue."""
        logger = Logger(service="faults", stream=io.StringIO())
        if event["Records"][0]["s3"]["object"]["key"].endswith(".png"):
            images = ImageSettings(thumbnail_sizes=(100, 50))
            runner = Runner(
                partial(process, settings=images),
                settings=images,
                s3=self.faulty,
                logger=logger,
            )
        else:
            tables = TableSettings()
            runner = Runner(Transformer(tables), settings=tables, s3=self.faulty, logger=logger)
        for _ in range(3):
            self.attempts += 1
            try:
                runner.run(event, CONTEXT)
            except Exception:  # noqa: BLE001, S112 - Lambda takes any as a failure
                continue
            return
        self.dead_letters.append(event)

    def result(self, key: str) -> dict[str, Any]:
        found = commit.read(self.s3, BUCKET, key)
        assert found, f"{key} has no result"
        return found[0]

    def outputs(self, key: str) -> set[str]:
        """Return the outputs that are in the bucket, whether a result names them or not."""
        prefix = key.replace("uploads/", "processed/", 1) + "/"
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        return {entry["Key"] for entry in listed} - {f"{prefix}result.json"}

    def records(self, key: str) -> int:
        """Count the versions of a result record: how often the work was committed."""
        versions = self.s3.list_object_versions(
            Bucket=BUCKET, Prefix=key.replace("uploads/", "processed/", 1) + "/result.json"
        )
        return len(versions["Versions"])


@pytest.fixture(scope="module")
def bench(cloud: Cloud) -> Iterator[Bench]:
    def client(url: str, attempts: int) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        return root_user.session().client("s3", endpoint_url=url, config=config)

    s3 = client(cloud.aws.url, 5)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    with faulty_s3.running(cloud.aws.url) as proxy, pytest.MonkeyPatch.context() as environment:
        environment.setenv("POWERTOOLS_METRICS_NAMESPACE", "faults")
        environment.setenv("POWERTOOLS_SERVICE_NAME", "faults")
        yield Bench(s3, proxy, client(proxy.url, 1))
    remove_all(s3, BUCKET)
    s3.delete_bucket(Bucket=BUCKET)


@pytest.mark.parametrize(("name", "replaced"), [("a.png", True), ("a.csv", False)])
def test_any_fault_at_any_request_costs_one_attempt(
    bench: Bench, name: str, *, replaced: bool
) -> None:
    make = picture if name.endswith(".png") else table
    uploads = 0

    def upload(plan: faulty_s3.Plan) -> str:
        nonlocal uploads
        uploads += 1
        key = f"uploads/{replaced}/{uploads}/{name}"
        outputs_of_older: set[str] = set()
        if replaced:
            bench.begin(key)
            bench.deliver(bench.put(key, make("red")))
            outputs_of_older = bench.outputs(key)
        event = bench.put(key, make("green"))
        bench.begin(key, plan)
        bench.deliver(event)
        result = bench.result(key)
        assert result["status"] == "succeeded"
        described = event["Records"][0]["s3"]["object"]
        assert result["source"]["version_id"] == described["versionId"]
        assert result["outputs"]
        # Committed once for each version, whatever happened on the way.
        assert bench.records(key) == 1 + replaced
        named = {output["key"] for output in result["outputs"]}
        assert bench.outputs(key) - named <= outputs_of_older
        return key

    upload(faulty_s3.nothing)
    requests = bench.proxy.requests
    assert bench.attempts == 1
    assert len(requests) >= 4  # the record, the upload, an output, the record
    for kind, fault in FAULTS.items():
        for request in requests:
            if kind == "half answer" and request.method != "GET":
                continue  # the other answers have no content to be cut
            upload(faulty_s3.at(request.number, fault))
            where = f"{kind} at {request}"
            assert bench.proxy.faults == 1, where
            assert bench.attempts == 2, where
            assert not bench.dead_letters, where
            assert not bench.breaches, where
