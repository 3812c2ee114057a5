"""Check that native code is for the right machine and finds what it needs on Lambda.

Formats: System V ABI, chapters "Object Files" and "Dynamic Linking", for 64-bit little-endian.
"""

import re
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath

from scripts.packaging.errors import PackagingError

_MACHINES = {62: "x86_64", 183: "arm64"}
_MAX_GLIBC = 34
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d+)(?=\0)")

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRING_TABLE = 1, 5
_PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
_DYNAMIC_ENTRY = struct.Struct("<qQ")

# What every Lambda runtime based on Amazon Linux 2023 has by itself.
_SYSTEM = re.compile(
    r"ld-linux-(x86-64|aarch64)\.so\.\d|lib(c|dl|m|pthread|rt|util|gcc_s|stdc\+\+|z)\.so\.\d"
)


def is_native(name: str) -> bool:
    """Tell whether a file is a shared library by its name."""
    return name.endswith(".so") or ".so." in name


def select(files: Mapping[str, bytes], architecture: str) -> dict[str, bytes]:
    """Check the shared libraries, and return the files without libraries that nothing needs.

    Only the directories into which wheels copy libraries (`<name>.libs/`) are looked at for that:
    a library beside Python files is imported by name.

    Raises:
        PackagingError: A library is for another architecture, wants a newer glibc than Lambda
            has, or needs a library that neither the zip nor Lambda has.
    """
    native = {PurePosixPath(name).name: name for name in files if is_native(name)}
    for name in native.values():
        _check_platform(name, files[name], architecture)
    reached: set[str] = set()
    todo = [name for name in native.values() if not _is_vendored(name)]
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        for library in needed(files[name]):
            if library in native:
                todo.append(native[library])
            elif not _SYSTEM.fullmatch(library):
                msg = (
                    f"{name} needs {library}, which neither the zip nor Lambda has. "
                    "If package.toml removes it, keep it."
                )
                raise PackagingError(msg)
    return {
        name: content
        for name, content in files.items()
        if name in reached or not (is_native(name) and _is_vendored(name))
    }


def needed(content: bytes) -> list[str]:
    """Return the names of the libraries that a shared library is linked with."""
    start, size, count = (
        int.from_bytes(content[32:40], "little"),
        int.from_bytes(content[54:56], "little"),
        int.from_bytes(content[56:58], "little"),
    )
    headers = [_PROGRAM_HEADER.unpack_from(content, start + i * size) for i in range(count)]
    entries = [
        entry
        for kind, _, offset, _, _, length, _, _ in headers
        if kind == _DYNAMIC
        for entry in _DYNAMIC_ENTRY.iter_unpack(content[offset : offset + length])
    ]
    # The table's place is given as an address in memory; the loaded segments tell where that is.
    tables = [
        address - where + offset
        for tag, address in entries
        if tag == _STRING_TABLE
        for kind, _, offset, where, _, length, _, _ in headers
        if kind == _LOAD and where <= address < where + length
    ]
    names = [tables[0] + value for tag, value in entries if tag == _NEEDED]
    return [content[name : content.index(b"\0", name)].decode() for name in names]


def _is_vendored(name: str) -> bool:
    return PurePosixPath(name).parts[0].endswith(".libs")


def _check_platform(name: str, content: bytes, architecture: str) -> None:
    is_elf = content[:6] == b"\x7fELF\x02\x01"
    machine = _MACHINES.get(int.from_bytes(content[18:20], "little")) if is_elf else None
    if machine != architecture:
        msg = f"{name} is {machine or 'not a 64-bit Linux library'}, but the zip is {architecture}."
        raise PackagingError(msg)
    newest = max((int(minor) for minor in _GLIBC.findall(content)), default=0)
    if newest > _MAX_GLIBC:
        msg = f"{name} needs glibc 2.{newest}; Lambda's {architecture} runtime has 2.{_MAX_GLIBC}."
        raise PackagingError(msg)
