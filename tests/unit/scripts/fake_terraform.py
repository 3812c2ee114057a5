"""A Terraform CLI of a few lines of shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def install(directory: Path, script: str) -> str:
    """Write `directory/terraform`; return a PATH that leads to it alone.

    The script sees its arguments as they were given and keeps them, a line for each run, in
    `directory/runs`. The shell's own commands are all that it has.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "terraform"
    file.write_text(f"#!/bin/sh\necho \"$*\" >> '{directory}/runs'\n{script}\n")
    file.chmod(0o755)
    return str(directory)


def runs(directory: Path) -> list[str]:
    """Return the arguments of each run so far."""
    return (directory / "runs").read_text().splitlines()
