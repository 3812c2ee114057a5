"""Real files for the demo and the tests, from the sample data of two packages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scripts import LOCAL

if TYPE_CHECKING:
    from pathlib import Path

_MATPLOTLIB: Final = LOCAL / "samples" / "matplotlib" / "mpl-data" / "sample_data"
_VEGA: Final = LOCAL / "samples" / "vega_datasets" / "_data"

# Orientation 6: the camera was held upright, the picture must be turned clockwise to be shown.
_ROTATED: Final = 6


def write(directory: Path) -> list[Path]:
    """Write a photo to be turned, a drawing, a CSV and a JSON table; return their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "grace-hopper.jpg": with_orientation(
            (_MATPLOTLIB / "grace_hopper.jpg").read_bytes(), _ROTATED
        ),
        "present.png": (_MATPLOTLIB / "Minduka_Present_Blue_Pack.png").read_bytes(),
        "seattle-weather.csv": (_VEGA / "seattle-weather.csv").read_bytes(),
        "cars.json": (_VEGA / "cars.json").read_bytes(),
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return [directory / name for name in contents]


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG file with an EXIF block that holds an orientation (1 to 8) and nothing else.

    Raises:
        ValueError: the content is no JPEG file.
    """
    start_of_image = b"\xff\xd8"
    if not jpeg.startswith(start_of_image):
        raise ValueError("not a JPEG file: it does not start with FF D8")
    # A TIFF header, one directory, one entry: tag 0x0112, type SHORT, one value (Exif 2.32, 4.6.4).
    directory = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\x00\x00" + struct.pack("<2sHI", b"II", 42, 8) + directory
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return start_of_image + segment + jpeg[len(start_of_image) :]
