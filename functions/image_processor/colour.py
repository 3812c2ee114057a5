"""Colours: conversion to sRGB, the dominant colour, and the placeholder."""

from __future__ import annotations

import io
from functools import cache
from typing import Final

import blurhash  # type: ignore[import-untyped]  # the package has no type information
from PIL import Image, ImageCms

_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
# The corners of the cube of colours, and some greys and tones between.
_PROBE: Final = bytes.fromhex(
    "ff0000 00ff00 0000ff ffff00 00ffff ff00ff 404040 808080 c08040 4080c0"
)
_SAME: Final = 3
_TINY: Final = 24
_VISIBLE: Final = 128
_COLOURS: Final = 8


class ProfileError(ValueError):
    """The embedded colour profile cannot be used."""


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def plain(picture: Image.Image) -> Image.Image:
    """Return a picture (L, RGB, RGBA or CMYK) that has no profile as L, RGB or RGBA."""
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Convert a picture (L, RGB, RGBA or CMYK) from its embedded profile to sRGB.

    Raises:
        ProfileError: the profile is damaged, or of another colour space than the picture.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if space == "GRAY" and picture.mode == "RGBA":  # grey with opacity is worked on as RGBA
            grey = to_srgb(picture.convert("L"), profile)
            grey.putalpha(picture.getchannel("A"))
            return grey
        if space == "RGB" and picture.mode == "L":  # many programs leave it when they drop colour
            return picture
        if space != _SPACES[picture.mode]:
            raise ProfileError(f"the colour profile is for {space}, the picture is {picture.mode}")
        if space == "RGB" and _is_srgb(source):
            return picture
        converted = ImageCms.profileToProfile(
            picture, source, _srgb(), outputMode="RGBA" if picture.mode == "RGBA" else "RGB"
        )
    except (ImageCms.PyCMSError, OSError, TypeError) as error:
        raise ProfileError("the colour profile is damaged") from error
    assert converted is not None  # noqa: S101  # None is returned only for a change in place
    return converted


def _is_srgb(source: ImageCms.ImageCmsProfile) -> bool:
    """Return whether a profile for RGB leaves colours as they are; its name may be untrue."""
    if not ImageCms.getProfileDescription(source).startswith("sRGB"):
        return False
    probe = Image.frombytes("RGB", (len(_PROBE) // 3, 1), _PROBE)
    seen = ImageCms.profileToProfile(probe, source, _srgb())
    assert seen is not None  # noqa: S101 - as above
    return all(abs(a - b) <= _SAME for a, b in zip(_PROBE, seen.tobytes(), strict=True))


def summary(picture: Image.Image) -> tuple[str | None, str]:
    """Return the dominant colour (`#rrggbb`, None if nothing is visible) and the BlurHash.

    Args:
        picture: mode L, RGB or RGBA.
    """
    width, height = picture.size
    scale = min(1.0, _TINY / max(width, height))
    tiny = picture.resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BOX
    ).convert("RGBA")
    return _dominant(tiny), _blurhash(tiny)


def _dominant(tiny: Image.Image) -> str | None:
    """Return the most frequent visible colour."""
    red, green, blue, opacity = (channel.tobytes() for channel in tiny.split())
    visible = [
        colour
        for *colour, opaque in zip(red, green, blue, opacity, strict=True)
        if opaque >= _VISIBLE
    ]
    if not visible:
        return None
    pixels = b"".join(map(bytes, visible))
    reduced = Image.frombytes("RGB", (len(visible), 1), pixels).quantize(_COLOURS)
    counts = reduced.histogram()
    most = counts.index(max(counts))
    return "#" + bytes((reduced.getpalette() or [])[3 * most : 3 * most + 3]).hex()


def _blurhash(tiny: Image.Image) -> str:
    """Return the BlurHash, on white where the picture is transparent."""
    width, height = tiny.size
    ground = Image.new("RGBA", tiny.size, "#ffffff")
    pixels = Image.alpha_composite(ground, tiny).convert("RGB").tobytes()
    rows = [
        [pixels[at : at + 3] for at in range(row, row + 3 * width, 3)]
        for row in range(0, 3 * width * height, 3 * width)
    ]
    across, down = (4, 3) if width >= height else (3, 4)
    return str(blurhash.encode(rows, components_x=across, components_y=down))
