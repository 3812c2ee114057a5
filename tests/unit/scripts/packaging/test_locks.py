from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import locks

LOCK = "six==1.16.0 \\\n    --hash=sha256:00\nurllib3==2.0 ; extra\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lock = tmp_path / "functions/f/requirements.txt"
    lock.parent.mkdir(parents=True)
    lock.write_text(LOCK)
    lock.with_suffix(".in").touch()
    lock.with_name("notes.txt").write_text("no==1\n")
    return tmp_path


def answer_with(
    monkeypatch: pytest.MonkeyPatch, *, code: int = 0, out: str = "", err: str = "", file: str = ""
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        if file:
            Path(command[command.index("--output") + 1]).write_text(file)
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(subprocess, "run", run)


def test_newer_versions_are_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, out="six==1.17.0\nurllib3==2.0\nnew==1\n")
    assert locks.main(["outdated"], project) == 0
    said = capsys.readouterr().out
    assert "outdated: six 1.16.0 -> 1.17.0\n" in said
    assert "outdated: 1 packages" in said


def test_requirements_that_cannot_be_resolved(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer_with(monkeypatch, code=1, err="no network")
    assert locks.main(["outdated"], project) == 1
    said = capsys.readouterr().err
    assert "uploads/pyproject.toml, functions/f/requirements.in cannot be resolved" in said
    assert "no network" in said


def test_vulnerabilities_are_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = {"id": "PYSEC-1", "fix_versions": ["1.17.0"]}
    unfixed = {"id": "PYSEC-2", "fix_versions": []}
    packages: list[dict[str, Any]] = [
        {"name": "six", "version": "1.16.0", "vulns": [problem, unfixed]},
        {"name": "urllib3", "version": "2.0", "skip_reason": "unknown"},
    ]
    answer_with(monkeypatch, code=1, file=json.dumps({"dependencies": packages}))
    assert locks.main(["audit"], project) == 1
    said = capsys.readouterr().out
    assert "six 1.16.0: PYSEC-1, fixed in 1.17.0" in said
    assert "PYSEC-2, fixed in no version yet" in said
    assert "audit: not in the vulnerability database: urllib3\n" in said
    assert "audit: 2 known vulnerabilities; 1 pins in 1 locks looked up" in said
    answer_with(monkeypatch, file=json.dumps({"dependencies": [packages[0] | {"vulns": []}]}))
    assert locks.main(["audit"], project) == 0
    assert "not in the" not in capsys.readouterr().out


def test_a_database_that_knows_nothing_is_no_audit(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = [{"name": "six", "skip_reason": "Dependency not found"}]
    answer_with(monkeypatch, file=json.dumps({"dependencies": packages}))
    assert locks.main(["audit"], project) == 0
    assert "audit: skipped, the vulnerability database knows nothing in functions/f/" in (
        capsys.readouterr().out
    )


@pytest.mark.parametrize(("err", "reason"), [("a\nno route\n", "no route"), ("", "exit status 1")])
def test_an_audit_without_a_database_is_skipped(
    *,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    err: str,
    reason: str,
) -> None:
    answer_with(monkeypatch, code=1, err=err)
    assert locks.main(["audit"], project) == 0
    assert f"audit: skipped, the vulnerability database did not answer: {reason}" in (
        capsys.readouterr().out
    )
