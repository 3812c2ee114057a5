"""The structure of a PNG file, read without decoding anything.

Pillow reads every chunk that is not picture into memory, so their size must be known before.

Source of the format: Portable Network Graphics (third edition), section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from image_processor.structure import Structure

if TYPE_CHECKING:
    from typing import BinaryIO

    from PIL.Image import Image

_SIGNATURE_BYTES: Final = 8
_CHUNK_BYTES: Final = 12  # length, type and checksum
_CODED_COLOURS_BYTES: Final = 4  # primaries, transfer function, matrix, full range
# A file of the largest allowed size has 32,768 of the 8 KiB that libpng makes.
_MOST_PARTS: Final = 200_000
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"IEND"})


def read_structure(file: BinaryIO) -> Structure:
    """Walk through the chunks of a PNG file, up to its end or to more than is allowed."""
    found = Structure(most_parts=_MOST_PARTS)
    file_bytes = file.seek(0, 2)
    file.seek(_SIGNATURE_BYTES)
    while found.parts <= _MOST_PARTS and len(head := file.read(8)) == 8 and head[4:] != b"IEND":
        length = int.from_bytes(head[:4])
        found.parts += 1
        if head[4:] not in _PICTURE:
            found.metadata_bytes += min(length + _CHUNK_BYTES, file_bytes)
        if head[4:] == b"cICP":
            found.coded_colours = file.read(_CODED_COLOURS_BYTES)
            file.seek(-len(found.coded_colours), 1)
        file.seek(length + 4, 1)
    return found


def scale_transparency(image: Image, head: bytes) -> None:
    """Make the grey that stands for transparency comparable with the pixels.

    Pillow spreads pixels of 2 and 4 bits over 8, and leaves this value as it is in the file.

    Args:
        image: an opened PNG; its `info` is changed.
        head: the first bytes of the file.
    """
    bits, grey = head[24], image.info.get("transparency")
    if image.mode == "L" and bits < 8 and isinstance(grey, int):
        image.info["transparency"] = grey * 255 // (2**bits - 1)
