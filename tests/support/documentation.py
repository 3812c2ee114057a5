"""The commands that a document tells its reader to type."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def commands(document: Path) -> list[str]:
    """Return the lines of all `sh` blocks, without comments."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in textwrap.dedent(block).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
