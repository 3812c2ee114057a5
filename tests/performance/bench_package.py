"""Measure the packager beside its peers: `make bench-package`.

Every tool packages the same functions for the same architecture from the same locks. Cold: nothing
cached, everything downloaded. Warm: one source file of one function changed. No-op: nothing
changed. "Same bytes" compares the zips of two builds in different directories.

The start of each function is measured under AWS's runtime client, from our zip and from the plain
one, both unpacked to fresh directories that hold no bytecode but the zip's own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from scripts.packaging.project import host_architecture, list_functions
from scripts.packaging.wheels import PLATFORMS, find_uv
from tests.support.lambda_runtime import LambdaFunction, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".local" / "peers" / "bin"
ARCHITECTURE = host_architecture()
FUNCTIONS = list_functions(ROOT / "functions")

ENVIRONMENT = {"BUCKET": "b"}
STARTS = 5


@dataclass(frozen=True)
class World:
    """A copy of the project with caches of its own."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        caches = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip"}
        places = {name: str(self.root / "caches" / path) for name, path in caches.items()}
        path = os.pathsep.join([str(PEERS), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {**os.environ, **places, "PATH": path, "SAM_CLI_TELEMETRY": "0"}

    def run(self, *command: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


type Build = Callable[[World], list[Path]]


def ours(world: World) -> list[Path]:
    world.run(sys.executable, "-m", "scripts.package", "--arch", ARCHITECTURE)
    return sorted((world.root / "build").glob("*.zip"))


def plain(world: World, install: list[str]) -> list[Path]:
    """Install each lock into a directory, copy the sources beside it, zip all."""
    zips = []
    for function in FUNCTIONS:
        target = world.root / "plain" / function
        shutil.rmtree(target, ignore_errors=True)
        lock = f"functions/{function}/requirements.txt"
        world.run(*install, "--require-hashes", "-r", lock, "--target", str(target))
        for package in (function, "uploads"):
            shutil.copytree(world.root / "functions" / package, target / package)
        zips.append(Path(shutil.make_archive(str(target), "zip", target)))
    return zips


def plain_uv(world: World) -> list[Path]:
    options = ["--python-platform", PLATFORMS[ARCHITECTURE], "--only-binary", ":all:"]
    python = ["--python", sys.executable, "--python-version", "3.12"]
    return plain(world, [find_uv(), "pip", "install", "--quiet", *python, *options])


def plain_pip(world: World) -> list[Path]:
    platform = PLATFORMS[ARCHITECTURE].partition("-")
    options = ["--platform", f"{platform[2]}_{platform[0]}", "--python-version", "3.12"]
    quiet = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    return plain(world, [str(PEERS / "pip"), "install", *quiet, *options])


def sam(world: World, *options: str) -> list[Path]:
    """Let SAM build; it packs only at deployment, so its directories are zipped here."""
    resources = {
        function.title().replace("_", ""): {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": f"sam-sources/{function}",
                "Handler": f"{function}.index.handler",
                "Runtime": "python3.12",
                "Architectures": [ARCHITECTURE],
            },
        }
        for function in FUNCTIONS
    }
    for function in FUNCTIONS:
        source = world.root / "sam-sources" / function
        for package in (function, "uploads"):
            shutil.copytree(
                world.root / "functions" / package, source / package, dirs_exist_ok=True
            )
        shutil.copyfile(source / function / "requirements.txt", source / "requirements.txt")
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (world.root / "template.json").write_text(json.dumps(template))
    world.run("sam", "build", "--template", "template.json", *options)
    built = world.root / ".aws-sam" / "build"
    return [Path(shutil.make_archive(str(built / r), "zip", built / r)) for r in resources]


TOOLS: dict[str, tuple[str, Build]] = {
    "make package": ("python -m scripts.package --arch <host>", ours),
    "uv": ("uv pip install --target, zip", plain_uv),
    "pip": ("pip install --target, zip", plain_pip),
    "sam": ("sam build, zip", sam),
    "sam cached": ("sam build --cached, zip", lambda world: sam(world, "--cached")),
}


def make_world(directory: Path) -> World:
    for part in ("functions", "scripts"):
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    return World(directory)


def timed(build: Build, world: World, times: int) -> float:
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        build(world)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def change(world: World, number: int) -> None:
    with (world.root / "functions" / FUNCTIONS[0] / "index.py").open("a") as file:
        file.write(f"# change {number}\n")


def measure(build: Build, scratch: Path, repeats: int) -> tuple[list[float], list[Path], bool]:
    """Return seconds (cold, warm, no-op), the zips, and whether a second place gives the same."""
    first, second = make_world(scratch / "first"), make_world(scratch / "in" / "second")
    cold = timed(build, first, 1)
    zips = [shutil.copy(path, scratch) for path in build(first)]
    again = build(second)
    same = [digest(Path(p)) for p in zips] == [digest(p) for p in again]
    idle = timed(build, first, repeats)
    warm = []
    for number in range(repeats):
        change(first, number)
        warm.append(timed(build, first, 1))
    return [cold, statistics.median(warm), idle], [Path(p) for p in zips], same


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start_seconds(zip_file: Path, function: str, scratch: Path) -> float:
    seconds = []
    for number in range(STARTS):
        directory = unpack(zip_file, scratch / f"{function}-{zip_file.parent.name}-{number}")
        with LambdaFunction(directory, f"{function}.index.handler", ENVIRONMENT) as running:
            seconds.append(running.init_seconds)
        shutil.rmtree(directory)
    return statistics.median(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the packager beside its peers.")
    parser.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    console = Console()
    table = Table("tool", "command", title=f"{len(FUNCTIONS)} functions, {ARCHITECTURE}")
    for column in ("cold s", "warm s", "no-op s", "zips MiB", "same bytes"):
        table.add_column(column, justify="right")
    starts = Table("function", title="start under awslambdaric, median of 5 (s)")
    built: dict[str, list[Path]] = {}
    with tempfile.TemporaryDirectory() as directory:
        for name in options.tools:
            command, build = TOOLS[name]
            console.print(f"measuring {name}")
            scratch = Path(directory) / name.replace(" ", "-")
            scratch.mkdir()
            seconds, zips, same = measure(build, scratch, options.repeats)
            built[name] = zips
            size = sum(path.stat().st_size for path in zips) / (1 << 20)
            numbers = [f"{value:.2f}" for value in seconds]
            table.add_row(name, command, *numbers, f"{size:.1f}", "yes" if same else "no")
        for name in built:
            if name in {"make package", "uv"}:
                starts.add_column(name, justify="right")
        rows = [
            (
                function,
                *(
                    f"{start_seconds(built[name][index], function, Path(directory)):.3f}"
                    for name in built
                    if name in {"make package", "uv"}
                ),
            )
            for index, function in enumerate(FUNCTIONS)
        ]
        for row in rows:
            starts.add_row(*row)
    console.print(table)
    console.print(starts)


if __name__ == "__main__":
    main()
