"""Look after the locks: `python -m scripts.locks outdated` and `python -m scripts.locks audit`.

outdated    asks for every lock what its requirements would resolve to today, and shows what is new
audit       asks pip-audit for known vulnerabilities of everything that is locked; where the
            database of vulnerabilities cannot be reached, says so and succeeds
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.packaging.wheels import find_uv

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("functions", "scripts", "tests")
# What every function needs, beside its own requirements.in.
_SHARED = Path("functions", "uploads", "pyproject.toml")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_PIP_AUDIT = Path(".local", "audit", "bin", "pip-audit")


def main(arguments: "Sequence[str] | None" = None, root: Path = ROOT) -> int:
    """Run a command; return the exit status: 1 for a vulnerability or a failure, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.locks", description="See to the locks."
    )
    parser.add_argument("command", choices=("outdated", "audit"))
    command = {"outdated": outdated, "audit": audit}[parser.parse_args(arguments).command]
    locks = {
        path.with_suffix(".txt") for folder in _FOLDERS for path in (root / folder).rglob("*.in")
    }
    locks |= set((root / "functions").glob("*/requirements.txt"))
    return command(root, sorted(locks))


def pins(text: str) -> dict[str, str]:
    """Return the versions in a lock by package name."""
    return dict(_PIN.findall(text))


def outdated(root: Path, locks: list[Path]) -> int:
    """Print the packages of which newer versions would be chosen today."""
    rows: set[tuple[str, str, str]] = set()
    for lock in locks:
        requirements = _requirements(root, lock)
        done = subprocess.run(
            [
                *(find_uv(), "pip", "compile", "--quiet", "--upgrade", "--universal"),
                *("--python-version", "3.12", "--no-header", "--no-annotate"),
                *map(str, requirements),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            where = ", ".join(str(path.relative_to(root)) for path in requirements)
            print(f"outdated: {where} cannot be resolved:\n{done.stderr.strip()}", file=sys.stderr)
            return 1
        newest = pins(done.stdout)
        rows |= {
            (name, version, newest[name])
            for name, version in pins(lock.read_text(encoding="utf-8")).items()
            if newest.get(name, version) != version
        }
    for name, version, new in sorted(rows):
        print(f"outdated: {name} {version} -> {new}")
    print(f"outdated: {len(rows)} packages (`make lock LOCK_FLAGS=--upgrade` takes the new ones)")
    return 0


def _requirements(root: Path, lock: Path) -> list[Path]:
    """Return the files that a lock is made from."""
    own = lock.with_suffix(".in")
    shared = root / _SHARED
    is_of_function = lock.is_relative_to(root / "functions")
    return [shared] * is_of_function + [own] * own.exists()


def audit(root: Path, locks: list[Path]) -> int:
    """Print the known vulnerabilities of all locked packages."""
    found = audited = 0
    unknown: set[str] = set()
    for lock in locks:
        name = lock.relative_to(root)
        answer = _ask_pip_audit(root, lock)
        if isinstance(answer, str):
            print(f"audit: skipped, the vulnerability database did not answer: {answer}")
            return 0
        known = [package for package in answer["dependencies"] if "skip_reason" not in package]
        unknown |= {p["name"] for p in answer["dependencies"] if "skip_reason" in p}
        if unknown and not known:
            # A mirror of the index that has packages, but no vulnerabilities, knows none of them.
            reason = next(p["skip_reason"] for p in answer["dependencies"])
            print(f"audit: skipped, the vulnerability database knows nothing in {name}: {reason}")
            return 0
        audited += len(known)
        for package in known:
            for problem in package["vulns"]:
                found += 1
                fixed = ", ".join(problem["fix_versions"]) or "no version yet"
                version = f"{package['name']} {package['version']}"
                print(f"audit: {name}: {version}: {problem['id']}, fixed in {fixed}")
    if unknown:
        print(f"audit: not in the vulnerability database: {', '.join(sorted(unknown))}")
    print(f"audit: {found} known vulnerabilities; {audited} pins in {len(locks)} locks looked up")
    return 1 if found else 0


def _ask_pip_audit(root: Path, lock: Path) -> dict[str, Any] | str:
    """Return pip-audit's answer for a lock, or why there is none."""
    with tempfile.TemporaryDirectory() as directory:
        answer = Path(directory) / "answer.json"
        done = subprocess.run(
            [
                *(str(root / _PIP_AUDIT), "--disable-pip", "--require-hashes", "-r", str(lock)),
                *("--progress-spinner", "off", "--format", "json", "--output", str(answer)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.exists():
            result: dict[str, Any] = json.loads(answer.read_bytes())
            return result
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return lines[-1]


if __name__ == "__main__":
    sys.exit(main())
