"""The commands that of a document that a reader types, and a project to type them in."""

from __future__ import annotations

import re
import shutil
import textwrap
from typing import TYPE_CHECKING

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path


_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# In a sentence, what has an argument is a command; `make test` alone may be but a name.
_INLINE = re.compile(r"`(make [a-z-]+ [^`\n]+|eval [^`\n]+)`")


def commands(document: Path) -> list[str]:
    """Return the lines of all `sh` blocks, without comments, and the commands in sentences."""
    text = document.read_text()
    # A continued line is one.
    blocks = "".join(map(textwrap.dedent, _BLOCK.findall(text))).replace("\\\n", "")
    lines = [re.sub(r"(^|\s+)#\s.*", "", line) for line in blocks.splitlines()]
    return [re.sub(r"\s{2,}", " ", line) for line in [*lines, *_INLINE.findall(text)] if line]


def copy_project(target: Path) -> None:
    """Copy the project; what `make setup` and `make package` made of it is taken as it is."""
    shutil.copytree(
        ROOT,
        target,
        ignore=shutil.ignore_patterns(".*", "__pycache__", "*.tfstate*", "*.tfvars"),
        dirs_exist_ok=True,
    )
    shutil.copy2(ROOT / ".python-version", target)
    for path in ROOT.glob("envs/*/.terraform.lock.hcl"):
        shutil.copy2(path, target / path.relative_to(ROOT))
    made = [".venv", *(f".local/{name}" for name in ("emulator", "samples", "packaging"))]
    stamps = target / ".local" / "stamps"
    stamps.mkdir(parents=True)
    for name in made:
        (target / name).symlink_to(ROOT / name)
    for name in ("dev", "emulator"):
        (stamps / name).touch()
