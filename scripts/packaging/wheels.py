"""Install the locked wheels for Lambda's platform, whatever the host is, and check their libraries.

Nothing is compiled.
"""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from scripts.packaging.project import PackagingError

# Lambda's python3.12 is Amazon Linux 2023 with glibc 2.34. Wheels for 2.28 run there, and nearly
# every project publishes them.
PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
_MACHINES = {"x64": "x86_64", "AArch64": "arm64"}
_MAX_GLIBC = 34
_GLIBC = re.compile(rb"\0GLIBC_2\.(\d+)(?=\0)")
# What every Lambda runtime based on Amazon Linux 2023 has by itself.
_SYSTEM = re.compile(
    r"ld-linux-(x86-64|aarch64)\.so\.\d|lib(c|dl|m|pthread|rt|util|gcc_s|stdc\+\+|z)\.so\.\d"
)
_NO_WHEEL = re.compile(r"([A-Za-z0-9._-]+)==(\S+) has no (?:usable )?wheels")
_BAD_HASH = re.compile(r"Hash mismatch for `([^`]+)`")


def find_uv() -> str:
    """Return the installer: the one of this virtual environment, else the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise PackagingError("uv is not installed. Run `make setup`.")
    return found


def install(lock: Path, architecture: str, target: Path, options: tuple[str, ...] = ()) -> None:
    """Install a lock's wheels into a folder.

    Args:
        lock: A requirements file with hashes, which names all that is needed.
        architecture: `x86_64` or `arm64`.
        target: The folder to fill.
        options: Further options of `uv pip install`.

    Raises:
        PackagingError: A wheel does not exist for the platform, differs from its hash, or cannot
            be fetched.
    """
    platform = PLATFORMS[architecture]
    command = [
        *(find_uv(), "pip", "install", "--quiet", "--color", "never", "--no-progress"),
        *("--python", sys.executable, "--target", str(target)),
        *("--python-version", "3.12", "--python-platform", platform, "--only-binary", ":all:"),
        *("--no-deps", "--require-hashes", "-r", str(lock), *options),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PackagingError(_explain(done.stderr, lock, platform))


def _explain(output: str, lock: Path, platform: str) -> str:
    if missing := _NO_WHEEL.search(output):
        name, version = missing[1], missing[2].rstrip(",.")
        return (
            f"{name} {version} has no wheel for Python 3.12 on {platform}. "
            f"Choose a version that has one in {lock.with_suffix('.in')}, then run `make lock`."
        )
    if changed := _BAD_HASH.search(output):
        return (
            f"{changed[1]} is not the file that {lock} was written for: its hash differs. "
            "If it was published anew, run `make lock`; else do not use it."
        )
    return f"The dependencies in {lock} could not be installed for {platform}:\n{output.strip()}"


def select_libraries(files: Mapping[str, bytes], architecture: str) -> dict[str, bytes]:
    """Check the shared libraries, and return the files without libraries that nothing needs.

    Only the folders into which wheels copy libraries (`<name>.libs/`) are looked at for that: a
    library beside Python files is imported by name.

    Raises:
        PackagingError: A library is for another architecture, wants a newer glibc than Lambda
            has, or needs a library that neither the zip nor Lambda has.
    """
    libraries = {PurePosixPath(n).name: n for n in files if n.endswith(".so") or ".so." in n}
    needed = {name: _read_needed(name, files[name], architecture) for name in libraries.values()}
    vendored = {name for name in needed if PurePosixPath(name).parts[0].endswith(".libs")}
    reached: set[str] = set()
    todo = needed.keys() - vendored
    while todo:
        reached |= todo
        found = {library: name for name in todo for library in needed[name]}
        for library, name in found.items():
            if library not in libraries and not _SYSTEM.fullmatch(library):
                raise PackagingError(
                    f"{name} needs {library}, which neither the zip nor Lambda has. "
                    "If package.toml removes it, keep it."
                )
        todo = {libraries[library] for library in found if library in libraries} - reached
    return {name: data for name, data in files.items() if name not in vendored - reached}


def _read_needed(name: str, content: bytes, architecture: str) -> list[str]:
    """Return the names of the libraries that a shared library is linked with."""
    machine, needed = None, []
    try:
        elf = ELFFile(io.BytesIO(content))
        machine = _MACHINES.get(elf.get_machine_arch())
        dynamic = [part for part in elf.iter_segments() if isinstance(part, DynamicSegment)]
        # The package's stubs do not know what a tag of this kind has.
        tags: list[Any] = [tag for part in dynamic for tag in part.iter_tags("DT_NEEDED")]
        needed = [tag.needed for tag in tags]
    except ELFError:
        pass
    if machine != architecture:
        found = machine or "not a 64-bit Linux library"
        raise PackagingError(f"{name} is {found}, but the zip is {architecture}.")
    newest = max((int(minor) for minor in _GLIBC.findall(content)), default=0)
    if newest > _MAX_GLIBC:
        raise PackagingError(
            f"{name} needs glibc 2.{newest}; Lambda's {architecture} runtime has 2.{_MAX_GLIBC}."
        )
    return needed
