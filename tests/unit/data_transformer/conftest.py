"""Runs the core on bytes, and reads back what it made."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from data_transformer.core import Transformer
from data_transformer.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from uploads.processing import Processed


@dataclass(frozen=True)
class Bytes:
    """An upload in memory, see `uploads.processing.Source`."""

    content: bytes
    name: str

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)

    def save(self, path: Path) -> Path:
        path.write_bytes(self.content)
        return path


@dataclass(frozen=True)
class Outcome:
    """What came out, read."""

    processed: Processed
    directory: Path

    @property
    def rows(self) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.sql(f"FROM '{self.directory}/table.parquet'").fetchall()

    @property
    def types(self) -> dict[str, str]:
        return {one["name"]: one["type"] for one in self.processed.details["profile"]}

    @property
    def rejects(self) -> list[dict[str, Any]]:
        path = self.directory / "rejects.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def transform(tmp_path: Path) -> Callable[..., Outcome]:
    def run(content: bytes | str, name: str = "table.csv", **settings: Any) -> Outcome:
        raw = content.encode() if isinstance(content, str) else content
        processed = Transformer(Settings(**settings))(Bytes(raw, name), tmp_path)
        return Outcome(processed, tmp_path)

    return run
