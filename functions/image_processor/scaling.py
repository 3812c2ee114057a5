"""How far a picture is scaled by its decoder and by averaging, before the finer filter.

Pixels are brought to one of the modes L, RGB, RGBa (colour multiplied by opacity, so that scaling
does not mix in the colour of what cannot be seen) and CMYK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from image_processor.formats import Format

# Pixels a side that a scaling decoder leaves for one of the largest thumbnail. With fewer, the
# blocks that it scales by themselves show: measured against a Lanczos filter of all pixels.
OVERSAMPLING: Final = 1.5
_DECODER_SCALES: Final = (8, 4, 2)

# The finer filter, after decoder and averaging.
FILTER: Final = Image.Resampling.LANCZOS

_BAND_PIXELS: Final = 1024 * 1024


def decoder_scale(
    form: Format, size: tuple[int, int], target: tuple[int, int], oversampling: float
) -> int:
    """Return the most by which the decoder may divide both sides, see `OVERSAMPLING`."""
    if not form.scales:
        return 1
    width, height = size
    most = min(width / target[0], height / target[1]) / oversampling
    return next((scale for scale in _DECODER_SCALES if scale <= most), 1)


def reduction(size: tuple[int, int], target: tuple[int, int]) -> int:
    """Return by how much to average pixels before a finer filter scales the rest.

    At least twice the target remains, which keeps the result within sight of the finer filter's.
    """
    return max(1, max(size) // (2 * max(target)))


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a picture in this size; itself if it has it."""
    return picture if picture.size == size else picture.resize(size, FILTER)


def shrunk(picture: Image.Image, by: int) -> Image.Image:
    """Return the pixels in a working mode, each the mean of `by` by `by`.

    Done in bands, so that the whole picture is never held twice.
    """
    mode = working_mode(picture)
    if by == 1 and mode == picture.mode:
        return picture
    width, height = picture.size
    made = Image.new(mode, (-(-width // by), -(-height // by)))
    for top, band in _bands(picture, by):
        made.paste(_converted(band, mode).reduce(by), (0, top // by))
    return made


def brightest(picture: Image.Image) -> int:
    """Return the high byte of the brightest pixel of a picture of 16 bits."""
    return max(max(_eight_bits(band).getchannel(0).tobytes()) for _, band in _bands(picture, 1))


def _bands(picture: Image.Image, by: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield pieces of a picture from above, each with its first row; `by` divides their heights."""
    width, height = picture.size
    rows = max(1, _BAND_PIXELS // (width * by)) * by
    for top in range(0, height, rows):
        yield top, picture.crop((0, top, width, min(top + rows, height)))


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
