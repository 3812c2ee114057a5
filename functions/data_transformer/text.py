"""Text as people send it, made UTF-8 with line feeds for line ends while it streams."""

from __future__ import annotations

import codecs
import itertools
from typing import TYPE_CHECKING, Final

from uploads.content import HEAD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

_LEGACY_BYTES: Final = 16 * 1024
_FEW_BYTES: Final = 8
_ASCII: Final = bytes(range(128))
# Ctrl-Z, with which DOS and CP/M end a text.
_END_OF_FILE: Final = b"\x1a"
# Candidates besides Windows-1252, which charset-normalizer calls cp1252.
_LEGACY: Final = [
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "koi8_r", "cp1251",
]  # fmt: skip
CHUNK_BYTES: Final = 1024 * 1024

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: it begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    """Decode the five bytes that Windows-1252 leaves undefined as Latin-1 does."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - the only user is a decoder
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("latin-1-fallback", _as_latin_1)


def detect(head: bytes) -> tuple[str, int]:
    """Return the encoding of a text by its beginning, and the length of its byte order mark."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, len(bom)
    for encoding, zeros in (("utf-16-le", head[1:4096:2]), ("utf-16-be", head[0:4096:2])):
        # Half of the bytes of Western text in UTF-16 are zero.
        if zeros and zeros.count(0) > 0.7 * len(zeros):
            return encoding, 0
    decoded = codecs.getincrementaldecoder("utf-8")("replace").decode(head)
    broken = decoded.count("\ufffd")
    whole = sum(character > "\x7f" for character in decoded) - broken if broken else 0
    return (_legacy(head) if broken > whole else "utf-8"), 0


def _legacy(head: bytes) -> str:
    """Return the encoding of a text that is not Unicode, by its whole lines that are not ASCII.

    Few such bytes are accents in a Western text; they fit any encoding.
    """
    lines = [line for line in head.splitlines()[:-1] or [head] if not line.isascii()]
    text = b""
    for line in lines:
        if text and len(text) + len(line) > _LEGACY_BYTES:
            break
        text += line + b"\n"
    if len(text.translate(None, _ASCII)) < _FEW_BYTES:
        return "windows-1252"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - takes longer than most tables

    best = from_bytes(text, cp_isolation=[*_LEGACY, "cp1252"]).best()
    found = best.encoding if best else ""
    return found if found in _LEGACY else "windows-1252"


class CleanText:
    """Iterates over a byte stream's text as UTF-8 with line feeds for line ends, without NULs.

    A Ctrl-Z at the end of the text is removed.

    Undecodable bytes in a UTF-8 text stay as they are, and their row is rejected. If they are the
    first bytes beyond ASCII, the text is read as Windows-1252 from there on.

    Attributes:
        encoding: detected encoding of the text.
        head: the first bytes, with their byte order mark.
        nuls: number of NUL characters removed.
    """

    def __init__(self, stream: BinaryIO, encoding: str | None = None) -> None:
        """Prepare to read a stream, in an encoding if it is known."""
        self._stream = stream
        self._head = _read(stream)
        self.head = self._head[:HEAD_BYTES]
        found, skip = detect(self._head)
        self.encoding = codecs.lookup(encoding).name if encoding else found
        if self.encoding == "cp1252":  # of which five bytes are undefined
            self.encoding = "windows-1252"
        self._head = self._head[skip:]
        self.nuls = 0
        self._strict = codecs.getincrementaldecoder("utf-8")()
        self._seen_utf8 = self.encoding == "utf-8" and not self._head.isascii()

    def __iter__(self) -> Iterator[bytes]:
        """Return chunks of about a mebibyte."""
        chunks = self._utf8() if self.encoding == "utf-8" else self._decoded(self._raw())
        held = b""
        for chunk in chunks:
            whole = held + chunk
            held = b""
            if b"\r" in whole:
                if whole.endswith(b"\r"):  # its \n may be in the next chunk
                    whole, held = whole[:-1], b"\r"
                whole = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if whole.endswith(_END_OF_FILE):
                whole, held = whole[:-1], _END_OF_FILE + held
            yield self._without_nuls(whole)
        if b"\r" in held:
            yield self._without_nuls(b"\n")

    def _without_nuls(self, chunk: bytes) -> bytes:
        if b"\0" in chunk:
            self.nuls += chunk.count(b"\0")
            chunk = chunk.replace(b"\0", b"")
        return chunk

    def _raw(self) -> Iterator[bytes]:
        head, self._head = self._head, b""
        if head:
            yield head
        while chunk := _read(self._stream):
            yield chunk

    def _utf8(self) -> Iterator[bytes]:
        raw = self._raw()
        for chunk in raw:
            if self._is_utf8(chunk):
                yield chunk
            else:
                self.encoding = _legacy(chunk)
                yield from self._decoded(itertools.chain([chunk], raw))

    def _is_utf8(self, chunk: bytes) -> bool:
        """Return whether a chunk continues as UTF-8, or the text is UTF-8 up to some bad bytes."""
        if self._seen_utf8:  # rows with undecodable bytes are rejected later
            return True
        pending = bool(self._strict.getstate()[0])
        if chunk.isascii() and not pending:
            return True
        try:
            self._strict.decode(chunk)
        except UnicodeDecodeError:
            return False
        self._seen_utf8 = True
        return True

    def _decoded(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        errors = "latin-1-fallback" if self.encoding == "windows-1252" else "replace"
        decoder = codecs.getincrementaldecoder(self.encoding)(errors)
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()


def whole_lines(chunks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    """Yield a text, given in any chunks, in whole lines; of a longer line than that, in parts."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        end = text.rfind(b"\n") + 1 or (len(text) if len(text) > longest else 0)
        held = text[end:]
        if end:
            yield text[:end]
    if held:
        yield held


def _read(stream: BinaryIO) -> bytes:
    """Read a full chunk; a network stream may return less per read."""
    parts = []
    missing = CHUNK_BYTES
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
