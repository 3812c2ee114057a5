"""The work of the image function: from a file to thumbnails and a description, without AWS."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from PIL import ExifTags, Image

from image_processor import picture as pictures
from image_processor import thumbnails
from uploads.processing import Processed, Produced, RejectedError
from uploads.result import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.ImageFile import ImageFile

    from image_processor.settings import Settings
    from uploads.processing import Source

_SUFFIXES: Final = {"JPEG": {".jpg", ".jpeg"}, "PNG": {".png"}}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def process(source: Source, directory: Path, *, settings: Settings) -> Processed:
    """Make thumbnails and a description of a picture.

    Raises:
        RejectedError: the file is no picture, is damaged, or is too large to be decoded.
    """
    if source.size == 0:
        raise RejectedError("empty_file", "The file is empty.")
    path = source.save(directory / "upload")
    with path.open("rb") as file:
        form = pictures.signature(file.read(64))
    if form is None:
        raise RejectedError(
            "not_an_image", "The file is not a picture of a kind that can be read (JPEG, PNG)."
        )
    with pictures.open_picture(path, form) as opened:
        return _process(opened, form, source.name, directory, settings)


def _process(
    opened: ImageFile, form: str, name: str, directory: Path, settings: Settings
) -> Processed:
    warnings = []
    if PurePosixPath(name).suffix.lower() not in _SUFFIXES.get(form, set()):
        warnings.append(Problem("other_format", f"The file is named {name!r} but contains {form}."))
    full, mode = opened.size, opened.mode
    orientation = _orientation(opened)
    largest = thumbnails.fitted(full, settings.thumbnail_sizes[0])
    opened.draft(None, largest)
    pictures.load(opened, allow_truncated=settings.allow_truncated)
    base = pictures.shrunk(opened, max(1, max(opened.size) // (2 * max(largest))))
    base = base.resize(largest, Image.Resampling.LANCZOS) if base.size != largest else base
    if base.mode == "CMYK":
        base = base.convert("RGB")
    if orientation != 1:
        base = base.transpose(_TURNS[orientation])
    outputs: list[Produced] = []
    for longer, thumbnail in thumbnails.chain(base, base.size, settings.thumbnail_sizes):
        visible = thumbnail.convert("RGBA") if thumbnail.mode == "RGBa" else thumbnail
        outputs.append(thumbnails.save(visible, directory, longer, settings))
    width, height = full if orientation < 5 else full[::-1]
    details: dict[str, Any] = {
        "width": width,
        "height": height,
        "format": form.lower(),
        "mode": mode,
        "orientation": orientation,
    }
    return Processed(outputs, details, warnings)


def _orientation(opened: ImageFile) -> int:
    try:
        with pictures.blaming_content("damaged_metadata", "The EXIF block is damaged"):
            found = opened.getexif().get(ExifTags.Base.Orientation, 1)
    except RejectedError:
        return 1
    return found if found in _TURNS else 1
