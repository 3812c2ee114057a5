"""The cost of decoding a picture, computed from its header and checked before decoding.

The costs are measured, for every colour mode at its largest accepted size, by
`tests/performance/memory_images.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from image_processor.scaling import reduction, working_mode
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from image_processor.formats import Format
    from image_processor.picture import Picture
    from image_processor.settings import Settings
    from image_processor.structure import Structure

_MIB: Final = 1024 * 1024

# The interpreter, its libraries, and what an encoder of a thumbnail takes.
_PROCESS_BYTES: Final = 112 * _MIB

# Pillow keeps these in fewer than the four bytes a pixel of all others.
_STORED_BYTES: Final = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}

_METADATA_COPIES: Final = 3


def memory_needed(picture: Picture, scale: int, target: tuple[int, int]) -> int:
    """Return the bytes that a picture needs at the peak, the whole process counted.

    Args:
        picture: an opened picture.
        scale: by which its decoder divides both sides.
        target: width and height of the largest thumbnail.
    """
    width, height = (-(-side // scale) for side in picture.full)
    factor = reduction((width, height), target)
    mode = working_mode(picture.image)
    stored = width * height * _STORED_BYTES.get(picture.image.mode, 4)
    decoder = width * height * picture.form.decoder_bytes
    freed = width * height * picture.form.freed_bytes(picture.image)
    working = -(-width // factor) * -(-height // factor) * _STORED_BYTES.get(mode, 4)
    if factor == 1 and mode == picture.image.mode:
        working = 0
    scaled = target[1] * (-(-width // factor) + 3 * target[0]) * 4
    read = picture.file_bytes * picture.form.file_copies
    metadata = picture.metadata_bytes * _METADATA_COPIES
    return (
        _PROCESS_BYTES
        + stored
        + decoder
        + picture.coefficient_bytes
        # HEIF's decoder gives its memory back before the pixels are scaled.
        + max(freed, working + scaled)
        + read
        + metadata
    )


def check_file(form: Format, file_bytes: int, settings: Settings) -> None:
    """Refuse a file whose decoder reads all of it, when that does not fit into the memory.

    Raises:
        RejectedError: it needs more than the function has.
    """
    needed = -(-(_PROCESS_BYTES + file_bytes * form.file_copies) // _MIB)
    if needed > settings.memory_mb:
        raise RejectedError(
            "needs_too_much_memory",
            f"The {form.name} file of {file_bytes // _MIB} MB would need {needed} MB of memory to "
            f"be decoded; the function has {settings.memory_mb} MB.",
        )


def check_structure(found: Structure, settings: Settings) -> None:
    """Refuse a file that is made to waste time or memory, or that cannot be decoded.

    Raises:
        RejectedError: it has too many parts, too much metadata, or a coding that is not supported.
    """
    if found.metadata_bytes > settings.max_metadata_kb * 1024:
        raise RejectedError(
            "too_much_metadata",
            f"The file holds more than {settings.max_metadata_kb} KB besides the picture.",
        )
    if found.parts > found.most_parts:
        raise RejectedError(
            "too_many_parts",
            f"The file is made of more than {found.most_parts:,} parts.",
        )
    if found.scans > settings.max_jpeg_scans:
        raise RejectedError(
            "too_many_scans",
            f"The picture is stored in more than {settings.max_jpeg_scans} scans.",
        )
    if not found.supported:
        raise RejectedError(
            "unsupported_coding",
            "The JPEG is lossless, hierarchical or not of 8 bits per sample; it cannot be read.",
        )


def check_pixels(size: tuple[int, int], settings: Settings) -> None:
    """Refuse a picture that would take too long.

    Raises:
        RejectedError: it has too many pixels.
    """
    width, height = size
    if width * height > settings.max_pixels:
        raise RejectedError(
            "too_many_pixels",
            f"The picture has {width} by {height} pixels; "
            f"at most {settings.max_pixels:,} in all can be processed.",
        )


def check_memory(picture: Picture, scale: int, target: tuple[int, int], settings: Settings) -> None:
    """Refuse a picture that does not fit into the memory.

    Raises:
        RejectedError: it needs more than the function has.
    """
    needed = -(-memory_needed(picture, scale, target) // _MIB)
    if needed > settings.memory_mb:
        width, height = picture.full
        raise RejectedError(
            "needs_too_much_memory",
            f"The picture of {width} by {height} pixels would need {needed} MB of memory to be "
            f"decoded ({picture.kind}); the function has {settings.memory_mb} MB.",
        )
