"""The deployed functions under faults: every upload that goes in comes out with a result."""

from __future__ import annotations

import contextlib
import io
import json
import random
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import psutil
import pytest

from scripts.local_cloud import samples
from scripts.operations import __main__ as operate
from scripts.operations import redrive
from scripts.operations.dead_letters import Queue
from scripts.operations.environment import Environment
from scripts.operations.progress import Screen
from tests.e2e.faults import commit
from tests.support import faulty_s3
from tests.support.faulty_s3 import Fault, FaultyS3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.conftest import Stack

FUNCTIONS: Final = ("image_processor", "data_transformer")
# A slow machine, three attempts, and the starts of as many interpreters.
PATIENCE: Final = 120


class Platform:
    """What a test needs of the deployed environment."""

    def __init__(self, stack: Stack, packages: Path) -> None:
        self.stack = stack
        self.environment = Environment(
            "e2e", stack.outputs, stack.session, stack.cloud.environment()
        )
        self._packages = packages
        self._began_ms = time.time_ns() // 1_000_000
        self.client = stack.client
        self.s3 = self.environment.s3
        self.bucket: str = stack.outputs["s3_bucket_name"]
        self._lambda: Any = self.environment.functions

    @contextlib.contextmanager
    def changed(
        self, function: str, *, variables: dict[str, str] | None = None, **settings: Any
    ) -> Iterator[None]:
        """Change a function's configuration for the length of a `with` block."""
        name = self.environment.function_name(function)
        before = self._lambda.get_function_configuration(FunctionName=name)
        if variables:
            own = before["Environment"]["Variables"]
            settings["Environment"] = {"Variables": own | variables}
        self._lambda.update_function_configuration(FunctionName=name, **settings)
        try:
            yield
        finally:
            original = {setting: before[setting] for setting in settings}
            self._lambda.update_function_configuration(FunctionName=name, **original)

    @contextlib.contextmanager
    def broken(self, function: str) -> Iterator[None]:
        """Deploy a version of a function that always fails; at the end, the one of before."""
        name = self.environment.function_name(function)
        before = self._lambda.get_function_configuration(FunctionName=name)
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            file.writestr(f"{function}/__init__.py", "")
            file.writestr(f"{function}/index.py", "def handler(event, context):\n    1 / 0\n")
        self._lambda.update_function_code(FunctionName=name, ZipFile=content.getvalue())
        try:
            yield
        finally:
            own = self._packages / f"{function}-{before['Architectures'][0]}.zip"
            after = self._lambda.update_function_code(FunctionName=name, ZipFile=own.read_bytes())
            assert after["CodeSha256"] == before["CodeSha256"]

    def processes(self, function: str) -> list[psutil.Process]:
        """Return the processes in which the emulator runs a function."""
        server = self.stack.cloud.aws.process()
        assert server
        mark = f"ministack-lambda-{self.environment.function_name(function)}-"
        return [p for p in server.children(recursive=True) if mark in " ".join(p.cmdline())]

    def waiting(self, function: str) -> int:
        """Count a function's dead letters."""
        return Queue(self.environment.sqs, self.environment.queue_url(function)).level().waiting

    def redrive(self, function: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
        """Replay the dead letters with the operator's command; return its output."""
        options = operate.parser().parse_args(["redrive", "--json", "--rate", "100", function])
        capsys.readouterr()
        assert redrive.run(options, self.environment, Screen(as_json=True)) == 0
        printed: dict[str, Any] = json.loads(capsys.readouterr().out)
        return printed

    def send(self, function: str, event: dict[str, Any]) -> None:
        """Deliver an event as S3 does."""
        self._invoke(function, event, "Event")

    def call(self, function: str, event: dict[str, Any]) -> Any:
        """Run a function and return its answer."""
        return json.loads(self._invoke(function, event, "RequestResponse")["Payload"].read())

    def _invoke(self, function: str, event: dict[str, Any], kind: str) -> Any:
        return self._lambda.invoke(
            FunctionName=self.environment.function_name(function),
            InvocationType=kind,
            Payload=json.dumps(event).encode(),
        )

    def ends(self, keys: Iterable[str]) -> Counter[str]:
        """Count what became of the events of some uploads, from the logs: one line for each end.

        An event that fails is tried again, so it has no end yet, or it goes to a queue.
        """
        wanted = set(keys)
        found: Counter[str] = Counter()
        for function in FUNCTIONS:
            pages = self.environment.logs.get_paginator("filter_log_events").paginate(
                logGroupName=self.environment.outputs["functions"][function]["log_group"],
                startTime=self._began_ms,
            )
            lines = (event["message"] for page in pages for event in page["events"])
            records = [json.loads(line) for line in lines if '"outcome"' in line]
            found.update(record["outcome"] for record in records if record["key"] in wanted)
        return found

    def states(self, keys: list[str]) -> Counter[str]:
        """Wait until each upload's event has come to its end; count the states of the uploads."""
        assert eventually(lambda: self.ends(keys).total() >= len(keys)), self.ends(keys)
        assert self.ends(keys).total() == len(keys)
        return Counter(self.client.file(key)["state"] for key in keys)

    def commits(self, key: str) -> int:
        """Count the versions of an upload's result record."""
        record = key.replace("uploads/", "processed/", 1) + "/result.json"
        found = self.s3.list_object_versions(Bucket=self.bucket, Prefix=record)
        return len(found.get("Versions", []))


@pytest.fixture(scope="module")
def platform(stack: Stack, packages: Path) -> Iterator[Platform]:
    platform = Platform(stack, packages)
    with contextlib.closing(platform.environment):
        yield platform
        assert [platform.waiting(function) for function in FUNCTIONS] == [0, 0]


@pytest.fixture(scope="module")
def proxy(platform: Platform) -> Iterator[FaultyS3]:
    """The functions with a proxy between them and S3."""
    with (
        faulty_s3.running(platform.stack.cloud.aws.url) as proxy,
        contextlib.ExitStack() as changes,
    ):
        for function in FUNCTIONS:
            variables = {"AWS_ENDPOINT_URL_S3": proxy.url}
            changes.enter_context(platform.changed(function, variables=variables))
        yield proxy


@pytest.fixture(autouse=True)
def no_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no fault behind."""
    yield
    if "proxy" in request.fixturenames:
        request.getfixturevalue("proxy").begin()


def eventually(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize(
    ("function", "held"),
    [("image_processor", r"thumbnail-640"), ("data_transformer", r"result\.json")],
    ids=["between two outputs", "before the record"],
)
def test_a_function_is_killed_while_it_writes(
    platform: Platform, proxy: FaultyS3, tmp_path: Path, function: str, held: str
) -> None:
    photo, _, weather, _ = samples.write(tmp_path)
    upload = {"image_processor": photo, "data_transformer": weather}[function]
    proxy.begin(faulty_s3.matching("PUT", held, Fault("hold"), times=1))
    with commit.Watcher(platform.s3, platform.bucket) as watcher:
        key = platform.client.upload(upload)
        watcher.watch(key)
        assert proxy.holding.wait(PATIENCE)
        assert platform.client.file(key)["state"] == "pending"
        for process in platform.processes(function):
            process.kill()
        proxy.release.set()
        assert platform.states([key]) == {"succeeded": 1}
    assert not watcher.breaches
    assert not commit.breaches(platform.s3, platform.bucket, key)
    assert platform.commits(key) == 1
    assert platform.waiting(function) == 0


def test_a_storm_of_faults_loses_nothing(
    platform: Platform, proxy: FaultyS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(7)  # noqa: S311 - a repeatable storm
    faults = [
        Fault("refuse", 503, "SlowDown"),
        Fault("refuse", 500, "InternalError"),
        Fault("reset"),
        Fault("lose_answer"),
        Fault("cut_answer"),
        Fault("wait", seconds=0.5),
    ]

    def storm(_: faulty_s3.Request) -> Fault | None:
        return dice.choice(faults) if dice.random() < 0.15 else None

    broken = tmp_path / "broken.json"
    broken.write_text('{"a": ')
    files = [*samples.write(tmp_path / "files"), broken] * 2
    proxy.begin(storm)
    with commit.Watcher(platform.s3, platform.bucket) as watcher, ThreadPoolExecutor(4) as clients:
        keys = list(clients.map(platform.client.upload, files))
        for key in keys:
            watcher.watch(key)
        # Whatever fails in spite of all retries lies in a queue, and is replayed.
        calm = time.monotonic() + 60
        while platform.ends(keys).total() < len(keys):
            assert time.monotonic() < calm + 240, platform.ends(keys)
            if time.monotonic() > calm:
                # A line that a process writes late comes with its next event, on the emulator. As
                # many processes of each function may have one as there were clients.
                list(clients.map(platform.client.upload, [files[0], broken] * 4))
                time.sleep(2)
            for function in FUNCTIONS:
                if platform.waiting(function):
                    platform.redrive(function, capsys)
            time.sleep(0.2)
    assert proxy.faults >= 5
    assert platform.states(keys) == {"succeeded": 8, "rejected": 2}
    assert not watcher.breaches
    assert [platform.commits(key) for key in keys] == [1] * 10
    assert not [b for key in keys for b in commit.breaches(platform.s3, platform.bucket, key)]


def test_timeouts_and_broken_code_end_in_the_queues_and_are_redriven(
    platform: Platform, proxy: FaultyS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, _, weather, _ = samples.write(tmp_path)
    sent: dict[str, list[str]] = {}
    # One function waits until its time is over, the other one is broken: no upload gets a result.
    with (
        platform.changed("image_processor", Timeout=3),
        platform.broken("data_transformer"),
    ):
        proxy.begin(faulty_s3.matching("PUT", "thumbnail", Fault("wait", seconds=5)))
        for function, path in {"image_processor": photo, "data_transformer": weather}.items():
            sent[function] = [platform.client.upload(path) for _ in range(2)]
        assert eventually(lambda: [platform.waiting(f) for f in FUNCTIONS] == [2, 2])
        for keys in sent.values():
            assert {platform.client.file(key)["state"] for key in keys} == {"pending"}
    proxy.begin()
    failures = {
        "image_processor": "Lambda ends the function",
        "data_transformer": "division by zero",
    }
    for function, failure in failures.items():
        keys = sent[function]
        # Every dead letter is accounted for: one for each upload, none for anything else.
        printed = platform.redrive(function, capsys)
        assert (printed["looked_at"], printed["replayed"]) == (2, 2)
        assert sorted(key for letter in printed["sample"] for key in letter["keys"]) == sorted(keys)
        assert all(failure in letter["error"] for letter in printed["sample"])
        assert platform.states(keys) == {"succeeded": 2}
        assert platform.waiting(function) == 0
        assert [platform.commits(key) for key in keys] == [1, 1]


def test_a_full_disk_of_one_environment_costs_one_attempt(
    platform: Platform, tmp_path: Path
) -> None:
    photo, _, weather, _ = samples.write(tmp_path)
    for function, path in {"image_processor": photo, "data_transformer": weather}.items():
        assert platform.states([platform.client.upload(path)]) == {"succeeded": 1}
        warm = platform.processes(function)
        for process in warm:
            # From now on no file in its /tmp can grow beyond 1,000 bytes.
            process.rlimit(psutil.RLIMIT_FSIZE, (1000, 1000))
        assert platform.states([platform.client.upload(path)]) == {"succeeded": 1}
        # The emulator replaces a process whose function failed.
        assert set(warm) - set(platform.processes(function)), "the full disk was not met"


def test_duplicates_and_late_events_change_nothing(platform: Platform, tmp_path: Path) -> None:
    """Two versions of each of two uploads, every event twice, shuffled, at once."""
    by_key: dict[str, list[dict[str, Any]]] = {}
    newest = {}
    for number in range(2):
        # No notification is set up for this suffix: the events below are the only ones.
        key = f"uploads/faults/{time.time_ns()}-{number}.txt"
        for version in (1, 2):
            content = "a,b\n" + f"{version},x\n" * version
            stored = platform.s3.put_object(Bucket=platform.bucket, Key=key, Body=content.encode())
            described = {
                "key": key,
                "size": len(content),
                "eTag": stored["ETag"].strip('"'),
                "versionId": stored["VersionId"],
                "sequencer": f"00{version}",
            }
            newest[key] = described
            record = {
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": platform.bucket}, "object": described},
            }
            by_key.setdefault(key, []).append({"Records": [record]})
    deliveries = [event for events in by_key.values() for event in events] * 2
    random.Random(3).shuffle(deliveries)  # noqa: S311 - a repeatable order
    with commit.Watcher(platform.s3, platform.bucket) as watcher:
        for key in newest:
            watcher.watch(key)
        with ThreadPoolExecutor(6) as senders:
            list(senders.map(lambda event: platform.send("data_transformer", event), deliveries))

        def settled() -> bool:
            found = [commit.read(platform.s3, platform.bucket, key) for key in newest]
            versions = [f and f[0]["source"]["version_id"] for f in found]
            return versions == [described["versionId"] for described in newest.values()]

        _, _, weather, _ = samples.write(tmp_path)

        def all_ended() -> bool:
            if platform.ends(newest).total() >= len(deliveries):
                return True
            # A line that a process writes late comes with its next event, on the emulator. As many
            # processes may have one as there were senders.
            with ThreadPoolExecutor(6) as senders:
                list(senders.map(platform.client.upload, [weather] * 6))
            time.sleep(2)
            return False

        assert eventually(settled)
        assert eventually(all_ended)
        for key, (older, newer) in by_key.items():
            assert platform.call("data_transformer", older) == {key: "superseded"}
            assert platform.call("data_transformer", newer) == {key: "duplicate"}
        assert settled()
    assert not watcher.breaches
    for key in newest:
        # Each version is committed once at the most: the older one not at all, if it came late.
        assert platform.commits(key) in {1, 2}
        found = commit.read(platform.s3, platform.bucket, key)
        assert found
        assert found[0]["details"]["rows"] == 2
        named = {output["key"] for output in found[0]["outputs"]}
        prefix = key.replace("uploads/", "processed/", 1) + "/"
        listed = platform.s3.list_objects_v2(Bucket=platform.bucket, Prefix=prefix)["Contents"]
        assert {entry["Key"] for entry in listed} == named | {f"{prefix}result.json"}
    assert platform.waiting("data_transformer") == 0
