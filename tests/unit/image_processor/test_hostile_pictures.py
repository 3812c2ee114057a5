"""Files that are damaged or made to exhaust memory and time, and how little is done for them."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFile

from image_processor import exif, jpeg
from tests.unit.image_processor.pictures import (
    RED,
    chunk,
    corners,
    encoded,
    jpeg_of_size,
    png_of_size,
    run,
    segment,
    thumbnail,
    with_chunks,
    with_segments,
)
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from pathlib import Path

_MANY = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _refused(content: bytes, directory: Path, **limits: Any) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        run(content, directory, **limits)
    return caught.value


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_: ImageFile.ImageFile) -> None:
        raise AssertionError("decoded what should have been refused")

    monkeypatch.setattr(ImageFile.ImageFile, "load", decode)


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    ("content", "code"),
    [
        (png_of_size(30_000, 30_000), "too_many_pixels"),
        (png_of_size(10_000, 10_000), "needs_too_much_memory"),
        (png_of_size(0, 10), "corrupt_image"),
        (jpeg_of_size(65_500, 65_500), "too_many_pixels"),
        (jpeg_of_size(12_000, 12_000, progressive=True), "needs_too_much_memory"),
        (jpeg_of_size(100, 0), "corrupt_image"),
    ],
    ids=["png bomb", "large png", "no width", "jpeg bomb", "progressive bomb", "no height"],
)
def test_bombs_are_refused_before_decoding(tmp_path: Path, content: bytes, code: str) -> None:
    assert _refused(content, tmp_path).code == code


def test_absurd_dimensions_are_no_problem(tmp_path: Path) -> None:
    processed = run(encoded(Image.new("RGB", (1, 60_000), RED), "PNG"), tmp_path)
    assert thumbnail(processed).size == (1, 1600)


@pytest.mark.usefixtures("nothing_is_decoded")
def test_a_jpeg_with_too_many_scans(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG", progressive=True)
    assert _refused(content, tmp_path, max_jpeg_scans=3).code == "too_many_scans"


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    "content",
    [
        with_segments(encoded(corners(), "JPEG"), *[segment(0xE5, bytes(60_000))] * 3),
        with_chunks(encoded(corners(), "PNG"), chunk(b"tEXt", b"a\0" + bytes(200_000))),
    ],
    ids=["jpeg", "png"],
)
def test_huge_metadata(tmp_path: Path, content: bytes) -> None:
    assert _refused(content, tmp_path, max_metadata_kb=100).code == "too_much_metadata"


@pytest.mark.usefixtures("nothing_is_decoded")
def test_a_lossless_jpeg_is_refused(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1)
    assert _refused(content, tmp_path).code == "unsupported_coding"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, form: str, share: float) -> None:
    content = encoded(Image.effect_noise((300, 200), 80).convert("RGB"), form)
    assert _refused(content[: int(len(content) * share)], tmp_path).code == "corrupt_image"


def test_what_can_be_decoded_of_a_truncated_file_is_used_if_allowed(tmp_path: Path) -> None:
    content = encoded(Image.effect_noise((300, 200), 80).convert("RGB"), "JPEG")
    processed = run(content[: len(content) // 2], tmp_path, allow_truncated=True)
    assert [warning.code for warning in processed.warnings] == ["incomplete"]
    assert thumbnail(processed).size == (300, 200)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_fault_of_the_system_is_not_blamed_on_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: ImageFile.ImageFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(OSError, match="No space"):
        run(encoded(corners(), "JPEG"), tmp_path)


@_MANY
@given(
    mode=st.sampled_from(["L", "RGB", "RGBA", "LA", "P", "1", "CMYK"]),
    form=st.sampled_from(["PNG", "JPEG", "TIFF"]),
    width=st.integers(1, 400),
    height=st.integers(1, 400),
)
def test_any_picture_gives_thumbnails_of_its_shape(
    tmp_path: Path, mode: str, form: str, width: int, height: int
) -> None:
    if form == "JPEG":
        mode = {"RGBA": "RGB", "LA": "L", "P": "L"}.get(mode, mode)
    if form == "PNG" and mode == "CMYK":
        mode = "RGB"
    processed = run(
        encoded(Image.new(mode, (width, height)), form), tmp_path, thumbnail_sizes=(200, 50)
    )
    for output, longer in zip(processed.outputs, (200, 50), strict=True):
        made = output.attributes
        assert max(made["width"], made["height"]) == min(longer, max(width, height))
        assert abs(made["width"] * height - made["height"] * width) <= max(width, height)


@_MANY
@given(
    form=st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"]),
    seed=st.integers(0, 10_000),
)
def test_any_damage_is_survived(tmp_path: Path, form: str, seed: int) -> None:
    content = bytearray(encoded(corners("P" if form == "GIF" else "RGB"), form))
    chance = random.Random(seed)  # noqa: S311  # damage, not secrets
    for _ in range(chance.randint(1, 30)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    try:
        run(bytes(content), tmp_path)
    except RejectedError as error:
        assert error.code  # noqa: PT017  # most damage raises nothing
        assert error.message  # noqa: PT017  # most damage raises nothing


@_MANY
@given(content=st.binary(max_size=300))
def test_the_jpeg_walker_ends_on_anything(content: bytes) -> None:
    found = jpeg.read_structure(io.BytesIO(b"\xff\xd8\xff" + content), max_scans=5)
    assert found.scans <= 6


def test_a_marker_across_two_reads_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg, "_CHUNK_BYTES", 2)
    content = encoded(corners(), "JPEG", progressive=True, quality=100)
    small = jpeg.read_structure(io.BytesIO(content), max_scans=100)
    monkeypatch.undo()
    assert small == jpeg.read_structure(io.BytesIO(content), max_scans=100)
    assert small.scans > 5


def test_camera_fields_and_no_location_unless_asked(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[ExifTags.Base.Make] = "Maker\0\x07 "
    tags[ExifTags.Base.Model] = "M" * 300
    photo = tags.get_ifd(ExifTags.IFD.Exif)
    photo[ExifTags.Base.DateTimeOriginal] = "2024:05:06 07:08:09"
    photo[ExifTags.Base.ExposureTime] = 0.004
    photo[ExifTags.Base.ISOSpeedRatings] = 200
    gps = tags.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "S", (33.0, 30.0, 0.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (151.0, 0.0, 36.0)
    content = encoded(corners(), "JPEG", exif=tags)
    details = run(content, tmp_path).details
    assert details["camera"] == {
        "make": "Maker",
        "model": "M" * 100,
        "taken_at": "2024:05:06 07:08:09",
        "exposure_seconds": 0.004,
        "iso": 200,
    }
    assert "location" not in details
    details = run(content, tmp_path, record_location=True).details
    assert details["location"] == {"latitude": -33.5, "longitude": 151.01}
    assert (
        run(encoded(corners(), "PNG"), tmp_path, record_location=True).details["location"] is None
    )


@pytest.mark.parametrize("raw", [(), float("nan"), b"\xff", "\0\0"])
def test_camera_values_that_make_no_sense_are_left_out(raw: object) -> None:
    assert exif._value(raw) is None


def test_a_block_that_cannot_be_read_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Image.Exif, __: int) -> dict[int, Any]:
        raise ValueError("damaged")

    monkeypatch.setattr(Image.Exif, "get_ifd", broken)
    assert exif.camera(Image.Exif()) == {}


def test_degrees_outside_the_earth_are_no_location() -> None:
    assert exif._degrees({2: (95.0, 0.0, 0.0)}, 2, 1, "S", 90) is None


def test_dominant_colour_and_placeholder(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    details = run(encoded(image, "PNG"), tmp_path).details
    assert details["dominant_colour"] is None
    image.paste((*RED, 255), (0, 0, 10, 30))
    details = run(encoded(image, "PNG"), tmp_path).details
    assert details["dominant_colour"] == "#dc1414"
    assert len(details["blurhash"]) == 28


def test_nothing_is_kept_between_200_invocations(tmp_path: Path) -> None:
    def resident() -> int:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # a counter
            return int(file.read().split()[1]) * 4096

    content = encoded(Image.effect_noise((160, 120), 60).convert("RGB"), "JPEG")
    sizes = []
    for number in range(200):
        run(content, tmp_path, thumbnail_sizes=(100,))
        if number in {50, 199}:
            sizes.append(resident())
    assert sizes[1] - sizes[0] < 4 * 1024 * 1024
