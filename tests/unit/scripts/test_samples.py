from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from scripts import samples

if TYPE_CHECKING:
    from pathlib import Path

ORIENTATION = 0x0112


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (16, 8), "teal").save(content, "JPEG")
    return content.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_can_be_read(jpeg: bytes, orientation: int) -> None:
    with Image.open(io.BytesIO(samples.with_orientation(jpeg, orientation))) as image:
        assert dict(image.getexif()) == {ORIENTATION: orientation}
        image.load()
        assert image.size == (16, 8)


def test_other_content_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JPEG file"):
        samples.with_orientation(b"\x89PNG", 6)


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
