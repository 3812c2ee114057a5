"""The structure of a PNG file, read without decoding anything.

Pillow reads every chunk that is not picture into memory, so their size must be known before.

Source of the format: Portable Network Graphics (third edition), section 5.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from image_processor.structure import Structure
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from PIL.Image import Image

# Of sRGB: exponent of the transfer function, and x and y of white, red, green and blue.
_SRGB_GAMMA: Final = 0.45455
_SRGB_PLACES: Final = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_NEAR: Final = 0.01
_SIGNATURE_BYTES: Final = 8
_CHUNK_BYTES: Final = 12  # length, type and checksum
_ZLIB_HEADER_BYTES: Final = 2
_INFLATED_BYTES: Final = 1024 * 1024
_CODED_COLOURS_BYTES: Final = 4  # primaries, transfer function, matrix, full range
# A file of the largest allowed size has 32,768 of the 8 KiB that libpng makes.
_MOST_PARTS: Final = 200_000
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"fdAT", b"IEND"})


def read_structure(file: BinaryIO) -> Structure:
    """Walk through the chunks of a PNG file, to its end or until a limit is exceeded."""
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


def check_header(image: Image, head: bytes) -> None:
    """Make the colour that stands for transparency comparable with the pixels.

    Pillow spreads pixels of 2 and 4 bits over 8, and leaves this value as it is in the file.

    Args:
        image: an opened PNG; its `info` is changed.
        head: the first bytes of the file.

    Raises:
        RejectedError: the palette is missing.
    """
    if image.mode == "P" and image.palette is None:
        raise RejectedError(
            "corrupt_image", "The pixels are numbers of colours in a palette, which is missing."
        )
    bits, clear = head[24], image.info.get("transparency")
    if image.mode == "L" and bits < 8 and isinstance(clear, int):
        image.info["transparency"] = clear * 255 // (2**bits - 1)
    elif image.mode == "RGB" and bits > 8 and isinstance(clear, tuple):
        image.info["transparency"] = tuple(part >> 8 for part in clear)


def mend_checksum(path: Path, size: tuple[int, int]) -> bool:
    """Write the right checksum behind the pixels of a PNG, where only that is wrong.

    Args:
        path: the file, changed in place.
        size: width and height of the picture.

    Returns:
        Whether all pixels are present, and the checksum was wrong.
    """
    data = path.read_bytes()
    chunks = list(_chunks(data))
    packed = b"".join(data[start:end] for kind, start, end in chunks if kind == b"IDAT")
    right = _checksum(packed[_ZLIB_HEADER_BYTES:], most=8 * size[0] * size[1] + 16 * size[1] + 64)
    if right is None:
        return False
    checksum, unused = right
    stored = packed[len(packed) - unused :][: len(checksum)]
    if stored == checksum:
        return False
    pixels = packed[: len(packed) - unused] + checksum
    with path.open("wb") as file:
        file.write(data[:_SIGNATURE_BYTES])
        written = False
        for kind, start, end in chunks:
            if kind != b"IDAT":
                file.write(_chunk(kind, data[start:end]))
            elif not written:
                file.write(_chunk(kind, pixels))
                written = True
    return True


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type of each chunk, and where its content starts and ends."""
    position = _SIGNATURE_BYTES
    while position + _CHUNK_BYTES <= len(data):
        length = int.from_bytes(data[position : position + 4])
        start = position + 8
        yield data[position + 4 : start], start, min(start + length, len(data))
        position = start + length + 4


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return len(content).to_bytes(4) + kind + content + check.to_bytes(4)


def _checksum(packed: bytes, *, most: int) -> tuple[bytes, int] | None:
    """Return the Adler-32 of what deflated data hold, and the number of bytes behind them.

    Args:
        packed: deflated data without the header of zlib.
        most: size that they may have at the most.

    Returns:
        None if the data are damaged, cut, or larger.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    check, size = 1, 0
    try:
        while packed and not inflater.eof and size <= most:
            plain = inflater.decompress(packed, _INFLATED_BYTES)
            check, size = zlib.adler32(plain, check), size + len(plain)
            packed = inflater.unconsumed_tail
    except zlib.error:
        return None
    return (check.to_bytes(4), len(inflater.unused_data)) if inflater.eof else None


def has_other_colours(info: Mapping[Any, Any]) -> bool:
    """Return whether a PNG without a profile says (gAMA, cHRM) that its colours are not sRGB.

    Args:
        info: what Pillow read of it.
    """
    if "srgb" in info or "icc_profile" in info:
        return False
    gamma = info.get("gamma") or _SRGB_GAMMA
    places = info.get("chromaticity") or _SRGB_PLACES
    found = zip((gamma, *places), (_SRGB_GAMMA, *_SRGB_PLACES), strict=True)
    return any(abs(one - other) > _NEAR for one, other in found)
