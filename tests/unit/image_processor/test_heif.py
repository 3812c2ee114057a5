"""HEIC, as phones make it: made by pillow-heif here, read by pi-heif in the function."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms

from image_processor import heif, limits, picture
from image_processor.settings import Settings
from tests.unit.image_processor.pictures import BLUE, GREEN, RED, WHITE, run, thumbnail
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

    from uploads.processing import Processed

SIZE = (96, 64)
CORNERS = {(8, 8): RED, (87, 8): GREEN, (8, 55): BLUE, (87, 55): WHITE}


def corners(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", SIZE, RED)
    image.paste(GREEN, (48, 0, 96, 32))
    image.paste(BLUE, (0, 32, 48, 64))
    image.paste(WHITE, (48, 32, 96, 64))
    return image.convert(mode)


def heic(image: Image.Image, *more: Image.Image, **options: Any) -> bytes:
    file = pillow_heif.from_pillow(image)
    for other in more:
        file.add_from_pillow(other)
    content = io.BytesIO()
    file.save(content, quality=95, **options)
    return content.getvalue()


def is_like(found: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 30 for one, other in zip(found, wanted, strict=True))


def test_a_photo_has_its_colours_and_its_size(tmp_path: Path) -> None:
    processed = run(heic(corners()), tmp_path, "IMG_1.HEIC")
    assert not processed.warnings
    assert (processed.details["format"], processed.details["width"]) == ("heif", 96)
    shown = thumbnail(processed)
    assert all(is_like(shown.getpixel(place), colour) for place, colour in CORNERS.items())


def pixel(processed: Processed) -> Any:
    return thumbnail(processed).getpixel((8, 8))


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def test_exif_alone_turns_no_heic(tmp_path: Path) -> None:
    pillow_heif.register_heif_opener()
    content = io.BytesIO()
    corners().save(content, "HEIF", exif=turned(6))
    assert thumbnail(run(content.getvalue(), tmp_path, "a.heic")).size == SIZE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_that_a_phone_turned_is_upright(tmp_path: Path, orientation: int) -> None:
    # Of these the encoder makes the boxes irot and imir, as a phone does, beside the EXIF block.
    file = pillow_heif.from_bytes("RGB", SIZE, corners().tobytes())
    file.info["exif"] = turned(orientation).tobytes()
    content = io.BytesIO()
    file.save(content, quality=95)
    assert (b"irot" in content.getvalue() or b"imir" in content.getvalue()) == (orientation > 1)
    processed = run(content.getvalue(), tmp_path, "a.heic")
    shown = thumbnail(processed)
    assert shown.size == (SIZE if orientation < 5 else SIZE[::-1])
    corner = {
        1: RED,
        2: GREEN,
        3: WHITE,
        4: BLUE,
        5: RED,
        6: BLUE,
        7: WHITE,
        8: GREEN,
    }[orientation]
    assert is_like(shown.getpixel((8, 8)), corner)
    assert (processed.details["width"], processed.details["height"]) == shown.size


def test_transparency_stays(tmp_path: Path) -> None:
    image = corners("RGBA")
    image.putalpha(Image.new("L", SIZE, 100))
    processed = run(heic(image), tmp_path, "a.heif")
    assert processed.details["transparent"]
    assert is_like(pixel(processed)[3:], (100,))


def test_of_a_burst_the_first_picture_is_taken(tmp_path: Path) -> None:
    burst = heic(corners(), Image.new("RGB", SIZE, BLUE))
    processed = run(burst, tmp_path, "a.heic")
    assert is_like(pixel(processed), RED)
    assert processed.details["animated"] is False


def test_ten_bits_are_shown_in_eight(tmp_path: Path) -> None:
    grey = Image.new("I;16", SIZE, 40_000)
    processed = run(heic(grey), tmp_path, "a.heic")
    assert is_like(thumbnail(processed).convert("RGB").getpixel((8, 8)), (156, 156, 156))


def test_a_profile_is_used(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = corners()
    image.info["icc_profile"] = profile
    assert not run(heic(image), tmp_path, "a.heic").warnings


def test_other_colours_are_reported(tmp_path: Path) -> None:
    nclx = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6}
    image = corners()
    image.info["nclx_profile"] = nclx | {"full_range_flag": 1}
    content = heic(image)
    [warning] = run(content, tmp_path, "a.heic").warnings
    assert warning.code == "profile_ignored"


def test_a_cut_file_is_damaged(tmp_path: Path) -> None:
    content = heic(corners())
    with pytest.raises(RejectedError, match="damaged") as caught:
        run(content[: len(content) // 2], tmp_path, "a.heic")
    assert caught.value.code == "corrupt_image"


def test_under_another_name_it_is_reported(tmp_path: Path) -> None:
    [warning] = run(heic(corners()), tmp_path, "a.jpg").warnings
    assert warning.code == "other_format"


def test_a_build_without_the_library_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(RejectedError, match="Save it as JPEG"):
        run(heic(corners()), tmp_path, "a.heic")


@pytest.mark.parametrize(
    ("mode", "info", "wanted"),
    [
        ("RGB", {"chroma": 420}, 3),
        ("RGB", {"chroma": 444}, 6),
        ("RGBA", {"chroma": 444}, 8),
        ("RGB", {"chroma": 420, "bit_depth": 10}, 6),
        ("RGB", {}, 6),
    ],
)
def test_the_decoder_needs_memory_by_its_planes(
    mode: str, info: dict[Any, Any], wanted: int
) -> None:
    image = Image.new(mode, (1, 1))
    image.info |= info
    assert heif.decoder_bytes(image) == wanted


def test_a_photo_of_48_megapixels_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(heic(corners()))
    found = picture.open_picture(path, Settings())
    with found.image:
        found.full = (8064, 6048)
        assert limits.memory_needed(found, 1, (1600, 1200)) < 512 * 2**20
