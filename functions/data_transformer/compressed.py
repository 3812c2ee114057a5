"""Decompresses gzip sources while they are read."""

from __future__ import annotations

import io
import shutil
import zlib
from typing import TYPE_CHECKING, Final

from data_transformer.contents import GZIP_BEGIN
from uploads.content import HEAD_BYTES, describe
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

    from uploads.processing import Source

ENDING: Final = ".gz"
_CHUNK: Final = 256 * 1024
_MIB: Final = 1024 * 1024
_GZIP: Final = 31  # zlib's number for data with gzip's head and tail


class Gunzipped:
    """A source whose content is decompressed while it is read, see `uploads.processing.Source`.

    Attributes:
        name: file name without the ending of the compression.
        size: compressed size in bytes; the decompressed size is unknown before the end.
        is_cut: whether the compressed data ended before their end; known once they are read.
    """

    def __init__(self, source: Source, limit_mb: int) -> None:
        """Wrap a source; its content may have so many MiB."""
        self._source = source
        self._limit = limit_mb * _MIB
        lower = source.name.lower()
        self.name = source.name[: -len(ENDING)] if lower.endswith(ENDING) else source.name
        self.size = source.size
        self.is_cut = False

    @property
    def metadata(self) -> Mapping[str, str]:
        """Metadata of the compressed file."""
        found: Mapping[str, str] = getattr(self._source, "metadata", {})
        return found

    def open(self) -> BinaryIO:
        """Return the content as a stream that can be read once, from the start."""
        return self._open(self._limit)

    def _open(self, limit: int) -> BinaryIO:
        return io.BufferedReader(_Stream(self, self._source.open(), limit), _CHUNK)

    def save(self, path: Path) -> Path:
        """Write the content to `path` and return it; room for two copies more has to stay."""
        room = shutil.disk_usage(path.parent).free // 3
        with self._open(min(self._limit, room)) as content, path.open("wb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
        return path


class _Stream(io.RawIOBase):
    """Reads one or more gzip members; what follows the last one is passed over."""

    def __init__(self, source: Gunzipped, packed: BinaryIO, limit: int) -> None:
        super().__init__()
        self._source = source
        self._packed = packed
        self._limit = limit
        self._read = 0
        self._input = packed.read(HEAD_BYTES)
        self._member = zlib.decompressobj(_GZIP)
        self._in_member = True
        if not self._input.startswith(GZIP_BEGIN):
            kind = describe(self._input) or "not compressed with gzip"
            raise RejectedError("not_a_table", f"The file is {kind}, although its name says gzip.")

    def readable(self) -> bool:
        """Return True: the stream is readable."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        """Decompress the next bytes; 0 at the end.

        Raises:
            RejectedError: the data are damaged, or too many.
        """
        data = b""
        while not data and self._has_input():
            try:
                data = self._member.decompress(self._input, len(buffer))
            except zlib.error as error:
                raise RejectedError(
                    "damaged_compression",
                    f"The compressed data are damaged after {self._read} decompressed bytes. "
                    "Compress the file again.",
                ) from error
            self._input = self._member.unconsumed_tail
            if self._member.eof:
                self._input = self._member.unused_data
                self._member = zlib.decompressobj(_GZIP)
                self._in_member = False
        self._read += len(data)
        if self._read > self._limit:
            raise RejectedError(
                "too_large_decompressed",
                f"The file holds more than {self._limit // _MIB} MB when it is decompressed. Split "
                "it into several files.",
            )
        buffer[: len(data)] = data
        return len(data)

    def _has_input(self) -> bool:
        """Return whether there is more to decompress."""
        if len(self._input) < len(GZIP_BEGIN):
            self._input += self._packed.read(_CHUNK)
        if self._in_member:
            self._source.is_cut = not self._input
            return bool(self._input)
        self._in_member = self._input.startswith(GZIP_BEGIN)
        return self._in_member
