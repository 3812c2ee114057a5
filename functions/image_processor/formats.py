"""The formats of pictures: what is special about each of them, in one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from image_processor import gif, heif, jpeg, png, tiff
from image_processor.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from PIL.Image import Image

    from image_processor.settings import Settings


@dataclass(frozen=True, slots=True)
class Format:
    """What is special about a format.

    Attributes:
        name: as Pillow has it.
        endings: of the names of its files, in lower case.
        begins: what its files begin with.
        read_structure: what is known of a file before its header is read.
        prepare: called before Pillow opens a file.
        check_header: called with what Pillow read of the header, and the first bytes; may mend it.
        opens_damaged: whether Pillow has to ignore faults beside the picture to open a file.
        has_read_all: whether Pillow reads all metadata with the header.
        coded_colours: codes of the colours, see `structure.Structure`, where the header has them.
        scales: whether the decoder can make the picture smaller.
        decoder_bytes: memory of the decoder beside the picture, in bytes a pixel: libtiff holds a
            strip, which may be everything; those of WebP and AVIF hold several pictures at once.
        freed_bytes: the same, of a decoder that gives it back before the pixels are scaled.
        file_copies: how often the file is in memory: once for what its metadata may be, twice where
            it is read whole.
        moves: whether a file may have frames.
        pages: how many pictures follow each other in a file.
        is_preview: whether the first one is a reduced version of another one.
        mend: mends a file whose pixels are refused though they are all there; says if it did.
    """

    name: str
    endings: tuple[str, ...]
    begins: re.Pattern[bytes]
    read_structure: Callable[[BinaryIO, Settings], Structure] = lambda _, __: Structure()
    prepare: Callable[[], None] = lambda: None
    check_header: Callable[[Image, bytes], None] = lambda _, __: None
    opens_damaged: bool = False
    has_read_all: bool = False
    coded_colours: Callable[[Image], bytes] | None = None
    scales: bool = False
    decoder_bytes: int = 0
    freed_bytes: Callable[[Image], int] = lambda _: 0
    file_copies: int = 0
    moves: bool = False
    pages: Callable[[Path], int] = lambda _: 1
    is_preview: Callable[[Image], bool] = lambda _: False
    mend: Callable[[Path, tuple[int, int]], bool] = lambda _, __: False


_ALL: Final = (
    Format(
        "JPEG",
        (".jpg", ".jpeg", ".jfif"),
        re.compile(rb"\xff\xd8\xff"),
        read_structure=lambda file, settings: jpeg.read_structure(
            file, max_scans=settings.max_jpeg_scans
        ),
        scales=True,
    ),
    Format(
        "PNG",
        (".png",),
        re.compile(rb"\x89PNG\r\n\x1a\n"),
        read_structure=lambda file, _: png.read_structure(file),
        check_header=png.check_header,
        opens_damaged=True,
        moves=True,
        mend=png.mend_checksum,
    ),
    Format(
        "GIF",
        (".gif",),
        re.compile(rb"GIF8[79]a"),
        read_structure=lambda file, _: gif.read_structure(file),
        file_copies=1,
        moves=True,
    ),
    Format(
        "WEBP",
        (".webp",),
        re.compile(rb"RIFF....WEBP", re.DOTALL),
        has_read_all=True,
        decoder_bytes=16,
        file_copies=2,
        moves=True,
    ),
    # Before HEIF, whose brands an AVIF file may name as well.
    Format(
        "AVIF",
        (".avif",),
        re.compile(rb"....ftyp.*avi[fs]", re.DOTALL),
        has_read_all=True,
        decoder_bytes=16,
        file_copies=2,
        moves=True,
    ),
    Format(
        "HEIF",
        (".heic", ".heif"),
        re.compile(rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)", re.DOTALL),
        prepare=heif.register,
        has_read_all=True,
        coded_colours=heif.coded_colours,
        freed_bytes=heif.decoder_bytes,
        file_copies=2,
    ),
    Format(
        "TIFF",
        (".tif", ".tiff"),
        re.compile(rb"II[*+]\0|MM\0[*+]"),  # with a plus, BigTIFF
        has_read_all=True,
        decoder_bytes=8,
        file_copies=1,
        pages=tiff.pages,
        is_preview=tiff.is_preview,
    ),
    Format("BMP", (".bmp",), re.compile(rb"BM")),
)


def by_content(start: bytes) -> Format | None:
    """Return the format that a file begins like, or None."""
    return next((form for form in _ALL if form.begins.match(start)), None)
