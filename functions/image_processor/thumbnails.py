"""Thumbnails: sizes, the chain from large to small, and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from uploads.processing import Produced

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    """Write every thumbnail in every format, each made from the one before, without any metadata.

    A picture that is smaller than several sizes is written once, and named for each of them.

    Args:
        picture: the largest thumbnail, mode L, RGB or RGBA.
        directory: where to write.
        settings: sizes, formats and quality.
    """
    # A copy is no file of several frames any more, and without the information, of which Pillow
    # would write some into the thumbnails: colour profile, comment.
    picture = picture.copy()
    picture.info = {}
    full = picture.size
    written: dict[Format, Path] = {}
    made: list[Produced] = []
    for longer in sorted(settings.thumbnail_sizes, reverse=True):
        target = fitted(full, longer)
        is_new = not written or picture.size != target
        if picture.size != target:
            picture = picture.resize(target, FILTER)
        for form in settings.formats:
            name = f"thumbnail-{longer}.{_SUFFIXES[form]}"
            if is_new:
                written[form] = directory / name
                shown = _on_white(picture) if form == "jpeg" else picture
                shown.save(written[form], form.upper(), **_options(form, settings, longer))
            size = {"width": target[0], "height": target[1]}
            made.append(Produced(written[form], name, CONTENT_TYPES[form], size))
    return made


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGBA", picture.size, _WHITE)
    return Image.alpha_composite(ground, picture).convert("RGB")


def for_pages(made: Sequence[Produced], settings: Settings) -> dict[str, Any]:
    """Return how a page shows thumbnails, with their names for addresses.

    Returns:
        `srcset` by content type, and `html`, a `<picture>` whose last format is the main one.
    """
    by_width = {(one.content_type, one.attributes["width"]): one for one in made}
    srcset: dict[str, str] = {}
    for form in (*settings.formats[1:], settings.formats[0]):
        kind = CONTENT_TYPES[form]
        some = sorted(
            (width, one.name) for (other, width), one in by_width.items() if other == kind
        )
        srcset[kind] = ", ".join(f"{name} {width}w" for width, name in some)
    *sources, (_, last) = srcset.items()
    largest = made[0]
    size = f'width="{largest.attributes["width"]}" height="{largest.attributes["height"]}"'
    parts = [f'<source type="{kind}" srcset="{names}">' for kind, names in sources]
    image = f'<img src="{largest.name}" srcset="{last}" {size} alt="">'
    return {"srcset": srcset, "html": f"<picture>{''.join(parts)}{image}</picture>"}


def _options(form: Format, settings: Settings, longer: int) -> dict[str, Any]:
    options: dict[Format, dict[str, Any]] = {
        "webp": {"quality": settings.thumbnail_quality, "method": 2 if longer > 640 else 4},
        "jpeg": {"quality": settings.thumbnail_quality, "optimize": True, "progressive": True},
        "png": {"compress_level": 6},
        "avif": {"quality": settings.thumbnail_quality, "speed": 8, "max_threads": 1},
    }
    return options[form]
