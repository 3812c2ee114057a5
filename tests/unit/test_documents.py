"""What the documents name is there: commands, files, links, variables."""

import re
from pathlib import Path

import pytest

from scripts import ROOT

DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("*/*/*.md")]
)


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def document(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_command_is_a_target_of_the_makefile(document: Path) -> None:
    rules = re.findall(r"^([a-z -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    code = re.findall(r"`([^`\n]+)`|^([a-z].*)$", document.read_text(), re.MULTILINE)
    named = {
        name for pair in code for name in re.findall(r"(?:^|\$\()make ([a-z-]+)\b", "".join(pair))
    }
    assert named <= targets


def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    local = [link for link in links if not link.startswith(("https://", "http://", "mailto:"))]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_every_file_that_is_named_exists(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    top = "|".join(sorted(re.escape(path.name) for path in ROOT.iterdir() if path.is_dir()))
    named = re.findall(rf"`((?:{top})/[\w./*-]+)`", text)
    generated = ("build/", ".local/", ".venv/")
    missing = [
        name
        for name in named
        if not name.startswith(generated) and not any(ROOT.glob(name.rstrip("/")))
    ]
    assert missing == []


def test_every_variable_that_is_given_is_declared(document: Path) -> None:
    for block in re.findall(r"^```sh\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
        folder = ROOT
        for line in block.splitlines():
            if match := re.match(r"cd (\S+)", line):
                folder = (ROOT / "envs" / Path(match[1]).name).resolve()
            given = re.findall(r"-var[= ]'?(\w+)=", line)
            if given and folder != ROOT:
                declared = re.findall(r'^variable "(\w+)"', _variables(folder), re.MULTILINE)
                assert set(given) <= set(declared), f"{folder.name}: {line}"


def _variables(folder: Path) -> str:
    return (folder / "variables.tf").read_text()
