"""What developers type runs with the tools of a Mac, too: BSD's, and GNU make 3.81."""

from __future__ import annotations

import re

import pytest

from scripts import ROOT

FILES = [ROOT / "Makefile", *sorted(ROOT.glob("scripts/**/*.sh"))]
# Options and commands that only GNU's tools or Linux have, and what came to make after 3.81.
ELSEWHERE = re.compile(
    r"\b(?:sed -[ri]|date -d|readlink -f|grep -[a-zA-Z]*P|stat -c|xargs -r|sort -V|head -n -|cp --)"
    r"|\b(?:flock|timeout|tac|nproc|realpath) |/proc/"
    r"|^\.ONESHELL|^\.SHELLFLAGS|^[A-Za-z_]+ !=|::=|\$\(file "
)


def found(text: str) -> list[str]:
    return [line for line in text.splitlines() if ELSEWHERE.search(line)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_needs_gnu_or_linux(path: object) -> None:
    assert found(ROOT.joinpath(str(path)).read_text()) == []


@pytest.mark.parametrize(
    "line", ["\t@sed -i 's/a/b/' x", "x != date", "\t@timeout 5 make", "\t@cat /proc/cpuinfo"]
)
def test_what_does_is_found(line: str) -> None:
    assert found(f"a:\n{line}\n") == [line]
