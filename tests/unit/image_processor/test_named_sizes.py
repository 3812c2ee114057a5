"""Thumbnails with a name: their shape, what a crop shows, and that nothing is enlarged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from image_processor import named_sizes
from tests.unit.image_processor.pictures import encoded, run, thumbnail

if TYPE_CHECKING:
    from pathlib import Path


def sky(size: tuple[int, int], spot: tuple[int, int]) -> Image.Image:
    """Return an even picture with a chequered spot of 40 pixels a side around a point."""
    made = Image.new("RGB", size, (120, 160, 220))
    draw = ImageDraw.Draw(made)
    for row in range(-20, 20, 4):
        for column in range(-20, 20, 4):
            if (row + column) % 8:
                left, top = spot[0] + column, spot[1] + row
                draw.rectangle((left, top, left + 3, top + 3), (10, 10, 10))
    return made


def darkest(picture: Image.Image) -> int:
    return next(level for level, count in enumerate(picture.convert("L").histogram()) if count)


def made(
    directory: Path, picture: Image.Image, *sizes: str, **settings: Any
) -> dict[str, Image.Image]:
    """Return the named thumbnails of a picture, by their file names."""
    content = encoded(picture, "PNG")
    processed = run(content, directory, thumbnail_sizes=(16,), named_sizes=sizes, **settings)
    shown = {one.name: thumbnail(processed, n) for n, one in enumerate(processed.outputs)}
    for one in processed.outputs:
        assert shown[one.name].size == (one.attributes["width"], one.attributes["height"])
    return {name: image for name, image in shown.items() if "16" not in name}


@pytest.mark.parametrize(
    ("text", "size", "shape"),
    [
        ("small=100", (400, 200), (100, 50)),
        ("small=100", (200, 400), (50, 100)),
        ("og=120x63", (400, 300), (120, 63)),
        ("og=120x63/centre", (300, 400), (120, 63)),
        ("og=120x63/pad", (300, 400), (120, 63)),
        ("tall=63x120", (400, 300), (63, 120)),
        # A smaller picture is not enlarged, but cropped to the requested shape.
        ("small=500", (400, 200), (400, 200)),
        ("og=1200x600", (400, 300), (400, 200)),
        ("og=600x1200/centre", (400, 300), (150, 300)),
        ("og=1200x600/pad", (400, 300), (1200, 600)),
        ("og=300x200", (3000, 11), (16, 11)),
        ("og=300x200", (1, 1), (1, 1)),
    ],
)
def test_a_thumbnail_has_the_shape_that_was_asked_for(
    tmp_path: Path, text: str, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    (shown,) = made(tmp_path, sky(size, (10, 10)), text).values()
    assert shown.size == shape


@pytest.mark.parametrize("size", [(1000, 400), (400, 1000)])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_crop_shows_the_most_detailed_part(
    tmp_path: Path, size: tuple[int, int], place: float
) -> None:
    spot = (round(size[0] * place), 200) if size[0] > size[1] else (200, round(size[1] * place))
    (shown,) = made(tmp_path, sky(size, spot), "face=200x200").values()
    assert darkest(shown) < 60


def test_a_crop_around_the_middle_does_not_look(tmp_path: Path) -> None:
    (shown,) = made(tmp_path, sky((1000, 400), (100, 200)), "face=200x200/centre").values()
    assert darkest(shown) > 100


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_of_an_even_picture_the_middle_is_taken(mode: str) -> None:
    even = Image.new(mode, (300, 100), 128 if mode == "L" else "grey")
    assert named_sizes.most_detailed(even, 1 / 3, along_width=True) == 0.5
    assert named_sizes.most_detailed(even.resize((2, 300)), 1 / 3, along_width=False) == 0.5


def test_what_cannot_be_seen_is_no_detail() -> None:
    hidden = sky((1000, 400), (100, 200)).convert("RGBA")
    hidden.putalpha(0)
    hidden.paste(sky((100, 100), (50, 50)), (850, 150))
    assert named_sizes.most_detailed(hidden, 0.4, along_width=True) > 0.7


def test_room_around_a_picture_is_transparent_or_white(tmp_path: Path) -> None:
    red = Image.new("RGB", (100, 50), "red")
    shown = made(tmp_path, red, "card=100x100/pad", further_formats=("jpeg", "png"))
    assert shown["thumbnail-card.webp"].mode == shown["thumbnail-card.png"].mode == "RGBA"
    assert shown["thumbnail-card.png"].getpixel((50, 10)) == (0, 0, 0, 0)
    assert shown["thumbnail-card.png"].getpixel((50, 50)) == (255, 0, 0, 255)
    assert darkest(shown["thumbnail-card.jpg"].crop((0, 0, 100, 15))) > 250


def test_a_shape_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(sky((800, 400), (100, 200)), "JPEG", exif=exif)
    processed = run(content, tmp_path, named_sizes=("tall=100x300", "wide=390x100"))
    sizes = {
        one.name: (one.attributes["width"], one.attributes["height"]) for one in processed.outputs
    }
    assert sizes["thumbnail-tall.webp"] == (100, 300)
    assert sizes["thumbnail-wide.webp"] == (390, 100)


def test_a_panorama_is_cropped_smaller_rather_than_held_whole(tmp_path: Path) -> None:
    (shown,) = made(tmp_path, sky((16400, 400), (100, 200)), "og=400x400").values()
    assert shown.size == (200, 200)


def test_pages_get_only_the_sizes_that_keep_the_shape(tmp_path: Path) -> None:
    content = encoded(sky((400, 300), (10, 10)), "PNG")
    processed = run(content, tmp_path, named_sizes=("og=120x63",))
    assert "og" not in str(processed.details["for_pages"])
