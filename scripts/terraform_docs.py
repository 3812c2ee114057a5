"""Writes the inputs and outputs tables of the modules' READMEs from the code.

    python -m scripts.terraform_docs            write
    python -m scripts.terraform_docs --check    say which are out of date, and fail

The tables stand between two marker comments. The reader is for files as `terraform fmt` leaves
them: an attribute of a block is indented by two spaces.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scripts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BEGIN: Final = "<!-- inputs and outputs: made by `make docs` -->"
END: Final = "<!-- end of inputs and outputs -->"

_BLOCK: Final = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
_ATTRIBUTE: Final = re.compile(
    r"^  (\w+) +=(?: +)(.*?)(?=^  \w+ *[={]|^  \w+ \{|\Z)", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """A variable or an output.

    Attributes:
        kind: `variable` or `output`.
        name: its name.
        attributes: source text by attribute, on one line.
    """

    kind: str
    name: str
    attributes: dict[str, str]


def blocks(source: str) -> Iterator[Block]:
    """Read the variables and outputs of a Terraform file."""
    for kind, name, body in _BLOCK.findall(source):
        attributes = {key: _one_line(value) for key, value in _ATTRIBUTE.findall(body)}
        yield Block(kind, name, attributes)


def tables(module: Path) -> str:
    """Return the inputs and outputs of a module as two Markdown tables."""
    files = sorted(module.glob("*.tf"))
    found = [block for file in files for block in blocks(file.read_text(encoding="utf-8"))]
    lines = ["## Inputs", "", "| name | description | type | default |", "|---|---|---|---|"]
    for block in found:
        if block.kind == "variable":
            default = block.attributes.get("default")
            lines.append(
                f"| `{block.name}` | {_description(block)} | {_code(block.attributes['type'])} "
                f"| {_code(default) if default is not None else 'required'} |"
            )
    lines += ["", "## Outputs", "", "| name | description |", "|---|---|"]
    lines += [f"| `{b.name}` | {_description(b)} |" for b in found if b.kind == "output"]
    return "\n".join(lines)


def updated(readme: str, content: str) -> str:
    """Return a README with what stands between the markers replaced.

    Raises:
        ValueError: a marker is missing.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the README has no place for the tables: it needs {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def main(arguments: Sequence[str], modules: Path = ROOT / "modules") -> int:
    """Write the tables of every module's README, or check them."""
    stale = []
    for readme in sorted(modules.glob("*/README.md")):
        present = readme.read_text(encoding="utf-8")
        wanted = updated(present, tables(readme.parent))
        if wanted == present:
            continue
        stale.append(readme)
        if "--check" not in arguments:
            readme.write_text(wanted, encoding="utf-8")
    for readme in stale:
        print(
            f"{readme}: {'out of date, run `make docs`' if '--check' in arguments else 'written'}"
        )
    return 1 if stale and "--check" in arguments else 0


def _one_line(value: str) -> str:
    lines = [line.strip() for line in value.strip().splitlines()]
    text = ""
    for line in lines:
        separator = "" if not text else " " if text[-1] in "{[(" or line[0] in "}])" else ", "
        text += separator + re.sub(r" +=", " =", line.rstrip(","))
    return text.replace("( ", "(").replace(" )", ")")


def _description(block: Block) -> str:
    text = block.attributes["description"].strip('"').replace('\\"', '"')
    return text.replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
