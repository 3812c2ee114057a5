from __future__ import annotations

import io
import threading
import time
from concurrent.futures import Future
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from data_transformer.core import Transformer
from data_transformer.engine import Pipe
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes
from uploads.processing import RejectedError
from uploads.time_limit import OutOfTimeError, stop_in_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from uploads.processing import Processed, Source

CHUNK = b"x" * 1_000_000


def _in_time(work: Callable[[], Any]) -> Any:
    """Do it in a thread, so that work that never ends fails the test instead of holding it up."""
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except Exception as error:  # noqa: BLE001 - raised by the test's thread
            answer.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "hangs"
    return answer.result()


def _endless() -> Iterator[bytes]:
    while True:
        yield CHUNK


def test_reader_that_never_comes(tmp_path: Path) -> None:
    def work() -> None:
        with Pipe(tmp_path / "text", _endless()):
            pass

    _in_time(work)
    assert not list(tmp_path.iterdir())


def test_reader_that_stops_with_the_pipe_open(tmp_path: Path) -> None:
    def work() -> None:
        with Pipe(tmp_path / "text", _endless()) as pipe:
            reader = pipe.path.open("rb", buffering=0)
            assert reader.read(1) == b"x"
        reader.close()

    _in_time(work)


def test_reader_that_closes_early(tmp_path: Path) -> None:
    def work() -> None:
        with Pipe(tmp_path / "text", _endless()) as pipe:
            with pipe.path.open("rb", buffering=0) as reader:
                assert reader.read(1) == b"x"
            pipe._thread.join()

    _in_time(work)


def test_chunks_that_come_slowly(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        time.sleep(0.05)
        yield b"x"

    def work() -> None:
        with Pipe(tmp_path / "text", chunks()):
            pass

    _in_time(work)


def test_error_of_the_chunks_is_raised_to_the_reader(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionError("lost")

    def work() -> None:
        with Pipe(tmp_path / "text", chunks()) as pipe:
            assert pipe.path.read_bytes() == b"x"

    with pytest.raises(ConnectionError, match="lost"):
        _in_time(work)


WIDE = "12345," + "x" * 8_000 + "\n"
GOOD = WIDE * 200  # more than the sample from which the types are taken
LONG = WIDE * 5_000  # more than DuckDB reads at once


def _transform(source: Source, directory: Path, **settings: Any) -> Processed:
    processed: Processed = _in_time(lambda: Transformer(Settings(**settings))(source, directory))
    return processed


def test_too_many_values_of_another_type_end_the_reading(tmp_path: Path) -> None:
    content = f"a,b\n{GOOD}".encode() + b"word,x\n" * 20 + LONG.encode()
    with pytest.raises(RejectedError) as caught:
        _transform(Bytes(content, "table.csv"), tmp_path, max_rejected_rows=5)
    assert caught.value.code == "too_many_bad_rows"


def test_too_many_ragged_rows_in_a_long_file(tmp_path: Path) -> None:
    content = f"a,b\n{GOOD}".encode() + b"1\n" * 20 + LONG.encode()
    with pytest.raises(RejectedError) as caught:
        _transform(Bytes(content, "table.csv"), tmp_path, max_rejected_rows=5)
    assert caught.value.code == "too_many_bad_rows"


def test_value_that_shows_a_wrong_type_in_a_long_file(tmp_path: Path) -> None:
    content = f"a,b\n{GOOD}word,x\n01234,x\n{LONG}".encode()
    processed = _transform(Bytes(content, "table.csv"), tmp_path)
    assert [one["type"] for one in processed.details["profile"]] == ["VARCHAR", "VARCHAR"]
    assert processed.details["rejected_rows"] == 0


class _Broken(io.BytesIO):
    """A connection that is lost."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 4_000_000:
            raise ConnectionError("lost")
        return super().read(size)


class _LostSource(Bytes):
    def open(self) -> BinaryIO:
        return _Broken(self.content)


def test_lost_connection_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match="lost"):
        _transform(_LostSource(f"a,b\n{LONG}".encode(), "table.csv"), tmp_path)


class _LongSource(Bytes):
    """Takes far longer than the time that is left."""

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Long())


class _Long(io.RawIOBase):
    def __init__(self) -> None:
        self._row = b"a,b\n"
        self._end = time.monotonic() + 15

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if time.monotonic() > self._end:
            return 0
        count = len(buffer) // 4
        buffer[: 4 * count] = self._row * count
        self._row = b"1,x\n"
        return 4 * count


def test_time_limit_ends_a_conversion_and_leaves_no_thread_behind(tmp_path: Path) -> None:
    threads = threading.active_count()
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_500)
    with pytest.raises(OutOfTimeError, match="the work was stopped"), stop_in_time(context):
        Transformer(Settings())(_LongSource(b"?", "table.csv"), tmp_path)
    assert threading.active_count() == threads
    assert not (tmp_path / "text").exists()
