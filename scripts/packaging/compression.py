"""Compile and compress files on all cores, each distinct file once."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from scripts.packaging.archive import Entry
from scripts.packaging.bytecode import cache_name, compile_source
from scripts.packaging.errors import PackagingError

_LARGE_BYTES = 1 << 20


class Compressor:
    """Makes entries of files that come from several threads.

    Large files have threads of their own: the largest takes as long as all small ones together, and
    must not wait for them.
    """

    def __init__(self, small: ThreadPoolExecutor, large: ThreadPoolExecutor) -> None:
        self._small, self._large = small, large
        self._lock = Lock()
        self._made: dict[tuple[str, bytes], Future[list[Entry]]] = {}

    def make_entries(self, files: Mapping[str, bytes]) -> list[Entry]:
        """Return the entries of files, in the order of their names.

        Raises:
            PackagingError: A module cannot be compiled.
        """
        ordered = sorted(files.items())
        with self._lock:
            for file in ordered:
                if file not in self._made:
                    pool = self._small if len(file[1]) < _LARGE_BYTES else self._large
                    self._made[file] = pool.submit(make_entries, *file)
        return [entry for file in ordered for entry in self._made[file].result()]


@contextmanager
def compressing(jobs: int) -> Iterator[Compressor]:
    """Give a compressor with so many threads for small files, and as many for large ones."""
    with ThreadPoolExecutor(jobs) as small, ThreadPoolExecutor(jobs) as large:
        yield Compressor(small, large)


def make_entries(name: str, content: bytes) -> list[Entry]:
    """Compress a file, and its bytecode if it is a module.

    Raises:
        PackagingError: It cannot be compiled.
    """
    entries = [Entry.compress(name, content)]
    if name.endswith(".py"):
        try:
            compiled = compile_source(name, content)
        except (SyntaxError, ValueError) as error:
            raise PackagingError(f"{name} is not valid Python 3.12: {error}") from error
        entries.append(Entry.compress(cache_name(name), compiled))
    return entries
