from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts.maintenance import locks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    requirements = tmp_path / "functions/f/requirements.in"
    requirements.parent.mkdir(parents=True)
    requirements.touch()
    groups = "[dependency-groups]\ndev = []\nsamples = []\n"
    (tmp_path / "pyproject.toml").write_text(groups)
    return tmp_path


def test_every_group_and_every_function_is_locked(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    failing = "-"

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, int(command[-1].startswith(failing)))

    monkeypatch.setattr(subprocess, "run", run)
    assert locks.main([], project) == 0
    written = {command[-1]: command[command.index("make lock") + 1 : -2] for command in commands}
    shared, own = "functions/uploads/pyproject.toml", "functions/f/requirements.in"
    of_functions = ["functions/uploads/requirements.txt", "functions/f/requirements.txt"]
    assert written == {
        of_functions[0]: [shared],
        of_functions[1]: [shared, own],
        "requirements/dev.txt": [
            *("--group", "pyproject.toml:dev", shared, own),
            *(option for lock in of_functions for option in ("-c", lock)),
        ],
        "requirements/samples.txt": ["--group", "pyproject.toml:samples", "--no-deps"],
    }
    for failing in ("functions/f/", "requirements/dev"):
        assert locks.main(["--upgrade"], project) == 1
        assert "--upgrade" in commands[-1]
        assert commands[-1][-1].startswith(failing)
