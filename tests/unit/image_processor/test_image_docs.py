"""docs/images.md names every setting, detail, code and warning, and none that does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import Image

from scripts import ROOT
from tests.unit.image_processor.pictures import encoded, run

if TYPE_CHECKING:
    from pathlib import Path

_DOCUMENT = (ROOT / "docs" / "images.md").read_text()


def _section(title: str) -> str:
    return _DOCUMENT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _names(section: str, pattern: str) -> set[str]:
    rows = "\n".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return set(re.findall(f"`({pattern})`", rows))


def test_details(tmp_path: Path) -> None:
    content = encoded(Image.new("RGB", (9, 9)), "PNG")
    details = run(content, tmp_path, record_location=True).details
    assert _names(_section("Outputs"), "[a-z_]+") == set(details)


def test_codes() -> None:
    section = _section("Rejection codes")
    named = _names(section, "[a-z_]+") | set(
        re.findall("`([a-z_]+)`", section.partition("Warnings")[2])
    )
    sources = (
        p
        for folder in ("image_processor", "uploads")
        for p in (ROOT / "functions" / folder).glob("*.py")
    )
    code = r'(?:RejectedError|Problem|blaming_content)\(\s*"([a-z_]+)"'
    assert named == {found for path in sources for found in re.findall(code, path.read_text())}
