"""HEIF: the pictures of phones (HEIC), which Pillow reads with pi-heif.

pi-heif holds libheif and libde265 (LGPL 3) and no encoder: pillow-heif, its sibling, adds x265,
which is under the GPL and five times as large. Who may not ship LGPL takes pi-heif out of
requirements.in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from PIL import Image

_HALVED: Final = 420  # what phones write: colours at half the width and height


def register() -> None:
    """Let Pillow open HEIF; imported for the first such picture, since it takes time to start.

    Raises:
        RejectedError: the function was built without pi-heif.
    """
    try:
        import pi_heif  # noqa: PLC0415 - see above
    except ImportError as error:
        raise RejectedError(
            "unsupported_coding", "HEIC pictures cannot be read here. Save it as JPEG."
        ) from error
    # One thread, since each holds a picture; nothing but the picture itself is wanted.
    pi_heif.register_heif_opener(
        decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
    )


def decoder_bytes(image: Image.Image) -> int:
    """Return the memory of the decoder in bytes a pixel: the planes of the picture, twice."""
    planes = 1.5 if image.info.get("chroma") == _HALVED else 3.0
    planes += image.mode == "RGBA"
    return int(2 * planes) * (2 if image.info.get("bit_depth", 8) > 8 else 1)


def coded_colours(image: Image.Image) -> bytes:
    """Return the codes of primaries and transfer function (ITU-T H.273), as a PNG's cICP has them.

    A colour profile counts more; 2 stands for "not said".
    """
    codes = image.info.get("nclx_profile")
    if image.info.get("icc_profile") or not codes:
        return b""
    primaries, transfer = codes["color_primaries"], codes["transfer_characteristics"]
    return b"" if 2 in {primaries, transfer} else bytes((primaries, transfer))
