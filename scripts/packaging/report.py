"""Show what takes the room in the zips."""

import re
import zipfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.packaging.project import Package
from scripts.packaging.trim import read_settings

_MEBIBYTE = 1 << 20
_ROWS = 12
_KINDS = (
    (re.compile(r"\.pyc$"), "bytecode"),
    (re.compile(r"\.py$"), "sources"),
    (re.compile(r"\.so(\.|$)"), "native code"),
)


def show(build: Path, packages: list[Package], console: Console) -> None:
    """Print, for each zip, its size, its budget, and its largest parts."""
    for package in packages:
        path = build / f"{package.name}.zip"
        zipped, unzipped = measure(path)
        budget = read_settings(package.settings).max_zip_mib
        limit = f" of {budget:g} MiB allowed" if budget else ""
        title = f"{package.name}: {path.stat().st_size / _MEBIBYTE:.1f} MiB{limit}"
        table = Table("part", "what", title=title, title_justify="left", min_width=70)
        table.add_column("zipped KiB", justify="right")
        table.add_column("unzipped KiB", justify="right")
        rows = zipped.most_common()
        for (part, kind), size in rows[:_ROWS]:
            table.add_row(part, kind, f"{size >> 10:,}", f"{unzipped[part, kind] >> 10:,}")
        rest = rows[_ROWS:]
        if rest:
            sizes = sum(size for _, size in rest), sum(unzipped[key] for key, _ in rest)
            table.add_row(f"{len(rest)} others", "", *(f"{size >> 10:,}" for size in sizes))
        console.print(table)


def measure(path: Path) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Return zipped and unzipped bytes by (top-level name, kind of file)."""
    zipped: Counter[tuple[str, str]] = Counter()
    unzipped: Counter[tuple[str, str]] = Counter()
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            top = info.filename.partition("/")[0]
            top = "single modules" if top == "__pycache__" or "/" not in info.filename else top
            kind = next((kind for pattern, kind in _KINDS if pattern.search(info.filename)), "data")
            zipped[top, kind] += info.compress_size
            unzipped[top, kind] += info.file_size
    return zipped, unzipped
