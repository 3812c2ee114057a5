"""This machine builds the zips whose hashes are committed, for both architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts import package

if TYPE_CHECKING:
    import pytest


def test_the_committed_hashes_are_built(capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["--check"]) == 0, capsys.readouterr().err
