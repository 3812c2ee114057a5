"""Start and stop the local cloud: `python -m scripts.local_cloud start | stop | status | env`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from scripts import local_cloud

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.local_cloud", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "env"])
    parser.add_argument("--port", type=int, default=0, help="port of the emulator (default: free)")
    options = parser.parse_args(arguments)
    if options.command == "stop":
        local_cloud.stop()
        print("The local cloud is stopped, and all that it held is gone.")
        return 0
    try:
        cloud = (
            local_cloud.start(port=options.port)
            if options.command == "start"
            else local_cloud.find()
        )
    except local_cloud.CloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not cloud:
        print(
            "The local cloud is not running: `make demo` or `make up` starts it.", file=sys.stderr
        )
        return 1
    if options.command == "env":
        for name, value in cloud.environment().items():
            print(f"export {name}={value}")
    else:
        print(f"The local cloud runs at {cloud.aws.url} (logs: {cloud.directory}).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
