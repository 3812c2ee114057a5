"""The same inputs give the same bytes, in worlds that differ in all that must not matter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from scripts import ROOT
from scripts.packaging.project import host_architecture, list_functions
from scripts.packaging.wheels import find_uv

if TYPE_CHECKING:
    from pathlib import Path

FUNCTIONS = list_functions(ROOT / "functions")


def copy_project(target: Path) -> Path:
    """Copy what the packager reads: made in reverse order, years ago, readable by nobody else."""
    files = [
        path
        for part in ("functions", "scripts", "requirements")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    for file in sorted(files, reverse=True):
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o600)
        os.utime(copy, (1_000_000_000, 1_000_000_000))
    return target


def outputs(build: Path) -> dict[str, bytes]:
    """Return what was built for this machine."""
    pattern = f"*-{host_architecture()}.*"
    return {path.name: path.read_bytes() for path in build.glob(pattern)}


def test_two_worlds_build_the_same_bytes(packages: Path, tmp_path: Path) -> None:
    expected = outputs(packages)
    assert len(expected) == 3 * len(FUNCTIONS)
    downloads = subprocess.check_output([find_uv(), "cache", "dir"], text=True).strip()
    project = copy_project(tmp_path / "a second place" / "deeper")

    def build() -> dict[str, bytes]:
        subprocess.run(
            [sys.executable, "-m", "scripts.packaging", "--arch", "host", "--jobs", "1"],
            cwd=project,
            env=os.environ
            | {
                "TZ": "Pacific/Kiritimati",
                "LC_ALL": "tr_TR.UTF-8",
                "PYTHONHASHSEED": "2",
                "PYTHONOPTIMIZE": "2",
                "SOURCE_DATE_EPOCH": "1",
                "UV_LINK_MODE": "copy",
                "HOME": str(tmp_path),
                # Another home has no downloads; those are checked by their hashes.
                "UV_CACHE_DIR": downloads,
            },
            umask=0o077,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return outputs(project / "build")

    assert build() == expected

    # With warm caches, after a change and back.
    source = project / "functions/api_handler/index.py"
    before = source.read_bytes()
    source.write_bytes(before + b"\n")
    changed = {name for name, content in build().items() if content != expected[name]}
    assert {name.partition("-")[0] for name in changed} == {"api_handler"}
    source.write_bytes(before)
    assert build() == expected
