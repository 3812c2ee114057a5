"""Opening an uploaded picture: what it is, whether it may be decoded, and its pixels, scaled.

Pixels are brought to one of the modes L, RGB, RGBa (colour multiplied by opacity, so that scaling
does not mix in the colour of what cannot be seen) and CMYK.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Named, so that Pillow does not load forty more plugins to find out that a file is no picture.
_PLUGINS: Final = (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

# Pillow's own limits on pixels are far above what the memory holds: see `image_processor.limits`.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_MEMORY = 8 * 1024 * 1024

# What Pillow's plugins raise on content that they do not understand.
_FAULTS: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_SIGNATURES: Final = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
}

_BAND_PIXELS: Final = 1024 * 1024


@contextmanager
def blaming_content(code: str, sentence: str) -> Iterator[None]:
    """Turn what Pillow raises inside into a rejection; a fault of the system passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except _FAULTS as error:
            # Pillow's own OSErrors carry no number; those of the system (disk full) do.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise RejectedError(code, f"{sentence} ({error})") from error


def signature(start: bytes) -> str | None:
    """Return Pillow's name of the format that a file starts like, or None."""
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp" and any(brand in start[8:] for brand in (b"avif", b"avis")):
        return "AVIF"
    return next((form for sign, form in _SIGNATURES.items() if start.startswith(sign)), None)


def open_picture(path: Path, form: str) -> ImageFile.ImageFile:
    """Read the header of a picture.

    Raises:
        RejectedError: the header is damaged.
    """
    with blaming_content("corrupt_image", f"The file starts like {form} but is damaged"):
        return Image.open(path, formats=(form,))


def load(picture: ImageFile.ImageFile, *, allow_truncated: bool) -> None:
    """Decode the pixels.

    Raises:
        RejectedError: they are damaged or incomplete.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = allow_truncated
    try:
        with blaming_content("corrupt_image", "The picture is damaged or incomplete"):
            picture.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def shrunk(picture: Image.Image, factor: int) -> Image.Image:
    """Return the pixels in a working mode, each the mean of `factor` by `factor`.

    Done in bands, so that the whole picture is never held twice.
    """
    mode = working_mode(picture)
    if factor == 1 and mode == picture.mode:
        return picture
    width, height = picture.size
    made = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = max(1, _BAND_PIXELS // (width * factor)) * factor
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(top + rows, height)))
        made.paste(_converted(band, mode).reduce(factor), (0, top // factor))
    return made


def working_mode(picture: Image.Image) -> str:
    """Return the mode that the pixels of a picture are worked on in."""
    if picture.has_transparency_data:
        return "RGBa"
    if picture.mode in {"L", "1", "LA", "La"} or picture.mode.startswith("I;16"):
        return "L"
    return "CMYK" if picture.mode == "CMYK" else "RGB"


def _converted(band: Image.Image, mode: str) -> Image.Image:
    if band.mode == mode:
        return band
    if band.mode.startswith("I;16"):
        band = _eight_bits(band)
    if mode == "RGBa":
        return band.convert("RGBA").convert("RGBa")
    return band.convert(mode)


def _eight_bits(band: Image.Image) -> Image.Image:
    """Return the high bytes of 16-bit grey values: Pillow's own conversion cuts off at 255."""
    first, second = Image.frombytes("LA", band.size, band.tobytes()).split()
    low, high = (second, first) if band.mode == "I;16B" else (first, second)
    clear = band.info.get("transparency")
    if clear is None:
        return high
    different = [
        part.point([255 * (value != byte) for value in range(256)])
        for part, byte in ((low, clear & 255), (high, clear >> 8))
    ]
    return Image.merge("LA", (high, ImageChops.lighter(*different)))
