"""Peak memory of the image function, in a fresh process for each kind of picture.

For each kind, the largest picture that the limits accept is made and processed by a process that
holds nothing but the built package; one row of pixels more must be refused. `invocations` processes
small and large pictures of several kinds one after the other in one process. Run from the root:

    make package ARGS="image_processor --arch host"
    .venv/bin/python -m tests.performance.memory_images [case ...] [invocations]
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pillow_heif
from PIL import Image

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "functions"))

from image_processor import core, picture  # noqa: E402  # the path comes first
from image_processor.settings import Settings  # noqa: E402
from tests.performance.processes import LocalSource, measure, peak_bytes  # noqa: E402
from uploads.processing import RejectedError  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable

_SAMPLE_ROWS: Final = (512, 4096)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of picture: mode, format, width, encoder options, rows of a JPEG coding unit."""

    mode: str
    form: str
    width: int = 9000
    options: tuple[tuple[str, Any], ...] = ()
    unit_rows: int = 16


CASES: Final = {
    "jpeg-baseline": Case("RGB", "JPEG", 20000),
    "jpeg-baseline-grey": Case("L", "JPEG", 20000),
    "jpeg-baseline-cmyk": Case("CMYK", "JPEG", 20000),
    "jpeg-progressive-420": Case("RGB", "JPEG", 12000, (("progressive", True),)),
    "jpeg-progressive-444": Case(
        "RGB", "JPEG", 9000, (("progressive", True), ("subsampling", "4:4:4")), unit_rows=8
    ),
    "jpeg-progressive-cmyk": Case("CMYK", "JPEG", 9000, (("progressive", True),), unit_rows=8),
    "jpeg-progressive-grey": Case("L", "JPEG", 12000, (("progressive", True),), unit_rows=8),
    "png-rgb": Case("RGB", "PNG"),
    "png-rgb-narrow": Case("RGB", "PNG", 6300),
    "png-rgba": Case("RGBA", "PNG"),
    "png-rgba-narrow": Case("RGBA", "PNG", 6300),
    "png-grey": Case("L", "PNG", 18000),
    "png-grey-alpha": Case("LA", "PNG"),
    "png-grey-16": Case("I;16", "PNG", 12000),
    "png-palette": Case("P", "PNG", 12000),
    "png-palette-alpha": Case("P", "PNG", 12000, (("transparency", 0),)),
    "png-palette-narrow": Case("P", "PNG", 6300, (("transparency", 0),)),
    "png-bilevel": Case("1", "PNG", 18000),
    "gif": Case("P", "GIF", 12000),
    "bmp": Case("RGB", "BMP", 8000),
    "tiff-rgb-lzw": Case("RGB", "TIFF", 5000, (("compression", "tiff_lzw"),)),
    "tiff-rgb-one-strip": Case(
        "RGB", "TIFF", 5000, (("compression", "tiff_lzw"), ("strip_size", 2**30))
    ),
    "tiff-cmyk-raw": Case("CMYK", "TIFF", 5000),
    "webp-rgb": Case("RGB", "WEBP", 3000),
    "webp-rgba-lossless": Case("RGBA", "WEBP", 3000, (("lossless", True), ("method", 0))),
    "avif-rgb": Case("RGB", "AVIF", 3000, (("speed", 10), ("subsampling", "4:4:4"))),
    "avif-rgba": Case("RGBA", "AVIF", 3000, (("speed", 10),)),
    "heif-rgb": Case("RGB", "HEIF", 3000),
    "heif-rgb-444": Case("RGB", "HEIF", 3000, (("chroma", "444"),)),
    "heif-rgba": Case("RGBA", "HEIF", 3000, (("chroma", "444"),)),
}

# Case, width and height: small pictures, which leave pages behind, between large ones of other
# decoders.
_TURNS: Final = (
    ("png-rgb", 6000, 4200),
    ("jpeg-progressive-420", 12000, 9700),
    ("png-rgba", 6300, 2400),
    ("webp-rgb", 3000, 6390),
    ("webp-rgb", 3000, 1960),
    ("png-rgba", 9000, 8120),
    ("jpeg-progressive-420", 6000, 4600),
    ("webp-rgba-lossless", 3000, 5310),
    ("jpeg-baseline", 4032, 3024),
    ("gif", 12000, 31000),
    ("png-rgb", 6000, 4200),
    ("webp-rgb", 3000, 6391),
)


def make(case: Case, height: int, path: Path) -> None:
    """Write a picture of a kind."""
    pillow_heif.register_heif_opener()  # its sibling in the function only reads
    image = Image.new(case.mode, (case.width, height), 0)
    image.save(path, case.form, **dict(case.options))


def accepted_rows(case: Case, directory: Path, settings: Settings) -> int:
    """Return the greatest height that the limits accept for the width of a case."""
    samples = [directory / f"{rows}.sample" for rows in _SAMPLE_ROWS]
    for rows, sample in zip(_SAMPLE_ROWS, samples, strict=True):
        make(case, rows, sample)
    lowest, highest = 1, 65_536
    while highest - lowest > 1:
        rows = (lowest + highest) // 2
        if _accepts(case, samples, rows, settings):
            lowest = rows
        else:
            highest = rows
    return lowest


def _accepts(case: Case, samples: list[Path], rows: int, settings: Settings) -> bool:
    """Return whether a picture like the samples, but with other rows, would be decoded."""
    found, other = (picture.open_picture(sample, settings) for sample in samples)

    def grown(small: int, large: int) -> int:
        each = (large - small) / (_SAMPLE_ROWS[1] - _SAMPLE_ROWS[0])
        return int(small + each * (rows - _SAMPLE_ROWS[0]))

    with found.image, other.image:
        found.full = found.image._size = (case.width, rows)
        found.coefficient_bytes //= _SAMPLE_ROWS[0] // case.unit_rows
        found.coefficient_bytes *= -(-rows // case.unit_rows)
        found.file_bytes = grown(found.file_bytes, other.file_bytes)
        found.metadata_bytes = grown(found.metadata_bytes, other.metadata_bytes)
        try:
            core._prepare(found, settings)
        except RejectedError:
            return False
    return True


def invocations(times: int = 25) -> bool:
    """Print what one process takes and keeps while small and large pictures take turns.

    Returns:
        Whether it took more than the function has.
    """
    import image_processor.index  # noqa: F401, PLC0415  # as Lambda does

    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, width, height in _TURNS:
            paths.append(Path(folder, f"{name}-{width}-{height}"))
            make(replace(CASES[name], width=width), height, paths[-1])
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again
        print(
            f"\n{'invocations of one process':24} {'resident MB':>12} {'peak MB':>8} {'in /tmp':>8}"
        )
        for number in range(1, times + 1):
            scratch = Path(folder, "scratch")
            scratch.mkdir()
            with tempfile.TemporaryDirectory(dir=scratch) as name:
                source = LocalSource(paths[number % len(paths)])
                core.process(source, Path(name), settings=Settings())
            left = sum(1 for _ in scratch.iterdir())
            scratch.rmdir()
            if number in {6, 12, times}:
                status = Path("/proc/self/statm").read_text(encoding="ascii")
                resident = int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
                print(
                    f"{number:<26} {resident:12.0f} {peak_bytes() / 2**20:8.0f} {left:8}",
                    flush=True,
                )
    return peak_bytes() >= Settings().memory_mb * 2**20


def _table(names: Iterable[str]) -> int:
    settings = Settings()
    wrong = 0
    print(f"{'case':24} {'largest accepted':>18} {'peak MB':>8} {'limit MB':>8}  one row more")
    for name in names:
        case = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            rows = accepted_rows(case, directory, settings)
            largest, larger = (directory / f"{rows + more}.{case.form.lower()}" for more in (0, 1))
            try:
                make(case, rows, largest)
                make(case, rows + 1, larger)
            except (OSError, ValueError) as error:
                print(f"{name:24} {case.width:>9} x {rows:6}  not made: {error}")
                continue
            fits, refused = (measure("image_processor", one, times=2) for one in (largest, larger))
        good = not fits.code and fits.peak < settings.memory_mb * 2**20 and refused.code
        wrong += not good
        print(
            f"{name:24} {case.width:>9} x {rows:6} {fits.peak / 2**20:8.0f} "
            f"{settings.memory_mb:8}  {refused.code} ({refused.peak / 2**20:.0f} MB)"
            f"{'' if good else '  WRONG: ' + str(fits.code)}",
            flush=True,
        )
    return wrong


if __name__ == "__main__":
    asked = sys.argv[1:] or [*CASES, "invocations"]
    cases = [name for name in asked if name in CASES]
    failed = _table(cases) if cases else 0
    if "invocations" in asked:
        failed += invocations()
    sys.exit(failed)
