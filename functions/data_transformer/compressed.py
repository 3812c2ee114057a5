"""Decompresses sources while they are read: gzip and Zstandard."""

from __future__ import annotations

import io
import shutil
import zlib
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final, override

from data_transformer.contents import GZIP, ZSTD, form_of
from uploads.content import HEAD_BYTES
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    from uploads.processing import Source

ENDINGS: Final = {GZIP: ".gz", ZSTD: ".zst"}
_CHUNK: Final = 256 * 1024
_MIB: Final = 1024 * 1024
_MAGIC_BYTES: Final = 4


class NotCompressedError(Exception):
    """A file is not compressed as its name says.

    Attributes:
        form: binary format that it begins like, or None.
    """

    def __init__(self, form: str | None) -> None:
        super().__init__(form)
        self.form = form


class Decompressed:
    """A source whose content is decompressed while it is read, see `uploads.processing.Source`.

    Attributes:
        name: file name without the ending of the compression.
        size: compressed size in bytes; the decompressed size is unknown before the end.
        is_cut: whether the compressed data ended before their end; known once they are read.
        has_rest: whether other bytes follow them, but for zeros; known then, too.
    """

    def __init__(self, source: Source, form: str, limit_mb: int) -> None:
        """Wrap a source that is compressed as `form` says; its content may have so many MiB."""
        self._source = source
        self._form = form
        self._limit = limit_mb * _MIB
        named = source.name.lower().endswith
        length = next((len(ending) for ending in ENDINGS.values() if named(ending)), 0)
        self.name = source.name[: len(source.name) - length]
        self.size = source.size
        self.is_cut = False
        self.has_rest = False

    @property
    def metadata(self) -> Mapping[str, str]:
        """Metadata of the compressed file."""
        found: Mapping[str, str] = getattr(self._source, "metadata", {})
        return found

    def open(self) -> BinaryIO:
        """Return the content as a stream that can be read once, from the start.

        Raises:
            NotCompressedError: the file is not compressed in this way.
        """
        return self._open(self._limit)

    def _open(self, limit: int) -> BinaryIO:
        stream = _Stream(self, self._source.open(), self._form, limit)
        return io.BufferedReader(stream, _CHUNK)

    def save(self, path: Path) -> Path:
        """Write the content to `path` and return it; room for two copies more has to stay."""
        room = shutil.disk_usage(path.parent).free // 3
        with self._open(min(self._limit, room)) as content, path.open("wb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
        return path


class _Part(ABC):
    """A member of a gzip file, or a frame of a Zstandard file.

    Attributes:
        rest: given bytes that were not used yet, or come behind the end.
    """

    rest = b""

    @abstractmethod
    def decompress(self, data: bytes, most: int) -> bytes:
        """Return up to `most` bytes.

        Raises:
            _DamagedError: the data are damaged.
        """

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Whether the end was reached."""

    @property
    def holds_more(self) -> bool:
        """Whether there is more to decompress without further data."""
        return False


class _DamagedError(Exception):
    """Compressed data are damaged."""


class _Member(_Part):
    _WITH_HEAD_AND_TAIL: ClassVar = 31  # zlib's number for gzip

    def __init__(self) -> None:
        self._data = zlib.decompressobj(self._WITH_HEAD_AND_TAIL)

    @override
    def decompress(self, data: bytes, most: int) -> bytes:
        try:
            made = self._data.decompress(data, most)
        except zlib.error as error:
            raise _DamagedError from error
        self.rest = self._data.unused_data or self._data.unconsumed_tail
        return made

    @property
    @override
    def is_complete(self) -> bool:
        return self._data.eof


class _Frame(_Part):
    # What a reader should accept (RFC 8878, 3.1.1.1.2). More than that would take the memory of
    # the table; `zstd --long` and `--ultra` write it.
    _LARGEST_WINDOW: ClassVar = 23  # 8 MiB, as a power of two

    def __init__(self) -> None:
        # Python 3.14 has it as compression.zstd. Files that are not compressed do without.
        self._zstd: Any = import_module("backports.zstd")
        limit = {self._zstd.DecompressionParameter.window_log_max: self._LARGEST_WINDOW}
        self._data = self._zstd.ZstdDecompressor(options=limit)

    @override
    def decompress(self, data: bytes, most: int) -> bytes:
        try:
            made: bytes = self._data.decompress(data, most)
        except self._zstd.ZstdError as error:
            if "too much memory" in str(error):
                raise RejectedError(
                    "too_large",
                    "The file is compressed with a window of more than 8 MB. Compress it without "
                    "--long and --ultra.",
                ) from error
            raise _DamagedError from error
        self.rest = self._data.unused_data
        return made

    @property
    @override
    def is_complete(self) -> bool:
        return bool(self._data.eof)

    @property
    @override
    def holds_more(self) -> bool:
        return not (self._data.eof or self._data.needs_input)


_PARTS: Final[dict[str, type[_Part]]] = {GZIP: _Member, ZSTD: _Frame}


class _Stream(io.RawIOBase):
    """Reads one or more parts; what follows the last one is passed over."""

    def __init__(self, source: Decompressed, packed: BinaryIO, form: str, limit: int) -> None:
        super().__init__()
        self._source = source
        self._packed = packed
        self._form = form
        self._limit = limit
        self._read = 0
        self._input = packed.read(HEAD_BYTES)
        found = form_of(self._input)
        if found != form:
            raise NotCompressedError(found)
        self._part: _Part | None = _PARTS[form]()

    def readable(self) -> bool:
        """Return True: the stream is readable."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        """Decompress the next bytes; 0 at the end.

        Raises:
            RejectedError: the data are damaged, or too many.
        """
        data = b""
        while not data and (part := self._next()):
            try:
                data = part.decompress(self._input, len(buffer))
            except _DamagedError as error:
                raise RejectedError(
                    "damaged_compression",
                    f"The compressed data are damaged after {self._read} decompressed bytes. "
                    "Compress the file again.",
                ) from error
            self._input = part.rest
            if part.is_complete:
                self._part = None
        self._read += len(data)
        if self._read > self._limit:
            raise RejectedError(
                "too_large_decompressed",
                f"The file holds more than {self._limit // _MIB} MB when it is decompressed. Split "
                "it into several files.",
            )
        buffer[: len(data)] = data
        return len(data)

    def _next(self) -> _Part | None:
        """Return the part to decompress from; None when there is no more."""
        if self._part and self._part.holds_more:
            return self._part
        if len(self._input) < _MAGIC_BYTES:
            self._input += self._packed.read(_CHUNK)
        if self._part:
            self._source.is_cut = not self._input
            return self._part if self._input else None
        if form_of(self._input) == self._form:
            self._part = _PARTS[self._form]()
        elif self._input.strip(b"\0"):
            self._source.has_rest = True
        return self._part
