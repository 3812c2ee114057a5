"""Runs a function's core in a fresh process, as Lambda has it, and reads what memory it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

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


def run(module: str, path: Path, service: str) -> dict[str, Any]:
    """Run a module with `--process` and a file; return the JSON object that it prints last."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--process", str(path)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "POWERTOOLS_SERVICE_NAME": service,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


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
