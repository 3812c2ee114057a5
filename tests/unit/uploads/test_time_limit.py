from __future__ import annotations

import signal
import socket
import time
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from uploads.aws import s3_client
from uploads.time_limit import OutOfTimeError, stop_in_time

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def _left(milliseconds: int) -> LambdaContext:
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return cast("LambdaContext", context)


def test_work_that_ends_in_time_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with stop_in_time(_left(300_000)):
        # Ten seconds are kept for stopping.
        assert 280 < signal.getitimer(signal.ITIMER_REAL)[0] <= 290
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def test_its_own_error_passes() -> None:
    with pytest.raises(KeyError), stop_in_time(_left(300_000)):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_work_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(OutOfTimeError, match=r"stopped after 0\.1 s"), stop_in_time(_left(80)):
        time.sleep(60)


def test_nothing_is_begun_without_time() -> None:
    with pytest.raises(OutOfTimeError), stop_in_time(_left(0)):
        raise AssertionError("was begun")


def test_an_error_that_a_library_makes_of_the_alarm_is_not_mistaken_for_a_fault() -> None:
    def library() -> None:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - as DuckDB does
            raise RuntimeError("interrupted") from None

    with pytest.raises(OutOfTimeError) as caught, stop_in_time(_left(80)):
        library()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_an_alarm_that_a_library_swallows_is_not_lost() -> None:
    def library() -> None:
        with suppress(BaseException):
            time.sleep(60)

    with pytest.raises(OutOfTimeError), stop_in_time(_left(80)):
        library()


def test_a_library_that_swallows_an_alarm_and_goes_on_hears_another_one() -> None:
    def library() -> None:
        for _ in range(2):
            with suppress(BaseException):
                time.sleep(60)

    started = time.monotonic()
    with pytest.raises(OutOfTimeError), stop_in_time(_left(80)):
        library()
    assert time.monotonic() - started < 60


def test_an_alarm_while_the_work_is_being_stopped_is_no_other_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow() -> float:
        time.sleep(1.2)
        return 0.0

    monkeypatch.setattr(time, "process_time", slow)
    with pytest.raises(OutOfTimeError), stop_in_time(_left(80)):
        time.sleep(60)


def test_a_client_that_repeats_what_failed_does_not_go_on_over_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        with closing(s3_client()) as s3:
            started = time.monotonic()
            with pytest.raises(OutOfTimeError), stop_in_time(_left(200)):
                s3.put_object(Bucket="bucket", Key="key", Body=b"content")
        # Less than the client waits for one answer.
        assert time.monotonic() - started < 20
