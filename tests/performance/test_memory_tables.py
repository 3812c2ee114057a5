"""The limits of the table function hold in a fresh process; the whole table: `memory_tables`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.performance.memory_tables import DISK_LIMIT_MB, LIMIT_MB, make, measure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "code"), [("one-cell-of-10-mb.csv", None), ("one-object.json", "too_large")]
)
def test_odd_table_keeps_to_memory_and_disk(tmp_path: Path, name: str, code: str | None) -> None:
    measured = measure(make(name, tmp_path))
    assert measured.code == code
    assert measured.peak < LIMIT_MB * 2**20
    assert measured.disk < DISK_LIMIT_MB * 2**20
