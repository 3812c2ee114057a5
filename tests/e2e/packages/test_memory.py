"""The built functions keep to their memory and to /tmp, each file in a fresh process.

The kinds that need the most; `tests.performance.memory_tables` and `memory_images` have all.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from image_processor.settings import Settings
from scripts import ROOT
from tests.performance import memory_images, memory_tables
from tests.performance.processes import measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("one-cell-of-10-mb.csv", None),
        ("150-columns-and-a-late-code.csv", None),
        ("one-object.json", "too_large"),
    ],
)
def test_odd_table_keeps_to_memory_and_disk(tmp_path: Path, name: str, code: str | None) -> None:
    measured = measure("data_transformer", memory_tables.make(name, tmp_path))
    assert measured.code == code
    assert measured.peak < memory_tables.LIMIT_MB * 2**20
    assert measured.disk < memory_tables.DISK_LIMIT_MB * 2**20


@pytest.mark.parametrize("name", ["jpeg-progressive-420", "png-rgba-narrow"])
def test_the_largest_accepted_picture_fits_and_one_row_more_is_refused(
    tmp_path: Path, name: str
) -> None:
    case, settings = memory_images.CASES[name], Settings()
    rows = memory_images.accepted_rows(case, tmp_path, settings)
    for more, code in ((0, None), (1, "needs_too_much_memory")):
        path = tmp_path / f"{more}.{case.form.lower()}"
        memory_images.make(case, rows + more, path)
        measured = measure("image_processor", path, times=2)
        assert measured.code == code
        assert measured.peak < (settings.memory_mb if more == 0 else 80) * 2**20


def test_small_pictures_leave_room_for_the_large_ones_between_them() -> None:
    command = [sys.executable, "-m", "tests.performance.memory_images", "invocations"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
