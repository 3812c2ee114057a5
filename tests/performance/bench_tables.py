"""The table function beside DuckDB's own COPY and Python's csv module with orjson.

The csv module is run in three ways: with all values left as text; with the types that the table
function finds, told beforehand; and doing the same work, but for finding out the types: it also
checks that no value loses anything by its type, and makes the profile of the columns. All read the
same generated CSV: 12 columns of mixed types, about 140 bytes a row. Each runs in a fresh process,
in turn. Ratios are of CPU time, because a function of 256 MB has a share of one core. Run from the
root, for a file of about 1.4 GB:

    .venv/bin/python -m tests.performance.bench_tables 10000000
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.performance.processes import BENCHMARKS, ROOT, LocalSource, peak_bytes

sys.path[:0] = [str(ROOT / "functions")]
sys.path.append(str(BENCHMARKS))

import duckdb  # noqa: E402  # the paths come first

from data_transformer.settings import Settings  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS: Final = 1_000_000
_ROUNDS: Final = 3
_NAMES: Final = "Anna;Chloé;Jürgen;Mary Jane;Oluwaseun;李雷;José;Ivan"
_SURNAMES: Final = "Smith;Müller;O''Brien;García;Kowalski;Nguyen;van der Berg"
_TYPES: Final[dict[str, Callable[[str], Any]]] = {
    "Order ID": int,
    "Ordered": dt.date.fromisoformat,
    "Shipped at": dt.datetime.fromisoformat,
    "Quantity": int,
    "Price": float,
    "Paid": {"true": True, "false": False}.__getitem__,
    "Account": int,
}
_WORDS: Final = "red;blue;large;wooden;steel;chair;table;lamp;light;heavy;round"


def _pick(words: str, salt: int) -> str:
    count = words.count(";") + 1
    return f"split_part('{words}', ';', 1 + (hash(i + {salt}) % {count})::INTEGER)"


def generate(path: Path, rows: int) -> None:
    """Write a table: numbers, codes with leading zeros, dates, quotes, text beyond ASCII."""
    note = f"concat_ws(' ', {_pick(_WORDS, 1)}, {_pick(_WORDS, 2)}, {_pick(_WORDS, 3)})"
    columns = {
        "Order ID": "i",
        "Customer": f"{_pick(_NAMES, 4)} || ' ' || {_pick(_SURNAMES, 5)}",
        "E-mail": "'user' || hash(i + 6) % 2000000 || '@example.com'",
        "Country": _pick("DE;FR;US;GB;PL;VN;NL;NG;CN;ES", 7),
        "Postcode": "lpad((hash(i + 8) % 100000)::VARCHAR, 5, '0')",
        "Ordered": "DATE '2010-01-01' + (hash(i + 9) % 5800)::INTEGER",
        "Shipped at": "TIMESTAMP '2025-01-01' + to_seconds((hash(i + 10) % 31000000)::BIGINT)",
        "Quantity": "hash(i + 11) % 500",
        "Price": "printf('%.2f', hash(i + 12) % 100000 / 100)",
        "Paid": "hash(i + 13) % 10 < 7",
        "Account": "1000000000000000000 + hash(i + 14) % 8000000000000000000",
        "Note": f"CASE hash(i + 15) % 20 WHEN 0 THEN {note} || ', \"as shown\"' "
        f"WHEN 1 THEN NULL ELSE {note} END",
    }
    wanted = ", ".join(f'{value} AS "{name}"' for name, value in columns.items())
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {wanted} FROM range(1, {rows + 1}) AS made(i)) "  # noqa: S608 - ours
            f"TO '{path}' (FORMAT csv, HEADER)"
        )


def ours(path: Path, directory: Path) -> None:
    """Run the function's core, the profile of the columns included."""
    from data_transformer.core import Transformer  # noqa: PLC0415  # not for the peers

    Transformer(Settings())(LocalSource(path), directory)


def duckdb_copy(path: Path, directory: Path) -> None:
    """Let DuckDB find out what is in the file and write it."""
    limits: Any = {"threads": "1", "memory_limit": f"{Settings().memory_limit_mb}MB"}
    with duckdb.connect(config=limits) as connection:
        connection.execute(
            f"COPY (FROM read_csv('{path}')) "
            f"TO '{directory / 'table.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
        )


def csv_orjson(path: Path, directory: Path) -> None:
    """Write what the csv module reads as JSON Lines, all values text."""
    import orjson  # noqa: PLC0415  # only in .local/benchmarks

    target = directory / "table.jsonl"
    with path.open(encoding="utf-8", newline="") as source, target.open("wb") as file:
        for row in csv.DictReader(source):
            file.write(orjson.dumps(row) + b"\n")


def csv_orjson_typed(path: Path, directory: Path) -> None:
    """Write the same with the types of the columns, known without a look at the values."""
    import orjson  # noqa: PLC0415  # only in .local/benchmarks

    target = directory / "table.jsonl"
    with path.open(encoding="utf-8", newline="") as source, target.open("wb") as file:
        for row in csv.DictReader(source):
            values: dict[str, Any] = row
            for name, convert in _TYPES.items():
                values[name] = convert(row[name])
            file.write(orjson.dumps(values) + b"\n")


class _Profile:
    """Nulls, least and greatest value, and an estimate of the distinct values of a column."""

    _KEPT = 1024

    def __init__(self) -> None:
        self.nulls = 0
        self.low: Any = None
        self.high: Any = None
        self._least: list[int] = []  # hashes of so many values: what they span tells how many

    def add(self, texts: Sequence[str], values: Sequence[Any]) -> None:
        """Look at some more values.

        Args:
            texts: as they stand in the file.
            values: the same with their type, or None.
        """
        self.nulls += texts.count("")
        self.low = min((one for one in (self.low, *values) if one is not None), default=None)
        self.high = max((one for one in (self.high, *values) if one is not None), default=None)
        hashes = set(map(hash, set(texts)))
        if len(self._least) == self._KEPT:
            last = self._least[-1]
            hashes = {one for one in hashes if one < last}
        self._least = sorted(hashes.union(self._least))[: self._KEPT]

    @property
    def distinct(self) -> int:
        """The estimate (Bar-Yossef et al., 2002: the k least values)."""
        if len(self._least) < self._KEPT:
            return len(self._least)
        return round((self._KEPT - 1) * 2**64 / (self._least[-1] + 2**63))

    def to_json(self) -> dict[str, Any]:
        """Return what describes the column."""
        edges = {"min": self.low, "max": self.high}
        return {"nulls": self.nulls, "distinct_estimate": self.distinct} | edges


def csv_orjson_same_work(path: Path, directory: Path) -> None:
    """Write the same with the types of the columns, checked, and the profile.

    Raises:
        ValueError: a row has too few cells, or a value is not exactly one of its type.
    """
    import orjson  # noqa: PLC0415  # only in .local/benchmarks

    number = re.compile(r"-?(0|[1-9][0-9]{0,13})(\.[0-9]+)?")

    def is_number(texts: Sequence[str], _: Sequence[Any]) -> bool:
        return all(map(number.fullmatch, texts)) and max(map(len, texts)) <= 16

    def is_canonical(texts: Sequence[str], values: Sequence[Any]) -> bool:
        return list(map(str, values)) == list(texts)

    def is_known(_texts: Sequence[str], _values: Sequence[Any]) -> bool:
        return True  # to find a boolean is to check it

    others = {"Price": is_number, "Paid": is_known}
    target = directory / "table.jsonl"
    with path.open(encoding="utf-8", newline="") as source, target.open("wb") as file:
        reader = csv.reader(source)
        names = next(reader)
        profiles = {name: _Profile() for name in names}
        for rows in itertools.batched(reader, 10_000):
            columns: list[Sequence[Any]] = []
            for name, texts in zip(names, zip(*rows, strict=True), strict=True):
                values: list[Any] = [text or None for text in texts]
                if name in _TYPES:
                    filled = [text for text in texts if text]
                    converted = list(map(_TYPES[name], filled))
                    if not others.get(name, is_canonical)(filled, converted):
                        raise ValueError(name)
                    rest = iter(converted)
                    values = [next(rest) if text else None for text in texts]
                profiles[name].add(texts, values)
                columns.append(values)
            file.writelines(
                orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
                for row in zip(*columns, strict=True)
            )
    described = {name: profile.to_json() for name, profile in profiles.items()}
    (directory / "profile.json").write_bytes(orjson.dumps(described))


WAYS: Final[dict[str, Callable[[Path, Path], None]]] = {
    "DuckDB COPY": duckdb_copy,
    "csv + orjson, all text": csv_orjson,
    "csv + orjson, typed": csv_orjson_typed,
    "csv + orjson, same work": csv_orjson_same_work,
    "data_transformer": ours,
}


def _run(way: str, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        started = time.perf_counter()
        WAYS[way](path, Path(name))
        wall = time.perf_counter() - started
    peak = peak_bytes() / 2**20
    print(json.dumps({"wall": wall, "cpu": time.process_time(), "peak": peak}))


def _measure(way: str, path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.performance.bench_tables", "--run", way, str(path)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def main(rows: int = ROWS, rounds: int = _ROUNDS) -> None:
    """Print time, throughput and peak memory side by side."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        generate(path, rows)
        size = path.stat().st_size / 1e6
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(_measure(way, path))
    best = {way: min(every, key=lambda one: one["cpu"]) for way, every in found.items()}
    print(
        f"{f'CSV of {rows:,} rows, {size:.0f} MB':32} {'CPU s':>7} {'wall s':>7} {'MB/s':>6} "
        f"{'peak MB':>8} {'speed of ours':>14}"
    )
    for way, one in best.items():
        print(
            f"{way:32} {one['cpu']:7.2f} {one['wall']:7.2f} {size / one['cpu']:6.1f} "
            f"{one['peak']:8.0f} {one['cpu'] / best['data_transformer']['cpu']:13.2f}x"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _run(sys.argv[2], Path(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
