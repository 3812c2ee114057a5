"""The image function beside the plain Pillow way and libvips, on one thread.

All three make WebP thumbnails of three sizes from a JPEG that must be turned, of 24 megapixels (a
camera) and of 12 (a phone, where too few pixels would remain if the decoder scaled). Each runs in a
fresh process: twice to warm up, once measured. SSIM compares the encoded thumbnails with a Lanczos
reduction of the whole picture. The peers run twice: with the encoder's effort that is their
default, and with that of the function, which is lower for the largest thumbnail. All have the same
quality setting and write nothing but pixels; only the function also describes the picture.

Each round has another picture of the same kind. One picture proves little: a change
of a rounding can move it by 0.001, since the encoder then sorts the blocks into other segments. The
times are medians, sizes and likeness means of all rounds.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.performance.processes import BENCHMARKS, ROOT, LocalSource, peak_bytes

os.environ["VIPS_CONCURRENCY"] = "1"  # read when libvips is loaded
sys.path[:0] = [str(ROOT / "functions")]
sys.path.append(str(BENCHMARKS))

from PIL import Image, ImageOps  # noqa: E402  # the path comes first

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES: Final = (1600, 640, 160)
QUALITY: Final = 80
PICTURE_SIZES: Final = ((6000, 4000), (4032, 3024))
_ROUNDS: Final = 5
_WARM_UPS: Final = 2
_ORIENTATION: Final = 0x0112
_DEFAULT_EFFORT: Final = 4  # of Pillow and of libvips
_PHOTOS: Final = BENCHMARKS / "skimage/data"
_PHOTO_NAMES: Final = (
    "astronaut.png",
    "coffee.png",
    "chelsea.png",
    "motorcycle_left.png",
    "rocket.jpg",
)


def drawn(size: tuple[int, int], seed: int) -> Image.Image:
    """Return a picture with large shapes, edges and grain of one pixel, the hardest to reduce."""
    import numpy as np  # noqa: PLC0415  # only in .local/benchmarks

    shapes = Image.effect_mandelbrot(size, (-2.0, -1.2, 0.8, 1.2), 80)
    light = Image.linear_gradient("L").resize(size)
    # Pillow's noise has no seed.
    chance = np.random.default_rng(seed)
    grain = Image.fromarray(chance.integers(0, 255, size[::-1], dtype=np.uint8))
    channels = [
        Image.blend(Image.blend(shapes, turned, share), grain, 0.08)
        for turned, share in ((light, 0.3), (ImageOps.mirror(light), 0.5), (shapes, 0.0))
    ]
    return Image.merge("RGB", channels)


def photographed(size: tuple[int, int], seed: int) -> Image.Image:
    """Return small photographs side by side, not enlarged: their detail is that of a camera."""
    chance = random.Random(seed)  # noqa: S311  # a pattern, not secrets
    photos = []
    for name in _PHOTO_NAMES:
        with Image.open(_PHOTOS / name) as opened:
            photo = opened.convert("RGB")
        photos += [photo, ImageOps.mirror(photo)]
    wall = Image.new("RGB", size)
    for top in range(0, size[1], min(photo.height for photo in photos)):
        left = 0
        while left < size[0]:
            photo = chance.choice(photos)
            wall.paste(photo, (left, top))
            left += photo.width
    return wall


PICTURES: Final[dict[str, Callable[[tuple[int, int], int], Image.Image]]] = {
    "photographs": photographed,
    "drawing with grain": drawn,
}


def effort_of(size: int, effort: str) -> int:
    """Return libwebp's `method` for a peer: its default, or what the function uses."""
    return 2 if effort == "ours" and size > 640 else _DEFAULT_EFFORT


def image_processor(path: Path, directory: Path, _: str) -> None:
    """Run the function's core, its description of the picture included."""
    from image_processor import core  # noqa: PLC0415  # counts in its own process only
    from image_processor.settings import Settings  # noqa: PLC0415

    core.process(LocalSource(path), directory, settings=Settings(thumbnail_quality=QUALITY))


def plain_pillow(path: Path, directory: Path, effort: str) -> None:
    """Open, turn, and scale the whole picture to each size."""
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
    for size in SIZES:
        fitted = ImageOps.contain(image, (size, size), Image.Resampling.LANCZOS)
        target = directory / f"thumbnail-{size}.webp"
        fitted.save(target, quality=QUALITY, method=effort_of(size, effort))


def libvips(path: Path, directory: Path, effort: str) -> None:
    """Let libvips load the file at the scale of each size."""
    import pyvips  # noqa: PLC0415  # only in .local/benchmarks

    pyvips.cache_set_max(0)  # nothing that the warm-up made is there already
    for size in SIZES:
        image = pyvips.Image.thumbnail(str(path), size, height=size)
        target = str(directory / f"thumbnail-{size}.webp")
        image.webpsave(target, Q=QUALITY, effort=effort_of(size, effort), strip=True)


WAYS: Final = {
    "plain Pillow": plain_pillow,
    "libvips": libvips,
    "image_processor": image_processor,
}
RUNS: Final = (
    ("plain Pillow", "default"),
    ("libvips", "default"),
    ("plain Pillow", "ours"),
    ("libvips", "ours"),
    ("image_processor", "ours"),
)


def similarity(image: Image.Image, reference: Image.Image) -> float:
    """Return the mean SSIM of the brightness in windows of 8 by 8 (Wang et al., 2004)."""
    import numpy as np  # noqa: PLC0415  # only in .local/benchmarks

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


def measure(way: str, effort: str, path: Path, references: list[Image.Image]) -> dict[str, Any]:
    """Let a fresh process make the thumbnails.

    Returns:
        CPU seconds, its peak in bytes, the size of the files in bytes, and the SSIM of each.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as directory:
        done = subprocess.run(
            [sys.executable, "-m", "tests.performance.bench_images", way, effort, path, directory],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        answer["likeness"] = []
        for size, reference in zip(SIZES, references, strict=True):
            with Image.open(Path(directory, str(_WARM_UPS), f"thumbnail-{size}.webp")) as made:
                answer["likeness"].append(similarity(made, reference))
    return answer


def _run(way: str, effort: str, path: Path, directory: Path) -> None:
    for number in range(_WARM_UPS + 1):
        target = directory / str(number)
        target.mkdir()
        started = time.process_time()
        WAYS[way](path, target, effort)
        spent = time.process_time() - started
    files = [target / f"thumbnail-{size}.webp" for size in SIZES]
    written = sum(file.stat().st_size for file in files)
    print(json.dumps({"cpu": spent, "peak": peak_bytes(), "bytes": written}))


def _compare(name: str, picture_size: tuple[int, int], folder: Path, rounds: int) -> None:
    path = folder / "picture.jpg"
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    measured: dict[tuple[str, str], list[dict[str, Any]]] = {run: [] for run in RUNS}
    for seed in range(rounds):
        PICTURES[name](picture_size, seed).save(path, "JPEG", quality=90, exif=exif)
        with Image.open(path) as opened:
            whole = ImageOps.exif_transpose(opened)
        references = [
            ImageOps.contain(whole, (size, size), Image.Resampling.LANCZOS) for size in SIZES
        ]
        for way, effort in RUNS:
            measured[way, effort].append(measure(way, effort, path, references))
    megapixels = picture_size[0] * picture_size[1] / 1e6
    spent = {run: statistics.median(one["cpu"] for one in found) for run, found in measured.items()}
    title = f"{name}, {megapixels:.0f} MP to three WebP"
    print(
        f"\n{title:38} {'effort':>8} {'CPU ms':>7} {'MP/s':>5} {'Pillow':>7} {'peak MB':>8} "
        f"{'KB':>5}  SSIM at {', '.join(map(str, SIZES))}"
    )
    for (way, effort), found in measured.items():
        seconds = spent[way, effort]
        ratio = spent["plain Pillow", effort] / seconds
        peak = max(one["peak"] for one in found) / 2**20
        size = statistics.mean(one["bytes"] for one in found) / 1024
        likeness = map(statistics.mean, zip(*(one["likeness"] for one in found), strict=True))
        print(
            f"{way:38} {effort:>8} {seconds * 1000:7.0f} {megapixels / seconds:5.0f} {ratio:6.1f}x "
            f"{peak:8.0f} {size:5.0f}  " + " ".join(f"{value:.4f}" for value in likeness),
            flush=True,
        )


def main(rounds: int = _ROUNDS) -> None:
    """Print time, peak memory, sizes and likeness side by side."""
    for picture_size in PICTURE_SIZES:
        for name in PICTURES:
            with tempfile.TemporaryDirectory() as folder:
                _compare(name, picture_size, Path(folder), rounds)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        _run(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
