"""Thumbnails with a name and a shape: `og=1200x630`, cropped to it or with room around."""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple, cast

from PIL import Image, ImageFilter

from image_processor.scaling import FILTER, resized

_SIDE: Final = "(?:[1-9][0-9]{1,2}|1[0-9]{3})"  # 10 to 1999, so that few megabytes hold one
PATTERN: Final = f"[a-z][a-z0-9-]{{0,30}}={_SIDE}(?:x{_SIDE}(?:/(?:centre|pad))?)?"

# A picture that is longer than this when it is scaled for a shape is scaled further: of a panorama
# comes a smaller crop, and not all of it into memory.
_LONGEST: Final = 8192

# The longer side at which detail is measured, and how much more of it than at the centre a crop
# elsewhere must hold: of an even picture the middle is the best.
_MEASURED: Final = 128
_BETTER: Final = 1.1
_KERNEL: Final = 3


class NamedSize(NamedTuple):
    """A thumbnail's name and shape.

    Attributes:
        name: of the thumbnail.
        width: in pixels; the longer side where there is no height.
        height: in pixels; None where the picture keeps its shape.
        way: how it gets its shape: `cover` crops it around the most detailed part, `centre` around
            the middle, `pad` shows all of it in the middle of an empty ground.
    """

    name: str
    width: int
    height: int | None
    way: str

    def scaled(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return what a picture of this size is scaled to before it gets the shape."""
        width, height = size
        if self.height is None:
            scale = self.width / max(size)
        else:
            inside = (self.width / width, self.height / height)
            scale = min(inside) if self.way == "pad" else max(inside)
        scale = min(1.0, scale, _LONGEST / max(size))
        return max(1, round(width * scale)), max(1, round(height * scale))

    def made_of(self, picture: Image.Image) -> Image.Image:
        """Return the thumbnail of a picture; never with more detail than the picture has.

        A crop of a small picture is smaller than requested, in the same shape. Room around a
        picture is transparent.
        """
        if self.height is None:
            return resized(picture, self.scaled(picture.size))
        if self.way == "pad":
            return self._padded(resized(picture, self.scaled(picture.size)), self.height)
        return self._cropped(picture, self.height)

    def _padded(self, picture: Image.Image, height: int) -> Image.Image:
        ground = Image.new("RGBA", (self.width, height))
        corner = ((self.width - picture.width) // 2, (height - picture.height) // 2)
        ground.paste(picture.convert("RGBA"), corner)
        return ground

    def _cropped(self, picture: Image.Image, height: int) -> Image.Image:
        # The largest part of the picture that has the shape.
        by = min(picture.width / self.width, picture.height / height)
        part = (self.width * by, height * by)
        rooms = (picture.width - part[0], picture.height - part[1])
        along_width = rooms[0] > rooms[1]
        share = part[0] / picture.width if along_width else part[1] / picture.height
        begin = 0.5
        if self.way == "cover":
            begin = most_detailed(picture, share, along_width=along_width)
        left, top = (room * begin for room in rooms)
        shrink = min(1.0, by)
        target = (max(1, round(self.width * shrink)), max(1, round(height * shrink)))
        box = (left, top, left + part[0], top + part[1])
        return picture.resize(target, FILTER, box=box)


def parse(text: str) -> NamedSize:
    """Return the size that a text of the setting names, see `PATTERN`."""
    name, _, shape = text.partition("=")
    sides, _, way = shape.partition("/")
    width, _, height = sides.partition("x")
    return NamedSize(name, int(width), int(height) if height else None, way or "cover")


def most_detailed(picture: Image.Image, share: float, *, along_width: bool) -> float:
    """Return where in a picture to cut out a part along one side: from 0, its begin, to 1, its end.

    It is the place whose part holds the most edges, by their strength, in a small grey copy; the
    middle where no other place holds a tenth more.

    Args:
        picture: mode L, RGB or RGBA.
        share: of the side that the part takes.
        along_width: whether to cut along the width, else along the height.
    """
    grey = picture.convert("La" if picture.mode == "RGBA" else "L")
    grey.thumbnail((_MEASURED, _MEASURED), Image.Resampling.BOX)
    if min(grey.size) < _KERNEL:
        return 0.5
    edges = grey.getchannel(0).filter(ImageFilter.FIND_EDGES)
    # The filter leaves the border as it is.
    edges = edges.crop((1, 1, edges.width - 1, edges.height - 1)).convert("F")
    count = edges.width if along_width else edges.height
    line = edges.resize((count, 1) if along_width else (1, count), Image.Resampling.BOX)
    values = cast("tuple[float, ...]", line.get_flattened_data())
    sums = [0.0, *accumulate(values)]
    length = max(1, min(count, round(count * share)))
    held = [sums[begin + length] - sums[begin] for begin in range(count - length + 1)]
    middle, best = len(held) // 2, max(held)
    if len(held) == 1 or best <= held[middle] * _BETTER:
        return 0.5
    return held.index(best) / (len(held) - 1)
