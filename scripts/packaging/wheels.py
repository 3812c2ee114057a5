"""Install the locked wheels for Lambda's platform, or a Mac's; nothing is compiled."""

import re
import subprocess
import sys
from pathlib import Path

from scripts.packaging.project import PackagingError

# Lambda's python3.12 is Amazon Linux 2023 with glibc 2.34. Wheels for 2.28 run there, and nearly
# every project publishes them.
PLATFORMS = {
    "linux": {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"},
    # For the local cloud of a Mac, which runs the functions by itself.
    "darwin": {"x86_64": "x86_64-apple-darwin", "arm64": "aarch64-apple-darwin"},
}
_NO_WHEEL = re.compile(r"([A-Za-z0-9._-]+)==(\S+) has no (?:usable )?wheels")
_BAD_HASH = re.compile(r"Hash mismatch for `([^`]+)`")


def find_uv() -> str:
    """Return the installer of this virtual environment."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        raise PackagingError("uv is not installed. Run `make setup`.")
    return str(uv)


def install(
    lock: Path,
    architecture: str,
    target: Path,
    options: tuple[str, ...] = (),
    system: str = "linux",
) -> None:
    """Install a lock's wheels into a folder.

    Args:
        lock: A requirements file with hashes, which names all that is needed.
        architecture: `x86_64` or `arm64`.
        target: The folder to fill.
        options: Further options of `uv pip install`.
        system: `linux` or `darwin`.

    Raises:
        PackagingError: A wheel does not exist for the platform, differs from its hash, or cannot
            be fetched.
    """
    platform = PLATFORMS[system][architecture]
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
