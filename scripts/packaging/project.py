"""What goes into a zip: functions, their settings and sources, and the hash over all of it.

Everything here runs on every call, also when there is nothing to do, so it imports little.
"""

import hashlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.packaging.errors import PackagingError

RUNTIME = "python3.12"
CACHE_TAG = "cpython-312"
ARCHITECTURES = ("x86_64", "arm64")
MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}

LOCK = "requirements.txt"
SETTINGS = "package.toml"
ENTRY_POINT = "index.py"
# The package that every zip holds; a function that needs no more has no lock of its own.
SHARED = "uploads"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
# What decides on bytes and is not ours: the compressor, and the installer that chooses the wheels.
_PINNED = {"requirements.txt": "deflate", "bootstrap.txt": "uv"}

# Of a function's directory only these reach its zip.
_SHIPPED = {".py", ".json"}


@dataclass(frozen=True)
class Source:
    """A file of a function: its path inside the zip, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Package:
    """One zip to build: a function for an architecture, and the hashes of what it is made from."""

    function: str
    architecture: str
    lock: Path
    settings: tuple[Path, ...]
    sources: tuple[Source, ...]
    dependencies_sha256: str
    inputs_sha256: str

    @property
    def name(self) -> str:
        """`<function>-<architecture>`: the stem of every file that is built."""
        return f"{self.function}-{self.architecture}"


def host_architecture() -> str:
    """Return the Lambda architecture that this machine can run."""
    machine = os.uname().machine.lower()
    if machine not in MACHINES:
        msg = (
            f"This machine is {machine}, which Lambda does not run. "
            f"Name an architecture: --arch {' or '.join(ARCHITECTURES)}."
        )
        raise PackagingError(msg)
    return MACHINES[machine]


def list_functions(functions: Path) -> list[str]:
    """Return the names of the directories that hold a handler, sorted."""
    return sorted(path.parent.name for path in functions.glob(f"*/{ENTRY_POINT}"))


def read_packages(
    root: Path, functions: list[str], architectures: tuple[str, ...]
) -> list[Package]:
    """Read the inputs of every zip asked for.

    Args:
        root: The project's directory.
        functions: Names of functions of the project, or paths of folders elsewhere, which have a
            slash; all of the project when empty.
        architectures: Some of `ARCHITECTURES`.

    Raises:
        PackagingError: A function is unknown, or its lock was not written.
    """
    directory = root / "functions"
    if not list_functions(directory):
        raise PackagingError(f"No function found: no {directory}/<name>/{ENTRY_POINT} exists.")
    tool = _tool_sha256(root)
    shared = _read_sources(directory / SHARED)
    packages = []
    for own in [_find(directory, function) for function in functions or list_functions(directory)]:
        function = own.name
        lock = own / LOCK
        if not lock.exists():
            if lock.with_suffix(".in").exists():
                msg = (
                    f"{lock} is missing: lock {lock.with_suffix('.in')} with hashes (`make lock`)."
                )
                raise PackagingError(msg)
            lock = directory / SHARED / LOCK
        settings = tuple(p for p in (directory / SETTINGS, own / SETTINGS) if p.exists())
        sources = tuple(sorted([*shared, *_read_sources(own)], key=lambda source: source.name))
        for architecture in architectures:
            dependencies = _hash(
                tool.encode(),
                architecture.encode(),
                RUNTIME.encode(),
                lock.read_bytes(),
                *(path.read_bytes() for path in settings),
            )
            inputs = _hash(
                dependencies.encode(),
                function.encode(),
                *(part for source in sources for part in (source.name.encode(), source.content)),
            )
            packages.append(
                Package(function, architecture, lock, settings, sources, dependencies, inputs)
            )
    return packages


def _find(directory: Path, function: str) -> Path:
    """Return the folder of a function."""
    known = list_functions(directory)
    if "/" not in function:
        if function not in known:
            raise PackagingError(
                f"No function {function!r}. There are: {', '.join(known)}; "
                f"a folder elsewhere is named with a slash, ./{function}."
            )
        return directory / function
    own = Path(function).resolve()
    if not (own / ENTRY_POINT).is_file():
        raise PackagingError(f"{own} holds no function: it needs {ENTRY_POINT} with a handler.")
    if not _NAME.fullmatch(own.name):
        raise PackagingError(
            f"{own.name} cannot be imported by all: name the folder with lower-case words joined "
            "by underscores, such as word_count."
        )
    if own.parent != directory.resolve() and own.name in {*known, SHARED}:
        raise PackagingError(f"{own} has the name of one of {directory}: choose another.")
    return own


def check_interpreter() -> None:
    """Refuse an interpreter whose bytecode the runtime would not load."""
    if sys.implementation.cache_tag != CACHE_TAG:
        msg = (
            f"The zips need bytecode of CPython 3.12; this is {sys.implementation.cache_tag}. "
            "Run `make package`, which uses the project's virtual environment."
        )
        raise PackagingError(msg)


def _read_sources(package: Path) -> list[Source]:
    """Read what a package ships; locks, settings and documents beside it stay at home."""
    return [
        Source(path.relative_to(package.parent).as_posix(), path.read_bytes())
        for path in sorted(package.rglob("*"))
        if path.suffix in _SHIPPED and not path.name.startswith(".")
    ]


def _tool_sha256(root: Path) -> str:
    """Hash what decides on bytes besides the inputs: this package and the tools that are pinned."""
    own = sorted(Path(__file__).parent.glob("*.py"))
    pins = [
        line
        for lock, name in _PINNED.items()
        for line in (root / "scripts" / lock).read_text(encoding="utf-8").splitlines()
        if line.startswith(f"{name}==")
    ]
    return _hash(*(path.read_bytes() for path in own), *(pin.encode() for pin in pins))


def _hash(*parts: bytes) -> str:
    """Hash parts so that moving a byte from one to the next changes the result."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
