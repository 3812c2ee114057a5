"""The operator's commands for a deployed environment; docs/operations.md explains when to use them.

python -m scripts.operations {redrive,reprocess,doctor,logs} --help
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from scripts.operations import doctor, environment, logs, progress, redrive, reprocess
from scripts.operations.errors import OperationError
from scripts.terraform import TerraformError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

COMMANDS: Final[dict[str, ModuleType]] = {
    "redrive": redrive,
    "reprocess": reprocess,
    "doctor": doctor,
    "logs": logs,
}


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    described = argparse.ArgumentParser(
        prog="python -m scripts.operations",
        description="Look after a deployed environment.",
    )
    commands = described.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        text = str(module.__doc__)
        command = commands.add_parser(
            name,
            help=text.splitlines()[0],
            description=text,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_argument(
            "--env",
            default=environment.LOCAL_NAME,
            metavar="ENV",
            help="a folder of envs/, or the path of one (default: local, the emulator's)",
        )
        command.add_argument("--json", action="store_true", help="print JSON and nothing else")
        module.add_arguments(command)
    return described


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit status."""
    options = parser().parse_args(arguments)
    try:
        with contextlib.closing(environment.find(options.env)) as found:
            shown = progress.Screen(as_json=options.json)
            return int(COMMANDS[options.command].run(options, found, shown))
    except (OperationError, TerraformError, BotoCoreError, ClientError) as error:
        progress.error(str(error))
        return 1
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        progress.error("interrupted; nothing is lost, and the same command continues from here")
        return 130


if __name__ == "__main__":
    # A job that is cancelled ends as one that is interrupted: it puts back what it holds.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
