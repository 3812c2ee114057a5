"""Damages real files at random: whatever comes in, the answer is `succeeded` or `rejected`.

    python -m tests.performance.fuzz images 50000
    python -m tests.performance.fuzz tables 20000
    python -m tests.performance.fuzz books 5000

Every mutant has a number, which makes it again: `python -m tests.performance.fuzz images 1 4711`.
"""

from __future__ import annotations

import gzip
import io
import random
import sys
import tempfile
import traceback
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "functions")]

import duckdb  # noqa: E402 - the path comes first
import openpyxl  # noqa: E402
import pillow_heif  # noqa: E402
import xlwt  # noqa: E402
from backports import zstd  # noqa: E402
from PIL import Image  # noqa: E402

from data_transformer.core import Transformer  # noqa: E402
from data_transformer.settings import Settings as TableSettings  # noqa: E402
from image_processor.core import process  # noqa: E402
from image_processor.settings import Settings as ImageSettings  # noqa: E402
from tests.performance.processes import LocalSource  # noqa: E402
from uploads.processing import RejectedError  # noqa: E402

_SHOWN: Final = 20


class Upload(NamedTuple):
    """A file: its name and its content."""

    name: str
    content: bytes


def images() -> list[Upload]:
    """Return a small picture of every kind and mode, and animations."""
    made = []
    pillow_heif.register_heif_opener()
    base = Image.effect_noise((48, 32), 80)
    for form, suffix, modes in (
        ("JPEG", "jpg", "L RGB CMYK"),
        ("PNG", "png", "1 L LA P RGB RGBA I;16"),
        ("GIF", "gif", "P L"),
        ("WEBP", "webp", "RGB RGBA"),
        ("AVIF", "avif", "RGB RGBA"),
        ("HEIF", "heic", "RGB RGBA"),
        ("TIFF", "tif", "1 L RGB RGBA CMYK I;16"),
        ("BMP", "bmp", "1 L P RGB"),
    ):
        for mode in modes.split():
            for options in ({}, {"progressive": True}) if form == "JPEG" else ({},):
                content = io.BytesIO()
                exif = Image.Exif()
                exif[0x0112] = 6
                extra = {"exif": exif} if form in {"JPEG", "PNG", "WEBP"} else {}
                base.convert(mode).save(content, form, **options, **extra)
                made.append(Upload(f"a.{suffix}", content.getvalue()))
    frames = [Image.effect_noise((48, 32), 80).convert("RGB") for _ in range(3)]
    for form in ("GIF", "PNG", "WEBP", "AVIF"):
        content = io.BytesIO()
        frames[0].save(content, form, save_all=True, append_images=frames[1:], duration=80, loop=2)
        made.append(Upload(f"b.{form.lower()}", content.getvalue()))
    return made


def tables() -> list[Upload]:
    """Return a small table of every kind."""
    csv = b'id,name,when,share\n1,"a, b",2024-01-02,0.5\n2,c,2024-01-03,1.5\n' * 20
    lines = b'{"a": 1, "b": {"c": "x"}, "d": [1, 2]}\n{"a": 2.5, "b": null, "d": []}\n' * 20
    return [
        Upload("a.csv", csv),
        Upload("a.tsv", csv.replace(b",", b"\t")),
        Upload("b.csv", "größe;wert\n1,5;ä\n2,5;ö\n".encode("cp1252") * 20),
        Upload("c.csv", csv.decode().encode("utf-16")),
        Upload("d.csv", b"a b c\n1 2 3\n4 5 6\n" * 9),
        Upload("a.jsonl", lines),
        Upload("a.json", b"[" + lines.strip().replace(b"\n", b",\n") + b"]"),
        Upload("b.json", b'{"data": [{"a": 1}, {"a": 2}], "next": null}'),
        Upload("c.json", b'[["a", "b"], [1, "x"], [2, "y"]]'),
        Upload("a.csv.gz", gzip.compress(csv, mtime=0)),
        Upload("a.json.gz", gzip.compress(lines, mtime=0)),
        Upload("a.csv.zst", zstd.compress(csv)),
        Upload("a.jsonl.zst", zstd.compress(lines) + zstd.compress(lines)),
    ]


def books() -> list[Upload]:
    """Return a small workbook of every kind, a Parquet file and GeoJSON."""
    rows: list[list[object]] = [
        ["id", "name", "when"],
        [1, "a", date(2024, 1, 2)],
        [2, None, date(2024, 1, 3)],
    ]
    new, old = openpyxl.Workbook(), xlwt.Workbook()
    sheet = old.add_sheet("old")
    for number, row in enumerate(rows):
        new.active.append(row)
        for place, cell in enumerate(row):
            sheet.write(number, place, cell)
    xlsx, xls = io.BytesIO(), io.BytesIO()
    new.save(xlsx)
    old.save(xls)
    point = '"geometry": {"type": "Point", "coordinates": [1, 2]}'
    features = ", ".join([f'{{"type": "Feature", "properties": {{"a": 1}}, {point}}}'] * 12)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        duckdb.sql(f"COPY (SELECT 1 AS a, [{{'b': 'x'}}] AS c, 2.5 AS d) TO '{path}'")
        return [
            Upload("a.xlsx", xlsx.getvalue()),
            Upload("a.xls", xls.getvalue()),
            Upload("a.parquet", path.read_bytes()),
            Upload(
                "a.geojson", f'{{"type": "FeatureCollection", "features": [{features}]}}'.encode()
            ),
        ]


def mutant(uploads: list[Upload], number: int) -> Upload:
    """Return the mutant of a number: some bytes changed, taken out, put in, or cut off."""
    chance = random.Random(number)  # noqa: S311 - no secret
    original = chance.choice(uploads)
    content = bytearray(original.content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not content:
            break
        at = chance.randrange(len(content))
        length = chance.choice((1, 1, 2, 4, 64))
        match chance.randrange(6):
            case 0:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at : at + length] = chance.randbytes(length)
            case 2:
                del content[at : at + length]
            case 3:
                content[at:at] = content[at : at + length]
            case 4:
                content[at : at + length] = bytes([chance.choice((0, 255, 34, 44, 10))]) * length
            case _:
                del content[at:]
    return Upload(original.name, bytes(content))


def main(arguments: list[str]) -> int:
    """Process mutants; print those that end in neither way, return 1 when there are some."""
    kind, count, first = arguments[0], int(arguments[1]), int((arguments[2:] or ["0"])[0])
    uploads = {"images": images, "tables": tables, "books": books}[kind]()
    transformer = Transformer(TableSettings())
    of_images = ImageSettings(thumbnail_animation="keep", named_sizes=("a=20x30", "b=30x20/pad"))
    ends: Counter[str] = Counter()
    for number in range(first, first + count):
        upload = mutant(uploads, number)
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as made:
            path = Path(folder, upload.name)
            path.write_bytes(upload.content)
            try:
                if kind == "images":
                    process(LocalSource(path), Path(made), settings=of_images)
                else:
                    transformer(LocalSource(path), Path(made))
                ends["succeeded"] += 1
            except RejectedError:
                ends["rejected"] += 1
            except Exception:  # noqa: BLE001 - this is what is looked for
                ends["failed"] += 1
                if ends["failed"] <= _SHOWN:
                    last = traceback.format_exc().strip().splitlines()[-1]
                    print(f"mutant {number} of {upload.name}: {last}", flush=True)
    print(", ".join(f"{ends[end]:,} {end}" for end in sorted(ends)))
    return 1 if ends["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
