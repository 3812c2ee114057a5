"""The commands that a document tells its reader to type."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def commands(document: Path) -> list[str]:
    """Return the lines of all `sh` blocks, without comments; a continued line is one."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL)
    text = "".join(textwrap.dedent(block) for block in blocks).replace("\\\n", "")
    lines = (re.sub(r"(^|\s+)#\s.*", "", line) for line in text.splitlines())
    return [re.sub(r"\s{2,}", " ", line) for line in lines if line]
