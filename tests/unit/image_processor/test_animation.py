"""Animated thumbnails: all frames with their durations, within the limits of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from image_processor import animation
from tests.unit.image_processor.pictures import BLUE, GREEN, RED, encoded, run, thumbnail

if TYPE_CHECKING:
    from pathlib import Path

    from uploads.processing import Processed

COLOURS = (RED, GREEN, BLUE)
# How the description of a GIF's frame begins: its place, at the left and the top.
_FRAME = b"\x2c\x00\x00\x00\x00"


def animated(form: str = "GIF", **options: Any) -> bytes:
    """Return an animation of three frames, 80 ms each."""
    first, *others = (Image.new("RGB", (60, 40), colour) for colour in COLOURS)
    options = {"duration": 80} | options
    return encoded(first, form, save_all=True, append_images=others, **options)


def kept(content: bytes, directory: Path, **settings: Any) -> Processed:
    chosen = {"thumbnail_sizes": (30,), "thumbnail_animation": "keep"} | settings
    return run(content, directory, "a.gif", **chosen)


def frames(processed: Processed, index: int = 0) -> list[tuple[Any, Any]]:
    """Return the pixel in the middle and the duration of each frame of a thumbnail."""
    found = []
    with Image.open(processed.outputs[index].path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            middle = (image.width // 2, image.height // 2)
            found.append((image.convert("RGBA").getpixel(middle), image.info.get("duration")))
    return found


def codes(processed: Processed) -> list[str]:
    return [one.code for one in processed.warnings if one.code != "other_format"]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF"])
def test_every_frame_is_in_the_thumbnail(tmp_path: Path, form: str) -> None:
    processed = kept(animated(form), tmp_path)
    (output,) = processed.outputs
    assert output.attributes == {"width": 30, "height": 20, "frames": 3}
    for (pixel, duration), colour in zip(frames(processed), COLOURS, strict=True):
        assert all(abs(have - want) < 20 for have, want in zip(pixel, colour, strict=False))
        assert duration == 80
    assert codes(processed) == []


def test_otherwise_the_first_frame_is_shown(tmp_path: Path) -> None:
    processed = kept(animated(), tmp_path, thumbnail_animation="first")
    assert len(frames(processed)) == 1
    assert "frames" not in processed.outputs[0].attributes


def test_a_picture_that_does_not_move_stays_as_it_is(tmp_path: Path) -> None:
    processed = kept(encoded(Image.new("RGB", (60, 40), RED), "GIF"), tmp_path)
    assert "frames" not in processed.outputs[0].attributes


def test_smaller_sizes_move_too_and_other_formats_do_not(tmp_path: Path) -> None:
    processed = kept(
        animated(), tmp_path, thumbnail_sizes=(30, 16, 600, 500), further_formats=("png",)
    )
    assert {one.name: one.attributes.get("frames") for one in processed.outputs} == {
        "thumbnail-600.webp": 3,
        "thumbnail-600.png": None,
        "thumbnail-500.webp": 3,
        "thumbnail-500.png": None,
        "thumbnail-30.webp": 3,
        "thumbnail-30.png": None,
        "thumbnail-16.webp": 3,
        "thumbnail-16.png": None,
    }


@pytest.mark.parametrize(
    ("form", "options", "plays"),
    [
        ("GIF", {}, 1),
        ("GIF", {"loop": 0}, 0),
        ("GIF", {"loop": 2}, 3),
        ("WEBP", {"loop": 2}, 2),
        ("PNG", {"loop": 0}, 0),
    ],
)
def test_it_plays_as_often_as_the_animation(
    tmp_path: Path, form: str, options: dict[str, int], plays: int
) -> None:
    with Image.open(kept(animated(form, **options), tmp_path).outputs[0].path) as image:
        assert image.info["loop"] == plays


def test_a_frame_without_a_duration_is_shown_as_browsers_do(tmp_path: Path) -> None:
    assert {duration for _, duration in frames(kept(animated(duration=0), tmp_path))} == {100}


def test_what_cannot_be_seen_stays_invisible(tmp_path: Path) -> None:
    first, other = (Image.new("RGBA", (60, 40), (*colour, 0)) for colour in (RED, BLUE))
    first.paste((*GREEN, 255), (15, 0, 60, 40))
    content = encoded(first, "PNG", save_all=True, append_images=[other], duration=50)
    processed = kept(content, tmp_path)
    assert [pixel[3] for pixel, _ in frames(processed)] == [255, 0]


@pytest.mark.parametrize(
    ("most", "moving"),
    [
        (30 * 20 * 3, ["thumbnail-30.webp", "thumbnail-16.webp"]),
        (1_000, ["thumbnail-16.webp"]),
        (9, []),
    ],
)
def test_too_many_pixels_of_all_frames_show_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, moving: list[str]
) -> None:
    monkeypatch.setattr(animation, "_MOST_PIXELS", most)
    processed = kept(animated(), tmp_path, thumbnail_sizes=(30, 16))
    assert [one.name for one in processed.outputs if "frames" in one.attributes] == moving
    assert codes(processed) == ([] if len(moving) == 2 else ["animation_dropped"])
    assert thumbnail(processed).size == (30, 20)


@pytest.mark.parametrize("settings", [{"max_pixels": 60 * 40 * 3 - 1}])
def test_too_many_pixels_to_decode_show_the_first(tmp_path: Path, settings: dict[str, int]) -> None:
    processed = kept(animated(), tmp_path, **settings)
    assert codes(processed) == ["animation_dropped"]
    assert "thumbnail-30.webp show the first" in processed.warnings[-1].message


def test_a_damaged_frame_ends_the_animation(tmp_path: Path) -> None:
    noise = [Image.effect_noise((60, 40), 90).convert("P") for _ in COLOURS]
    content = encoded(noise[0], "GIF", save_all=True, append_images=noise[1:], duration=80)
    processed = kept(content[:-900], tmp_path)
    assert codes(processed) == ["animation_cut"]
    assert processed.outputs[0].attributes["frames"] == 2


def test_a_file_that_is_cut_between_frames_shows_the_first(tmp_path: Path) -> None:
    content = animated()
    processed = kept(content[: content.rindex(_FRAME) + 5], tmp_path)
    assert codes(processed) == ["animation_dropped"]
    assert "frames" not in processed.outputs[0].attributes


def test_a_frame_beyond_the_picture_ends_the_animation(tmp_path: Path) -> None:
    # Its place, far to the right, would make the picture 60,000 pixels wide.
    content = bytearray(animated())
    content[content.rindex(_FRAME) + 2] = 0xEA
    processed = kept(bytes(content), tmp_path)
    assert codes(processed) == ["animation_cut"]
    assert processed.outputs[0].attributes["frames"] == 2
