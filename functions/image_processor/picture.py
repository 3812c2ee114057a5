"""Opens an uploaded picture: detects its format, checks limits, decodes its pixels."""

from __future__ import annotations

import random
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
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from image_processor import formats, jpeg, limits
from uploads import content
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from image_processor.formats import Format
    from image_processor.settings import Settings

# Listed, so that Pillow does not load forty more plugins to reject a file.
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
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread of the decoder holds a picture

# Exceptions of Pillow's plugins on malformed content.
FAULTS: Final = (
    ArithmeticError,
    AssertionError,
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
            # Pillow's messages hold paths and internal names that mean nothing to the uploader.
            raise RejectedError(code, f"{sentence}.") from error


@dataclass(slots=True)
class Picture:
    """An opened picture that is not decoded yet.

    Attributes:
        image: Pillow's view of it; the size is what the decoder will give, perhaps scaled down.
        form: format by its content.
        full: width and height as stored.
        file_bytes: size of the file.
        metadata_bytes: size of everything but the pixels, where it is known.
        coefficient_bytes: what the JPEG decoder keeps, see `jpeg.Structure`.
        progressive: whether it is a progressive JPEG.
        coded_colours: codes of the colours beside a profile, see `structure.Structure`.
        by_rows: whether it is a JPEG without the marker of its end, see `load`.
        missing_scans: whether it is a progressive JPEG without its last passes.
    """

    image: ImageFile.ImageFile
    form: Format
    full: tuple[int, int]
    file_bytes: int
    metadata_bytes: int
    coefficient_bytes: int
    progressive: bool
    coded_colours: bytes
    by_rows: bool
    missing_scans: bool

    @property
    def kind(self) -> str:
        """Format and mode, for a message."""
        return f"{'progressive ' * self.progressive}{self.form.name}, {self.image.mode}"


def open_picture(path: Path, settings: Settings) -> Picture:
    """Find out what a file is and read its header.

    Raises:
        RejectedError: it is not a picture, its header is damaged, or it exceeds a limit.
    """
    file_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(content.HEAD_BYTES)
        form = formats.by_content(head[:64])
        if form is None:
            kind = content.describe(head)
            renamed = f"The file is {kind}, although its name says otherwise; it is" if kind else ""
            raise RejectedError(
                "not_an_image",
                f"{renamed or 'The file is'} not a picture of a kind that can be read (JPEG, PNG, "
                "WebP, GIF, HEIC, AVIF, TIFF, BMP).",
            )
        limits.check_file(form, file_bytes, settings)
        file.seek(0)
        structure = form.read_structure(file, settings)
    limits.check_structure(structure, settings)
    form.prepare()
    if structure.rows_end:
        with path.open("r+b") as file:
            file.truncate(structure.rows_end)
            file.seek(structure.rows_end)
            file.write(jpeg.PADDING)
    with blaming_content("corrupt_image", f"The file starts like {form.name} but is damaged"):
        # In a PNG it ignores faults outside the pixels, such as a comment with a wrong checksum.
        ImageFile.LOAD_TRUNCATED_IMAGES = form.opens_damaged
        try:
            image = Image.open(path, formats=(form.name,))
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        form.check_header(image, head)
        if form.has_read_all:
            structure.metadata_bytes = _kept(image)
            limits.check_structure(structure, settings)
    except RejectedError:
        image.close()
        raise
    if form.coded_colours:
        structure.coded_colours = form.coded_colours(image)
    return Picture(
        image,
        form,
        image.size,
        file_bytes,
        structure.metadata_bytes,
        structure.coefficient_bytes,
        structure.progressive,
        structure.coded_colours,
        bool(structure.rows_end),
        structure.missing_scans,
    )


def _kept(image: ImageFile.ImageFile) -> int:
    """Return the size of the metadata that Pillow read with the header."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return image.tag_v2._tag_data_size  # noqa: SLF001 - no public way without a copy
    return sum(len(value) for value in image.info.values() if isinstance(value, bytes))


def load(picture: Picture, *, incomplete: bool) -> None:
    """Decode the pixels.

    At a JPEG's end marker, libjpeg fills missing pixels with grey and reports no error.
    Without it, the decoder stops at the first row whose data are missing. So the last row shows
    whether the picture is complete, also of a file that has lost its last bytes.

    Args:
        picture: an opened picture.
        incomplete: whether missing data is left grey or black instead of refused.

    Raises:
        RejectedError: they are damaged or incomplete.
    """
    image = picture.image
    sentence = "The picture is damaged or incomplete"
    ImageFile.LOAD_TRUNCATED_IMAGES = incomplete
    try:
        with blaming_content("corrupt_image", sentence):
            if incomplete or not picture.by_rows:
                image.load()
                return
            mark = _mark_last_row(image)
            try:
                image.load()
            except OSError as error:
                if error.errno is not None:
                    raise
                image.tile = []  # nothing is left to decode
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    if image.crop(_last_row(image)).tobytes() == mark:
        raise RejectedError("corrupt_image", f"{sentence}.")


def _mark_last_row(image: ImageFile.ImageFile) -> bytes:
    """Fill the last row, which is not decoded yet, with noise; return it."""
    row = (image.width, 1)
    noise = random.Random(0).randbytes(image.width * len(image.getbands()))  # noqa: S311 - no secret
    image.load_prepare()
    image.im.paste(Image.frombytes(image.mode, row, noise).im, _last_row(image))
    return noise


def _last_row(image: ImageFile.ImageFile) -> tuple[int, int, int, int]:
    return (0, image.height - 1, image.width, image.height)


def is_preview(picture: Picture) -> bool:
    """Return whether the first picture of a file is a reduced version of another one in it."""
    try:
        return picture.form.is_preview(picture.image)
    except FAULTS:
        return False


def animated(picture: Picture) -> bool:
    """Return whether there are more frames than the one that is used; pages do not count."""
    try:
        return picture.form.moves and bool(getattr(picture.image, "is_animated", False))
    except FAULTS:
        return False
