from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from scripts import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one small function, and this packager."""
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("scripts", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    function = tmp_path / "functions" / "small"
    function.mkdir(parents=True)
    (function / "index.py").write_text("NAME = 1\n")
    lock = (ROOT / "functions/uploads/requirements.txt").read_text()
    urllib3 = re.search(r"^urllib3==.*?^(?=\S|\Z)", lock, re.MULTILINE | re.DOTALL)
    assert urllib3
    (function / "requirements.txt").write_text(urllib3[0])
    return tmp_path
