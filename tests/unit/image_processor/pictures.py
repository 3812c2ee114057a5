"""Pictures for the tests, made when they are needed, and the ways to damage them."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from image_processor.core import process
from image_processor.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from uploads.processing import Processed

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (255, 255, 255)


@dataclass(frozen=True)
class Uploaded:
    """An uploaded object that lies in memory."""

    content: bytes
    name: str = "picture.jpg"
    claimed: int | None = None

    @property
    def size(self) -> int:
        return len(self.content) if self.claimed is None else self.claimed

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def save(self, path: Path) -> Path:
        path.write_bytes(self.content)
        return path


def run(content: bytes, directory: Path, name: str = "picture.jpg", **settings: Any) -> Processed:
    return process(Uploaded(content, name), directory, settings=Settings(**settings))


def thumbnail(processed: Processed, index: int = 0) -> Image.Image:
    """Return a thumbnail, largest first, with its pixels loaded."""
    with Image.open(processed.outputs[index].path) as image:
        image.load()
        return image


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def corners(mode: str = "RGB", size: tuple[int, int] = (90, 60)) -> Image.Image:
    """Return a picture whose four quarters are red, green, blue and white, row by row."""
    image = Image.new("RGB", size)
    width, height = size[0] // 2, size[1] // 2
    for index, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        x, y = index % 2 * width, index // 2 * height
        image.paste(colour, (x, y, x + width, y + height))
    return image.convert(mode)


def quarters(image: Image.Image) -> list[str]:
    """Name the colours of the four quarters, row by row."""
    names = {RED: "red", GREEN: "green", BLUE: "blue", WHITE: "white"}
    pixels = image.convert("RGB")
    found = []
    for y in (1, 3):
        for x in (1, 3):
            seen: Any = pixels.getpixel((pixels.width * x // 4, pixels.height * y // 4))
            found.append(
                min(
                    names.items(),
                    key=lambda known: sum(abs(a - b) for a, b in zip(known[0], seen, strict=True)),
                )[1]
            )
    return found


def close(seen: Any, expected: tuple[int, ...], within: int = 12) -> bool:
    return all(abs(a - b) <= within for a, b in zip(seen, expected, strict=True))


def segment(marker: int, content: bytes) -> bytes:
    """Return a JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Put segments behind the start of a JPEG."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG chunk."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Put chunks behind the header of a PNG."""
    return png[:33] + b"".join(chunks) + png[33:]


def png_of_size(width: int, height: int, *, kind: int = 2) -> bytes:
    """Return a PNG that claims a size and a colour type, and holds a single row."""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * (3 * width + 1)))
        + chunk(b"IEND", b"")
    )


def jpeg_of_size(width: int, height: int, **options: Any) -> bytes:
    """Return a JPEG that claims a size and holds 8 by 8 pixels."""
    content = encoded(Image.new("RGB", (8, 8)), "JPEG", **options)
    frame = next(at for sof in (b"\xff\xc0", b"\xff\xc2") if (at := content.find(sof)) > 0)
    return content[: frame + 5] + struct.pack(">HH", height, width) + content[frame + 9 :]
