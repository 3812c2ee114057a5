"""Real files for the demo and the tests, from the sample data of two packages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import ExifTags, Image

from scripts import LOCAL

if TYPE_CHECKING:
    from pathlib import Path

_MATPLOTLIB: Final = LOCAL / "samples" / "matplotlib" / "mpl-data" / "sample_data"
_VEGA: Final = LOCAL / "samples" / "vega_datasets" / "_data"

# The EXIF orientation of a picture that must be turned clockwise to be shown.
_TURN_CLOCKWISE: Final = 6


def write(directory: Path) -> list[Path]:
    """Write a photo to be turned, a drawing, a CSV and a JSON table; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "grace-hopper.jpg": held_upright((_MATPLOTLIB / "grace_hopper.jpg").read_bytes()),
        "present.png": (_MATPLOTLIB / "Minduka_Present_Blue_Pack.png").read_bytes(),
        "seattle-weather.csv": (_VEGA / "seattle-weather.csv").read_bytes(),
        "cars.json": (_VEGA / "cars.json").read_bytes(),
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return [directory / name for name in contents]


def held_upright(jpeg: bytes) -> bytes:
    """Return a photo as a camera held upright stores it: on its side, with EXIF's orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = _TURN_CLOCKWISE
    stored = io.BytesIO()
    with Image.open(io.BytesIO(jpeg)) as picture:
        on_its_side = picture.transpose(Image.Transpose.ROTATE_90)
    on_its_side.save(stored, "JPEG", quality=95, exif=exif)
    return stored.getvalue()
