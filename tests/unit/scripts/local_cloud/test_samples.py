from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageOps

from scripts.local_cloud import samples

if TYPE_CHECKING:
    from pathlib import Path

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (16, 8), "teal").save(content, "JPEG")
    return content.getvalue()


def test_a_photo_is_stored_on_its_side_and_shown_upright() -> None:
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste("black", (0, 0, 16, 16))
    content = io.BytesIO()
    upright.save(content, "JPEG")
    with Image.open(io.BytesIO(samples.held_upright(content.getvalue()))) as stored:
        assert stored.size == (16, 32)
        shown = ImageOps.exif_transpose(stored).convert("L")
    assert shown.size == (32, 16)
    assert (shown.getpixel((4, 8)), shown.getpixel((28, 8))) == (0, 255)


def test_samples(tmp_path: Path, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures, tables = tmp_path / "pictures", tmp_path / "tables"
    pictures.mkdir()
    tables.mkdir()
    (pictures / "grace_hopper.jpg").write_bytes(jpeg)
    Image.new("RGB", (4, 4)).save(pictures / "Minduka_Present_Blue_Pack.png")
    (tables / "seattle-weather.csv").write_text("date,weather\n2012-01-01,drizzle\n")
    (tables / "cars.json").write_text('[{"Name": "buick"}]')
    monkeypatch.setattr(samples, "_MATPLOTLIB", pictures)
    monkeypatch.setattr(samples, "_VEGA", tables)

    photo, drawing, table, records = samples.write(tmp_path / "new" / "inputs")

    with Image.open(photo) as image:
        assert image.getexif()[ORIENTATION] == 6
    with Image.open(drawing) as image:
        assert image.format == "PNG"
    assert next(csv.reader(table.read_text().splitlines())) == ["date", "weather"]
    assert json.loads(records.read_text()) == [{"Name": "buick"}]
