from __future__ import annotations

import pytest

from data_transformer.settings import Settings


def test_unset_means_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()


def test_values_are_read() -> None:
    read = Settings.from_environment(
        {"OUTPUT_FORMATS": "csv, jsonl", "MAX_REJECTED_ROWS_SHARE": "0.5", "MAX_REJECTED_ROWS": "7"}
    )
    assert read == Settings(("csv", "jsonl"), 0.5, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTPUT_FORMATS", "xlsx"),
        ("MAX_REJECTED_ROWS_SHARE", "2"),
        ("MAX_REJECTED_ROWS", "many"),
        ("MEMORY_LIMIT_MB", "1"),
    ],
)
def test_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is '{value}'"):
        Settings.from_environment({name: value})
