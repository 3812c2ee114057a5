"""Settings of the image processor."""

from dataclasses import dataclass
from typing import Annotated, Literal

from image_processor.named_sizes import PATTERN
from uploads.settings import FromEnvironment, Setting

Format = Literal["webp", "jpeg", "png", "avif"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(FromEnvironment):
    """Settings of the image processor."""

    thumbnail_sizes: Annotated[
        tuple[int, ...],
        Setting("longer side of each thumbnail in pixels", at_least=16, at_most=4096),
    ] = (160, 640, 1600)
    named_sizes: Annotated[
        tuple[str, ...],
        Setting(
            "thumbnails with a name: NAME=SIDE keeps the shape, NAME=WIDTHxHEIGHT crops to one "
            "around the most detailed part, with /centre around the middle, with /pad not at all",
            pattern=PATTERN,
            example="small=320, og=1200x630, face=96x96/centre or card=400x300/pad",
        ),
    ] = ()
    thumbnail_format: Annotated[
        Format, Setting("format of the thumbnails; JPEG is white where the picture is transparent")
    ] = "webp"
    further_formats: Annotated[
        tuple[Format, ...], Setting("formats that each thumbnail is made in besides")
    ] = ()
    thumbnail_quality: Annotated[
        int, Setting("quality of WebP, JPEG and AVIF thumbnails", at_least=1, at_most=100)
    ] = 80
    thumbnail_animation: Annotated[
        Literal["first", "keep"],
        Setting("WebP thumbnails of an animation: its first frame, or all as an animation"),
    ] = "first"
    max_file_mb: Annotated[
        int,
        Setting(
            "largest file in MiB; it must fit into ephemeral_storage_mb beside the thumbnails",
            at_least=1,
            at_most=10_240,
        ),
    ] = 256
    max_pixels: Annotated[
        int,
        Setting(
            "most pixels of a picture, which bounds the time; memory_mb may set a lower limit",
            at_least=1,
            at_most=2**32,
        ),
    ] = 400_000_000
    max_metadata_kb: Annotated[
        int,
        Setting(
            "most KiB of everything in the file that is not picture",
            at_least=1,
            at_most=1024 * 1024,
        ),
    ] = 16 * 1024
    max_jpeg_scans: Annotated[
        int,
        Setting("most passes over the picture of a progressive JPEG", at_least=1, at_most=10_000),
    ] = 100
    allow_truncated: Annotated[
        bool, Setting("use what can be decoded of an incomplete file, with a warning")
    ] = False
    record_location: Annotated[bool, Setting("record where a photo was taken")] = False
    memory_mb: Annotated[
        int,
        Setting(
            "memory of the function, set by Lambda; a picture that needs more is rejected",
            at_least=128,
            at_most=10_240,
            variable="AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        ),
    ] = 512

    @property
    def formats(self) -> tuple[Format, ...]:
        """Every format of a thumbnail, the main one first."""
        return tuple(dict.fromkeys((self.thumbnail_format, *self.further_formats)))
