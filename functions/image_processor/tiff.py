"""The pages of a TIFF file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from PIL.TiffImagePlugin import TiffImageFile

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

# Source: "TIFF Revision 6.0", Adobe, section 8, NewSubfileType.
_SUBFILE_TYPE: Final = 254
_REDUCED: Final = 1

# More are not counted: each page costs two reads.
_MOST: Final = 10_000


class _Form(NamedTuple):
    """Where the offset of the first page stands, the formats of numbers, and the bytes of a tag."""

    first: int
    offset: str
    number_of_tags: str
    tag: int


# By the version in the head: TIFF 6.0, and BigTIFF. Source: "TIFF Revision 6.0", Adobe, section 2;
# "The BigTIFF File Format", AWare Systems.
_FORMS: Final = {42: _Form(4, "I", "H", 12), 43: _Form(8, "Q", "Q", 20)}


def is_preview(image: Image) -> bool:
    """Return whether the first picture of a file is a reduced version of another one in it."""
    kind = image.tag_v2.get(_SUBFILE_TYPE, 0) if isinstance(image, TiffImageFile) else 0
    return isinstance(kind, int) and bool(kind & _REDUCED)


def pages(path: Path) -> int:
    """Return how many pictures follow each other in a TIFF file; those that can be found."""
    found: set[int] = set()
    with path.open("rb") as file:

        def number(at: int, form: str) -> int:
            file.seek(at)
            form = order + form
            return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])

        order = ">" if file.read(2) == b"MM" else "<"
        try:
            form = _FORMS[number(2, "H")]
            at = number(form.first, form.offset)
            while at and at not in found and len(found) < _MOST:
                tags = number(at, form.number_of_tags)
                found.add(at)
                end = at + struct.calcsize(form.number_of_tags) + tags * form.tag
                at = number(end, form.offset)
        except (KeyError, ValueError, struct.error):
            pass  # the rest cannot be found
    return max(1, len(found))
