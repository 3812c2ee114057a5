"""The structure of a JPEG file, read without decoding anything.

Pillow keeps the metadata of a file in memory, and libjpeg keeps the coefficients of the whole
picture when it is stored in several scans; both must be known before either is read.

Source of the format: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from image_processor.structure import Structure

if TYPE_CHECKING:
    from typing import BinaryIO

_START: Final = 0xD8
_END: Final = 0xD9
_SCAN: Final = 0xDA
# Baseline, extended and progressive DCT, with Huffman or arithmetic coding: what libjpeg scales.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_PROGRESSIVE: Final = frozenset({0xC2, 0xCA})
_OTHER_FRAMES: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
# Sequential DCT with Huffman coding: with one scan, rows are decoded as their data come.
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
# The decoder reads some bits ahead. These bits are not a valid code, so they never become pixels.
PADDING: Final = b"\xfe" * 8
_TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})

# In compressed data, FF is followed by 00 or by a restart marker (D0 to D7).
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_CHUNK_BYTES: Final = 256 * 1024
_HEAD_BYTES: Final = 4
# A file of the largest allowed size has a few thousand, of 64 KB each.
_MOST_PARTS: Final = 10_000
_COEFFICIENT_BYTES: Final = 2
_BITS: Final = b"\x08"  # of a sample; libjpeg-turbo, as Pillow has it, reads no 12
_BLOCK: Final = 8


def read_structure(file: BinaryIO, *, max_scans: int) -> Structure:
    """Walk through the segments of a JPEG file, to its end or until a limit is exceeded."""
    found = Structure(most_parts=_MOST_PARTS)
    components = 0
    coefficient_bytes = 0
    sequential = False
    passes = _Passes()
    file_bytes = file.seek(0, 2)
    file.seek(0)
    end = file_bytes
    while (marker := _next_marker(file)) is not None:
        found.parts += 1
        end = file.tell() - 2 if marker == _END else end
        if marker == _END or found.parts > _MOST_PARTS:
            break
        # A picture has one frame, before its scans: what looks like another is in a damaged scan.
        if marker == _START or (found.scans and marker in _OTHER_FRAMES | _FRAMES):
            continue
        length = int.from_bytes(file.read(2)) - 2
        if length < 0:
            continue
        after = file.tell() + length
        if marker in _OTHER_FRAMES:
            found.supported = False
        elif marker in _FRAMES:
            frame = file.read(length)
            found.progressive = marker in _PROGRESSIVE
            sequential = marker in _SEQUENTIAL
            components, coefficient_bytes = _coefficients(frame)
            passes = _Passes(frame)
            found.supported &= frame[:1] == _BITS
        elif marker == _SCAN:
            found.scans += 1
            in_scan = int.from_bytes(file.read(1))
            passes.note(file.read(max(0, length - 1)))
            if found.progressive or in_scan < components:
                found.coefficient_bytes = coefficient_bytes
            if found.scans > max_scans:
                break
        elif marker not in _TABLES:
            found.metadata_bytes += min(length + _HEAD_BYTES, file_bytes)
        file.seek(after)
    if sequential and found.scans == 1 and not found.coefficient_bytes:
        found.rows_end = end
    found.missing_scans = found.progressive and found.scans > 0 and not passes.are_complete
    return found


class _Passes:
    """The bits of each coefficient that the scans of a progressive JPEG have delivered.

    Of each component's 64 coefficients, a pass gives some, down to one of their bits (T.81, G.1.1).
    """

    def __init__(self, frame: bytes = b"") -> None:
        self._lowest_bits = {component: [_BLOCK] * _BLOCK**2 for component in frame[6::3]}

    def note(self, head: bytes) -> None:
        """Note a pass by the head of its scan, behind the number of components."""
        first, last, bits = head[-3:].rjust(3, b"\0")
        for component in head[:-3:2]:
            lowest_bits = self._lowest_bits.get(component, [])
            lowest_bits[first : last + 1] = [bits & 15] * len(lowest_bits[first : last + 1])

    @property
    def are_complete(self) -> bool:
        """Return whether every bit of every coefficient was given."""
        return not any(map(any, self._lowest_bits.values()))


def _next_marker(file: BinaryIO) -> int | None:
    """Return the next marker and leave the file behind it."""
    while chunk := file.read(_CHUNK_BYTES):
        match = _MARKER.search(chunk)
        if match:
            file.seek(match.end() - len(chunk), 1)
            return chunk[match.end() - 1]
        if chunk.endswith(b"\xff") and len(chunk) > 1:
            file.seek(-1, 1)
    return None


def _coefficients(frame: bytes) -> tuple[int, int]:
    """Return the number of components of a frame and the size of all their coefficients."""
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    factors = [(byte >> 4, byte & 15) for byte in frame[7::3]]
    across = max((h for h, _ in factors), default=1) * _BLOCK or _BLOCK
    down = max((v for _, v in factors), default=1) * _BLOCK or _BLOCK
    units = -(-width // across) * -(-height // down)
    blocks = units * sum(h * v for h, v in factors)
    return len(factors), blocks * _BLOCK * _BLOCK * _COEFFICIENT_BYTES
