from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two functions and a shared package."""
    files = {
        "requirements/dev.txt": "deflate==1.0 \\\n    --hash=sha256:00\nother==2\nuv==1.0\n",
        "functions/uploads/__init__.py": "",
        "functions/uploads/.hidden.py": "",
        "functions/uploads/requirements.txt": "shared-lib==1 --hash=sha256:00\n",
        "functions/notes/README.md": "no package",
    }
    for function in ("first", "second"):
        files |= {
            f"functions/{function}/__init__.py": "",
            f"functions/{function}/index.py": f"NAME = {function!r}\n",
            f"functions/{function}/data.json": "{}",
            f"functions/{function}/openapi.yaml": "for readers",
            f"functions/{function}/requirements.txt": "some-lib==1.2 --hash=sha256:00\n",
        }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path
