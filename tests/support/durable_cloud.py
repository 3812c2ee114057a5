"""An emulator that keeps its data when it ends, and so can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import httpx
import psutil

from scripts import local_cloud

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS: Final = 60


@dataclass
class DurableCloud:
    """One emulator at one address, started as often as a test wants.

    Objects are kept as soon as they are stored; all else (functions, roles, queues and what is in
    them) is kept when the emulator is stopped, and has its last kept state after it was killed.
    Events that wait for a function are kept by neither; AWS keeps them.

    Attributes:
        directory: where it keeps its data.
        port: its port on 127.0.0.1.
    """

    directory: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        variables = local_cloud.emulator_variables(self.directory, self.port)
        variables |= {"PERSIST_STATE": "1", "S3_PERSIST": "1", "PATH": os.environ["PATH"]}
        with (self.directory / "emulator.log").open("ab") as log:
            self._process = subprocess.Popen(
                local_cloud.emulator_command(),
                cwd=self.directory,
                env=variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.directory / "emulator.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def stop(self) -> None:
        """End it in order, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its functions at once, as a power failure does."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if not self._process:
            return
        functions = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(number)
        self._process.wait(_SECONDS)
        for function in functions:
            with contextlib.suppress(psutil.NoSuchProcess):
                function.kill()
        self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/_ministack/health").is_success
        return False
