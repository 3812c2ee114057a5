"""A missing wheel is explained; builds that are killed or meet leave whole zips."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from scripts.packaging import __main__ as packaging

if TYPE_CHECKING:
    from pathlib import Path

NO_HASH = "0" * 64


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("pywin32==306", "pywin32 306"),  # wheels for Windows alone
        ("docopt==0.6.2", "docopt 0.6.2"),  # sources alone
    ],
)
def test_a_missing_wheel_is_named(
    *, project: Path, requirement: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = project / "functions/small/requirements.txt"
    lock.write_text(f"{requirement} --hash=sha256:{NO_HASH}\n")
    assert packaging.main(["--arch", "arm64"], project) == 1
    assert capsys.readouterr().err == (
        f"package: {name} has no wheel for Python 3.12 on aarch64-manylinux_2_28. Choose a version "
        f"that has one in {lock.with_suffix('.in')}, then run `make lock`.\n"
    )
    assert not (project / "build").exists()


def test_a_killed_build_leaves_nothing_broken(project: Path) -> None:
    command = [sys.executable, "-m", "scripts.packaging", "--arch", "host"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as build:
        assert build.stdout
        assert any("installing dependencies" in line for line in build.stdout)
        # With the installer that it started.
        os.killpg(build.pid, signal.SIGKILL)
    assert not list(project.glob("build/*"))
    left = list(project.glob(".local/packaging/install-*"))
    assert left
    subprocess.run(command, cwd=project, check=True, stdout=subprocess.DEVNULL)
    assert {path.suffix for path in (project / "build").iterdir()} == {".zip", ".json"}
    assert not any(path.exists() for path in left)


def test_two_builds_at_once_leave_whole_zips(project: Path) -> None:
    command = [sys.executable, "-m", "scripts.packaging"]
    builds = [
        subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in builds]
    assert [process.returncode for process in builds] == [0, 0]
    assert sum("sha256" in text for text in said) == 1, "one builds, the other finds it done"
    assert len(list((project / "build").glob("*.zip"))) == 2
    assert not list((project / "build").glob(".*"))
