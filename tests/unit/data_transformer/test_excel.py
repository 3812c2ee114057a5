"""Tables as Excel workbooks: what openpyxl reads is what is in the table."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from data_transformer import excel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]


def cells(outcome: Outcome) -> list[tuple[Any, ...]]:
    sheet = openpyxl.load_workbook(outcome.directory / "table.xlsx").active
    return [tuple(cell.value for cell in row) for row in sheet.iter_rows()]


def test_values_have_their_types(transform: Transform) -> None:
    text = (
        "id,share,day,when,time,ok,code\n"
        "1,0.5,2024-01-02,2024-01-02 03:04:05,01:02:03,true,007\n"
        "2,,1850-01-02,2024-01-02 03:04:05,01:02:03,false,=1+1\n"
    )
    outcome = transform(text, output_formats=("parquet", "xlsx"))
    assert [output.name for output in outcome.processed.outputs] == ["table.parquet", "table.xlsx"]
    when = dt.datetime(2024, 1, 2, 3, 4, 5)  # noqa: DTZ001 - Excel has no zones
    assert cells(outcome) == [
        ("id", "share", "day", "when", "time", "ok", "code"),
        (1, 0.5, dt.datetime(2024, 1, 2), when, dt.time(1, 2, 3), True, "007"),  # noqa: DTZ001 - as above
        # Excel has no days before 1900, and a text that begins with = is no formula.
        (2, None, "1850-01-02", when, dt.time(1, 2, 3), False, "=1+1"),
    ]


def test_what_excel_has_not_is_text(transform: Transform) -> None:
    text = '[{"big": 9007199254740993, "at": "2024-01-02T03:04:05Z", "n": {"x": [1]}}]'
    [_, row] = cells(transform(text, "a.json", output_formats=("xlsx",)))
    assert row == ("9007199254740993", "2024-01-02 03:04:05+00", '{"x":[1]}')


def test_numbers_that_are_none_are_text() -> None:
    assert excel._cell(float("inf")) == "inf"


@pytest.mark.parametrize("limit", ["_MOST_ROWS", "_MOST_CELLS"])
def test_a_table_that_is_too_large_has_no_workbook(
    transform: Transform, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(excel, limit, 2)
    outcome = transform("a,b\n1,2\n3,4\n5,6\n", output_formats=("parquet", "xlsx"))
    assert [output.name for output in outcome.processed.outputs] == ["table.parquet"]
    [warning] = outcome.processed.warnings
    assert warning.code == "not_in_excel"


def test_a_text_that_is_too_long_makes_no_workbook(transform: Transform) -> None:
    outcome = transform(f"a,b\n1,{'x' * 40_000}\n", output_formats=("csv", "xlsx"))
    assert [output.name for output in outcome.processed.outputs] == ["table.csv"]
    [warning] = outcome.processed.warnings
    assert "'b'" in warning.message
