"""docs/tables.md names every setting, code and warning, and none that does not exist."""

from __future__ import annotations

import re

from data_transformer.csv_reader import LARGEST_ROW_BYTES, MOST_COLUMNS
from data_transformer.outputs import COLUMNS_OF_A_PART
from scripts import ROOT

_DOCUMENT = (ROOT / "docs" / "tables.md").read_text()


def _section(title: str) -> str:
    return _DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_codes_and_warnings() -> None:
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", _section("Rejection codes")))
    sources = (
        p
        for folder in ("data_transformer", "uploads")
        for p in (ROOT / "functions" / folder).glob("*.py")
    )
    code = r'(?:RejectedError|Problem)\(\s*"([a-z_]+)"'
    assert named == {found for path in sources for found in re.findall(code, path.read_text())}


def test_limits() -> None:
    limits = _section("Accepted files")
    assert f"| columns | {MOST_COLUMNS:,}; above {COLUMNS_OF_A_PART} " in limits
    assert f"| a row | {LARGEST_ROW_BYTES // 2**20} MiB;" in limits
