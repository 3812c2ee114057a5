"""Peak memory and temporary files (`disk`) of the table function, in a fresh process for each case.

Each table is processed by a process that holds nothing but the built package. Run from the root:

    make package ARGS="data_transformer --arch host"
    .venv/bin/python -m tests.performance.memory_tables [case ...]
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import batched, cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tests.performance.bench_tables import generate
from tests.performance.processes import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LIMIT_MB: Final = 256
DISK_LIMIT_MB: Final = 512

type Maker = Callable[[BinaryIO], None]


def _repeat(rows: Iterable[bytes], megabytes: int, file: BinaryIO) -> None:
    """Write rows in turn until there are so many megabytes."""
    left = megabytes * 1_000_000
    block = b"".join(islice(cycle(rows), 1_000))
    while left > 0:
        left -= file.write(block)


def _lines(megabytes: int, *rows: bytes, head: bytes = b"") -> Maker:
    def make(file: BinaryIO) -> None:
        file.write(head)
        _repeat(rows, megabytes, file)

    return make


def _wide(columns: int, megabytes: int, divisor: int = 1, last: bytes = b"") -> Maker:
    """Make rows of whole numbers, or of decimals where they are divided, and a last row."""
    numbers = [row * place % 9973 for row in range(7) for place in range(columns)]
    cells = [str(number if divisor == 1 else number / divisor).encode() for number in numbers]
    head = ",".join(f"n{place}" for place in range(columns)).encode() + b"\n"
    rows = [b",".join(row) + b"\n" for row in batched(cells, columns)]

    def make(file: BinaryIO) -> None:
        file.write(head)
        left = megabytes * 1_000_000
        for row in cycle(rows):
            left -= file.write(row)
            if left <= 0:
                break
        file.write(last)

    return make


def _named(names: int, megabytes: int) -> Maker:
    rows = [
        json.dumps({f"n{place}": row * place % 9973 for place in range(names)}).encode() + b"\n"
        for row in range(1_000)
    ]
    return _lines(megabytes, *rows)


def _mixed(rows: int) -> Maker:
    def make(file: BinaryIO) -> None:
        generate(Path(file.name), rows)

    return make


def _documents(megabytes: int, *, start: bytes, between: bytes, end: bytes, deep: bool) -> Maker:
    inner: dict[str, Any] = {"lat": 1.5, "lon": -2.5, "tags": ["a", "b"]}
    rows = [
        json.dumps(
            {"id": row, "name": f"Name {row}", "when": "2025-01-02T03:04:05Z", "price": row / 8}
            | ({"at": inner, "list": [inner, inner]} if deep else {})
        ).encode()
        for row in range(1_000)
    ]

    def make(file: BinaryIO) -> None:
        file.write(start + rows[0])
        _repeat([between + row for row in rows], megabytes, file)
        file.write(end)

    return make


_ARRAY: Final = {"start": b"[\n", "between": b",\n", "end": b"\n]\n"}
_JSONL: Final = {"start": b"", "between": b"\n", "end": b"\n"}

CASES: Final[dict[str, Maker]] = {
    "mixed.csv": _mixed(2_000_000),
    "text.csv": _lines(
        200, *(b"%d,%s\n" % (n, b"w%d " % n * 30) for n in range(997)), head=b"n,s\n"
    ),
    "long-cells.csv": _lines(200, b"1," + b"x" * 200_000 + b"\n", b"2," + b"y" * 150_000 + b"\n"),
    "long-cells-200-columns.csv": _lines(
        200, b"x" * 200_000 + b"," * 199 + b"\n", head=b",".join([b"n"] * 200) + b"\n"
    ),
    "one-cell-of-10-mb.csv": _lines(1, b"1,x\n", head=b"a,b\n0," + b"x" * 10_000_000 + b"\n"),
    "quoted.csv": _lines(200, b'"1","a ""b""","x\ny","2025-01-02"\n', head=b"a,b,c,d\n"),
    "latin-1.csv": _lines(200, b"1,caf\xe9,2025-01-02\n", head=b"a,b,c\n"),
    "utf-16.csv": _lines(100, "1,é,2025-01-02\n".encode("utf-16-le"), head=b"\xff\xfe"),
    "late-text.csv": _lines(100, b"01234,x\n", head=b"a,b\n" + b"7,x\n" * 500_000),
    "bad-rows.csv": _lines(100, *[b"1,x\n"] * 499, b"1,x,y\n", b"word,x\n", head=b"a,b\n"),
    "200-columns.csv": _wide(200, 100),
    "2000-columns.csv": _wide(2_000, 100),
    "150-columns-of-decimals.csv": _wide(150, 20, 1_000),
    "150-columns-and-a-late-code.csv": _wide(150, 20, 1_000, b"007" + b",1.5" * 149 + b"\n"),
    "2000-names.json": _named(2_000, 50),
    "ragged.csv": _lines(100, b"1,2\n", b"1,2,3\n", b"1\n"),
    "array.json": _documents(200, **_ARRAY, deep=False),
    "lines.json": _documents(200, **_JSONL, deep=False),
    "nested-array.json": _documents(200, **_ARRAY, deep=True),
    "nested-lines.json": _documents(200, **_JSONL, deep=True),
    "broken-array.json": _documents(200, **_ARRAY | {"end": b"\n]]"}, deep=False),
    "one-object.json": _documents(10, start=b'{"rows": [\n', between=b",\n", end=b"]}", deep=False),
    "long-line.json": _documents(200, start=b"[", between=b",", end=b"]", deep=False),
}


def make(name: str, folder: Path) -> Path:
    """Write the table of a case."""
    path = folder / name
    with path.open("wb") as file:
        CASES[name](file)
    return path


def _table(names: Iterable[str]) -> int:
    wrong = 0
    print(
        f"{'case':24} {'MB':>6} {'CPU s':>6} {'peak MB':>8} {'limit MB':>8} {'disk MB':>8} "
        f"{'limit MB':>8}  rejected"
    )
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            path = make(name, Path(folder))
            size = path.stat().st_size
            found = measure("data_transformer", path)
        good = found.peak < LIMIT_MB * 2**20 and found.disk < DISK_LIMIT_MB * 2**20
        wrong += not good
        print(
            f"{name:24} {size / 1e6:6.0f} {found.cpu:6.1f} {found.peak / 2**20:8.0f} {LIMIT_MB:8} "
            f"{found.disk / 2**20:8.0f} {DISK_LIMIT_MB:8}  {found.code or ''}"
            f"{'' if good else '  WRONG'}",
            flush=True,
        )
    return wrong


if __name__ == "__main__":
    sys.exit(_table(sys.argv[1:] or CASES))
