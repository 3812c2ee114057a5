"""Animated thumbnails: every frame of a GIF, WebP, PNG or AVIF file, as animated WebP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from image_processor import picture, thumbnails
from image_processor.scaling import resized
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from PIL import Image

    from image_processor.settings import Settings
    from uploads.processing import Produced

_MIB: Final = 1024 * 1024
_WEBP: Final = thumbnails.CONTENT_TYPES["webp"]

# All frames of a thumbnail are in memory while it is written, four bytes a pixel.
_MOST_PIXELS: Final = 12_000_000
# A decoder holds a frame, the one before and the canvas; of the memory they may take a quarter.
_DECODER_BYTES: Final = 16
_DECODER_SHARE: Final = 4

# Browsers show a frame of 10 ms or less for 100 ms.
# Source: Chromium, gif_image_reader; https://bugzilla.mozilla.org/show_bug.cgi?id=232822
_SHORTEST_MS: Final = 11
_USUAL_MS: Final = 100


class _Frames(NamedTuple):
    images: list[Image.Image]
    durations: list[int]
    plays: int


def keep(
    made: Sequence[Produced],
    path: Path,
    settings: Settings,
    shown: Callable[[Image.Image], Image.Image],
) -> tuple[list[Produced], list[Problem]]:
    """Replace WebP thumbnails of an animation by animated ones, as far as memory and time allow.

    Args:
        made: thumbnails of the first frame.
        path: the uploaded file.
        settings: limits and quality.
        shown: makes of a frame what the thumbnails are made of: upright, in sRGB.

    Returns:
        The thumbnails, the animated ones with their number of `frames`, and warnings.
    """
    sizes = {
        one.path: (one.attributes["width"], one.attributes["height"])
        for one in made
        if one.content_type == _WEBP
    }
    with picture.open_picture(path, settings).image as image:
        try:
            count = int(getattr(image, "n_frames", 1))
        except picture.FAULTS:
            damaged = "The animation is damaged; the thumbnails show its first frame."
            return list(made), [Problem("animation_dropped", damaged)]
        pixels = image.width * image.height
        fits = (
            pixels * _DECODER_BYTES * _DECODER_SHARE <= settings.memory_mb * _MIB
            and pixels * count <= settings.max_pixels
        )
        kept = {
            file: size
            for file, size in sorted(sizes.items(), key=lambda entry: -max(entry[1]))
            if fits and size[0] * size[1] * count <= _MOST_PIXELS
        }
        warnings = []
        if len(kept) < len(sizes):
            names = ", ".join(one.name for one in made if one.path in sizes.keys() - kept.keys())
            warnings.append(
                Problem(
                    "animation_dropped",
                    f"Too many or too large frames ({count}): {names} show the first one.",
                )
            )
        if not kept:
            return list(made), warnings
        frames = _read(image, count, next(iter(kept.values())), shown)
    if len(frames.images) < count:
        warnings.append(
            Problem(
                "animation_cut",
                f"The animation is damaged: the thumbnails end after frame {len(frames.images)}.",
            )
        )
    for file, size in kept.items():
        frames = frames._replace(images=[resized(frame, size) for frame in frames.images])
        _write(file, frames, settings)
    number = {"frames": len(frames.images)}
    return [
        replace(one, attributes=one.attributes | number) if one.path in kept else one
        for one in made
    ], warnings


def _read(
    image: Image.Image,
    count: int,
    size: tuple[int, int],
    shown: Callable[[Image.Image], Image.Image],
) -> _Frames:
    images, durations = [], []
    for frame in _decoded(image, count):
        images.append(resized(shown(frame.copy()).convert("RGBA"), size))
        duration = round(frame.info.get("duration") or 0)
        durations.append(duration if duration >= _SHORTEST_MS else _USUAL_MS)
    return _Frames(images, durations, _plays(image))


def _decoded(image: Image.Image, count: int) -> Iterator[Image.Image]:
    """Yield the frames, up to the first one that is damaged."""
    size = image.size
    for number in range(count):
        try:
            image.seek(number)
            if image.size != size:  # Pillow enlarges the canvas for a frame that exceeds it
                return
            image.load()
        except picture.FAULTS:
            return
        yield image


def _plays(image: Image.Image) -> int:
    """Return how often the animation is played; 0 for ever."""
    loop = image.info.get("loop")
    if image.format != "GIF":
        return int(loop or 0)
    # A GIF without the extension is played once; with it, once and so many times more.
    return 1 if loop is None else loop and loop + 1


def _write(path: Path, frames: _Frames, settings: Settings) -> None:
    first, *others = frames.images
    first.save(
        path,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=frames.durations,
        loop=frames.plays,
        quality=settings.thumbnail_quality,
        method=2,
    )
