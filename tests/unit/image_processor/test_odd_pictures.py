"""Every odd kind of picture that people send, by name."""

from __future__ import annotations

import dataclasses
import re
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from PIL import ExifTags, Image, ImageCms, ImageFile, TiffImagePlugin

from image_processor import core, picture
from image_processor.settings import Settings
from tests.unit.image_processor.pictures import (
    BLUE,
    RED,
    Uploaded,
    chunk,
    close,
    corners,
    encoded,
    quarters,
    run,
    segment,
    thumbnail,
    with_segments,
)
from uploads.processing import Processed, RejectedError

if TYPE_CHECKING:
    from pathlib import Path

# What each EXIF orientation does to the rows red green / blue white.
_UPRIGHT = {
    1: ["red", "green", "blue", "white"],
    2: ["green", "red", "white", "blue"],
    3: ["white", "blue", "green", "red"],
    4: ["blue", "white", "red", "green"],
    5: ["red", "blue", "green", "white"],
    6: ["blue", "red", "white", "green"],
    7: ["white", "green", "blue", "red"],
    8: ["green", "white", "red", "blue"],
}


def _codes(processed: Processed) -> list[str]:
    return [warning.code for warning in processed.warnings]


def _refused(content: bytes, directory: Path, name: str = "a.jpg", **settings: Any) -> str:
    with pytest.raises(RejectedError) as caught:
        run(content, directory, name, **settings)
    assert len(caught.value.message) > 10
    return caught.value.code


def _exif(**tags: Any) -> Image.Exif:
    found = Image.Exif()
    for name, value in tags.items():
        found[ExifTags.Base[name]] = value
    return found


# --- Outputs --------------------------------------------------------------------------------------


def test_three_thumbnails_by_their_longer_side(tmp_path: Path) -> None:
    processed = run(encoded(corners(size=(2400, 1200)), "JPEG"), tmp_path)
    assert [(made.name, made.content_type, made.attributes) for made in processed.outputs] == [
        ("thumbnail-1600.webp", "image/webp", {"width": 1600, "height": 800}),
        ("thumbnail-640.webp", "image/webp", {"width": 640, "height": 320}),
        ("thumbnail-160.webp", "image/webp", {"width": 160, "height": 80}),
    ]
    assert [thumbnail(processed, index).size for index in range(3)] == [
        (1600, 800),
        (640, 320),
        (160, 80),
    ]
    assert (processed.details["width"], processed.details["height"]) == (2400, 1200)
    assert processed.details["format"] == "jpeg"
    assert not processed.warnings


def test_a_small_picture_is_never_enlarged(tmp_path: Path) -> None:
    processed = run(encoded(corners(), "JPEG"), tmp_path)
    assert [made.attributes for made in processed.outputs] == [{"width": 90, "height": 60}] * 3
    assert len({made.path for made in processed.outputs}) == 1


def test_the_decoder_leaves_enough_pixels_for_the_finer_filter(tmp_path: Path) -> None:
    image = Image.linear_gradient("L").resize((2600, 1300)).convert("RGB")
    decoded = []
    for size in (1600, 1000, 800, 200):
        path = tmp_path / "a.jpg"
        image.save(path)
        settings = Settings(thumbnail_sizes=(size,))
        found = picture.open_picture(path, settings)
        with found.image as opened:
            core._prepare(found, settings)
            decoded.append(opened.size[0])
    assert decoded == [2600, 2600, 1300, 325]


@pytest.mark.parametrize("form", ["webp", "jpeg", "png", "avif"])
def test_each_output_format(tmp_path: Path, form: str) -> None:
    processed = run(encoded(corners(), "PNG"), tmp_path, "a.png", thumbnail_format=form)
    assert thumbnail(processed).format == form.upper()
    assert quarters(thumbnail(processed)) == _UPRIGHT[1]


def test_quality_is_a_setting(tmp_path: Path) -> None:
    content = encoded(Image.effect_noise((300, 300), 90), "PNG")
    sizes = []
    for quality in (20, 90):
        directory = tmp_path / str(quality)
        directory.mkdir()
        processed = run(content, directory, "a.png", thumbnail_quality=quality)
        sizes.append(processed.outputs[0].path.stat().st_size)
    assert sizes[0] < sizes[1] * 0.7


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    content = encoded(Image.effect_noise((2000, 900), 60).convert("RGB"), "JPEG")
    made = []
    for name in ("first", "second"):
        directory = tmp_path / name
        directory.mkdir()
        processed = run(content, directory)
        made.append(([output.path.read_bytes() for output in processed.outputs], processed.details))
    assert made[0] == made[1]


@pytest.mark.parametrize("orientation", [1, 3])
@pytest.mark.parametrize("form", ["webp", "jpeg", "png", "avif"])
def test_no_metadata_reaches_the_thumbnails(tmp_path: Path, form: str, orientation: int) -> None:
    tags = _exif(Make="Secretive", Orientation=orientation)
    tags.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(
        corners(),
        "JPEG",
        exif=tags,
        comment=b"Secretive",
        xmp=b"<x>Secretive</x>",
        icc_profile=profile,
        dpi=(72, 72),
    )
    processed = run(content, tmp_path, thumbnail_format=form)
    for output in processed.outputs:
        assert b"Secretive" not in output.path.read_bytes()
    found = thumbnail(processed)
    assert not found.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment"} & found.info.keys()


# --- Orientation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_exif_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    content = encoded(corners(), "JPEG", exif=_exif(Orientation=orientation))
    processed = run(content, tmp_path)
    assert quarters(thumbnail(processed)) == _UPRIGHT[orientation]
    size = (90, 60) if orientation < 5 else (60, 90)
    assert thumbnail(processed).size == size
    assert (processed.details["width"], processed.details["height"]) == size
    assert processed.details["orientation"] == orientation


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_upright(tmp_path: Path, orientation: int) -> None:
    content = encoded(corners(), "JPEG", exif=_exif(Orientation=orientation))
    assert run(content, tmp_path).details["orientation"] == 1


def test_png_orientation_behind_the_pixels(tmp_path: Path) -> None:
    content = encoded(corners(), "PNG")
    block = chunk(b"eXIf", _exif(Orientation=6).tobytes().removeprefix(b"Exif\0\0"))
    processed = run(content[:-12] + block + content[-12:], tmp_path, "a.png")
    assert quarters(thumbnail(processed)) == _UPRIGHT[6]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_before_the_damage_of_an_exif_block(
    tmp_path: Path, orientation: int
) -> None:
    # Twenty entries are announced, one follows.
    header = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 20)
    entry = struct.pack("<HHIHH", ExifTags.Base.Orientation, 3, 1, orientation, 0)
    content = with_segments(encoded(corners(), "JPEG"), segment(0xE1, header + entry))
    assert quarters(thumbnail(run(content, tmp_path))) == _UPRIGHT[orientation]


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0"],
)
def test_unreadable_exif_is_upright(tmp_path: Path, block: bytes) -> None:
    content = with_segments(encoded(corners(), "JPEG"), segment(0xE1, block))
    assert quarters(thumbnail(run(content, tmp_path))) == _UPRIGHT[1]


def test_exif_that_pillow_cannot_open_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: ImageFile.ImageFile) -> Image.Exif:
        raise SyntaxError("not a TIFF file")

    content = encoded(corners(), "JPEG")
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.getexif", broken)
    processed = run(content, tmp_path)
    assert _codes(processed) == ["metadata_damaged"]


# --- Formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["WEBP", "GIF", "TIFF", "BMP", "AVIF", "PNG"])
def test_another_format_under_a_jpeg_name_is_processed_with_a_warning(
    tmp_path: Path, form: str
) -> None:
    processed = run(encoded(corners(), form), tmp_path)
    assert quarters(thumbnail(processed)) == _UPRIGHT[1]
    assert processed.details["format"] == form.lower()
    assert _codes(processed) == ["other_format"]


@pytest.mark.parametrize("made", ["webp", "avif"])
@pytest.mark.parametrize(("form", "name"), [("PNG", "a.PNG"), ("GIF", "a.png"), ("WEBP", "a.jpg")])
def test_of_an_animation_the_first_frame_is_used(
    tmp_path: Path, form: str, name: str, made: str
) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, BLUE)]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    processed = run(content, tmp_path, name, thumbnail_format=made)
    assert processed.details["animated"]
    assert close(thumbnail(processed).convert("RGB").getpixel((5, 5)), RED)


def test_an_animation_whose_second_frame_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> bool:
        raise ValueError("no such frame")

    content = encoded(Image.new("P", (40, 30)), "GIF")
    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.is_animated", property(broken))
    assert run(content, tmp_path).details["animated"] is False


def test_pages_of_a_phone_photo_are_no_animation(tmp_path: Path) -> None:
    content = encoded(corners(), "MPO", save_all=True, append_images=[corners()])
    processed = run(content, tmp_path)
    assert (processed.details["animated"], processed.details["format"]) == (False, "jpeg")


def test_empty_file(tmp_path: Path) -> None:
    assert _refused(b"", tmp_path) == "empty_file"


def test_text_named_jpg(tmp_path: Path) -> None:
    assert _refused(b"I am not a picture, whatever my name says.", tmp_path) == "not_an_image"


def test_a_file_larger_than_allowed_is_not_even_downloaded(tmp_path: Path) -> None:
    huge = Uploaded(b"", claimed=300 * 1024 * 1024)
    with pytest.raises(RejectedError, match="file_too_large"):
        core.process(huge, tmp_path, settings=Settings())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_that_cannot_be_shown(tmp_path: Path, mode: str) -> None:
    assert _refused(encoded(Image.new(mode, (9, 9)), "TIFF"), tmp_path) == "unsupported_pixels"


# --- Colour ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_colour_modes(tmp_path: Path, mode: str, *, progressive: bool) -> None:
    processed = run(encoded(corners(mode), "JPEG", progressive=progressive), tmp_path)
    expected = corners(mode).convert("RGB")
    for at in ((20, 15), (70, 15), (20, 45), (70, 45)):
        seen = thumbnail(processed).convert("RGB").getpixel(at)
        assert close(seen, expected.getpixel(at))  # type: ignore[arg-type]  # RGB: three numbers
    assert (processed.details["mode"], processed.details["progressive"]) == (mode, progressive)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(90, 60), (4000, 300)])
def test_png_colour_modes(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    image = corners("L").convert(mode) if mode == "LA" else corners(mode, size)
    processed = run(encoded(image, "PNG"), tmp_path, "a.png")
    shown = thumbnail(processed).convert("RGB")
    expected = image.convert("RGB").resize(shown.size, Image.Resampling.BOX)
    middle = (shown.width // 4, shown.height // 4)
    within = 100 if mode == "1" else 12  # black and white dots are scaled to a grey
    assert close(shown.getpixel(middle), expected.getpixel(middle), within)  # type: ignore[arg-type]  # RGB: three numbers


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_are_scaled_not_cut_off(tmp_path: Path, mode: str, form: str) -> None:
    image = Image.new("I;16", (40, 30), 0x8000)
    if mode == "I;16B":
        image = Image.frombytes("I;16B", (40, 30), b"\x80\x00" * 1200)
    processed = run(encoded(image, form), tmp_path, "a.png")
    assert close(thumbnail(processed).convert("RGB").getpixel((5, 5)), (128, 128, 128), 3)


def test_sixteen_bits_with_a_transparent_grey(tmp_path: Path) -> None:
    image = Image.frombytes("I;16", (40, 30), (b"\x01\x80" * 20 + b"\x00\x80" * 20) * 30)
    processed = run(encoded(image, "PNG", transparency=0x8001), tmp_path, "a.png")
    found = thumbnail(processed)
    assert [found.getpixel((x, 15))[3] for x in (5, 35)] == [0, 255]  # type: ignore[index]  # RGBA


@pytest.mark.parametrize(
    ("kind", "pixel", "shown"),
    [
        (2, (0x8012, 0x40FF, 0xFF00), (0x80, 0x40, 0xFF, 255)),
        (6, (0x8012, 0x40FF, 0xFF00, 0x8000), (0x80, 0x40, 0xFF, 0x80)),
        (4, (0x8012, 0x8000), (0x80, 0x80, 0x80, 0x80)),
    ],
    ids=["colour", "colour with opacity", "grey with opacity"],
)
def test_sixteen_bits_a_channel(
    tmp_path: Path, kind: int, pixel: tuple[int, ...], shown: tuple[int, ...]
) -> None:
    row = b"\0" + struct.pack(f">{len(pixel)}H", *pixel) * 20
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 10, 16, kind, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(row * 10))
        + chunk(b"IEND", b"")
    )
    found = thumbnail(run(content, tmp_path, "a.png", thumbnail_format="png"))
    assert close(found.convert("RGBA").getpixel((5, 5)), shown, 2)


@pytest.mark.parametrize(
    ("mode", "clear"), [("P", 0), ("L", 76), ("RGB", RED)], ids=["palette", "grey", "colour"]
)
def test_a_transparent_colour_stays_transparent(tmp_path: Path, mode: str, clear: Any) -> None:
    image = Image.new(mode, (40, 30), clear)
    image.paste(200 if mode != "RGB" else BLUE, (20, 0, 40, 30))
    processed = run(encoded(image, "PNG", transparency=clear), tmp_path, "a.png")
    found = thumbnail(processed)
    assert [found.getpixel((x, 15))[3] for x in (5, 35)] == [0, 255]  # type: ignore[index]  # RGBA
    assert processed.details["transparent"]


def test_the_colour_of_what_cannot_be_seen_does_not_bleed(tmp_path: Path) -> None:
    image = Image.new("RGBA", (4000, 40), (255, 255, 255, 0))
    image.paste((200, 0, 0, 255), (0, 0, 2000, 40))
    found = thumbnail(run(encoded(image, "PNG"), tmp_path, "a.png", thumbnail_format="png"))
    for x in range(found.width):
        red, green, _, opacity = found.getpixel((x, 8))  # type: ignore[misc]  # RGBA
        assert opacity < 20 or (red > 190 and green < 10)


def test_jpeg_thumbnails_show_white_where_it_is_transparent(tmp_path: Path) -> None:
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    processed = run(encoded(image, "PNG"), tmp_path, "a.png", thumbnail_format="jpeg")
    assert close(thumbnail(processed).getpixel((5, 5)), (255, 255, 255))
    assert _codes(processed) == ["transparency_lost"]


def _swapped() -> bytes:
    """Return the sRGB profile under another name, so that it is not taken for sRGB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))


def _exchanged(profile: bytes) -> bytes:
    """Return an RGB profile with the red and the blue primary exchanged."""
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    return profile[:red] + b"bXYZ" + profile[red + 4 : blue] + b"rXYZ" + profile[blue + 4 :]


def test_a_colour_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    # An sRGB profile whose red and blue primaries are exchanged: blue numbers mean red.
    profile = _exchanged(_swapped())
    content = encoded(Image.new("RGB", (40, 30), BLUE), "PNG", icc_profile=profile)
    processed = run(content, tmp_path, "a.png")
    assert close(thumbnail(processed).getpixel((5, 5)), RED, 15)
    rgba = encoded(Image.new("RGBA", (40, 30), (*BLUE, 128)), "PNG", icc_profile=profile)
    assert close(thumbnail(run(rgba, tmp_path, "a.png")).getpixel((5, 5)), (*RED, 128), 15)


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encoded(corners(), "PNG", icc_profile=profile)
    processed = run(content, tmp_path, "a.png", thumbnail_format="png")
    assert thumbnail(processed).tobytes() == corners().tobytes()


def test_a_damaged_or_unfit_profile_is_a_warning(tmp_path: Path) -> None:
    grey = Image.new("RGB", (40, 30), "#808080")
    for mode, profile in (("RGB", b"nonsense"), ("CMYK", _swapped())):
        content = encoded(grey.convert(mode), "JPEG", icc_profile=profile)
        processed = run(content, tmp_path, "a.jpg")
        assert _codes(processed) == ["profile_ignored"]
        assert close(thumbnail(processed).convert("RGB").getpixel((5, 5)), (128, 128, 128))


def test_grey_with_a_profile_for_colours_stays_grey(tmp_path: Path) -> None:
    content = encoded(Image.new("L", (40, 30), 128), "PNG", icc_profile=_swapped())
    processed = run(content, tmp_path, "a.png")
    assert _codes(processed) == []
    assert close(thumbnail(processed).convert("RGB").getpixel((5, 5)), (128, 128, 128))


def test_a_profile_is_judged_by_its_content(tmp_path: Path) -> None:
    profile = _exchanged(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    content = encoded(Image.new("RGB", (40, 30), BLUE), "PNG", icc_profile=profile)
    assert close(thumbnail(run(content, tmp_path, "a.png")).getpixel((5, 5)), RED, 15)


def test_colours_of_another_code_are_warned_of(tmp_path: Path) -> None:
    picture = encoded(Image.new("RGB", (40, 30), RED), "PNG")
    for code, warnings in (
        (bytes((12, 13, 0, 1)), ["profile_ignored"]),
        (bytes((1, 13, 0, 1)), []),
    ):
        content = picture[:33] + chunk(b"cICP", code) + picture[33:]
        assert _codes(run(content, tmp_path, "a.png")) == warnings


@pytest.mark.parametrize(
    ("chunks", "warnings"),
    [
        ([(b"gAMA", struct.pack(">I", 45_455))], []),
        ([(b"gAMA", struct.pack(">I", 100_000))], ["profile_ignored"]),
        ([(b"sRGB", b"\0"), (b"gAMA", struct.pack(">I", 100_000))], []),
        (
            [
                (
                    b"cHRM",
                    struct.pack(">8I", *(31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)),
                )
            ],
            ["profile_ignored"],
        ),
    ],
)
def test_colours_of_another_gamma_are_warned_of(
    tmp_path: Path, chunks: list[tuple[bytes, bytes]], warnings: list[str]
) -> None:
    picture = encoded(Image.new("RGB", (40, 30), RED), "PNG")
    content = picture[:33] + b"".join(chunk(*each) for each in chunks) + picture[33:]
    assert _codes(run(content, tmp_path, "a.png")) == warnings


@pytest.mark.parametrize("bits", [2, 4])
def test_transparency_of_few_greys(tmp_path: Path, bits: int) -> None:
    """One grey of few bits is transparent; half of the picture has it."""
    row = b"\0" + bytes([0b01010101 if bits == 2 else 0b00010001]) * 4 + b"\xff" * 4
    width = 64 // bits
    header = struct.pack(">IIBBBBB", width, 8, bits, 0, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tRNS", b"\0\x01")
        + chunk(b"IDAT", zlib.compress(row * 8))
        + chunk(b"IEND", b"")
    )
    processed = run(content, tmp_path, "a.png", thumbnail_format="png")
    opacity = thumbnail(processed).convert("RGBA").getchannel("A").tobytes()
    assert (opacity[4 * width + 1], opacity[5 * width - 2]) == (0, 255)


def test_a_transparent_colour_of_sixteen_bits(tmp_path: Path) -> None:
    """The left half has the colour that is transparent."""
    row = b"\0" + b"\xff\xff\x80\x00\x00\x00" * 8 + b"\0\0\0\0\xff\xff" * 8
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, 16, 2, 0, 0, 0))
        + chunk(b"tRNS", b"\xff\xff\x80\x00\x00\x00")
        + chunk(b"IDAT", zlib.compress(row * 8))
        + chunk(b"IEND", b"")
    )
    shown = thumbnail(run(content, tmp_path, "a.png", thumbnail_format="png")).convert("RGBA")
    assert (shown.getpixel((1, 4)), shown.getpixel((14, 4))) == ((0, 0, 0, 0), (0, 0, 255, 255))


@pytest.mark.parametrize(("most", "warnings"), [(4095, ["dark"]), (65535, [])])
@pytest.mark.parametrize("form", ["TIFF", "PNG"])
def test_twelve_bits_in_sixteen_are_said_to_be_dark(
    tmp_path: Path, form: str, most: int, warnings: list[str]
) -> None:
    picture = Image.new("I;16", (40, 30), most // 2)
    picture.putpixel((7, 7), most)
    processed = run(encoded(picture, form), tmp_path, f"a.{form[:3].lower()}")
    assert _codes(processed) == warnings


@pytest.mark.parametrize("big", [False, True])
def test_tiff_of_both_kinds(tmp_path: Path, *, big: bool) -> None:
    processed = run(encoded(corners(), "TIFF", big_tiff=big), tmp_path, "a.tif")
    assert quarters(thumbnail(processed)) == quarters(corners())
    assert _codes(processed) == []


@pytest.mark.parametrize(
    ("kind", "warnings"), [(1, ["preview"]), (0, []), ("other", [])], ids=["small", "whole", "odd"]
)
def test_the_preview_of_a_raw_photo_is_said_to_be_one(
    tmp_path: Path, kind: int | str, warnings: list[str]
) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[254] = 2 if kind == "other" else 4
    tags[254] = kind
    processed = run(encoded(corners(), "TIFF", tiffinfo=tags), tmp_path, "a.tif")
    assert _codes(processed) == warnings


def test_a_tag_that_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(encoded(corners(), "TIFF"))
    found = picture.open_picture(path, Settings())

    def damaged(_: Image.Image) -> bool:
        raise struct.error

    found.form = dataclasses.replace(found.form, is_preview=damaged)
    with found.image:
        assert not picture.is_preview(found)


def test_a_palette_that_is_missing(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)
    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(9 * 8)))
        + chunk(b"IEND", b"")
    )
    assert _refused(content, tmp_path, "a.png") == "corrupt_image"


def test_a_wrong_checksum_beside_the_picture_is_passed_over(tmp_path: Path) -> None:
    picture = encoded(corners(), "PNG")
    broken = chunk(b"tIME", bytes(7))[:-1] + b"\0"
    processed = run(picture[:33] + broken + picture[33:], tmp_path, "a.png")
    assert quarters(thumbnail(processed)) == quarters(corners())


def test_a_length_beyond_the_end_is_not_called_metadata(tmp_path: Path) -> None:
    content = encoded(corners(), "PNG")[:33] + struct.pack(">I", 2**31 - 1) + b"tEXt" + b"abc"
    assert _refused(content, tmp_path, "a.png") == "corrupt_image"


def test_what_looks_like_a_frame_in_a_scan_is_none(tmp_path: Path) -> None:
    content = encoded(corners(size=(900, 600)), "JPEG", quality=95)
    middle = content.index(b"\xff\xda") + 200
    for marker in (0xC3, 0xC5):
        damaged = content[:middle] + bytes([0xFF, marker, 0, 11]) + content[middle + 4 :]
        try:
            run(damaged, tmp_path, "a.jpg")
        except RejectedError as error:
            assert error.code == "corrupt_image"  # noqa: PT017 - libjpeg may also go on


def test_reasons_hold_no_path(tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        run(b"\x89PNG\r\n\x1a\n" + bytes(40), tmp_path, "a.png")
    assert str(tmp_path) not in caught.value.message
    assert caught.value.message == "The file starts like PNG but is damaged."


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="an HTML page, although its name says otherwise"):
        run(b"<!doctype html><html></html>", tmp_path, "a.png")
    with pytest.raises(RejectedError, match="a PDF document"):
        run(b"%PDF-1.7", tmp_path, "a.jpg")


def test_xmp_turns_no_picture(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'
    content = encoded(corners(), "JPEG", xmp=xmp)
    processed = run(content, tmp_path, "a.jpg")
    assert (processed.details["orientation"], processed.details["width"]) == (1, 90)


def _profile(
    kind: bytes, space: bytes, connection: bytes, tags: list[tuple[bytes, bytes]]
) -> bytes:
    """Return a minimal ICC profile (ICC.1:2001-04, 6.1)."""
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"mine\0" + bytes(79)
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    tags = [(b"wtpt", white), (b"desc", text), *tags]
    offset, table, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags:
        table += name + struct.pack(">II", offset + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    size = 132 + len(table) + len(data)
    head = struct.pack(
        ">I4sI4s4s4s12s4s28xiii44x",
        *(size, b"lcms", 0x02100000, kind, space, connection, bytes(12), b"acsp"),
        *(63190, 65536, 54061),
    )
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def _cmyk_profile() -> bytes:
    """Return a profile in which cyan ink is red, black is black, and the rest does nothing."""
    corners_of_lab = []
    for number in range(16):
        cyan, black = number >> 3, number & 1
        corners_of_lab += [0, 128, 128] if black else [136, 208, 195] if cyan else [255, 128, 128]
    straight = bytes(range(256))
    table = (
        b"mft1\0\0\0\0"
        + bytes([4, 3, 2, 0])
        + struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
        + straight * 4
        + bytes(corners_of_lab)
        + straight * 3
    )
    return _profile(b"prtr", b"CMYK", b"Lab ", [(b"A2B0", table)])


def test_a_cmyk_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    image = Image.new("CMYK", (80, 40), (255, 0, 0, 0))
    image.paste((0, 255, 255, 255), (40, 0, 80, 40))
    content = encoded(image, "JPEG", quality=95, icc_profile=_cmyk_profile())
    processed = run(content, tmp_path)
    assert _codes(processed) == []
    shown = thumbnail(processed).convert("RGB")
    assert close(shown.getpixel((10, 20)), (254, 0, 0), 30)  # without the profile: cyan
    assert close(shown.getpixel((70, 20)), (0, 0, 0), 20)


def _grey_profile() -> bytes:
    """Return a minimal grey ICC profile with a linear curve (ICC.1:2010, 8.4)."""
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    return _profile(b"mntr", b"GRAY", b"XYZ ", [(b"kTRC", curve)])


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_applied_with_and_without_opacity(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (40, 30), 128 if mode == "L" else (128, 200))
    content = encoded(image, "PNG", icc_profile=_grey_profile())
    processed = run(content, tmp_path, "a.png")
    assert _codes(processed) == []
    seen: Any = thumbnail(processed).convert("RGBA").getpixel((5, 5))
    assert seen[0] > 175  # half the light is no half of the sRGB scale
    assert seen[3] in ({255} if mode == "L" else range(195, 206))


def _photo(form: str = "JPEG", **options: Any) -> bytes:
    return encoded(Image.effect_noise((200, 120), 80).convert("RGB"), form, **options)


def test_jpeg_without_the_marker_of_its_end(tmp_path: Path) -> None:
    processed = run(_photo()[:-2], tmp_path)
    assert thumbnail(processed).size == (200, 120)
    assert _codes(processed) == []


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_jpeg_with_a_part_of_its_scan_and_the_marker_of_its_end(
    tmp_path: Path, share: float
) -> None:
    whole = _photo()
    assert _refused(whole[: int(len(whole) * share)] + b"\xff\xd9", tmp_path) == "corrupt_image"


def _with_checksum(content: bytes, change: int) -> bytes:
    """Return a PNG of one IDAT chunk with other bytes at the end of its pixels."""
    at = content.index(b"IDAT")
    length = int.from_bytes(content[at - 4 : at])
    data = content[at + 4 : at + 4 + length]
    other = data[: len(data) - 4 - change] + b"\0\0\0\0"
    return content[: at - 4] + chunk(b"IDAT", other) + content[at + 8 + length :]


def test_png_with_a_wrong_checksum_of_its_pixels(tmp_path: Path) -> None:
    processed = run(_with_checksum(_photo("PNG"), 0), tmp_path, "a.png")
    assert thumbnail(processed).size == (200, 120)
    assert _codes(processed) == []


def test_png_with_damaged_pixels(tmp_path: Path) -> None:
    content = _with_checksum(_photo("PNG"), 300)
    assert _refused(content, tmp_path, "a.png") == "corrupt_image"


def test_png_with_a_right_checksum_of_too_few_pixels(tmp_path: Path) -> None:
    whole = _photo("PNG")
    at = whole.index(b"IDAT")
    few = chunk(b"IDAT", zlib.compress(bytes(1000)))
    content = whole[: at - 4] + few + chunk(b"IEND", b"")
    assert _refused(content, tmp_path, "a.png") == "corrupt_image"


def test_png_whose_checksum_is_wrong_in_several_parts(tmp_path: Path) -> None:
    content = _with_checksum(_photo("PNG"), 0)
    at = content.index(b"IDAT")
    length = int.from_bytes(content[at - 4 : at])
    data = content[at + 4 : at + 4 + length]
    parts = b"".join(chunk(b"IDAT", data[start : start + 5000]) for start in range(0, length, 5000))
    split = content[: at - 4] + parts + content[at + 8 + length :]
    assert thumbnail(run(split, tmp_path, "a.png")).size == (200, 120)


def test_png_with_pixels_that_cannot_be_inflated(tmp_path: Path) -> None:
    whole = _photo("PNG")
    at = whole.index(b"IDAT")
    content = whole[: at - 4] + chunk(b"IDAT", b"\x78\x9c" + b"\xff" * 50) + chunk(b"IEND", b"")
    assert _refused(content, tmp_path, "a.png") == "corrupt_image"


def test_upright_by_exif_although_incomplete(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    cut = _photo(exif=exif)[:-4000]
    processed = run(cut, tmp_path, allow_truncated=True)
    assert processed.details["orientation"] == 6
    assert thumbnail(processed).size == (120, 200)
    assert _codes(processed) == ["incomplete"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("p.avif", "AVIF"),
        ("p.bmp", "BMP"),
        ("p.gif", "GIF"),
        ("p.jfif", "JPEG"),
        ("p.tif", "TIFF"),
        ("p.TIFF", "TIFF"),
        ("p.webp", "WEBP"),
    ],
)
def test_every_kind_under_its_own_name(tmp_path: Path, name: str, form: str) -> None:
    processed = run(encoded(Image.new("RGB", (40, 30), RED), form), tmp_path, name)
    assert _codes(processed) == []
    assert processed.details["format"] == form.lower()
    pixel: Any = thumbnail(processed).convert("RGB").getpixel((20, 15))
    assert all(abs(have - want) < 12 for have, want in zip(pixel, RED, strict=True))


@pytest.mark.parametrize("pages", [1, 2])
def test_pages_that_are_not_shown_are_said(tmp_path: Path, pages: int) -> None:
    first, *others = (Image.new("RGB", (40, 30), colour) for colour in (RED, BLUE)[:pages])
    content = encoded(first, "TIFF", save_all=True, append_images=others)
    processed = run(content, tmp_path, "scan.tif")
    assert _codes(processed) == ["first_page"] * (pages - 1)
    assert processed.details["pages"] == pages


def test_passes_of_a_progressive_jpeg_that_are_missing_are_said(tmp_path: Path) -> None:
    content = encoded(Image.effect_noise((200, 150), 90).convert("RGB"), "JPEG", progressive=True)
    scans = [found.start() for found in re.finditer(rb"\xff\xda", content)]
    assert len(scans) > 5
    assert _codes(run(content, tmp_path)) == []
    for kept in range(1, len(scans)):
        # Tables stand between passes; the marker of the end follows at once.
        cut = content[: scans[kept]]
        processed = run(cut + b"\xff\xd9", tmp_path)
        assert _codes(processed) == ["incomplete"], kept


@pytest.mark.parametrize("head", [b"", b"\1", b"\1\1", b"\1\1\0"])
def test_a_scan_with_a_cut_head_is_rejected(tmp_path: Path, head: bytes) -> None:
    content = encoded(Image.new("RGB", (16, 16), RED), "JPEG", progressive=True)
    at = content.index(b"\xff\xda")
    with pytest.raises(RejectedError, match="corrupt_image"):
        run(content[:at] + segment(0xDA, head) + content[at:], tmp_path)


def test_thumbnails_in_several_formats_and_how_a_page_shows_them(tmp_path: Path) -> None:
    picture = encoded(Image.new("RGBA", (400, 300), (*RED, 100)), "PNG")
    processed = run(
        picture,
        tmp_path,
        "a.png",
        thumbnail_sizes=(160, 640, 1600),
        further_formats=("avif", "jpeg"),
    )
    names = [output.name for output in processed.outputs]
    assert names == [
        f"thumbnail-{size}.{suffix}"
        for size in (1600, 640, 160)
        for suffix in ("webp", "avif", "jpg")
    ]
    assert [thumbnail(processed, place).format for place in range(3)] == [*("WEBP", "AVIF", "JPEG")]
    assert _codes(processed) == ["transparency_lost"]
    pages = processed.details["for_pages"]
    # The larger two are the same picture: a page needs one of them.
    assert pages["srcset"]["image/avif"] == "thumbnail-160.avif 160w, thumbnail-640.avif 400w"
    assert list(pages["srcset"]) == ["image/avif", "image/jpeg", "image/webp"]
    assert pages["html"].startswith('<picture><source type="image/avif" srcset="thumbnail-160.avif')
    assert pages["html"].endswith(
        '160w, thumbnail-640.webp 400w" width="400" height="300" alt=""></picture>'
    )
    assert '<img src="thumbnail-1600.webp"' in pages["html"]
