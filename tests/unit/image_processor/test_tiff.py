from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from image_processor import tiff

if TYPE_CHECKING:
    from pathlib import Path


def chain(order: str, *offsets: int, big: bool = False) -> bytes:
    """Return a TIFF without any tags: pages at some offsets, each of which names the next."""
    offset, count = ("Q", "Q") if big else ("I", "H")
    head = (b"MM" if order == ">" else b"II") + struct.pack(order + "H", 43 if big else 42)
    head += struct.pack(order + "HH", 8, 0) if big else b""
    content = bytearray(head + struct.pack(order + offset, offsets[0]))
    for at, following in zip(offsets, [*offsets[1:], 0], strict=True):
        if at >= len(content):
            content += bytes(at - len(content))
            content += struct.pack(order + count + offset if big else order + "HI", 0, following)
    return bytes(content)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("pages", [1, 3])
def test_pages_are_counted(tmp_path: Path, order: str, pages: int, *, big: bool) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(chain(order, *[100, 200, 300][:pages], big=big))
    assert tiff.pages(path) == pages


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (chain("<", 100, 200)[:150], 1),
        (chain("<", 100, 200, 100), 2),
        (chain("<", 100, 200)[:-4] + b"\xff" * 4, 2),
        (chain(">", 100, big=True)[:-8] + b"\xff" * 8, 1),
        (b"II", 1),
        (b"II\x07\x00", 1),
    ],
    ids=["cut off", "in a circle", "beyond the end", "beyond all ends", "no head", "no version"],
)
def test_those_that_cannot_be_found_are_not(tmp_path: Path, content: bytes, pages: int) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(content)
    assert tiff.pages(path) == pages
