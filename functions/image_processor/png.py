"""The structure of a PNG file, read without decoding anything.

Pillow reads every chunk that is not picture into memory, so their size must be known before.

Source of the format: Portable Network Graphics (third edition), section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from image_processor.structure import Structure

if TYPE_CHECKING:
    from typing import BinaryIO

_SIGNATURE_BYTES: Final = 8
_CHUNK_BYTES: Final = 12  # length, type and checksum
# A file of the largest allowed size has 32,768 of the 8 KiB that libpng makes.
_MOST_PARTS: Final = 200_000
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"IEND"})


def read_structure(file: BinaryIO) -> Structure:
    """Walk through the chunks of a PNG file, up to its end or to more than is allowed."""
    found = Structure(most_parts=_MOST_PARTS)
    file.seek(_SIGNATURE_BYTES)
    while found.parts <= _MOST_PARTS and len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4])
        found.parts += 1
        if head[4:] not in _PICTURE:
            found.metadata_bytes += length + _CHUNK_BYTES
        file.seek(length + 4, 1)
    return found
