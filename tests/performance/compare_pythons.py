"""Compare the bytecode of two interpreters.

    python -m tests.performance.compare_pythons /path/to/another/python3.12

compiles every source in the zips of build/ with the other interpreter, as the packager does, and
says how many differ from the bytecode in the zips. An interpreter compiled to WebAssembly serves
too: it needs the standard library and this directory.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from scripts import ROOT
from scripts.packaging.zips import cache_name

# Runs under the other interpreter, which has the standard library alone.
_COMPILE = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from scripts.packaging.zips import cache_name, compile_source
sources, target = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
for path in sources.rglob("*.py"):
    name = path.relative_to(sources).as_posix()
    compiled = target / cache_name(name)
    compiled.parent.mkdir(parents=True, exist_ok=True)
    compiled.write_bytes(compile_source(name, path.read_bytes()))
print(sys.version.split()[0])
"""


def main() -> int:
    """Print the comparison; return 1 when something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("python", nargs="+", help="command of the other interpreter")
    command = parser.parse_args().python
    sources = 0
    different: list[str] = []
    version = ""
    for zip_file in sorted((ROOT / "build").glob("*.zip")):
        # Inside the project, so that an interpreter in a sandbox needs one directory.
        with tempfile.TemporaryDirectory(dir=ROOT / ".local") as scratch:
            unpacked, made = Path(scratch, "zip"), Path(scratch, "made")
            with zipfile.ZipFile(zip_file) as archive:
                archive.extractall(unpacked)
            arguments = ["-c", _COMPILE, str(ROOT), str(unpacked), str(made)]
            done = subprocess.run([*command, *arguments], check=True, capture_output=True)
            version = done.stdout.decode().strip()
            names = [path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*.py")]
            compiled = [cache_name(name) for name in names]
            sources += len(names)
            different += [
                f"{zip_file.name}: {name}"
                for name in compiled
                if (made / name).read_bytes() != (unpacked / name).read_bytes()
            ]
    for line in different:
        print(line)
    own = sys.version.split()[0]
    print(f"Python {version} and {own}: {len(different)} of {sources} files differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
