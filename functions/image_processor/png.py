"""The structure of a PNG file, read without decoding anything.

Pillow reads every chunk that is not picture into memory, so their size must be known before.

Source of the format: Portable Network Graphics (third edition), section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

_SIGNATURE_BYTES: Final = 8
_CHUNK_BYTES: Final = 12  # length, type and checksum
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"IEND"})


def metadata_bytes(file: BinaryIO, *, most: int) -> int:
    """Return the size of all chunks that are not picture; stop when it exceeds `most`."""
    found = 0
    file.seek(_SIGNATURE_BYTES)
    while found <= most and len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4])
        if head[4:] not in _PICTURE:
            found += length + _CHUNK_BYTES
        file.seek(length + 4, 1)
    return found
