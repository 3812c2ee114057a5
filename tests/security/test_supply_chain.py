"""Nothing is installed whose bytes are not named in this repository.

Python packages by hashes, the actions of the workflows by commits, Terraform's provider by its lock
file.
"""

import re

import pytest

from scripts import ROOT

_WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob(".github/actions/*/*.yml")]
_WHERE_INSTALLED = [
    ROOT / "Makefile",
    ROOT / ".pre-commit-config.yaml",
    *ROOT.glob(".ci/*"),
    *ROOT.glob("scripts/**/*.py"),
    *ROOT.glob("scripts/*.sh"),
    *_WORKFLOWS,
]
# A shell's `pip install`, and the words of an argument list.
_INSTALL = re.compile(r"""\bpip3?["',\s]+(?:install|download|sync)\b|\b(?:uvx|pipx|npx)\b""")


def _installs(text: str) -> list[str]:
    """Every command that installs packages, with the lines that continue it."""
    joined = re.sub(r"\\\n\s*", " ", text)
    lines = joined.splitlines()
    return [
        " ".join(lines[number : number + 4]) if line.endswith(",") else line
        for number, line in enumerate(lines)
        # Prose, which quotes commands in backticks, is no command.
        if _INSTALL.search(line) and not line.lstrip().startswith("#") and "`" not in line
    ]


def test_every_installation_asks_for_hashes() -> None:
    installs = {p: _installs(p.read_text()) for p in _WHERE_INSTALLED if p.is_file()}
    assert sum(map(len, installs.values())) == 5
    missing = [
        f"{path.relative_to(ROOT)}: {command.strip()}"
        for path, commands in installs.items()
        for command in commands
        if "--require-hashes" not in command
    ]
    assert not missing


@pytest.mark.parametrize(
    "command", ["pip install x", "uv pip install -r x.txt", '"pip", "download", "x"', "uvx ruff"]
)
def test_an_installation_is_recognised(command: str) -> None:
    assert _installs(command)


def test_every_locked_package_has_hashes() -> None:
    locks = [*ROOT.glob("requirements/*.txt"), *ROOT.glob("functions/*/requirements.txt")]
    assert len(locks) == 8
    for lock in locks:
        entries = re.sub(r"\\\n\s*", " ", lock.read_text()).splitlines()
        packages = [line for line in entries if line and not line.lstrip().startswith("#")]
        assert packages
        assert [line for line in packages if "--hash=sha256:" not in line] == [], lock


def test_actions_are_named_by_commit_and_version() -> None:
    uses = {
        line.strip().removeprefix("- ").removeprefix("uses: ")
        for path in _WORKFLOWS
        for line in path.read_text().splitlines()
        if re.match(r"\s*(?:- )?uses:", line)
    }
    assert uses
    # `$/` is this repository at the commit of the workflow.
    foreign = {name for name in uses if not name.startswith("$/")}
    assert [u for u in foreign if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", u)] == []
    # One version of each action.
    assert len({name.partition("@")[0] for name in foreign}) == len(foreign)


def test_every_root_locks_its_providers() -> None:
    roots = list(ROOT.glob("envs/*/versions.tf"))
    assert roots
    for versions in roots:
        lock = versions.with_name(".terraform.lock.hcl").read_text()
        # "zh" hashes are those of the registry's archives, one for each platform.
        assert lock.count('"zh:') > 1, versions
