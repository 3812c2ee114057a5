"""Uploads many files at once through the API of a deployed environment, checks and measures.

Pictures and tables of several sizes, a share of them broken, by so many clients at once. Each
client uploads a file, waits for its result, and continues with the next. Then the bucket and the
queues are checked for uploads that were lost, processed twice, left with a part of their outputs,
or ended in the wrong state; Lambda's reports (on the emulator: Linux) give the memory.

The uploads stay in the bucket. On AWS it costs what uploads cost.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from scripts import local_cloud
from scripts.load import check, drive, memory, mixture, report
from scripts.operations import environment as environments
from scripts.operations import progress
from scripts.operations.errors import OperationError
from scripts.operations.options import positive
from scripts.terraform import TerraformError
from uploads_client import Client, authorization

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psutil

    from scripts.operations.environment import Environment


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    described = argparse.ArgumentParser(
        prog="python -m scripts.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    described.add_argument(
        "--env",
        default=environments.LOCAL_NAME,
        metavar="ENV",
        help="a folder of envs/, or the path of one (default: local, the emulator's)",
    )
    described.add_argument("--uploads", type=positive(int), default=1000, help="default: 1000")
    described.add_argument(
        "--clients", type=positive(int), default=32, help="how many work at once (default: 32)"
    )
    described.add_argument(
        "--rate",
        type=positive(float),
        metavar="N",
        help="begin at most N uploads a second (default: as many as the clients manage)",
    )
    described.add_argument(
        "--bad", type=_share, default=0.05, help="share of broken files (default: 0.05)"
    )
    described.add_argument(
        "--patience",
        type=positive(float),
        default=600.0,
        metavar="SECONDS",
        help="how long a result may take (default: 600)",
    )
    described.add_argument("--seed", type=int, default=1, help="of the mixture (default: 1)")
    described.add_argument("--json", action="store_true", help="print JSON and nothing else")
    return described


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return share


def run(
    options: argparse.Namespace,
    environment: Environment,
    shown: progress.Screen,
    server: psutil.Process | None,
) -> int:
    """Run the load; return the exit status: 1 when anything is wrong.

    Args:
        options: see `parser`.
        environment: where.
        shown: where to show the numbers.
        server: the emulator's process, None on AWS.
    """
    limits = httpx.Limits(max_connections=options.clients)
    auth = authorization(environment.api_url, environment.session)
    names = {
        function: environment.function_name(function) for function in environment.function_names
    }
    pace = progress.Pace(options.rate) if options.rate else None
    sizes = memory.sizes(environment)
    letters = check.dead_letters(environment)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        samples = mixture.mixture(directory, options.uploads, options.bad, options.seed)
        http = stack.enter_context(httpx.Client(timeout=60, limits=limits, auth=auth))
        peaks = stack.enter_context(memory.watched(server, names)) if server else {}
        bar = stack.enter_context(shown.progress("Uploading …", len(samples)))
        driver = drive.Driver(Client(environment.api_url, http), options.patience)
        began_ms, began = time.time_ns() // 1_000_000, time.monotonic()
        records = drive.run(driver.upload, samples, options.clients, pace, bar)
        seconds = time.monotonic() - began
    if server is None:
        peaks = memory.reported(environment, began_ms)
    verdict = check.judge(environment, records, letters)
    results = report.summary(records, seconds, verdict, peaks, sizes)
    report.show(shown, results)
    return 0 if results["good"] else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit status."""
    options = parser().parse_args(arguments)
    try:
        with contextlib.closing(environments.find(options.env)) as environment:
            cloud = local_cloud.find() if options.env == environments.LOCAL_NAME else None
            server = cloud.aws.process() if cloud else None
            return run(options, environment, progress.Screen(as_json=options.json), server)
    except (OperationError, TerraformError, BotoCoreError, ClientError) as error:
        progress.error(str(error))
        return 1
    except KeyboardInterrupt:
        progress.error("interrupted; files that were uploaded are still processed")
        return 130


if __name__ == "__main__":
    sys.exit(main())
