"""The inputs and outputs of a Terraform module as Markdown tables.

The reader is for files as `terraform fmt` leaves them: an attribute of a block is indented by two
spaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def _one_line(value: str) -> str:
    lines = [re.sub(r"(^|\s+)#\s.*", "", line.strip()) for line in value.strip().splitlines()]
    lines = [line for line in lines if line]
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
