"""Reads EXIF metadata: orientation, and a few fields that are worth recording."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from PIL import ExifTags

from image_processor.picture import FAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Exif

_CAMERA: Final = {"make": ExifTags.Base.Make, "model": ExifTags.Base.Model}
_PHOTO: Final = {
    "lens": ExifTags.Base.LensModel,
    "taken_at": ExifTags.Base.DateTimeOriginal,
    "taken_at_offset": ExifTags.Base.OffsetTimeOriginal,
    "exposure_seconds": ExifTags.Base.ExposureTime,
    "aperture": ExifTags.Base.FNumber,
    "iso": ExifTags.Base.ISOSpeedRatings,
    "focal_length_mm": ExifTags.Base.FocalLength,
}
_LONGEST_TEXT: Final = 100


def orientation(exif: Exif) -> int:
    """Return the EXIF orientation, 1 to 8; anything else counts as 1, upright."""
    found = exif.get(ExifTags.Base.Orientation, 1)
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def camera(exif: Exif) -> dict[str, str | float]:
    """Return the camera and exposure fields that are present and plausible."""
    return _selected(exif, _CAMERA) | _selected(_block(exif, ExifTags.IFD.Exif), _PHOTO)


def location(exif: Exif) -> dict[str, float] | None:
    """Return latitude and longitude in degrees, north and east positive, or None."""
    gps = _block(exif, ExifTags.IFD.GPSInfo)
    latitude = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    longitude = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}


def _block(exif: Exif, block: ExifTags.IFD) -> Mapping[int, Any]:
    try:
        return exif.get_ifd(block)
    except FAULTS:
        return {}


def _selected(block: Mapping[int, Any], fields: Mapping[str, int]) -> dict[str, str | float]:
    found = {name: _value(block.get(tag)) for name, tag in fields.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(raw: object) -> str | float | None:
    """Return a short printable text or a finite number, else None."""
    if isinstance(raw, tuple):
        raw = raw[0] if raw else None
    if isinstance(raw, str):
        text = "".join(character for character in raw if character.isprintable()).strip()
        return text[:_LONGEST_TEXT] or None
    return _number(raw)


def _number(raw: Any) -> float | None:  # noqa: ANN401  # any value of a camera
    if isinstance(raw, int):
        return raw
    try:
        number = float(raw)
    except FAULTS:
        return None
    return round(number, 6) if math.isfinite(number) else None


def _degrees(
    gps: Mapping[int, Any], tag: int, side: int, negative: str, most: float
) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in gps[tag])
    except FAULTS:
        return None
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= most:  # not a number is refused as well
        return None
    return round(-value if gps.get(side) == negative else value, 6)
