"""The limits of the image function hold in a fresh process; the whole table: `memory_images`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from image_processor.settings import Settings
from scripts import ROOT
from tests.performance.memory_images import CASES, accepted_rows, make, measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["jpeg-progressive-420", "png-rgba-narrow"])
def test_the_largest_accepted_picture_fits_and_one_row_more_is_refused(
    tmp_path: Path, name: str
) -> None:
    case, settings = CASES[name], Settings()
    rows = accepted_rows(case, tmp_path, settings)
    for more, code in ((0, None), (1, "needs_too_much_memory")):
        path = tmp_path / f"{more}.{case.form.lower()}"
        make(case, rows + more, path)
        measured = measure(path)
        assert measured.code == code
        assert measured.peak < (settings.memory_mb if more == 0 else 80) * 2**20


def test_small_pictures_leave_room_for_the_large_ones_between_them() -> None:
    command = [sys.executable, "-m", "tests.performance.memory_images", "invocations"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
