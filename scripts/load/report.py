"""The numbers of a run, as JSON and as tables."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from scripts.operations.progress import bad, good, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scripts.load.check import Verdict
    from scripts.load.drive import Record
    from scripts.operations.progress import Screen

_SHARES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
_MEASURED: Final = {
    "accepted_seconds": "from a client's first request until the bucket has the file",
    "result_seconds": "from there until the client sees the result",
}
_SHOWN: Final = 10


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the usual percentiles by nearest rank; empty when there is nothing to rank."""
    ranked = sorted(seconds)
    return {
        name: round(ranked[math.ceil(share * len(ranked)) - 1], 3)
        for name, share in _SHARES.items()
        if ranked
    }


def summary(
    records: Sequence[Record],
    seconds: float,
    verdict: Verdict,
    peaks: Mapping[str, int],
    sizes: Mapping[str, int],
) -> dict[str, Any]:
    """Return the results of a run as JSON values.

    Args:
        records: its uploads.
        seconds: from its first request to its last result.
        verdict: the faults.
        peaks: the most memory of each function, MB.
        sizes: the memory that each function has, MB.
    """
    kinds = {"all": list(records)}
    for record in records:
        kinds.setdefault(record.kind, []).append(record)
    retries: Counter[str] = Counter()
    for record in records:
        retries.update(record.retries)
    return {
        "good": verdict.good and not _too_large(peaks, sizes),
        "uploads": len(records),
        "seconds": round(seconds, 1),
        "uploads_per_second": round(len(records) / seconds, 2),
        "megabytes_per_second": round(sum(r.bytes for r in records) / seconds / 1e6, 2),
        "states": dict(Counter(record.state or "none" for record in records)),
        "retries": dict(retries),
        "verdict": asdict(verdict),
        "kinds": {kind: _kind(of_kind) for kind, of_kind in kinds.items()},
        "memory": {
            function: {"peak_mb": peaks.get(function), "size_mb": size}
            for function, size in sizes.items()
        },
    }


def _kind(records: Sequence[Record]) -> dict[str, Any]:
    return {
        "uploads": len(records),
        "bytes": sum(record.bytes for record in records),
        "accepted_seconds": percentiles(
            [r.accepted_seconds for r in records if r.accepted_seconds is not None]
        ),
        "result_seconds": percentiles(
            [r.result_seconds for r in records if r.result_seconds is not None]
        ),
    }


def _too_large(peaks: Mapping[str, int], sizes: Mapping[str, int]) -> list[str]:
    return [function for function, size in sizes.items() if peaks.get(function, 0) > size]


def show(screen: Screen, results: dict[str, Any]) -> None:
    """Show the numbers to whoever reads them, a person or a program."""
    screen.say(
        f"{results['uploads']} uploads in {results['seconds']} s: "
        f"{results['uploads_per_second']} uploads/s, {results['megabytes_per_second']} MB/s"
    )
    screen.say(f"States: {_counts(results['states'])}")
    screen.say(f"Repeated requests: {_counts(results['retries'])}")
    for what, explained in _MEASURED.items():
        screen.say(f"\nSeconds {explained}:")
        screen.table(
            ["Kind", "Uploads", "MB", *_SHARES],
            [
                [
                    kind,
                    str(numbers["uploads"]),
                    f"{numbers['bytes'] / 1e6:.1f}",
                    *(f"{numbers[what][p]:.2f}" if numbers[what] else "-" for p in _SHARES),
                ]
                for kind, numbers in results["kinds"].items()
            ],
        )
    screen.table(
        ["Function", "Peak memory", "Size", ""],
        [
            [
                plain(function),
                "not seen" if memory["peak_mb"] is None else f"{memory['peak_mb']} MB",
                f"{memory['size_mb']} MB",
                bad("too much") if (memory["peak_mb"] or 0) > memory["size_mb"] else good("fits"),
            ]
            for function, memory in results["memory"].items()
        ],
    )
    verdict = results["verdict"]
    screen.table(
        ["Check", "Found"],
        [
            [what.replace("_", " "), _found(found if isinstance(found, int) else len(found))]
            for what, found in verdict.items()
        ],
    )
    for what, found in verdict.items():
        for line in found[:_SHOWN] if isinstance(found, list) else []:
            screen.say(f"  {what}: {line}")
    screen.result(results)


def _found(count: int) -> str:
    return bad(str(count)) if count else good("none")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none"
