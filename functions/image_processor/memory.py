"""Memory that the process keeps from one picture to the next."""

from __future__ import annotations

import ctypes
from typing import Final

from PIL import Image

# Of 16 MiB each. To take fresh pages from the system costs a tenth of the time that a phone's
# photograph needs.
_KEPT_BLOCKS: Final = 2


def keep_little(*, large: bool) -> None:
    """Let Pillow keep blocks of a small picture for the next; give all back before a large one.

    Otherwise free memory between two used blocks stays with the process, and is missing when the
    decoder of a large picture allocates.
    """
    Image.core.set_blocks_max(0 if large else _KEPT_BLOCKS)  # type: ignore[attr-defined]  # documented
    if large:
        ctypes.CDLL(None).malloc_trim(0)
