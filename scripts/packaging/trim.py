"""Decide which installed files reach the zip.

What no function ever needs is listed here. What this project's functions do not need of a
library is declared in `functions/package.toml` (for all) and `functions/<f>/package.toml`:

    max_zip_mib = 12                        # size budget of the zip
    remove = ["PIL/_avif*"]                 # patterns of files to leave out
    [keep]                                  # of a directory, keep only what is named
    "botocore/data" = ["endpoints.json", "s3/**"]
    [operations]                            # of a service in botocore, keep only what is named
    s3 = ["GetObject", "PutObject"]

In a pattern `*` also matches `/`. A pattern that matches no file is an error, and so is an
operation that a service does not have: what it was written for has changed, and somebody has to
look.
"""

import json
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import deflate

from scripts.packaging.errors import PackagingError

# Caches, type stubs, C sources, and tests; the directories count wherever they are.
_DIRECTORIES = {"__pycache__", "tests"}
_SUFFIXES = {".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h"}
_NAMES = {"py.typed"}
# Scripts hold the path of the interpreter that installed them.
_TOP_LEVEL = {"bin"}
# Written by the installer, or of use to it alone.
_INSTALLER = {
    *("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "entry_points.txt"),
    *("top_level.txt", "uv_cache.json", "zip-safe"),
}
_METADATA = "METADATA"
_BOTOCORE = "botocore/data"
_DESCRIPTION = "service-2.json.gz"
_RULES = "endpoint-rule-set-1.json.gz"
_LEVEL = 12


@dataclass(frozen=True)
class Settings:
    """What a function declares about its zip."""

    max_zip_mib: float | None = None
    remove: tuple[str, ...] = ()
    keep: dict[str, tuple[str, ...]] = field(default_factory=dict)
    operations: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_settings(paths: Iterable[Path]) -> Settings:
    """Read and merge settings files; lists add up, the last budget counts.

    Raises:
        PackagingError: A file is not TOML, or has an unknown key or a wrong type.
    """
    budget: float | None = None
    remove: list[str] = []
    keep: dict[str, tuple[str, ...]] = {}
    operations: dict[str, tuple[str, ...]] = {}
    for path in paths:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            budget = float(table.pop("max_zip_mib", budget) or 0) or None
            remove += _strings(table.pop("remove", []))
            for name, names in table.pop("keep", {}).items():
                keep[name] = (*keep.get(name, ()), *_strings(names))
            for service, names in table.pop("operations", {}).items():
                operations[service] = (*operations.get(service, ()), *_strings(names))
        except (ValueError, TypeError, AttributeError) as error:
            raise PackagingError(f"{path}: {error}. See scripts/packaging/trim.py.") from error
        if table:
            known = "max_zip_mib, remove, keep, operations"
            raise PackagingError(f"{path}: unknown key {', '.join(table)}. Known are: {known}.")
    return Settings(budget, tuple(remove), keep, operations)


def select(names: Iterable[str], settings: Settings) -> list[str]:
    """Return the names of the files that go into the zip, sorted.

    Raises:
        PackagingError: A pattern matches nothing.
    """
    names = [name for name in names if not _never_needed(PurePosixPath(name))]
    unused: set[tuple[str | None, str]] = {(None, pattern) for pattern in settings.remove} | {
        (directory, pattern)
        for directory, patterns in settings.keep.items()
        for pattern in patterns
    }
    kept = []
    for name in names:
        removed = [pattern for pattern in settings.remove if fnmatchcase(name, pattern)]
        unused -= {(None, pattern) for pattern in removed}
        keep = not removed
        for directory, patterns in settings.keep.items():
            if name.startswith(f"{directory}/"):
                inner = name.removeprefix(f"{directory}/")
                matched = [pattern for pattern in patterns if fnmatchcase(inner, pattern)]
                unused -= {(directory, pattern) for pattern in matched}
                keep = keep and bool(matched)
        if keep:
            kept.append(name)
    unused |= {
        ("operations", service)
        for service in settings.operations
        if not any(fnmatchcase(name, f"{_BOTOCORE}/{service}/*/{_DESCRIPTION}") for name in kept)
    }
    if unused:
        lines = sorted(f"{pattern} ({directory or 'remove'})" for directory, pattern in unused)
        msg = (
            f"package.toml names files that no dependency has: {'; '.join(lines)}. "
            "Remove the pattern, or look for the file's new name."
        )
        raise PackagingError(msg)
    return sorted(kept)


def clean(
    name: str,
    content: bytes,
    kept: Iterable[str] = (),
    operations: Mapping[str, Collection[str]] | None = None,
) -> bytes:
    """Return the content to ship.

    A package's metadata comes without the README. What botocore parses when it makes a client comes
    with empty documentation, without white space, without the endpoints of services that are not
    there, and without the operations that are not wanted: that was a fifth of the API function's
    start.

    Args:
        name: name of the file in the zip.
        content: its content, as it was installed.
        kept: names of all files that go into the zip.
        operations: those wanted, by service; all of a service that is not named.

    Raises:
        PackagingError: A service does not have an operation that is wanted.
    """
    path = PurePosixPath(name)
    if path.name == _METADATA and path.parent.suffix == ".dist-info":
        return content.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    if path.match(f"{_BOTOCORE}/endpoints.json"):
        folders = {PurePosixPath(other).parent for other in kept}
        return _endpoints(content, {f.parent.name for f in folders if f.match(f"{_BOTOCORE}/*/*")})
    if path.match(f"{_BOTOCORE}/*/*/{_RULES}"):
        return _packed(json.loads(deflate.gzip_decompress(content)))
    if path.match(f"{_BOTOCORE}/*/*/{_DESCRIPTION}"):
        description = json.loads(deflate.gzip_decompress(content))
        service = path.parts[-3]
        if operations and service in operations:
            description = _reduced(description, service, operations[service])
        return _packed(_undocumented(description))
    return content


def _endpoints(content: bytes, services: Collection[str]) -> bytes:
    endpoints = json.loads(content)
    for partition in endpoints["partitions"]:
        found = partition["services"]
        partition["services"] = {name: found[name] for name in found if name in services}
    return _json(endpoints)


def _reduced(description: dict[str, Any], service: str, wanted: Collection[str]) -> dict[str, Any]:
    """Keep some operations of a description, and the shapes that they are made of."""
    operations, shapes = description["operations"], description["shapes"]
    unknown = sorted(set(wanted) - operations.keys())
    if unknown:
        raise PackagingError(
            f"package.toml names operations that {service} does not have: {', '.join(unknown)}. "
            "Remove them, or look for the new names."
        )
    operations = {name: operations[name] for name in operations if name in wanted}
    used: set[str] = set()
    found = set(_shapes_in(operations))
    while found:
        used |= found
        found = {inner for name in found for inner in _shapes_in(shapes[name])} - used
    kept = {name: shapes[name] for name in shapes if name in used}
    return description | {"operations": operations, "shapes": kept}


def _shapes_in(value: object) -> Iterator[str]:
    """Yield the names of the shapes that a part of a description refers to."""
    if isinstance(value, dict):
        for name, part in value.items():
            # A member may have this name, too; its value is no string.
            if name == "shape" and isinstance(part, str):
                yield part
            yield from _shapes_in(part)
    if isinstance(value, list):
        for part in value:
            yield from _shapes_in(part)


def _undocumented(value: object) -> object:
    if isinstance(value, list):
        return [_undocumented(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        # Emptied, not left out: botocore reads some of them. A structure of this name is a member
        # of the service's own.
        name: ""
        if name.startswith("documentation") and isinstance(part, str)
        else _undocumented(part)
        for name, part in value.items()
    }


def _packed(value: object) -> bytes:
    return bytes(deflate.gzip_compress(_json(value), _LEVEL))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _strings(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of strings, found {values!r}")
    return tuple(values)


def _never_needed(path: PurePosixPath) -> bool:
    top = path.parts[0]
    return (
        top in _TOP_LEVEL
        or top.endswith("-stubs")
        or path.name in _NAMES
        or path.suffix in _SUFFIXES
        or (top.endswith(".dist-info") and (path.name in _INSTALLER or "sboms" in path.parts))
        or not _DIRECTORIES.isdisjoint(path.parts[:-1])
    )
