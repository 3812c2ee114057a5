"""The same inputs give the same bytes, in worlds that differ in all that must not matter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FUNCTIONS = ("api_handler", "image_processor")


def copy_project(target: Path, *, reverse: bool) -> Path:
    """Copy what the packager reads; `reverse` makes the files in the other order."""
    files = sorted(
        path
        for part in ("functions", "scripts")
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    for file in reversed(files) if reverse else files:
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        copy.chmod(0o600 if reverse else 0o664)
        os.utime(copy, (1_000_000_000, 1_000_000_000) if reverse else None)
    return target


def build(project: Path, *, umask: int = 0o022, jobs: int = 2, **environment: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "scripts.package", *FUNCTIONS, "--jobs", str(jobs)],
        cwd=project,
        env={**os.environ, **environment},
        umask=umask,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def outputs(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / "build").iterdir()}


def test_two_worlds_build_the_same_bytes(tmp_path: Path) -> None:
    first = copy_project(tmp_path / "first", reverse=False)
    second = copy_project(tmp_path / "a second place" / "deeper", reverse=True)
    build(first, TZ="Pacific/Kiritimati", LC_ALL="C", PYTHONHASHSEED="1", UV_LINK_MODE="copy")
    build(
        second,
        umask=0o077,
        jobs=1,
        TZ="America/Los_Angeles",
        LC_ALL="tr_TR.UTF-8",
        PYTHONHASHSEED="2",
        PYTHONOPTIMIZE="2",
        SOURCE_DATE_EPOCH="1",
        HOME=str(tmp_path),
    )
    expected = outputs(first)
    assert len(expected) == 3 * 2 * len(FUNCTIONS) + 1
    assert outputs(second) == expected

    # With warm caches, after a change and back.
    source = second / "functions/api_handler/index.py"
    before = source.read_bytes()
    source.write_bytes(before + b"\n")
    build(second)
    changed = {name for name, content in outputs(second).items() if content != expected[name]}
    assert {name.partition("-")[0] for name in changed} == {"api_handler", "manifest.json"}
    source.write_bytes(before)
    build(second)
    assert outputs(second) == expected


def test_two_builds_at_once_leave_whole_zips(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", reverse=False)
    command = [sys.executable, "-m", "scripts.package", "api_handler"]
    builds = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in builds]
    assert [process.returncode for process in builds] == [0, 0]
    assert sum("sha256" in text for text in said) == 1, "one builds, the other finds it done"
    manifest = json.loads((project / "build/manifest.json").read_bytes())
    assert len(manifest["packages"]) == 2
    assert not list((project / "build").glob(".*"))
