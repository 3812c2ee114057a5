"""Measure the packager beside its peers: `make bench-package`.

Every tool packages the same functions for the same architecture from the same locks. Cold: nothing
cached, everything downloaded. Downloaded: a new checkout, nothing cached but the wheels. Warm: one
source file of one function changed. No-op: nothing changed. "Same bytes" compares the zips of two
builds in different directories.

The start of each function is measured under AWS's runtime client, from each tool's zip, unpacked to
a directory that is read-only for Python, as on Lambda: no bytecode appears but the zip's own.
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

from scripts.packaging.build import MEBIBYTE
from scripts.packaging.project import host_architecture, list_functions
from scripts.packaging.wheels import PLATFORMS, find_uv
from tests.support.lambda_runtime import LambdaFunction, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".local/benchmarks/bin"
ARCHITECTURE = host_architecture()
FUNCTIONS = list_functions(ROOT / "functions")

ENVIRONMENT = {"BUCKET_NAME": "b", "KINDS": "{}"}
TIMES = ["cold s", "downloaded s", "warm s", "no-op s"]
STARTS = 5
# What takes longer is run once.
LONG_SECONDS = 5


@dataclass(frozen=True)
class World:
    """A copy of the project, and where its tools keep what they downloaded."""

    root: Path
    caches: Path

    @property
    def environment(self) -> dict[str, str]:
        caches = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip"}
        places = {name: str(self.caches / path) for name, path in caches.items()}
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
    world.run("make", "package", "ARGS=--arch host")
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
    options = ["--python-platform", PLATFORMS["linux"][ARCHITECTURE], "--only-binary", ":all:"]
    python = ["--python", sys.executable, "--python-version", "3.12"]
    return plain(world, [find_uv(), "pip", "install", "--quiet", *python, *options])


def plain_pip(world: World) -> list[Path]:
    platform = PLATFORMS["linux"][ARCHITECTURE].partition("-")
    options = ["--platform", f"{platform[2]}_{platform[0]}", "--python-version", "3.12"]
    quiet = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    return plain(world, [str(PEERS / "pip"), "install", *quiet, *options])


def sam(world: World, *options: str) -> list[Path]:
    """Let SAM build; it zips only at deployment, so what it leaves is directories."""
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
    return [built / resource for resource in resources]


TOOLS: dict[str, tuple[str, Build]] = {
    "make package": ("make package ARGS=--arch host", ours),
    "uv": ("uv pip install --target, zip", plain_uv),
    "pip": ("pip install --target, zip", plain_pip),
    "sam": ("sam build", sam),
    "sam cached": ("sam build --cached", lambda world: sam(world, "--cached")),
}


def make_world(directory: Path, caches: Path) -> World:
    for part in ("functions", "scripts", "requirements"):
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    # Make finds its virtual environment made; setting it up is nobody's build time.
    shutil.copy(ROOT / "Makefile", directory)
    shutil.copy(ROOT / ".python-version", directory)
    (directory / ".venv").symlink_to(ROOT / ".venv")
    stamps = directory / ".local" / "stamps"
    stamps.mkdir(parents=True)
    (stamps / "dev").touch()
    return World(directory, caches)


def timed(build: Callable[[], object], times: int = 1) -> float:
    """Return the median of some runs; of one, where that takes long."""
    seconds: list[float] = []
    while len(seconds) < times and sum(seconds) < LONG_SECONDS:
        started = time.perf_counter()
        build()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def change(world: World, number: int) -> None:
    with (world.root / "functions" / FUNCTIONS[0] / "index.py").open("a") as file:
        file.write(f"# change {number}\n")


def measure(build: Build, scratch: Path, repeats: int) -> tuple[list[float], list[Path], bool]:
    """Return seconds, in the order of `TIMES`, the zips, and whether a second place gives them."""
    first = make_world(scratch / "first", scratch / "caches")
    second = make_world(scratch / "in" / "second", scratch / "caches")
    built: list[Path] = []
    cold = timed(lambda: built.extend(build(first)))
    zips = [keep(path, scratch / "zips") for path in built]
    rebuilt: list[Path] = []
    downloaded = timed(lambda: rebuilt.extend(build(second)))
    again = [keep(path, scratch / "zips again") for path in rebuilt]
    same = [digest(path) for path in zips] == [digest(path) for path in again]
    idle = timed(lambda: build(first), repeats)
    warm = []
    for number in range(repeats if idle < LONG_SECONDS else 1):
        change(first, number)
        warm.append(timed(lambda: build(first)))
    return [cold, downloaded, statistics.median(warm), idle], zips, same


def keep(path: Path, directory: Path) -> Path:
    """Copy a zip, or make one of a directory."""
    directory.mkdir(exist_ok=True)
    if path.is_dir():
        return Path(shutil.make_archive(str(directory / path.name), "zip", path))
    return Path(shutil.copy(path, directory))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def start_seconds(zips: dict[str, Path], function: str, scratch: Path) -> dict[str, float]:
    """Return the median time to start a function from each tool's zip, measured in turns."""
    places = {tool: unpack(path, scratch / tool / function) for tool, path in zips.items()}
    seconds: dict[str, list[float]] = {tool: [] for tool in zips}
    for _ in range(STARTS):
        for tool, place in places.items():
            with LambdaFunction(place, f"{function}.index.handler", ENVIRONMENT) as running:
                seconds[tool].append(running.init_seconds)
    return {tool: statistics.median(values) for tool, values in seconds.items()}


def show(console: Console, title: str, columns: list[str], rows: list[list[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def times(value: float, ours: float) -> str:
    """Return a value, and how many times ours it is."""
    return f"{value:.2f} ({value / ours:.1f}x)"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the packager beside its peers.")
    parser.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    measured: dict[str, list[float]] = {}
    built: dict[str, list[Path]] = {}
    same: dict[str, bool] = {}
    with tempfile.TemporaryDirectory() as directory:
        for tool in options.tools:
            command, build = TOOLS[tool]
            console.print(f"measuring {tool}: {command}")
            scratch = Path(directory) / tool.replace(" ", "-")
            scratch.mkdir()
            measured[tool], built[tool], same[tool] = measure(build, scratch, options.repeats)
        size = {tool: sum(path.stat().st_size for path in built[tool]) / MEBIBYTE for tool in built}
        ours = [*measured[options.tools[0]], size[options.tools[0]]]
        rows = [
            [
                tool,
                *(times(*pair) for pair in zip([*measured[tool], size[tool]], ours, strict=True)),
                "yes" if same[tool] else "no",
            ]
            for tool in built
        ]
        title = f"{len(FUNCTIONS)} functions, {ARCHITECTURE} ({options.tools[0]} is 1x)"
        columns = ["tool", *TIMES, "zips MiB", "same bytes"]
        show(console, title, columns, rows)
        # Cached or not, sam makes the same zip.
        tools = [tool for tool in built if tool != "sam cached"]
        starts = []
        for index, function in enumerate(FUNCTIONS):
            zips = {tool: built[tool][index] for tool in tools}
            seconds = start_seconds(zips, function, Path(directory) / "starts")
            first = seconds[tools[0]]
            starts.append([function, *(times(value, first) for value in seconds.values())])
        title = f"start under awslambdaric from the zip, s, median of {STARTS}"
        show(console, title, ["function", *tools], starts)


if __name__ == "__main__":
    main()
