"""Decide which installed files reach the zip.

What no function ever needs is listed here. What this project's functions do not need of a
library is declared in `functions/package.toml` (for all) and `functions/<f>/package.toml`:

    max_zip_mib = 12                        # size budget of the zip
    remove = ["PIL/_avif*"]                 # patterns of files to leave out
    [keep]                                  # of a folder, keep only what is named
    "botocore/data" = ["endpoints.json", "s3/**"]
    [operations]                            # of a service in botocore, keep only what is named
    s3 = ["GetObject", "PutObject"]

In a pattern `*` also matches `/`. A pattern that matches no file is an error, and so is an
operation that a service does not have: the library has changed, and somebody has to look.
"""

import json
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import deflate

from scripts.packaging.project import PackagingError

# Caches and tests, type stubs and C sources, wherever they are.
_FOLDERS = {"__pycache__", "tests"}
_SUFFIXES = {".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h"}
# Of a wheel's metadata, what was written by the installer or is of use to it alone.
_INSTALLER = {
    *("INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "entry_points.txt"),
    *("top_level.txt", "uv_cache.json", "zip-safe"),
}
_BOTOCORE = "botocore/data"
_DESCRIPTION = "service-2.json.gz"
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
    merged = Settings()
    for path in paths:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            merged = Settings(
                float(table.pop("max_zip_mib", merged.max_zip_mib) or 0) or None,
                (*merged.remove, *_strings(table.pop("remove", []))),
                _add(merged.keep, table.pop("keep", {})),
                _add(merged.operations, table.pop("operations", {})),
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise PackagingError(f"{path}: {error}. See scripts/packaging/trim.py.") from error
        if table:
            known = "max_zip_mib, remove, keep, operations"
            raise PackagingError(f"{path}: unknown key {', '.join(table)}. Known are: {known}.")
    return merged


def _add(lists: dict[str, tuple[str, ...]], more: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return lists | {name: (*lists.get(name, ()), *_strings(more[name])) for name in more}


def _strings(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of strings, found {values!r}")
    return tuple(values)


def select(names: Iterable[str], settings: Settings) -> list[str]:
    """Return the names of the files that go into the zip, sorted.

    Raises:
        PackagingError: A pattern matches nothing.
    """
    unused = {("remove", pattern) for pattern in settings.remove}
    unused |= {(folder, pattern) for folder in settings.keep for pattern in settings.keep[folder]}
    unused |= {("operations", service) for service in settings.operations}
    kept = []
    for name in names:
        if _never_needed(PurePosixPath(name)):
            continue
        matched = {("remove", p) for p in settings.remove if fnmatchcase(name, p)}
        keep = not matched
        for folder, patterns in settings.keep.items():
            if name.startswith(f"{folder}/"):
                inner = name.removeprefix(f"{folder}/")
                found = {(folder, pattern) for pattern in patterns if fnmatchcase(inner, pattern)}
                keep &= bool(found)
                matched |= found
        if keep:
            kept.append(name)
            if fnmatchcase(name, f"{_BOTOCORE}/*/*/{_DESCRIPTION}"):
                matched.add(("operations", name.split("/")[2]))
        unused -= matched
    if unused:
        lines = sorted(f"{pattern} ({where})" for where, pattern in unused)
        raise PackagingError(
            f"package.toml names files that no dependency has: {'; '.join(lines)}. "
            "Remove the pattern, or look for the file's new name."
        )
    return sorted(kept)


def _never_needed(path: PurePosixPath) -> bool:
    top = path.parts[0]
    return (
        # Scripts hold the path of the interpreter that installed them.
        top == "bin"
        or top.endswith("-stubs")
        or path.name == "py.typed"
        or path.suffix in _SUFFIXES
        or (top.endswith(".dist-info") and (path.name in _INSTALLER or "sboms" in path.parts))
        or not _FOLDERS.isdisjoint(path.parts[:-1])
    )


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
    if path.match("*.dist-info/METADATA"):
        return content.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    if path.match(f"{_BOTOCORE}/endpoints.json"):
        services = {other.split("/")[2] for other in kept if other.startswith(f"{_BOTOCORE}/")}
        endpoints = json.loads(content)
        for partition in endpoints["partitions"]:
            found = partition["services"]
            partition["services"] = {name: found[name] for name in found if name in services}
        return _json(endpoints)
    if path.match(f"{_BOTOCORE}/*/*/endpoint-rule-set-1.json.gz"):
        return _packed(json.loads(deflate.gzip_decompress(content)))
    if path.match(f"{_BOTOCORE}/*/*/{_DESCRIPTION}"):
        description = json.loads(deflate.gzip_decompress(content))
        service = path.parts[-3]
        if operations and service in operations:
            description = _reduced(description, service, operations[service])
        return _packed(_undocumented(description))
    return content


def _reduced(description: dict[str, Any], service: str, wanted: Collection[str]) -> dict[str, Any]:
    """Keep some operations of a description, and the shapes that they are made of."""
    operations, shapes = description["operations"], description["shapes"]
    if unknown := sorted(set(wanted) - operations.keys()):
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
        # A member may be named "shape", too; its value is no string.
        if isinstance(shape := value.get("shape"), str):
            yield shape
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _shapes_in(part)


def _undocumented(value: object) -> object:
    """Empty all documentation; botocore reads some of it, so it is not left out."""
    if isinstance(value, list):
        return [_undocumented(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {
        # A structure of this name is a member of the service's own.
        name: ""
        if name.startswith("documentation") and isinstance(part, str)
        else _undocumented(part)
        for name, part in value.items()
    }


def _packed(value: object) -> bytes:
    return bytes(deflate.gzip_compress(_json(value), _LEVEL))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
