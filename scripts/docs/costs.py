"""The cost of a million files, from AWS's prices and measured processor time.

The prices are those of us-east-1 in US dollars, without free tier, discounts, storage and transfer
to the internet; other regions and later years differ: change them here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from scripts import ROOT
from scripts.docs.modules import blocks

# Published prices, looked up in November 2026.
GB_SECOND: Final = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
INVOCATION: Final = 0.20 / 1e6
EPHEMERAL_GB_SECOND: Final = 0.0000000309  # beyond the first 512 MB
API_REQUEST: Final = 3.50 / 1e6  # REST, the first 333 million a month
S3_WRITE: Final = 0.005 / 1e3  # PUT, COPY, POST, LIST
S3_READ: Final = 0.0004 / 1e3  # GET and all others
LOG_GB: Final = 0.50  # taken in
EVENT: Final = 1.00 / 1e6  # of one's own, up to 64 kB
WEBHOOK: Final = 0.20 / 1e6  # a request to an API destination

# A function gets a share of a processor with its memory: one at 1,769 MB.
_MB_OF_A_PROCESSOR: Final = 1769
# Waiting for S3, which costs time and no processor; an assumption.
_WAITING_SECONDS: Final = 0.2
# A client requests a form, and twice the result; an assumption, as are the sizes of the lines.
_API_REQUESTS: Final = 3
_API_MB: Final = 128
_API_SECONDS: Final = 0.05
_LOG_BYTES: Final = 1500 + _API_REQUESTS * 1500


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file and what processing one takes.

    Attributes:
        name: as the table calls it.
        cpu_seconds: processor time, as `make bench-cpu` measures it.
        memory_mb: memory of the function.
        ephemeral_mb: its ephemeral storage.
        writes: requests of S3 that write, the upload among them.
        reads: requests of S3 that read.
    """

    name: str
    cpu_seconds: float
    memory_mb: int
    ephemeral_mb: int
    writes: int
    reads: int

    @property
    def seconds(self) -> float:
        """Time that an invocation takes."""
        return self.cpu_seconds / min(1, self.memory_mb / _MB_OF_A_PROCESSOR) + _WAITING_SECONDS


def _sizes(function: str) -> tuple[int, int]:
    """Return the memory and the ephemeral storage that Terraform gives a function, in MB."""
    source = (ROOT / "modules" / "serverless_stack" / "variables.tf").read_text(encoding="utf-8")
    [sizes] = [block.attributes["type"] for block in blocks(source) if block.name == function]
    found = dict(re.findall(r"(\w+) = optional\(number, (\d+)\)", sizes))
    return int(found["memory_mb"]), int(found["ephemeral_storage_mb"])


PHOTO: Final = Kind("a photo of 12 megapixels", 0.31, *_sizes("image_processor"), writes=5, reads=3)
TABLE: Final = Kind(
    "a CSV file of 1 MB, 25,000 rows", 0.11, *_sizes("data_transformer"), writes=3, reads=3
)


def per_million(kind: Kind, architecture: str) -> dict[str, float]:
    """Return US dollars for a million files, by what they are paid for."""
    gb_second = GB_SECOND[architecture]
    ephemeral_gb = (kind.ephemeral_mb - 512) / 1024
    return {
        "processing": 1e6
        * kind.seconds
        * (kind.memory_mb / 1024 * gb_second + ephemeral_gb * EPHEMERAL_GB_SECOND),
        "API function": 1e6 * _API_REQUESTS * _API_SECONDS * _API_MB / 1024 * gb_second,
        "invocations": 1e6 * (1 + _API_REQUESTS) * INVOCATION,
        "API requests": 1e6 * _API_REQUESTS * API_REQUEST,
        "S3 requests": 1e6
        * (kind.writes * S3_WRITE + (kind.reads + 2 * (_API_REQUESTS - 1)) * S3_READ),
        "logs": 1e6 * _LOG_BYTES / 1e9 * LOG_GB,
    }


def cost_table() -> str:
    """Return the costs as a Markdown table."""
    columns = [(kind, arch) for kind in (PHOTO, TABLE) for arch in GB_SECOND]
    costs = [per_million(kind, arch) for kind, arch in columns]
    rows = [
        ["US dollars a million", *(f"{kind.name}, {arch}" for kind, arch in columns)],
        ["---", *("---:" for _ in columns)],
        *([item, *(f"{cost[item]:,.2f}" for cost in costs)] for item in costs[0]),
        ["**together**", *(f"**{sum(cost.values()):,.2f}**" for cost in costs)],
        ["besides, with `events_enabled`", *(f"{1e6 * EVENT:,.2f}" for _ in costs)],
        ["besides, for each webhook", *(f"{1e6 * WEBHOOK:,.2f}" for _ in costs)],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def concurrency_table() -> str:
    """Return the executions at the same time as a Markdown table."""
    rates = (10, 1_000, 100_000)
    rows = [
        ["uploads a second", *(f"{rate:,}" for rate in rates)],
        ["---", *("---:" for _ in rates)],
        *(
            [
                f"{kind.name}: {kind.seconds:.1f} s each",
                *(f"{rate * kind.seconds:,.0f}" for rate in rates),
            ]
            for kind in (PHOTO, TABLE)
        ),
        [
            f"API: {_API_REQUESTS} requests of {_API_SECONDS:.2f} s each",
            *(f"{rate * _API_REQUESTS * _API_SECONDS:,.0f}" for rate in rates),
        ],
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


TABLES: Final = {"costs": cost_table, "concurrency": concurrency_table}
