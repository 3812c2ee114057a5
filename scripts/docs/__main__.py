"""Writes the generated parts of documents and of Terraform's inputs.

    python -m scripts.docs            write
    python -m scripts.docs --check    name the files that are out of date, and fail

A computed part stands between two comments, `NAME: made by make docs` and `end of NAME`.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Final

from scripts import ROOT
from scripts.docs import costs, modules, settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# The tables of READMEs are made from the variables.
_FILES: Final = ("modules/*/variables.tf", "modules/*/README.md", "docs/*.md")
_PART: Final = re.compile(
    r"(?P<begin>^[^\n]*?(?P<name>[a-z][a-z_ ]*): made by `make docs`[^\n]*\n)"
    r".*?(?P<end>^[^\n]*\bend of (?P=name)\b)",
    re.MULTILINE | re.DOTALL,
)


def rendered(file: Path, text: str) -> str:
    """Return the text of a file with its computed parts written anew."""
    return _PART.sub(lambda m: f"{m['begin']}{_content(file, m['name'])}\n{m['end']}", text)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run a command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail when outdated")
    options = parser.parse_args(arguments)
    outdated = 0
    for file in [path for pattern in _FILES for path in sorted(root.glob(pattern))]:
        text = file.read_text(encoding="utf-8")
        wanted = rendered(file, text)
        if wanted == text:
            continue
        outdated += 1
        if options.check:
            print(f"{file}: out of date, run `make docs`")
        else:
            file.write_text(wanted, encoding="utf-8")
            print(f"{file}: written")
    return 1 if options.check and outdated else 0


def _content(file: Path, name: str) -> str:
    """Return a computed part.

    Raises:
        ValueError: a part does not exist.
    """
    of_function = re.fullmatch(r"(settings|validations) of ([a-z_]+)", name)
    if of_function:
        what, function = of_function.groups()
        render = {".md": settings.table, ".tf": getattr(settings, what)}[file.suffix]
        return str(render(function))
    if name == "inputs and outputs":
        return modules.tables(file.parent)
    if name in costs.TABLES:
        return costs.TABLES[name]()
    raise ValueError(f"{file}: nothing is computed under the name {name!r}")


if __name__ == "__main__":
    sys.exit(main())
