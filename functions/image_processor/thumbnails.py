"""Thumbnails: sizes, the chain from large to small, and the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from image_processor import named_sizes
from image_processor.scaling import resized
from uploads.processing import Produced

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from image_processor.named_sizes import NamedSize
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


def largest(size: tuple[int, int], settings: Settings) -> tuple[int, int]:
    """Return to what size a picture is scaled to make all thumbnails of it.

    A shape may need more of it than the longest side of the others. Whether the picture will be
    turned is not known yet, so that there is enough for both.
    """
    found = [fitted(size, max(settings.thumbnail_sizes))]
    for named in _named(settings):
        found += [named.scaled(size), named.scaled(size[::-1])[::-1]]
    return max(found)


def _named(settings: Settings) -> list[NamedSize]:
    return [named_sizes.parse(text) for text in settings.named_sizes]


def save_all(picture: Image.Image, directory: Path, settings: Settings) -> list[Produced]:
    """Write every thumbnail in every format, each made from the one before, without any metadata.

    A picture that is smaller than several sizes is written once, and named for each of them.

    Args:
        picture: scaled to what `largest` said and upright, mode L, RGB or RGBA.
        directory: where to write.
        settings: sizes, formats and quality.
    """
    picture = _bare(picture)
    full = picture.size
    written: dict[Format, Path] = {}
    made: list[Produced] = []
    for longer in sorted(settings.thumbnail_sizes, reverse=True):
        target = fitted(full, longer)
        is_new = not written or picture.size != target
        picture = resized(picture, target)
        for form in settings.formats:
            name = _file_name(str(longer), form)
            if is_new:
                written[form] = directory / name
                _save(picture, written[form], form, settings)
            made.append(_produced(written[form], name, form, picture))
    return made


def save_named(picture: Image.Image, directory: Path, settings: Settings) -> list[Produced]:
    """Write every thumbnail that has a name in every format; arguments as of `save_all`."""
    picture = _bare(picture)
    made: list[Produced] = []
    for named in _named(settings):
        shaped = named.made_of(picture)
        for form in settings.formats:
            path = directory / _file_name(named.name, form)
            _save(shaped, path, form, settings)
            made.append(_produced(path, path.name, form, shaped))
    return made


def _bare(picture: Image.Image) -> Image.Image:
    """Return a picture without the information of which Pillow would write some: profile, comment.

    A copy also has one frame only.
    """
    picture = picture.copy()
    picture.info = {}
    return picture


def _file_name(size: str, form: Format) -> str:
    return f"thumbnail-{size}.{_SUFFIXES[form]}"


def _save(picture: Image.Image, path: Path, form: Format, settings: Settings) -> None:
    shown = _on_white(picture) if form == "jpeg" else picture
    shown.save(path, form.upper(), **_options(form, settings, max(picture.size)))


def _produced(path: Path, name: str, form: Format, picture: Image.Image) -> Produced:
    size = {"width": picture.width, "height": picture.height}
    return Produced(path, name, CONTENT_TYPES[form], size)


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
