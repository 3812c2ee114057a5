"""Choose which installed files reach the zip, as `package.toml` says.

Files that no function needs are listed here. What this project's functions do not need of a library
is declared in `functions/package.toml` (for all) and `functions/<f>/package.toml`:

    max_zip_mib = 12                        # size budget of the zip
    leave_out = [                           # the last pattern that matches a file decides
      "botocore/data/*",
      "!botocore/data/s3/*",                # "!": this one stays
    ]
    [operations]                            # of a botocore service, keep only these
    s3 = ["GetObject", "PutObject"]

In a pattern `*` also matches `/`. A pattern that matches no file is an error, and so is an
operation that a service does not have: the library has changed, and the entry needs a review.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

from scripts.packaging import botocore_data
from scripts.packaging.project import PackagingError

_NEVER_NEEDED = (
    # Scripts hold the path of the interpreter that installed them.
    "bin/*",
    # Tests, type stubs and C sources.
    *("tests/*", "*/tests/*", "*-stubs/*", "*/py.typed", "*.pyi", "*.pyx", "*.pxd", "*.c", "*.h"),
    "*.pyc",
    # Metadata of a wheel that only installers write or read.
    *("*.dist-info/INSTALLER", "*.dist-info/RECORD", "*.dist-info/REQUESTED", "*.dist-info/WHEEL"),
    *("*.dist-info/direct_url.json", "*.dist-info/entry_points.txt", "*.dist-info/sboms/*"),
    *("*.dist-info/top_level.txt", "*.dist-info/uv_cache.json", "*.dist-info/zip-safe"),
)
_METADATA = "*.dist-info/METADATA"


@dataclass
class Settings:
    """The settings of a function's `package.toml` files; their lists add up."""

    max_zip_mib: float = float("inf")
    leave_out: list[str] = field(default_factory=list)
    operations: dict[str, list[str]] = field(default_factory=dict)


def read_settings(paths: Iterable[Path]) -> Settings:
    """Read and merge settings files; the last budget counts.

    Raises:
        PackagingError: A file is not TOML, or has an unknown key or a wrong type.
    """
    merged = Settings()
    for path in paths:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            merged.max_zip_mib = float(table.pop("max_zip_mib", merged.max_zip_mib))
            merged.leave_out += _strings(table.pop("leave_out", []))
            for service, operations in table.pop("operations", {}).items():
                merged.operations.setdefault(service, []).extend(_strings(operations))
        except (ValueError, TypeError, AttributeError) as error:
            raise PackagingError(f"{path}: {error}. See scripts/packaging/trim.py.") from error
        if table:
            known = ", ".join(vars(merged))
            raise PackagingError(f"{path}: unknown key {', '.join(table)}. Known are: {known}.")
    return merged


def _strings(values: Any) -> list[str]:  # noqa: ANN401 - any value of a file
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of strings, found {values!r}")
    return values


def read(folder: Path, settings: Settings, *, strict: bool = True) -> dict[str, bytes]:
    """Read the installed files that go into the zip, by name.

    A wheel's metadata comes without the README, botocore's data as `botocore_data` says. Wheels of
    another system have other files, so patterns that match nothing are refused where `strict`.

    Raises:
        PackagingError: A pattern matches nothing, or a service lacks an operation.
    """
    installed = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    files = {}
    for name in select((path.as_posix() for path in installed), settings.leave_out, strict=strict):
        files[name] = (folder / name).read_bytes()
        if fnmatchcase(name, _METADATA):
            files[name] = files[name].replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    return botocore_data.reduce(files, settings.operations)


def select(names: Iterable[str], patterns: list[str], *, strict: bool = True) -> list[str]:
    """Return the names of the files that go into the zip, sorted."""
    names = [name for name in names if not any(fnmatchcase(name, p) for p in _NEVER_NEEDED)]
    matching = {name: [p for p in patterns if fnmatchcase(name, p.lstrip("!"))] for name in names}
    unused = sorted(set(patterns).difference(chain.from_iterable(matching.values())))
    if unused and strict:
        raise PackagingError(
            f"package.toml names files that no dependency has: {', '.join(unused)}. "
            "Remove the pattern, or look for the file's new name."
        )
    return sorted(n for n, found in matching.items() if not found or found[-1].startswith("!"))
