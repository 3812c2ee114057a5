"""The structure of a GIF file, read without decoding anything.

Pillow reads the comments before a frame into memory, piece by piece.

Source of the format: Graphics Interchange Format, version 89a, sections 15 to 27.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from image_processor.structure import Structure

if TYPE_CHECKING:
    from typing import BinaryIO

_SCREEN_BYTES: Final = 13
_EXTENSION: Final = b"\x21"
_FRAME: Final = b"\x2c"
_END: Final = b"\x3b"
# A file of the largest allowed size has a million blocks of 255 bytes.
_MOST_PARTS: Final = 1_500_000


def read_structure(file: BinaryIO) -> Structure:
    """Walk through the blocks of a GIF file, to its second frame or until a limit is exceeded."""
    found = Structure(most_parts=_MOST_PARTS)
    frames = 0
    _skip_colours(file, file.read(_SCREEN_BYTES)[10:11])
    while found.parts <= _MOST_PARTS and (kind := file.read(1)) not in {_END, b""}:
        found.parts += 1
        if kind == _EXTENSION:
            file.seek(1, 1)
            found.metadata_bytes += _skip_blocks(file, found)
        elif kind == _FRAME:
            frames += 1
            if frames > 1:
                break
            _skip_colours(file, file.read(9)[8:9])
            file.seek(1, 1)
            _skip_blocks(file, found)
    return found


def _skip_colours(file: BinaryIO, flags: bytes) -> None:
    """Skip a table of colours, if the flags announce one."""
    if flags and flags[0] & 0x80:
        file.seek(3 << (flags[0] & 7) + 1, 1)


def _skip_blocks(file: BinaryIO, found: Structure) -> int:
    """Skip a row of data blocks up to its end mark; return its size."""
    size = 0
    while found.parts <= _MOST_PARTS and (length := int.from_bytes(file.read(1))):
        found.parts += 1
        size += length + 1
        file.seek(length, 1)
    return size
