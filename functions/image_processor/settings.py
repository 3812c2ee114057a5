"""Settings of the image function, read from environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Format = Literal["webp", "jpeg", "png", "avif"]

_SWITCH: Final = {"true": True, "false": False}


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the outputs depend on.

    Attributes:
        thumbnail_sizes: longer side of each thumbnail in pixels, largest first.
        thumbnail_format: format of the thumbnails.
        thumbnail_quality: 1 to 100, for the lossy formats.
        memory_mb: memory of the function; a picture that would need more is rejected.
        max_file_mb: largest file in MiB; it must fit into /tmp beside the thumbnails.
        max_pixels: largest picture, which bounds the time; memory sets a lower limit for most.
        max_metadata_kb: largest sum of everything in the file that is not picture, in KiB.
        max_jpeg_scans: most passes over the picture that a JPEG file may ask for.
        allow_truncated: whether what can be decoded of an incomplete file is used.
        record_location: whether the place where a photo was taken is recorded.
    """

    thumbnail_sizes: tuple[int, ...] = (1600, 640, 160)
    thumbnail_format: Format = "webp"
    thumbnail_quality: int = 80
    memory_mb: int = 512
    max_file_mb: int = 256
    max_pixels: int = 400_000_000
    max_metadata_kb: int = 16 * 1024
    max_jpeg_scans: int = 100
    allow_truncated: bool = False
    record_location: bool = False

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings; an unset or empty variable means the default.

        `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` is set by Lambda, so that a function that is given more
        memory takes larger pictures.

        Raises:
            SettingsError: a value cannot be used.
        """
        known = {name: value for name, value in variables.items() if value}
        default = cls()

        def number(name: str, otherwise: int, lowest: int, highest: int) -> int:
            return _number(name, known.get(name, str(otherwise)), lowest, highest)

        return cls(
            thumbnail_sizes=_sizes(known.get("THUMBNAIL_SIZES", "1600,640,160")),
            thumbnail_format=_format(known.get("THUMBNAIL_FORMAT", default.thumbnail_format)),
            thumbnail_quality=number("THUMBNAIL_QUALITY", default.thumbnail_quality, 1, 100),
            memory_mb=number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", default.memory_mb, 128, 10_240),
            max_file_mb=number("MAX_FILE_MB", default.max_file_mb, 1, 10_240),
            max_pixels=number("MAX_PIXELS", default.max_pixels, 1, 2**32),
            max_metadata_kb=number("MAX_METADATA_KB", default.max_metadata_kb, 1, 1024 * 1024),
            max_jpeg_scans=number("MAX_JPEG_SCANS", default.max_jpeg_scans, 1, 10_000),
            allow_truncated=_switch("ALLOW_TRUNCATED", known.get("ALLOW_TRUNCATED", "false")),
            record_location=_switch("RECORD_LOCATION", known.get("RECORD_LOCATION", "false")),
        )


def _number(name: str, text: str, lowest: int, highest: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        raise SettingsError(
            f"{name} is {text!r}; it must be a whole number from {lowest} to {highest}"
        )
    return value


def _sizes(text: str) -> tuple[int, ...]:
    sizes = {_number("THUMBNAIL_SIZES", size.strip(), 16, 4096) for size in text.split(",")}
    return tuple(sorted(sizes, reverse=True))


def _format(text: str) -> Format:
    name = text.lower()
    if name not in get_args(Format):
        raise SettingsError(
            f"THUMBNAIL_FORMAT is {text!r}; it must be one of {', '.join(get_args(Format))}"
        )
    return cast("Format", name)


def _switch(name: str, text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise SettingsError(f"{name} is {text!r}; it must be true or false") from None
