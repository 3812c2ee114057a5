"""Check that native code is for the right machine and finds what it needs on Lambda."""

import re

from scripts.packaging.errors import PackagingError

_MACHINES = {62: "x86_64", 183: "arm64"}
_MAX_GLIBC = 34
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d+)(?=\0)")


def is_native(name: str) -> bool:
    """Tell whether a file is a shared library by its name."""
    return name.endswith(".so") or ".so." in name


def check(name: str, content: bytes, architecture: str) -> None:
    """Check a shared library.

    Raises:
        PackagingError: It is not for this architecture, or wants a newer glibc than Lambda has.
    """
    is_elf = content[:6] == b"\x7fELF\x02\x01"
    machine = _MACHINES.get(int.from_bytes(content[18:20], "little")) if is_elf else None
    if machine != architecture:
        msg = f"{name} is {machine or 'not a 64-bit Linux library'}, but the zip is {architecture}."
        raise PackagingError(msg)
    newest = max((int(minor) for minor in _GLIBC.findall(content)), default=0)
    if newest > _MAX_GLIBC:
        msg = f"{name} needs glibc 2.{newest}; Lambda's {architecture} runtime has 2.{_MAX_GLIBC}."
        raise PackagingError(msg)
