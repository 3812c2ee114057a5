"""Thumbnails: sizes, the chain from large to small, and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from uploads.processing import Produced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from image_processor.settings import Format, Settings

CONTENT_TYPES: Final[dict[Format, str]] = {
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "avif": "image/avif",
}
_SUFFIXES: Final[dict[Format, str]] = {"webp": "webp", "jpeg": "jpg", "png": "png", "avif": "avif"}
_WHITE: Final = "#ffffff"


def fitted(size: tuple[int, int], longer: int) -> tuple[int, int]:
    """Return the size with the longer side at most `longer`, same shape, at least one pixel."""
    width, height = size
    scale = min(1.0, longer / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def chain(
    picture: Image.Image, full: tuple[int, int], sizes: tuple[int, ...]
) -> Iterator[tuple[int, Image.Image]]:
    """Yield each size, largest first, with its thumbnail, made from the one before.

    Args:
        picture: pixels, at least as many as the largest thumbnail has.
        full: width and height of the whole picture, which no thumbnail exceeds.
        sizes: longer sides in pixels, largest first.
    """
    for longer in sizes:
        target = fitted(full, longer)
        if picture.size != target:
            picture = picture.resize(target, Image.Resampling.LANCZOS)
        yield longer, picture


def save(thumbnail: Image.Image, directory: Path, longer: int, settings: Settings) -> Produced:
    """Write a thumbnail (mode L, RGB or RGBA) without any metadata."""
    form = settings.thumbnail_format
    name = f"thumbnail-{longer}.{_SUFFIXES[form]}"
    path = directory / name
    picture = thumbnail.copy()
    picture.info = {}  # Pillow would write colour profiles and comments that it finds there
    if form == "jpeg" and picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, _WHITE)
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    picture.save(path, form.upper(), **_options(settings))
    width, height = picture.size
    return Produced(path, name, CONTENT_TYPES[form], {"width": width, "height": height})


def _options(settings: Settings) -> dict[str, Any]:
    options: dict[Format, dict[str, Any]] = {
        "webp": {"quality": settings.thumbnail_quality, "method": 4},
        "jpeg": {"quality": settings.thumbnail_quality, "optimize": True, "progressive": True},
        "png": {"compress_level": 6},
        "avif": {"quality": settings.thumbnail_quality, "speed": 8, "max_threads": 1},
    }
    return options[settings.thumbnail_format]
