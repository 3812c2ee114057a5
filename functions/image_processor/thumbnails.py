"""Thumbnails: sizes, the chain from large to small, and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from uploads.processing import Produced

if TYPE_CHECKING:
    from pathlib import Path

    from image_processor.settings import Format, Settings

CONTENT_TYPES: Final[dict[Format, str]] = {
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "avif": "image/avif",
}
_SUFFIXES: Final[dict[Format, str]] = {"webp": "webp", "jpeg": "jpg", "png": "png", "avif": "avif"}
FILTER: Final = Image.Resampling.LANCZOS
_WHITE: Final = "#ffffff"


def fitted(size: tuple[int, int], longer: int) -> tuple[int, int]:
    """Return the size with the longer side at most `longer`, same shape, at least one pixel."""
    width, height = size
    scale = min(1.0, longer / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def save_all(picture: Image.Image, directory: Path, settings: Settings) -> list[Produced]:
    """Write every thumbnail, each made from the one before, without any metadata.

    A picture that is smaller than several sizes is written once, and named for each of them.

    Args:
        picture: the largest thumbnail, mode L, RGB or RGBA.
        directory: where to write.
        settings: sizes, format and quality.
    """
    form = settings.thumbnail_format
    # A copy is no file of several frames any more, and without the information, of which Pillow
    # would write some into the thumbnails: colour profile, comment.
    picture = picture.copy()
    picture.info = {}
    if form == "jpeg" and picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, _WHITE)
        picture = Image.alpha_composite(ground, picture).convert("RGB")
    full = picture.size
    made: list[Produced] = []
    for longer in sorted(settings.thumbnail_sizes, reverse=True):
        name = f"thumbnail-{longer}.{_SUFFIXES[form]}"
        target = fitted(full, longer)
        if made and picture.size == target:
            path = made[-1].path
        else:
            if picture.size != target:
                picture = picture.resize(target, FILTER)
            path = directory / name
            picture.save(path, form.upper(), **_options(settings, longer))
        width, height = target
        made.append(Produced(path, name, CONTENT_TYPES[form], {"width": width, "height": height}))
    return made


def _options(settings: Settings, longer: int) -> dict[str, Any]:
    options: dict[Format, dict[str, Any]] = {
        "webp": {"quality": settings.thumbnail_quality, "method": 2 if longer > 640 else 4},
        "jpeg": {"quality": settings.thumbnail_quality, "optimize": True, "progressive": True},
        "png": {"compress_level": 6},
        "avif": {"quality": settings.thumbnail_quality, "speed": 8, "max_threads": 1},
    }
    return options[settings.thumbnail_format]
