"""Zip files whose bytes depend on nothing but names and contents, with the bytecode beside sources.

`zipfile` cannot write them: it compresses with the zlib that the interpreter is linked with.
Here the compressor (libdeflate) is pinned, every entry has the same time, mode and creator, and a
zip grows without compressing its entries again.

Bytecode is included because Lambda cannot store it (/var/task is read-only): without it
the start takes 2.0 to 2.5 times as much processor time; the zip is 1.5 MiB smaller. It is the same
from every patch release of Python 3.12 (measured with 3.12.0, 3.12.1 and 3.12.7):
- It is marked "unchecked", so no file time is part of it.
- Marshal format 2 writes every object in full. Later formats write a flag that depends on how many
  references an object happens to have.
- Every expression is placed on the first line of its statement, without columns: patch releases
  correct such places. Tracebacks have no carets; the bytecode is a fifth smaller.
`python -m tests.performance.compare_pythons PYTHON` compares another interpreter.
"""

import ast
import importlib.util
import marshal
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

import deflate

from scripts.packaging.project import CACHE_TAG, PackagingError

# The earliest time that a zip can hold: 1980-01-01 00:00, as MS-DOS date and time.
_DATE = (1 << 5) | 1
_MODE = 0o100644 << 16
_UNIX = 3 << 8
_VERSION = 20
_STORED, _DEFLATED = 0, 8
_UTF8 = 1 << 11
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_UNCHECKED_HASH = 0b01
_MARSHAL_FORMAT = 2

# Level 12, the best, takes twice as long as 10 for 0.1 % less. The one file that takes long, a
# shared library of 66 MB, takes five times as long at 10 as at 7, for 2 % less.
_LEVEL, _LARGE_LEVEL, _LARGE_BYTES = 10, 7, 4 << 20

EMPTY = _END.pack(b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """A compressed file."""

    name: str
    crc: int
    size: int
    method: int
    data: bytes

    @classmethod
    def compress(cls, name: str, content: bytes) -> Self:
        """Compress a file, or store it where that is smaller."""
        level = _LARGE_LEVEL if len(content) >= _LARGE_BYTES else _LEVEL
        # deflate returns its own buffer type; every caller needs bytes.
        data = bytes(deflate.deflate_compress(content, level))
        method, data = (_DEFLATED, data) if len(data) < len(content) else (_STORED, content)
        return cls(name, zlib.crc32(content), len(content), method, data)


def make_entries(name: str, content: bytes) -> list[Entry]:
    """Compress a file, and its bytecode if it is a module.

    Raises:
        PackagingError: It cannot be compiled.
    """
    entries = [Entry.compress(name, content)]
    if name.endswith(".py"):
        try:
            entries.append(Entry.compress(cache_name(name), compile_source(name, content)))
        except (SyntaxError, ValueError) as error:
            raise PackagingError(f"{name} is not valid Python 3.12: {error}") from error
    return entries


def append(archive: bytes, entries: Iterable[Entry]) -> bytes:
    """Return a zip with further entries; `archive` must be made by this module."""
    *_, count, length, end, _ = _END.unpack_from(archive, len(archive) - _END.size)
    files, directory = [archive[:end]], [archive[end : end + length]]
    for entry in entries:
        name = entry.name.encode()
        flags = 0 if entry.name.isascii() else _UTF8
        sizes = (entry.crc, len(entry.data), entry.size, len(name), 0)
        common = (flags, entry.method, 0, _DATE, *sizes)
        local = _LOCAL.pack(b"PK\3\4", _VERSION, *common) + name
        central = (b"PK\1\2", _UNIX | _VERSION, _VERSION, *common, 0, 0, 0, _MODE, end)
        files += [local, entry.data]
        directory += [_CENTRAL.pack(*central), name]
        end += len(local) + len(entry.data)
        count += 1
    listing = b"".join(directory)
    trailer = _END.pack(b"PK\5\6", 0, 0, count, count, len(listing), end, 0)
    return b"".join([*files, listing, trailer])


def cache_name(source: str) -> str:
    """Return the path of a source file's bytecode: `a/b.py` → `a/__pycache__/b.cpython-312.pyc`."""
    path = PurePosixPath(source)
    return str(path.parent / "__pycache__" / f"{path.stem}.{CACHE_TAG}.pyc")


def compile_source(name: str, content: bytes) -> bytes:
    """Return the bytecode of a file of the zip; tracebacks show its name below Lambda's task root.

    Raises:
        SyntaxError: It is not Python 3.12.
    """
    module = ast.parse(content, name)
    _place_on_first_line(module, 1)
    code = compile(module, f"/var/task/{name}", "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little")
    return header + importlib.util.source_hash(content) + marshal.dumps(code, _MARSHAL_FORMAT)


def _place_on_first_line(node: ast.AST, line: int) -> None:
    if isinstance(node, ast.stmt | ast.excepthandler):
        line = node.lineno
    if hasattr(node, "lineno"):
        vars(node).update(lineno=line, end_lineno=line, col_offset=0, end_col_offset=0)
    for child in ast.iter_child_nodes(node):
        _place_on_first_line(child, line)
