"""Parquet: what pyarrow and DuckDB write is what comes out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_transformer import parquet_reader
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]


def written(columns: dict[str, Any], **options: Any) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, **options)
    return content.getvalue()


def test_values_and_types_are_those_of_the_file(transform: Transform) -> None:
    columns = {"sepalLength": [1.5, None], "Käse": ["a", "b"], "n": [{"x": [1]}, {"x": []}]}
    outcome = transform(written(columns, compression="snappy"), "a.parquet")
    assert outcome.rows == [(1.5, "a", {"x": [1]}), (None, "b", {"x": []})]
    assert outcome.types == {
        "sepal_length": "DOUBLE",
        "käse": "VARCHAR",
        "n": "STRUCT(x BIGINT[])",
    }
    assert outcome.processed.details["format"] == "parquet"
    assert not outcome.processed.warnings


def test_names_that_repeat_are_numbered(transform: Transform) -> None:
    outcome = transform(written({"A": [1], "a": [2]}), "a.parquet")
    assert list(outcome.types) == ["a", "a_1"]
    assert outcome.rows == [(1, 2)]


def test_types_that_few_read_become_text(transform: Transform, tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    duckdb.sql(f"COPY (SELECT INTERVAL 3 DAY AS pause, 1 AS n) TO '{path}'")
    outcome = transform(path.read_bytes(), "a.parquet")
    assert outcome.rows == [("3 days", 1)]
    [warning] = outcome.processed.warnings
    assert warning.code == "types_as_text"
    assert "pause" in warning.message


def test_geometries_stay(transform: Transform, tmp_path: Path) -> None:
    path = tmp_path / "geo.parquet"
    duckdb.sql(f"COPY (SELECT 'POINT (1 2)'::GEOMETRY AS geometry) TO '{path}'")
    transform(path.read_bytes(), "a.parquet")
    assert b'"geometry_types":["Point"]' in (tmp_path / "table.parquet").read_bytes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PAR1" + bytes(40), "damaged_parquet"),
        (written({"a": [1]})[:-20], "damaged_parquet"),
        (b"PARE" + bytes(40) + b"PARE", "encrypted_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not_a_table"),
    ],
    ids=["no end", "cut", "encrypted", "a picture"],
)
def test_what_cannot_be_read_is_rejected(transform: Transform, content: bytes, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        transform(content, "a.parquet")
    assert caught.value.code == code


def test_other_formats_under_this_name_are_read(transform: Transform) -> None:
    outcome = transform("a,b\n1,2\n", "a.parquet")
    assert outcome.rows == [(1, 2)]
    assert [warning.code for warning in outcome.processed.warnings] == ["other_format"]


def test_under_another_name_it_is_read(transform: Transform) -> None:
    outcome = transform(written({"a": [1]}), "a.csv")
    assert [warning.code for warning in outcome.processed.warnings] == ["other_format"]


def test_row_groups_beyond_the_memory_are_rejected(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr(parquet_reader, "_convert", fail)
    with pytest.raises(RejectedError, match="fewer rows in a group") as caught:
        transform(written({"a": [1]}), "a.parquet")
    assert caught.value.code == "too_large"


def test_a_file_that_leaves_no_room_for_its_table_is_rejected(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import _ntuple_diskusage as usage  # noqa: PLC0415 - what disk_usage returns

    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(100, 90, 10))
    with pytest.raises(RejectedError, match="ephemeral storage") as caught:
        transform(written({"a": [1]}), "a.parquet")
    assert caught.value.code == "too_large"


def test_many_columns_that_few_read_are_named_in_part(transform: Transform, tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    columns = ", ".join(f"INTERVAL {n} DAY AS c{n}" for n in range(7))
    duckdb.sql(f"COPY (SELECT {columns}) TO '{path}'")
    [warning] = transform(path.read_bytes(), "a.parquet").processed.warnings
    assert "c4 and others" in warning.message
