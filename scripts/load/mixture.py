"""The files of a load test: pictures and tables of several sizes, a share of them broken."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from scripts.local_cloud import samples

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["jpeg", "png", "csv", "json"]
State = Literal["succeeded", "rejected"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file to upload, and what has to become of it."""

    kind: Kind
    path: Path
    expected: State

    @property
    def bytes(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size


# How many of a hundred good files are of each; sizes are about those of the samples' names.
_SHARES: Final = {
    "photo.jpg": 40,
    "drawing.png": 10,
    "picture-1200.png": 15,
    "picture-3000.png": 5,
    "table-50kB.csv": 10,
    "table-1MB.csv": 8,
    "table-5MB.csv": 2,
    "array-100kB.json": 6,
    "lines-2MB.json": 4,
}


def mixture(directory: Path, count: int, bad: float, seed: int) -> list[Sample]:
    """Write the files that are needed; return what to upload, in its order.

    Args:
        directory: where the files are to lie.
        count: how many uploads.
        bad: share of them that must be rejected, from 0 to 1.
        seed: of the choice and the order; the same seed gives the same mixture.
    """
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    good_files, bad_files = _write(directory)
    rejected = round(count * bad)
    chosen = dice.choices(
        good_files, weights=[_SHARES[file.path.name] for file in good_files], k=count - rejected
    )
    chosen += dice.choices(bad_files, k=rejected)
    dice.shuffle(chosen)
    return chosen


def _write(directory: Path) -> tuple[list[Sample], list[Sample]]:
    photo, drawing, weather, cars = (
        path.read_bytes() for path in samples.write(directory / "samples")
    )
    header, rows = weather.split(b"\n", 1)
    line = b" ".join(cars.split()) + b"\n"
    good: dict[str, bytes] = {
        "photo.jpg": photo,
        "drawing.png": drawing,
        "picture-1200.png": picture(1200, 900),
        "picture-3000.png": picture(3000, 2000),
        "table-50kB.csv": weather,
        "table-1MB.csv": header + b"\n" + rows * 20,
        "table-5MB.csv": header + b"\n" + rows * 100,
        "array-100kB.json": cars,
        "lines-2MB.json": (line[2:-3].replace(b"}, {", b"}\n{") + b"\n") * 24,
    }
    bad: dict[str, bytes] = {
        "text.jpg": b"This is no picture.",
        "half.jpg": photo[: len(photo) // 2],
        "half.png": good["picture-1200.png"][:20_000],
        "half.json": cars[: len(cars) // 2],
    }
    return _files(directory, good, "succeeded"), _files(directory, bad, "rejected")


def _files(directory: Path, contents: dict[str, bytes], expected: State) -> list[Sample]:
    kinds: dict[str, Kind] = {".jpg": "jpeg", ".png": "png", ".csv": "csv", ".json": "json"}
    made = []
    for name, content in contents.items():
        path = directory / name
        path.write_bytes(content)
        made.append(Sample(kinds[path.suffix], path, expected))
    return made


def picture(width: int, height: int) -> bytes:
    """Return a PNG file of a colourful pattern, which needs no image library to be made."""
    pattern = bytes((7 * x + x * x // 500) % 256 for x in range(3 * width))
    rows = b"".join(
        b"\x00" + pattern[3 * (y % width) :] + pattern[: 3 * (y % width)] for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, 1))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
