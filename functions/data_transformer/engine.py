"""DuckDB inside the limits of a function, and a pipe that feeds it a stream."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from typing import TYPE_CHECKING, Final, Self

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

    from duckdb import DuckDBPyConnection

_PIPE_BYTES: Final = 1024 * 1024


@contextlib.contextmanager
def database(directory: Path, memory_limit_mb: int) -> Iterator[DuckDBPyConnection]:
    """Open an in-memory database for one piece of work.

    One thread, because two would need twice the memory and could change the order of rows; no
    extension is looked for, because those that are needed are part of the library.
    """
    connection = duckdb.connect(
        config={
            "threads": "1",
            "memory_limit": f"{memory_limit_mb}MB",
            "temp_directory": str(directory / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        yield connection
    finally:
        connection.close()


class Pipe:
    """A named pipe that chunks of bytes flow into from a thread; DuckDB reads it like a file.

    Leaving the context raises what the chunks raised: their reader saw an early end of the file.
    """

    def __init__(self, path: Path, chunks: Iterable[bytes]) -> None:
        self.path = path
        self._chunks = chunks
        self._error: BaseException | None = None
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)

    def __enter__(self) -> Self:
        os.mkfifo(self.path)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A reader that never came, or stopped reading, would keep the thread waiting: read on.
        self._left.set()
        drain = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            while self._thread.is_alive():
                with contextlib.suppress(BlockingIOError):
                    os.read(drain, 1024 * 1024)
                self._thread.join(0.001)
        finally:
            os.close(drain)
            self.path.unlink()
        if self._error:
            raise self._error from error

    def _feed(self) -> None:
        try:
            with self.path.open("wb", buffering=0) as file:
                with contextlib.suppress(OSError):  # a larger pipe only saves changes of thread
                    fcntl.fcntl(file, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
                for chunk in self._chunks:
                    view = memoryview(chunk)
                    while view and not self._left.is_set():
                        view = view[file.write(view) :]
                    if self._left.is_set():
                        break
        except BrokenPipeError:
            pass  # the reader needs no more
        except BaseException as error:  # noqa: BLE001 - raised in the reader's thread
            self._error = error
