"""The image function beside the plain Pillow way and libvips, on one thread.

All three make WebP thumbnails of three sizes from a JPEG of 24 megapixels that must be turned.
SSIM compares the encoded thumbnails with a Lanczos reduction of the whole picture.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

os.environ["VIPS_CONCURRENCY"] = "1"  # read when libvips is loaded
ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "functions")]
sys.path.append(str(ROOT / ".local/bench"))

import numpy as np  # noqa: E402  # type: ignore[import-not-found]  # only in .local/bench
import pyvips  # noqa: E402  # type: ignore[import-not-found]  # only in .local/bench
from PIL import Image, ImageOps  # noqa: E402

from image_processor import core  # noqa: E402
from image_processor.settings import Settings  # noqa: E402
from tests.performance.memory_images import LocalSource  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: Final = (1600, 640, 160)
QUALITY: Final = 80
_ROUNDS: Final = 7
_ORIENTATION: Final = 0x0112


def photo(path: Path, size: tuple[int, int] = (6000, 4000)) -> None:
    """Write a picture with large shapes, edges and grain, to be turned by a right angle."""
    shapes = Image.effect_mandelbrot(size, (-2.0, -1.2, 0.8, 1.2), 80)
    light = Image.linear_gradient("L").resize(size)
    # A fixed pattern: Pillow's noise has no seed.
    grain = Image.fromarray(np.random.default_rng(1).integers(0, 255, size[::-1], dtype=np.uint8))
    channels = [
        Image.blend(Image.blend(shapes, turned, share), grain, 0.08)
        for turned, share in ((light, 0.3), (ImageOps.mirror(light), 0.5), (shapes, 0.0))
    ]
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    Image.merge("RGB", channels).save(path, "JPEG", quality=90, exif=exif)


def ours(path: Path, directory: Path) -> None:
    """Run the function's core, its description of the picture included."""
    core.process(LocalSource(path), directory, settings=Settings(thumbnail_quality=QUALITY))


def plain_pillow(path: Path, directory: Path) -> None:
    """Open, turn, and scale the whole picture to each size."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
    for size in SIZES:
        fitted = ImageOps.contain(image, (size, size), Image.Resampling.LANCZOS)
        fitted.save(directory / f"thumbnail-{size}.webp", quality=QUALITY)


def libvips(path: Path, directory: Path) -> None:
    """Let libvips load the file at the scale of each size."""
    for size in SIZES:
        image = pyvips.Image.thumbnail(str(path), size, height=size)
        image.webpsave(str(directory / f"thumbnail-{size}.webp"), Q=QUALITY, strip=True)


def similarity(image: Image.Image, reference: Image.Image) -> float:
    """Return the mean SSIM of the brightness in windows of 8 by 8 (Wang et al., 2004)."""
    first, second = (np.asarray(one.convert("L"), dtype=float) for one in (image, reference))

    def mean(values: Any) -> Any:  # arrays: the peers have no types here
        total = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        return (total[8:, 8:] - total[:-8, 8:] - total[8:, :-8] + total[:-8, :-8]) / 64

    a, b = mean(first), mean(second)
    spread = mean(first * first) - a * a + mean(second * second) - b * b
    shared = mean(first * second) - a * b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ratio = (2 * a * b + c1) * (2 * shared + c2) / ((a * a + b * b + c1) * (spread + c2))
    return float(ratio.mean())


def main(rounds: int = _ROUNDS) -> None:
    """Print time, sizes and likeness side by side."""
    ways: dict[str, Callable[[Path, Path], None]] = {
        "plain Pillow": plain_pillow,
        "libvips": libvips,
        "image_processor": ours,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo(folder / "photo.jpg")
        with Image.open(folder / "photo.jpg") as opened:
            whole = ImageOps.exif_transpose(opened)
        references = [
            ImageOps.contain(whole, (size, size), Image.Resampling.LANCZOS) for size in SIZES
        ]
        times: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(rounds + 1):
            for way, run in ways.items():
                target = folder / f"{way}-{number}"
                target.mkdir()
                started = time.process_time()
                run(folder / "photo.jpg", target)
                times[way].append(time.process_time() - started)
        base = statistics.median(times["plain Pillow"][1:])
        print(f"{'three WebP thumbnails of 24 MP':32} {'CPU ms':>7} {'ratio':>6} {'KB':>5}  SSIM")
        for way in ways:
            spent = statistics.median(times[way][1:])
            files = [folder / f"{way}-0" / f"thumbnail-{size}.webp" for size in SIZES]
            likeness = []
            for file, reference in zip(files, references, strict=True):
                with Image.open(file) as made:
                    likeness.append(similarity(made, reference))
            size = sum(file.stat().st_size for file in files) / 1024
            print(
                f"{way:32} {spent * 1000:7.0f} {base / spent:5.1f}x {size:5.0f}  "
                + " ".join(f"{value:.4f}" for value in likeness)
            )


if __name__ == "__main__":
    main()
