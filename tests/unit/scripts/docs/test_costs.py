"""What a million files cost."""

import pytest

from scripts.docs import costs


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


def test_the_sizes_are_those_of_the_specification() -> None:
    assert (costs.PHOTO.memory_mb, costs.PHOTO.ephemeral_mb) == (512, 512)
    assert (costs.TABLE.memory_mb, costs.TABLE.ephemeral_mb) == (256, 1024)


def test_the_tables_have_a_sum_and_a_column_for_each_rate() -> None:
    assert "| **together** | **" in costs.cost_table()
    assert "| uploads a second | 10 | 1,000 | 100,000 |" in costs.concurrency_table()
