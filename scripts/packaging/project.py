"""The inputs of a zip, and the hash over all of them.

Everything here runs on every call, also when there is nothing to do, so it imports little.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

RUNTIME = "python3.12"
CACHE_TAG = "cpython-312"
ARCHITECTURES = ("x86_64", "arm64")
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

LOCK = "requirements.txt"
SETTINGS = "package.toml"
ENTRY_POINT = "index.py"
# The package that every zip holds; a function without other dependencies uses its lock.
SHARED = "uploads"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# Tools that determine the bytes: the compressor, and the installer that chooses the wheels.
_PINNED = (b"deflate==", b"uv==")
# Of a function's folder only these reach its zip.
_SHIPPED = {".py", ".json"}


class PackagingError(Exception):
    """A zip cannot be built; the message says why, and what to do."""


@dataclass(frozen=True)
class Package:
    """One zip to build: a function for an architecture, and the hashes of its inputs.

    Attributes:
        sources: The function's own files and the shared ones, by their path in the zip.
    """

    function: str
    architecture: str
    lock: Path
    settings: tuple[Path, ...]
    sources: dict[str, bytes]
    dependencies_sha256: str
    inputs_sha256: str

    @property
    def name(self) -> str:
        """`<function>-<architecture>`: the stem of every file that is built."""
        return f"{self.function}-{self.architecture}"


def host_architecture() -> str:
    """Return the Lambda architecture that this machine can run."""
    machine = os.uname().machine.lower()
    if machine not in _MACHINES:
        raise PackagingError(
            f"This machine is {machine}, which Lambda does not run. "
            f"Name an architecture: --arch {' or '.join(ARCHITECTURES)}."
        )
    return _MACHINES[machine]


def local_build(root: Path) -> Path:
    """Return the folder of the zips that run on this machine: on a Mac not those of Lambda."""
    return root / (".local/packages" if sys.platform == "darwin" else "build")


def check_interpreter() -> None:
    """Refuse an interpreter whose bytecode the runtime would not load."""
    if sys.implementation.cache_tag != CACHE_TAG:
        raise PackagingError(
            f"The zips need bytecode of CPython 3.12; this is {sys.implementation.cache_tag}. "
            "Run `make package`, which uses the project's virtual environment."
        )


def list_functions(functions: Path) -> list[str]:
    """Return the names of the folders that hold a handler, sorted."""
    return sorted(path.parent.name for path in functions.glob(f"*/{ENTRY_POINT}"))


def read_packages(
    root: Path, functions: list[str], architectures: tuple[str, ...]
) -> list[Package]:
    """Read the inputs of the requested zips.

    Args:
        root: The project's folder.
        functions: Names of functions of the project, or paths of folders elsewhere, which have a
            slash; all of the project when empty.
        architectures: Some of `ARCHITECTURES`.

    Raises:
        PackagingError: A function is unknown, or its lock was not written.
    """
    folder = root / "functions"
    known = list_functions(folder)
    if not known:
        raise PackagingError(f"No function found: no {folder}/<name>/{ENTRY_POINT} exists.")
    # The packager itself, and the tools that it uses, decide on the bytes too.
    tool = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    pins = (root / "requirements/dev.txt").read_bytes().splitlines()
    tool += [line for line in pins if line.startswith(_PINNED)]
    packages = []
    for own in [_find(folder, known, function) for function in functions or known]:
        lock = own / LOCK
        if not lock.exists():
            if (own / "requirements.in").exists():
                raise PackagingError(f"{lock} is missing: lock requirements.in with `make lock`.")
            lock = folder / SHARED / LOCK
        settings = tuple(p for p in (folder / SETTINGS, own / SETTINGS) if p.exists())
        sources = dict(sorted((_read_sources(folder / SHARED) | _read_sources(own)).items()))
        parts = [part for name, data in sources.items() for part in (name.encode(), data)]
        for architecture in architectures:
            read = [path.read_bytes() for path in (lock, *settings)]
            dependencies = _hash(*tool, architecture.encode(), *read)
            inputs = _hash(dependencies.encode(), own.name.encode(), *parts)
            packages.append(
                Package(own.name, architecture, lock, settings, sources, dependencies, inputs)
            )
    return packages


def _find(folder: Path, known: list[str], function: str) -> Path:
    """Return the folder of a function."""
    if "/" not in function:
        if function not in known:
            raise PackagingError(
                f"No function {function!r}. There are: {', '.join(known)}; "
                f"a folder elsewhere is named with a slash, ./{function}."
            )
        return folder / function
    own = Path(function).resolve()
    if not (own / ENTRY_POINT).is_file():
        raise PackagingError(f"{own} holds no function: it needs {ENTRY_POINT} with a handler.")
    if not _NAME.fullmatch(own.name):
        raise PackagingError(
            f"{own.name} cannot be imported by all: name the folder with lower-case words joined "
            "by underscores, such as word_count."
        )
    if own.parent != folder.resolve() and own.name in {*known, SHARED}:
        raise PackagingError(f"{own} has the name of one of {folder}: choose another.")
    return own


def _read_sources(folder: Path) -> dict[str, bytes]:
    """Read what a folder ships; locks, settings and documents beside it stay at home."""
    return {
        path.relative_to(folder.parent).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in _SHIPPED and not path.name.startswith(".")
    }


def _hash(*parts: bytes) -> str:
    """Hash parts so that moving a byte from one to the next changes the result."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
