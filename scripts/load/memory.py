"""How much memory the functions took: what Lambda reports, or on the emulator what Linux does."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scripts.operations.environment import Environment

_SAMPLE_SECONDS: Final = 0.5
_MEBIBYTE: Final = 1024 * 1024


def sizes(environment: Environment) -> dict[str, int]:
    """Return the memory size of each function, in MB as Lambda counts them."""
    return {
        function: environment.functions.get_function_configuration(
            FunctionName=environment.function_name(function)
        )["MemorySize"]
        for function in environment.function_names
    }


def reported(environment: Environment, since_ms: int) -> dict[str, int]:
    """Return the most memory of any invocation that Lambda reported, in MB, by function.

    Args:
        environment: where.
        since_ms: from when on, in milliseconds since 1970.
    """
    found: dict[str, int] = {}
    for function in environment.function_names:
        pages = environment.logs.get_paginator("filter_log_events").paginate(
            logGroupName=environment.log_group(function),
            filterPattern='"platform.report"',
            startTime=since_ms,
        )
        for page in pages:
            for event in page["events"]:
                metrics = json.loads(event["message"])["record"]["metrics"]
                found[function] = max(found.get(function, 0), metrics["maxMemoryUsedMB"])
    return found


@contextlib.contextmanager
def watched(server: psutil.Process, names: Mapping[str, str]) -> Iterator[dict[str, int]]:
    """Watch the emulator's function processes; yields their peaks so far, in MB, by function.

    Linux keeps the peak of a process, so none between two looks is missed, only a process that
    lives shorter than the time between them; the emulator keeps its processes for minutes.

    Args:
        server: the emulator.
        names: names of the functions in Lambda.
    """
    peaks: dict[str, int] = defaultdict(int)
    stop = threading.Event()

    def look() -> None:
        for process in server.children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):  # it ended in between
                line = " ".join(process.cmdline())
                for function, name in names.items():
                    if f"ministack-lambda-{name}-" in line:
                        peaks[function] = max(peaks[function], _peak(process.pid))

    def watch() -> None:
        while not stop.wait(_SAMPLE_SECONDS):
            look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()
        look()


def _peak(pid: int) -> int:
    """Return the most memory that a process had in RAM so far, in MB, rounded up.

    Where the system does not keep it, it is what the process has now.
    """
    status = Path(f"/proc/{pid}/status")
    kept = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.M) if status.exists() else None
    peak = int(kept[1]) * 1024 if kept else psutil.Process(pid).memory_info().rss
    return -(-peak // _MEBIBYTE)
