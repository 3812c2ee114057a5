from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
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


def _elf(machine: int = 62, needed: tuple[str, ...] = (), extra: bytes = b"") -> bytes:
    """Make a shared library: a header, a loaded segment and a dynamic section, no code."""
    table = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    base, header, program = 0x1000, 64, 56
    start = header + 3 * program
    entries = [(1, table.index(b"\0" + name.encode() + b"\0") + 1) for name in needed]
    entries += [(5, base + start), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *entry) for entry in entries)
    where = start + len(table)
    end = where + len(dynamic)
    head = struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, program, 3, 0, 0, 0)
    headers = (
        struct.pack("<IIQQQQQQ", 4, 4, 0, 0, 0, 0, 0, 8)
        + struct.pack("<IIQQQQQQ", 1, 4, 0, base, base, end, end, 4096)
        + struct.pack("<IIQQQQQQ", 2, 4, where, base + where, 0, len(dynamic), len(dynamic), 8)
    )
    return b"\x7fELF\x02\x01\x01" + bytes(9) + head + headers + table + dynamic + extra


@pytest.fixture
def elf() -> Callable[..., bytes]:
    return _elf
