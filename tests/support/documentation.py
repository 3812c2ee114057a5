"""The commands that a document tells its reader to type."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

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
