"""Files that are damaged or made to exhaust memory and time, and how little is done for them."""

from __future__ import annotations

import io
import random
import time
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageFile

from image_processor import exif, gif, jpeg
from tests.unit.image_processor.pictures import (
    BLUE,
    RED,
    chunk,
    close,
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
from uploads.time_limit import OutOfTimeError, stop_in_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_lambda_powertools.utilities.typing import LambdaContext

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


class _DecodedError(Exception):
    """Decoding began."""


@pytest.fixture
def nothing_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_: ImageFile.ImageFile) -> None:
        raise _DecodedError

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


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1)])
def test_absurd_dimensions_are_no_problem(tmp_path: Path, form: str, size: tuple[int, int]) -> None:
    processed = run(encoded(Image.new("RGB", size, RED), form), tmp_path)
    assert sorted(thumbnail(processed).size) == [1, 1600]
    assert close(thumbnail(processed).convert("RGB").getpixel((0, 0)), RED)


# --- Limits: what is at the edge is accepted, one step further is refused before decoding -------


@pytest.mark.usefixtures("nothing_is_decoded")
def test_one_row_more_than_the_limit_of_pixels(tmp_path: Path) -> None:
    with pytest.raises(_DecodedError):
        run(png_of_size(100, 100), tmp_path, max_pixels=10_000)
    assert _refused(png_of_size(100, 101), tmp_path, max_pixels=10_000).code == "too_many_pixels"


def _rows_that_fit(tmp_path: Path, of_height: Callable[[int], bytes]) -> int:
    lowest, highest = 1, 65_000
    while highest - lowest > 1:
        rows = (lowest + highest) // 2
        try:
            run(of_height(rows), tmp_path)
        except _DecodedError:
            lowest = rows
        except RejectedError:
            highest = rows
    return lowest


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    "of_height",
    [
        partial(png_of_size, 9_000),
        partial(png_of_size, 18_000, kind=0),
        partial(png_of_size, 9_000, kind=6),
        partial(png_of_size, 9_000, kind=4),
        partial(jpeg_of_size, 9_000, progressive=True),
        partial(jpeg_of_size, 9_000, progressive=True, subsampling="4:4:4"),
    ],
    ids=["rgb", "grey", "rgba", "grey with opacity", "progressive", "progressive 4:4:4"],
)
def test_one_row_more_than_the_memory_holds(
    tmp_path: Path, of_height: Callable[[int], bytes]
) -> None:
    rows = _rows_that_fit(tmp_path, of_height)
    assert rows > 5_000
    found = _refused(of_height(rows + 1), tmp_path)
    assert found.code == "needs_too_much_memory"
    assert "513 MB" in found.message


@pytest.mark.usefixtures("nothing_is_decoded")
def test_one_byte_more_than_the_limit_of_the_file(tmp_path: Path) -> None:
    edge = 1024 * 1024
    picture = encoded(corners(), "JPEG")
    with pytest.raises(_DecodedError):
        run(picture.ljust(edge, b"\0"), tmp_path, max_file_mb=1)
    found = _refused(picture.ljust(edge + 1, b"\0"), tmp_path, max_file_mb=1)
    assert found.code == "file_too_large"


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    "with_metadata",
    [
        lambda size: with_segments(encoded(corners(), "JPEG"), segment(0xE5, bytes(size - 22))),
        lambda size: with_chunks(encoded(corners(), "PNG"), chunk(b"prVt", bytes(size - 12))),
    ],
    ids=["jpeg: 18 bytes of JFIF, 4 of a head", "png: 12 bytes of a chunk"],
)
def test_one_byte_more_than_the_limit_of_metadata(
    tmp_path: Path, with_metadata: Callable[[int], bytes]
) -> None:
    with pytest.raises(_DecodedError):
        run(with_metadata(20 * 1024), tmp_path, max_metadata_kb=20)
    found = _refused(with_metadata(20 * 1024 + 1), tmp_path, max_metadata_kb=20)
    assert found.code == "too_much_metadata"


@pytest.mark.usefixtures("nothing_is_decoded")
def test_one_scan_more_than_the_limit(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG", progressive=True)
    scans = jpeg.read_structure(io.BytesIO(content), max_scans=100).scans
    with pytest.raises(_DecodedError):
        run(content, tmp_path, max_jpeg_scans=scans)
    assert _refused(content, tmp_path, max_jpeg_scans=scans - 1).code == "too_many_scans"


_HUGE = bytes(200_000)


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    "content",
    [
        with_segments(encoded(corners(), "JPEG"), *[segment(0xE5, bytes(60_000))] * 3),
        with_chunks(encoded(corners(), "PNG"), chunk(b"tEXt", b"a\0" + _HUGE)),
        encoded(corners("P"), "GIF", comment=_HUGE),
        encoded(corners(), "TIFF", description="x" * 200_000),
        encoded(corners(), "TIFF", icc_profile=_HUGE),
        encoded(corners(), "WEBP", xmp=_HUGE),
        encoded(corners(), "WEBP", exif=b"Exif\0\0" + _HUGE),
        encoded(corners(), "AVIF", xmp=_HUGE),
        encoded(corners(), "AVIF", icc_profile=_HUGE),
    ],
    ids=[
        *("JPEG segments", "PNG text", "GIF comment", "TIFF text", "TIFF profile"),
        *("WebP XMP", "WebP EXIF", "AVIF XMP", "AVIF profile"),
    ],
)
def test_huge_metadata(tmp_path: Path, content: bytes) -> None:
    found = _refused(content, tmp_path, max_metadata_kb=100)
    assert (found.code, "100 KB" in found.message) == ("too_much_metadata", True)


@pytest.mark.usefixtures("nothing_is_decoded")
@pytest.mark.parametrize(
    "content",
    [
        with_segments(encoded(corners(), "JPEG"), segment(0xE5, b"") * 10_001),
        with_chunks(encoded(corners(), "PNG"), chunk(b"IDAT", b"") * 200_001),
        encoded(corners("P"), "GIF")[:-1] + b"\x21\xfe\0" * 1_500_001,
        encoded(corners("P"), "GIF")[:-1] + b"\x21\xfe" + b"\x01x" * 1_500_001,
    ],
    ids=["JPEG segments", "PNG chunks", "GIF extensions", "GIF blocks"],
)
def test_a_file_of_countless_parts(tmp_path: Path, content: bytes) -> None:
    assert _refused(content, tmp_path).code == "too_many_parts"


@pytest.mark.parametrize("form", ["WEBP", "AVIF", "GIF", "TIFF"])
def test_a_file_that_its_decoder_reads_whole_must_fit_into_the_memory(
    tmp_path: Path, form: str
) -> None:
    content = encoded(corners(), form) + bytes(20 * 2**20)
    found = _refused(content, tmp_path, memory_mb=128)
    assert found.code == "needs_too_much_memory"
    assert "the function has 128 MB" in found.message


def test_the_frames_of_a_gif_are_walked_up_to_the_second() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, BLUE, RED)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], comment=b"abc")
    found = gif.read_structure(io.BytesIO(content))
    assert 0 < found.metadata_bytes < 100
    assert found.parts < 20


@pytest.mark.usefixtures("nothing_is_decoded")
def test_a_lossless_jpeg_is_refused(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1)
    assert _refused(content, tmp_path).code == "unsupported_coding"


@pytest.mark.usefixtures("nothing_is_decoded")
def test_another_frame_does_not_make_good_a_lossless_one(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG")
    at = content.index(b"\xff\xc0")
    frame = content[at : at + 2 + int.from_bytes(content[at + 2 : at + 4])]
    twice = content[:at] + frame.replace(b"\xff\xc0", b"\xff\xc3", 1) + content[at:]
    assert _refused(twice, tmp_path).code == "unsupported_coding"


@pytest.mark.usefixtures("nothing_is_decoded")
def test_a_jpeg_of_twelve_bits_is_refused(tmp_path: Path) -> None:
    content = encoded(corners(), "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c", 1)
    assert _refused(content, tmp_path).code == "unsupported_coding"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path: Path, form: str, share: float) -> None:
    content = encoded(Image.effect_noise((300, 200), 80).convert("RGB"), form)
    assert _refused(content[: int(len(content) * share)], tmp_path).code == "corrupt_image"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "GIF"])
def test_what_can_be_decoded_of_a_truncated_file_is_used_if_allowed(
    tmp_path: Path, form: str
) -> None:
    content = encoded(Image.effect_noise((300, 200), 80).convert("RGB"), form)
    truncated = content[: len(content) // 2]
    processed = run(truncated, tmp_path, f"a.{form}", allow_truncated=True)
    assert "incomplete" in [warning.code for warning in processed.warnings]
    assert thumbnail(processed).size == (300, 200)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert _refused(truncated, tmp_path).code == "corrupt_image"


def test_a_fault_of_the_system_is_not_blamed_on_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: ImageFile.ImageFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(OSError, match="No space"):
        run(encoded(corners(), "JPEG"), tmp_path)


def test_the_end_of_the_time_is_not_blamed_on_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: time.sleep(60))
    left = cast("LambdaContext", SimpleNamespace(get_remaining_time_in_millis=lambda: 200))
    with pytest.raises(OutOfTimeError), stop_in_time(left):
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
        assert made["width"] <= width
        assert made["height"] <= height
        with Image.open(output.path) as image:
            assert image.size == (made["width"], made["height"])
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
@given(
    start=st.sampled_from(
        [
            *(b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*"),
            *(b"RIFF\xff\0\0\0WEBP", b"\0\0\0\x20ftypavif"),
        ]
    ),
    content=st.binary(max_size=600),
    allow_truncated=st.booleans(),
)
def test_any_bytes_are_a_picture_or_refused(
    tmp_path: Path,
    start: bytes,
    content: bytes,
    allow_truncated: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    try:
        processed = run(start + content, tmp_path, allow_truncated=allow_truncated)
    except RejectedError as error:
        assert error.code  # noqa: PT017  # nearly all bytes are refused
    else:
        assert processed.outputs


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
