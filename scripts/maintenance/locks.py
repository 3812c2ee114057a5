"""Lock the dependencies: `python -m scripts.maintenance.locks [--upgrade]`.

Writes a lock with hashes for each group of pyproject.toml into requirements/, and for each function
beside it; with --upgrade of the newest versions.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.packaging.wheels import find_uv

if TYPE_CHECKING:
    from collections.abc import Sequence

# Dependencies of every function, beside its own requirements.in.
_SHARED = "functions/uploads/pyproject.toml"
# Read from disk, never imported.
_WITHOUT_DEPENDENCIES = "samples"


def main(arguments: "Sequence[str] | None" = None, root: Path = ROOT) -> int:
    """Write the locks; return the exit status of the resolver, which prints its errors."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.maintenance.locks", description="Write the locks."
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    upgrade = parser.parse_args(arguments).upgrade
    own = sorted(path.relative_to(root) for path in root.glob("functions/*/requirements.in"))
    functions = {"functions/uploads/requirements.txt": [_SHARED]}
    functions |= {str(path.with_suffix(".txt")): [_SHARED, str(path)] for path in own}
    for lock, requirements in functions.items():
        if status := _compile(root, lock, requirements, upgrade=upgrade):
            return status
    # The tests import the functions, at the versions that are shipped.
    shipped = [option for lock in functions for option in ("-c", lock)]
    for group in tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]:
        requirements = ["--group", f"pyproject.toml:{group}"]
        if group == "dev":
            requirements += [_SHARED, *map(str, own), *shipped]
        if group == _WITHOUT_DEPENDENCIES:
            requirements.append("--no-deps")
        if status := _compile(root, f"requirements/{group}.txt", requirements, upgrade=upgrade):
            return status
    return 0


def _compile(root: Path, lock: str, requirements: list[str], *, upgrade: bool) -> int:
    command = [
        *(find_uv(), "pip", "compile", "--quiet", "--universal", "--python-version", "3.12"),
        # The address of the index is the reader's own.
        *("--generate-hashes", "--no-emit-index-url", "--custom-compile-command", "make lock"),
        *(["--upgrade"] if upgrade else []),
        *(*requirements, "-o", lock),
    ]
    return subprocess.run(command, cwd=root, stdout=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
