# ruff: noqa: N803 - the arguments have the names of the S3 API

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
import zlib
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import httpx
import psutil
import pytest

from scripts import local_cloud
from scripts.load import __main__ as load
from scripts.load import check, drive, memory, mixture, report
from scripts.load.drive import Driver, Record
from scripts.operations import environment as environments
from scripts.operations.errors import OperationError
from scripts.operations.progress import Pace, Screen
from tests.unit.scripts.load.platform import Platform, outputs_of
from tests.unit.scripts.operations.fakes import BUCKET, Aws
from uploads_client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.operations.environment import Environment


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()
    yield made
    made.close()


@pytest.fixture
def driver(platform: Platform) -> Iterator[Driver]:
    """A driver that does not really wait, and whose clock moves when it does."""
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    with httpx.Client(timeout=10) as http:
        yield Driver(Client(platform.url, http), 5.0, sleep, lambda: now)


@pytest.fixture
def photo(tmp_path: Path) -> mixture.Sample:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"pixels")
    return mixture.Sample("jpeg", path, "succeeded")


def test_a_mixture_has_its_share_of_broken_files(tmp_path: Path) -> None:
    samples = mixture.mixture(tmp_path, 200, 0.05, seed=1)
    assert len(samples) == 200
    assert sum(sample.expected == "rejected" for sample in samples) == 10
    assert {sample.kind for sample in samples} == {"jpeg", "png", "csv", "json"}
    assert mixture.mixture(tmp_path, 200, 0.05, seed=1) == samples
    assert mixture.mixture(tmp_path, 200, 0.05, seed=2) != samples
    assert max(sample.bytes for sample in samples) > 2_000_000


def test_a_picture_is_a_png_file() -> None:
    content = mixture.picture(7, 5)
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (7, 5)
    start = content.index(b"IDAT") + 4
    length = int.from_bytes(content[start - 8 : start - 4])
    assert len(zlib.decompress(content[start : start + length])) == 5 * (1 + 3 * 7)


def test_an_upload_is_timed(driver: Driver, platform: Platform, photo: mixture.Sample) -> None:
    record = driver.upload(photo)
    assert record.error is None
    assert (record.kind, record.bytes, record.sent) == ("jpeg", 6, 1)
    assert record.key == "uploads/0000/photo.jpg"
    assert record.state == "succeeded"
    assert record.outputs == {"processed/0000/photo.jpg/1/output": 3}
    assert record.accepted_seconds == 0
    assert record.result_seconds == 0.1  # one pause
    assert not record.retries
    assert platform.versions == {record.key: 1}


def test_a_busy_service_is_asked_again(
    driver: Driver, platform: Platform, photo: mixture.Sample
) -> None:
    platform.answers = [429, 503, 503]
    record = driver.upload(photo)
    assert record.state == "succeeded"
    assert record.retries == {"429": 1, "503": 2}
    assert (record.accepted_seconds or 0) >= 0.1 + 0.2 + 0.4


def test_a_file_whose_answer_is_lost_is_sent_again(
    driver: Driver, platform: Platform, photo: mixture.Sample
) -> None:
    platform.lose_answers = 1
    record = driver.upload(photo)
    assert record.state == "succeeded"
    assert record.retries == {"connection": 1}
    assert record.sent == 2
    assert platform.versions == {record.key: 2}


@pytest.mark.parametrize(
    ("answers", "reported"),
    [([400], "answered 400"), ([500] * 10, "answered 500"), ([0, 403], "refused")],
    ids=["refused", "never works", "form refused"],
)
def test_what_is_refused_is_given_up(
    driver: Driver, platform: Platform, photo: mixture.Sample, answers: list[int], reported: str
) -> None:
    platform.answers = answers
    record = driver.upload(photo)
    assert record.state is None
    assert reported in str(record.error)


def test_a_service_that_cannot_be_reached_is_given_up(photo: mixture.Sample) -> None:
    with httpx.Client() as http:
        gone = Driver(Client("http://127.0.0.1:9", http), 5.0, lambda _: None)
        record = gone.upload(photo)
    assert "ConnectError" in str(record.error)
    assert record.retries == {"connection": 9}


def test_a_result_that_does_not_come_is_given_up(
    driver: Driver, platform: Platform, photo: mixture.Sample
) -> None:
    platform.stuck = True
    record = driver.upload(photo)
    assert str(record.error).startswith("no result after")
    assert record.state is None


def test_a_run_keeps_its_pace_and_its_order(photo: mixture.Sample) -> None:
    slept: list[float] = []
    pace = Pace(10, slept.append, lambda: 0.0)
    done: list[None] = []
    samples = [photo] * 5
    records = drive.run(
        lambda sample: Record(sample.kind, sample.bytes, sample.expected),
        samples,
        2,
        pace,
        lambda: done.append(None),
    )
    assert len(records) == len(done) == 5
    assert slept == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_a_run_that_is_interrupted_begins_no_more(photo: mixture.Sample) -> None:
    begun: list[mixture.Sample] = []

    def upload(sample: mixture.Sample) -> Record:
        begun.append(sample)
        time.sleep(0.001)  # all of them would take ten seconds
        return Record(sample.kind, sample.bytes, sample.expected)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive.run(upload, [photo] * 10_000, 1, None, interrupt)
    assert len(begun) < 10_000


class Versions:
    """The versions of a bucket's objects, in pages of three."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def put(self, key: str, size: int = 3, *, latest: bool = True) -> None:
        number = str(len(self.entries))
        entry = {"Key": key, "VersionId": number, "Size": size, "IsLatest": latest}
        self.entries.append(entry)
        self.entries.sort(key=lambda one: one["Key"])

    def list_object_versions(
        self, *, Bucket: str, Prefix: str, KeyMarker: str, VersionIdMarker: str = ""
    ) -> dict[str, Any]:
        assert Bucket == BUCKET
        rest = [
            entry
            for entry in self.entries
            if entry["Key"].startswith(Prefix)
            and (entry["Key"] > KeyMarker or (VersionIdMarker and entry["Key"] == KeyMarker))
        ]
        if VersionIdMarker:
            ids = [entry["VersionId"] for entry in rest]
            rest = rest[ids.index(VersionIdMarker) + 1 :]
        page: dict[str, Any] = {"IsTruncated": len(rest) > 3}
        if rest:
            page["Versions"] = rest[:3]
        if len(rest) > 3:
            page |= {"NextKeyMarker": rest[2]["Key"], "NextVersionIdMarker": rest[2]["VersionId"]}
        return page


def environment(s3: object | None = None, aws: Aws | None = None) -> Environment:
    made = (aws or Aws()).environment()
    if s3:
        vars(made)["s3"] = s3
    return made


def good_record(number: int) -> Record:
    key = f"uploads/{number:04}/photo.jpg"
    return Record("jpeg", 6, "succeeded", key, 1, 0.5, 1.5, "succeeded", {outputs_of(key)[0]: 3})


def stored(*numbers: int) -> Versions:
    s3 = Versions()
    for number in numbers:
        record = good_record(number)
        s3.put(str(record.key))
        for output in record.outputs:
            s3.put(output)
        s3.put(f"processed/{number:04}/photo.jpg/result.json")
    return s3


def test_good_uploads_among_those_of_others() -> None:
    verdict = check.judge(
        environment(stored(1, 2, 3, 4, 5, 6)), [good_record(i) for i in (2, 4)], 0
    )
    assert verdict.good
    assert verdict == check.Verdict()


def test_what_is_wrong_is_found() -> None:
    s3 = stored(1, 2, 3, 4)
    s3.put("processed/0001/photo.jpg/result.json", latest=False)
    s3.put("processed/0004/photo.jpg/result.json", latest=False)
    records = [good_record(number) for number in (1, 2, 3, 4, 5)]
    records[1].outputs = {"processed/0002/photo.jpg/1/output": 4, "processed/0002/gone": 1}
    records[2].state = "rejected"
    records[3].sent = 2  # two versions, two results
    records += [Record("csv", 1, "succeeded", error="refused"), Record("csv", 1, "succeeded")]
    aws = Aws()
    aws.sqs.put("letter", "{}")
    verdict = check.judge(environment(s3, aws), records, 0)
    assert not verdict.good
    assert verdict.doubled == ["uploads/0001/photo.jpg: 2 results"]
    assert verdict.partial == [
        "processed/0002/photo.jpg/1/output: 3 bytes instead of 4",
        "processed/0002/gone: no bytes instead of 1",
        "processed/0005/photo.jpg/1/output: no bytes instead of 3",
    ]
    assert verdict.wrong == ["uploads/0003/photo.jpg: rejected instead of succeeded"]
    assert verdict.lost == ["uploads/0005/photo.jpg"]
    assert verdict.failed == ["csv: refused", "csv: None"]
    assert verdict.dead_letters == 3  # the fake has one queue for the three functions


def test_no_upload_at_all_is_a_failure_of_each() -> None:
    verdict = check.judge(environment(Versions()), [Record("csv", 1, "succeeded")], 0)
    assert verdict.failed == ["csv: None"]


def test_memory_that_lambda_reports() -> None:
    aws = Aws()
    aws.functions.configuration["MemorySize"] = 512
    for used in (100, 120, 90):
        line = {"type": "platform.report", "record": {"metrics": {"maxMemoryUsedMB": used}}}
        aws.logs.put("/aws/lambda/image_processor", line)
    found = environment(aws=aws)
    assert memory.sizes(found)["image_processor"] == 512
    assert memory.reported(found, 0) == {"image_processor": 120}
    assert set(aws.logs.patterns) == {'"platform.report"'}


def test_memory_of_the_emulators_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_SAMPLE_SECONDS", 0.01)
    program = (
        "import sys; x = bytearray(50_000_000); x[::4096] = b'x' * len(x[::4096]); del x; "
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, "ministack-lambda-image-dev-1/_worker.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout
        with memory.watched(
            psutil.Process(), {"image_processor": "image-dev", "api_handler": "api-dev"}
        ) as peaks:
            worker.stdout.readline()
        worker.communicate(b"")
    assert set(peaks) == {"image_processor"}
    assert peaks["image_processor"] >= 50  # though the memory is free again


def test_a_process_that_ends_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        pid = 1

        def cmdline(self) -> list[str]:
            raise psutil.NoSuchProcess(1)

    server = cast("psutil.Process", SimpleNamespace(children=lambda **_: [Ended()]))
    monkeypatch.setattr(memory, "_SAMPLE_SECONDS", 0.001)
    with memory.watched(server, {"image_processor": "image-dev"}) as peaks:
        pass
    assert not peaks


def test_a_system_that_tells_no_peak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "status").write_text("Name: x\n")
    monkeypatch.setattr(memory, "Path", lambda path: tmp_path / str(path).removeprefix("/proc/"))
    now = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=3 * 1024 * 1024 - 1))
    monkeypatch.setattr(psutil, "Process", lambda _: now)
    assert memory._peak(1) == 3
    assert memory._peak(2) == 3


def test_percentiles_by_nearest_rank() -> None:
    numbers = [n / 100 for n in range(1, 101)]
    assert report.percentiles(numbers) == {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    assert report.percentiles([3.0]) == {"p50": 3.0, "p90": 3.0, "p99": 3.0, "max": 3.0}
    assert report.percentiles([]) == {}


def test_a_function_above_its_size_is_not_good(capsys: pytest.CaptureFixture[str]) -> None:
    records = [good_record(1), Record("csv", 10, "succeeded", error="gone")]
    records[0].retries["503"] = 2
    verdict = check.Verdict(failed=["csv: gone"])
    sizes = {"image_processor": 512, "api_handler": 128, "data_transformer": 256}
    results = report.summary(
        records, 2.0, verdict, {"image_processor": 600, "api_handler": 9}, sizes
    )
    assert not results["good"]
    assert results["uploads_per_second"] == 1.0
    assert results["retries"] == {"503": 2}
    assert results["kinds"]["csv"]["result_seconds"] == {}
    report.show(Screen(as_json=False), results)
    shown = capsys.readouterr().out
    assert "too much" in shown
    assert "not seen" in shown
    assert "failed: csv: gone" in shown
    assert "503 2" in shown
    assert not report.summary([good_record(1)], 1, check.Verdict(), {"a": 2}, {"a": 1})["good"]
    assert report.summary([good_record(1)], 1, check.Verdict(), {"a": 1}, {"a": 1})["good"]


class Local:
    """The command line's environment, as the local cloud's or as one on AWS."""

    def __init__(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        self.platform = platform
        self.aws = Aws()
        self.aws.functions.configuration["MemorySize"] = 512
        self.environment = self.aws.environment()
        vars(self.environment)["s3"] = self
        monkeypatch.setattr(
            environments.Environment, "api_url", property(lambda _: platform.url), raising=True
        )
        monkeypatch.setattr(environments, "find", lambda _: self.environment)

    def list_object_versions(self, Prefix: str, **_: object) -> dict[str, Any]:
        s3 = Versions()
        for key, count in self.platform.versions.items():
            for number in range(count):
                s3.put(key, latest=number == 0)
        for key, count in self.platform.commits.items():
            for output in outputs_of(key):
                s3.put(output)
            for _number in range(count):
                s3.put(key.replace("uploads/", "processed/", 1) + "/result.json")
        found = [entry for entry in s3.entries if entry["Key"].startswith(Prefix)]
        return {"IsTruncated": False, "Versions": found}


@pytest.fixture
def local(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Local:
    return Local(platform, monkeypatch)


def test_a_load_on_aws(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"type": "platform.report", "record": {"metrics": {"maxMemoryUsedMB": 99}}}
    local.aws.logs.put("/aws/lambda/api_handler", line, at=datetime(2100, 1, 1, tzinfo=UTC))
    arguments = ["--env", "dev", "--uploads", "12", "--clients", "3", "--bad", "0.25", "--json"]
    assert load.main([*arguments, "--rate", "1000"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["good"]
    assert results["states"] == {"succeeded": 9, "rejected": 3}
    assert results["memory"]["api_handler"] == {"peak_mb": 99, "size_mb": 512}
    assert local.platform.authorisations == {True}


def test_a_load_on_the_emulator(
    local: Local, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = SimpleNamespace(process=psutil.Process)
    monkeypatch.setattr(local_cloud, "find", lambda: SimpleNamespace(aws=server))
    monkeypatch.setattr(local.environment.session, "get_credentials", lambda: None)
    local.platform.commits["uploads/0000/photo.jpg"] = 2
    local.platform.verdict = lambda _: "succeeded"
    assert load.main(["--uploads", "4", "--clients", "1", "--bad", "0", "--seed", "3"]) in {0, 1}
    assert "4 uploads in" in capsys.readouterr().out
    assert local.platform.authorisations == {False}


def test_a_load_that_finds_something_wrong(local: Local) -> None:
    local.platform.verdict = lambda _: "rejected"
    assert load.main(["--env", "dev", "--uploads", "2", "--bad", "0"]) == 1


@pytest.mark.parametrize(
    ("error", "status", "reported"),
    [
        (OperationError("no such place"), 1, "no such place"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_ends_a_load_is_reported(
    error: BaseException,
    status: int,
    reported: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(environments, "find", fail)
    assert load.main([]) == status
    assert reported in capsys.readouterr().err


@pytest.mark.parametrize("share", ["2", "-1", "much"])
def test_a_share_that_is_none(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load.main(["--bad", share])
    assert f"{share} is not a share from 0 to 1" in capsys.readouterr().err
