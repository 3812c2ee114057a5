"""Build the zips that are not current.

A zip is its dependencies followed by the function's own files. The dependencies ("layer") are
installed, trimmed, compiled and compressed once for each lock, then kept as a zip to which the
function's files are appended; a change of a source file costs only that file and a copy.
"""

import fcntl
import io
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from scripts.packaging import outputs, sbom, trim, wheels, zips
from scripts.packaging.project import Package, PackagingError

MEBIBYTE = 1 << 20
LAMBDA_UNZIPPED_MIB = 250
# A layer that no build used for so long is deleted; until then a change of branch costs nothing.
KEEP_DAYS = 30


@dataclass(frozen=True)
class Builder:
    """Builds zips of one project.

    Attributes:
        build: Where the zips go.
        cache: Where layers are kept between builds.
        jobs: How many files are compressed at once.
        system: What the zips run on: `linux`, as Lambda does, or `darwin`.
        install: Fills a folder with a lock's wheels.
    """

    build: Path
    cache: Path
    jobs: int
    system: str = "linux"
    install: Callable[..., None] = wheels.install

    def run(self, packages: list[Package]) -> None:
        """Build the zips that are not current.

        Raises:
            PackagingError: A dependency cannot be installed, or a zip breaks a rule. Zips that
                were there before stay as they were.
        """
        with self._lock():
            stale = [package for package in packages if not outputs.is_current(self.build, package)]
            self._make_layers({self._layer(package): package for package in stale})
            for package in stale:
                self._write(package)
            for layer in self.cache.glob("*.zip"):
                if layer.stat().st_mtime < time.time() - KEEP_DAYS * 24 * 60 * 60:
                    layer.unlink()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one build at a time write; the next one waits, then finds everything current."""
        self.cache.mkdir(parents=True, exist_ok=True)
        with (self.cache / "lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                _say("another build is running; waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Left by a build that was killed; its installer may still be writing.
            for left in self.cache.glob("install-*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    def _layer(self, package: Package) -> Path:
        return self.cache / f"{package.dependencies_sha256}-{self.system}.zip"

    def _make_layers(self, layers: dict[Path, Package]) -> None:
        """Make the layers that are missing.

        All are installed at once, since that waits for the network; files are compressed while
        other layers download, and files that two layers share are compressed once.
        """
        missing = {path: package for path, package in layers.items() if not path.exists()}
        if not missing:
            return
        made: dict[tuple[str, bytes], Future[list[zips.Entry]]] = {}
        with (
            tempfile.TemporaryDirectory(dir=self.cache, prefix="install-") as scratch,
            ThreadPoolExecutor(self.jobs) as compressors,
            ThreadPoolExecutor(len(missing)) as installers,
        ):

            def make(path: Path, package: Package) -> None:
                folder = Path(scratch) / package.name
                folder.mkdir()
                self.install(package.lock, package.architecture, folder, system=self.system)
                settings = trim.read_settings(package.settings)
                files = trim.read(folder, settings, strict=self.system == "linux")
                # The largest first: it takes as long as all the others together.
                for file in sorted(files.items(), key=lambda file: -len(file[1])):
                    if file not in made:
                        made[file] = compressors.submit(zips.make_entries, *file)
                entries = [entry for file in sorted(files.items()) for entry in made[file].result()]
                outputs.replace(path, zips.append(zips.EMPTY, entries))
                _say(f"{package.name}: {len(files)} files of dependencies")

            names = ", ".join(package.name for package in missing.values())
            _say(f"installing dependencies for {names}")
            list(installers.map(make, missing.keys(), missing.values()))

    def _write(self, package: Package) -> None:
        """Write a zip from its layer and its sources, with what describes it."""
        layer = self._layer(package)
        layer.touch()
        made = [zips.make_entries(name, data) for name, data in package.sources.items()]
        content = zips.append(layer.read_bytes(), chain.from_iterable(made))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = archive.infolist()
            components = sbom.read_components(archive)
        record = outputs.describe(package, content) | {
            "unzipped_bytes": sum(file.file_size for file in files),
            "files": len(files),
            "dependencies": {component["name"]: component["version"] for component in components},
        }
        if self.system == "linux":
            _check_size(package, record)
        outputs.write(self.build, content, record, sbom.bill_of_materials(record, components))
        size = record["zip_bytes"] / MEBIBYTE
        _say(f"{package.name}: {size:.1f} MiB, sha256 {record['sha256'][:16]}")


def _say(line: str) -> None:
    """Print a line at once and in one piece: several threads do."""
    print(f"package: {line}\n", end="", flush=True)


def _check_size(package: Package, record: outputs.Record) -> None:
    """Refuse a zip above its own budget, or above what Lambda takes."""
    budget = trim.read_settings(package.settings).max_zip_mib
    zipped, unzipped = record["zip_bytes"] / MEBIBYTE, record["unzipped_bytes"] / MEBIBYTE
    if zipped > budget:
        raise PackagingError(
            f"{package.name}.zip would have {zipped:.1f} MiB; its budget is {budget:g} MiB "
            f"(max_zip_mib in {package.settings[-1]}). `unzip -v` of an earlier one shows what "
            "takes the room."
        )
    if unzipped > LAMBDA_UNZIPPED_MIB:
        raise PackagingError(
            f"{package.name}.zip would unpack to {unzipped:.0f} MiB; "
            f"Lambda takes {LAMBDA_UNZIPPED_MIB} MiB."
        )
