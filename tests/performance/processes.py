"""Runs a function's core in a fresh process, as Lambda has it, and reads what memory it took."""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from scripts.packaging.project import host_architecture
from tests.support.lambda_runtime import unpack

ROOT: Final = Path(__file__).parents[2]
# Where the peers are, and the data that they come with.
BENCHMARKS: Final = ROOT / ".local/benchmarks/lib/python3.12/site-packages"


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A file, as the core sees an uploaded object."""

    path: Path

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Return the content as a stream."""
        return self.path.open("rb")

    def save(self, path: Path) -> Path:
        """Give the file another name, without a copy."""
        path.hardlink_to(self.path)
        return path


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a file: sizes in bytes, seconds of CPU, and the code of a rejection."""

    peak: int
    disk: int
    cpu: float
    code: str | None


def measure(function: str, path: Path, times: int = 1) -> Measured:
    """Process a file in a fresh process that holds nothing but the function's built package."""
    done = subprocess.run(
        # Without the packages of this environment, which are others and larger.
        [sys.executable, "-S", "-m", __name__, function, str(path), str(times)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{_unpacked(function)}:{ROOT}",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "POWERTOOLS_SERVICE_NAME": function,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{function} failed on {path.name}:\n{done.stderr}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


@functools.cache
def _unpacked(function: str) -> Path:
    zip_file = ROOT / f"build/{function}-{host_architecture()}.zip"
    if not zip_file.exists():
        raise SystemExit(
            f"{zip_file.relative_to(ROOT)} is missing: make package ARGS='--arch host'"
        )
    folder = tempfile.mkdtemp(prefix="package-")
    atexit.register(shutil.rmtree, folder)
    return unpack(zip_file, Path(folder))


def _process(function: str, path: Path, times: int) -> None:
    # As Lambda does: the client is made, too.
    importlib.import_module(f"{function}.index")
    core = importlib.import_module(f"{function}.core")
    settings = importlib.import_module(f"{function}.settings").Settings()
    rejected = importlib.import_module("uploads.processing").RejectedError
    process = (
        core.Transformer(settings)
        if function == "data_transformer"
        else functools.partial(core.process, settings=settings)
    )
    code = None
    disk = 0
    for _ in range(times):  # what the first leaves behind counts against the second
        with tempfile.TemporaryDirectory(dir=path.parent) as name, Disk(Path(name)) as used:
            try:
                process(LocalSource(path), Path(name))
            except rejected as error:
                code = error.code
        disk = max(disk, used.peak)
    found = Measured(peak_bytes(), disk, time.process_time(), code)
    print(json.dumps(asdict(found)))


class Disk:
    """Looks at a folder that others write to, for the length of a `with` block.

    Attributes:
        peak: the most bytes that its files had.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self._look()

    def _look(self) -> None:
        total = 0
        for path in self._folder.rglob("*"):
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # removed since it was listed
                continue
        self.peak = max(self.peak, total)


def peak_bytes(process: int | str = "self") -> int:
    """Return the greatest resident size of a process so far, of this one by default.

    Read from /proc, because `getrusage` counts what the parent had before the program started.
    """
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    _process(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
