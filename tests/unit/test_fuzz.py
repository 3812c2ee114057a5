"""A few of the mutants that tests/performance/fuzz.py makes by the thousand."""

import pytest

from tests.performance import fuzz


# A source on disk stays open where its content turns out to be of another format.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("kind", "count"), [("images", 60), ("tables", 40), ("books", 8)])
def test_damaged_files_are_answered(
    capsys: pytest.CaptureFixture[str], kind: str, count: int
) -> None:
    status = fuzz.main([kind, str(count), "1000"])
    said = capsys.readouterr().out
    assert status == 0, said
    assert "rejected" in said
    assert "succeeded" in said
