"""Opening an uploaded picture: what it is, whether it may be decoded, and its pixels, scaled.

Pixels are brought to one of the modes L, RGB, RGBa (colour multiplied by opacity, so that scaling
does not mix in the colour of what cannot be seen) and CMYK.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
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

from image_processor import jpeg, png
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from image_processor.settings import Settings

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
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread of the decoder holds a picture

# What Pillow's plugins raise on content that they do not understand.
FAULTS: Final = (
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

# Pixels a side that a scaling decoder leaves for one of the largest thumbnail. With fewer, the
# blocks that it scales by themselves show: measured against a Lanczos filter of all pixels.
OVERSAMPLING: Final = 1.5
_DECODER_SCALES: Final = (8, 4, 2)

_SIGNATURES: Final = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"BM": "BMP",
}

_ANIMATED: Final = frozenset({"PNG", "GIF", "WEBP", "AVIF"})
_BAND_PIXELS: Final = 1024 * 1024


@contextmanager
def blaming_content(code: str, sentence: str) -> Iterator[None]:
    """Turn what Pillow raises inside into a rejection; a fault of the system passes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except FAULTS as error:
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


@dataclass(slots=True)
class Picture:
    """An opened picture that is not decoded yet.

    Attributes:
        image: Pillow's view of it; the size is what the decoder will give, perhaps scaled down.
        form: format by its content, in Pillow's words.
        full: width and height as stored.
        file_bytes: size of the file.
        metadata_bytes: size of what is not picture, where that is known.
        coefficient_bytes: what the JPEG decoder keeps, see `jpeg.Structure`.
        progressive: whether it is a progressive JPEG.
    """

    image: ImageFile.ImageFile
    form: str
    full: tuple[int, int]
    file_bytes: int
    metadata_bytes: int
    coefficient_bytes: int
    progressive: bool

    @property
    def kind(self) -> str:
        """Format and mode, for a message."""
        return f"{'progressive ' * self.progressive}{self.form}, {self.image.mode}"


def open_picture(path: Path, settings: Settings) -> Picture:
    """Find out what a file is and read its header.

    Raises:
        RejectedError: it is no picture, its header is damaged, or it asks for too much.
    """
    with path.open("rb") as file:
        form = signature(file.read(64))
        file.seek(0)
        structure = jpeg.Structure()
        most = settings.max_metadata_kb * 1024
        if form == "JPEG":
            structure = jpeg.read_structure(file, max_scans=settings.max_jpeg_scans)
        elif form == "PNG":
            structure.metadata_bytes = png.metadata_bytes(file, most=most)
    if form is None:
        raise RejectedError(
            "not_an_image", "The content is not a picture of a kind that can be read (JPEG, PNG)."
        )
    if structure.metadata_bytes > most:
        raise RejectedError(
            "too_much_metadata",
            f"The file holds more than {settings.max_metadata_kb} KB besides the picture.",
        )
    if structure.scans > settings.max_jpeg_scans:
        raise RejectedError(
            "too_many_scans",
            f"The picture is stored in more than {settings.max_jpeg_scans} scans.",
        )
    if not structure.supported:
        raise RejectedError(
            "unsupported_coding", "The JPEG is lossless or hierarchical, which cannot be read."
        )
    with blaming_content("corrupt_image", f"The file starts like {form} but is damaged"):
        image = Image.open(path, formats=(form,))
    return Picture(
        image,
        form,
        image.size,
        path.stat().st_size,
        structure.metadata_bytes,
        structure.coefficient_bytes,
        structure.progressive,
    )


def load(image: ImageFile.ImageFile, *, incomplete: bool) -> None:
    """Decode the pixels.

    Args:
        image: an opened picture.
        incomplete: whether missing data is left grey or black instead of refused.

    Raises:
        RejectedError: they are damaged or incomplete.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = incomplete
    try:
        with blaming_content("corrupt_image", "The picture is damaged or incomplete"):
            image.load()
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def animated(picture: Picture) -> bool:
    """Tell whether there are more frames than the one that is used; pages do not count."""
    try:
        return picture.form in _ANIMATED and bool(getattr(picture.image, "is_animated", False))
    except FAULTS:
        return False


def decoder_scale(picture: Picture, target: tuple[int, int], oversampling: float) -> int:
    """Return the most by which the decoder may divide both sides, see `OVERSAMPLING`."""
    if picture.form != "JPEG":
        return 1
    width, height = picture.full
    most = min(width / target[0], height / target[1]) / oversampling
    return next((scale for scale in _DECODER_SCALES if scale <= most), 1)


def reduction(size: tuple[int, int], target: tuple[int, int]) -> int:
    """Return by how much to average pixels before a finer filter scales what is left.

    At least twice the target remains, which keeps the result within sight of the finer filter's.
    """
    return max(1, max(size) // (2 * max(target)))


def shrunk(picture: Image.Image, by: int) -> Image.Image:
    """Return the pixels in a working mode, each the mean of `by` by `by`.

    Done in bands, so that the whole picture is never held twice.
    """
    mode = working_mode(picture)
    if by == 1 and mode == picture.mode:
        return picture
    width, height = picture.size
    made = Image.new(mode, (-(-width // by), -(-height // by)))
    rows = max(1, _BAND_PIXELS // (width * by)) * by
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(top + rows, height)))
        made.paste(_converted(band, mode).reduce(by), (0, top // by))
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
