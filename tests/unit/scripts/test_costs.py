"""What a million files cost, and the document that says it."""

from pathlib import Path

import pytest

from scripts import costs

MARKED = """# Scaling

<!-- costs -->
<!-- /costs -->

<!-- concurrency -->
old
<!-- /concurrency -->
"""


def test_the_document_says_what_is_computed() -> None:
    assert costs.main(["--check"]) == 0


def test_a_price_is_what_aws_would_bill() -> None:
    # 1 s of 1,769 MB, a whole processor, without waiting: the price of 1.73 GB-s.
    kind = costs.Kind("x", 1 - 0.2, 1769, 512, writes=1, reads=0)
    cost = costs.per_million(kind, "x86_64")
    assert kind.seconds == pytest.approx(1)
    assert cost["processing"] == pytest.approx(1769 / 1024 * 16.6667)
    assert cost["API requests"] == pytest.approx(10.5)
    assert cost["invocations"] == pytest.approx(0.8)
    assert cost["S3 requests"] == pytest.approx(5 + 1.6)


def test_more_memory_than_a_processor_needs_is_no_faster() -> None:
    small, large = (costs.Kind("x", 1, mb, 512, writes=1, reads=1) for mb in (1769, 3538))
    assert small.seconds == large.seconds


def test_the_tables_are_written_and_then_current(tmp_path: Path) -> None:
    document = tmp_path / "scaling.md"
    document.write_text(MARKED)
    assert costs.main(["--check"], document) == 1
    assert costs.main([], document) == 0
    text = document.read_text()
    assert "| **together** | **" in text
    assert "| uploads a second | 10 | 1,000 | 100,000 |" in text
    assert "old" not in text
    assert costs.main(["--check"], document) == 0


def test_a_document_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!-- costs -->"):
        costs.rendered("# Scaling\n")
