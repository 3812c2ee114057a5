"""Build the zips that are not current.

A zip is its dependencies followed by the function's own files. The dependencies ("layer") are
installed, trimmed, compiled and compressed once for each lock, then kept as the beginning of a zip
file; a change of a source file costs only that file's compression and a copy.

All installations run at once, since they wait for the network, and what one has installed is
compressed while the others still download.
"""

import dataclasses
import fcntl
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.packaging import elf, outputs, sbom, trim, wheels
from scripts.packaging.archive import Archive, Entry
from scripts.packaging.compression import compressing, make_entries
from scripts.packaging.errors import PackagingError
from scripts.packaging.project import Package

type Install = Callable[[Path, str, Path], None]

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
        jobs: How many files are compressed at once, of the small and of the large ones each.
        install: Fills a directory with a lock's wheels.
    """

    build: Path
    cache: Path
    jobs: int
    install: Install = wheels.install

    def run(self, packages: list[Package]) -> list[outputs.Record]:
        """Build what is not current; return the records of all zips in the build directory.

        Raises:
            PackagingError: A dependency cannot be installed, or a zip breaks a rule. Zips that
                were there before stay as they were.
        """
        with self._lock():
            stale = [package for package in packages if not outputs.is_current(self.build, package)]
            self._prepare_layers(stale)
            for package in stale:
                self._write(package)
            self._delete_old_layers(packages)
            return outputs.write_manifest(self.build)

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
            # What a build that was killed could not remove; its installer may still be writing.
            for left in self.cache.glob("install-*"):
                shutil.rmtree(left, ignore_errors=True)
            yield

    def _layer_path(self, package: Package) -> Path:
        return self.cache / f"{package.dependencies_sha256}.zip"

    def _prepare_layers(self, packages: list[Package]) -> None:
        """Make the layers that are missing, each once even if several zips begin with it."""
        layers = {self._layer_path(package): package for package in packages}
        missing = [package for path, package in layers.items() if not path.exists()]
        if not missing:
            return
        with (
            tempfile.TemporaryDirectory(dir=self.cache, prefix="install-") as scratch,
            compressing(self.jobs) as compressor,
            ThreadPoolExecutor(len(missing)) as pool,
        ):

            def prepare(package: Package) -> None:
                files = self._read_dependencies(package, Path(scratch) / package.name)
                self._write_layer(package, files, compressor.make_entries(files))
                _say(f"{package.name}: {len(files)} files of dependencies")

            names = ", ".join(package.name for package in missing)
            _say(f"installing dependencies for {names}")
            list(pool.map(prepare, missing))

    def _read_dependencies(self, package: Package, tree: Path) -> dict[str, bytes]:
        """Install, select and check a package's dependencies; return the files by name."""
        tree.mkdir()
        self.install(package.lock, package.architecture, tree)
        names = [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()]
        settings = trim.read_settings(package.settings)
        kept = trim.select(names, settings)
        files = {
            name: trim.clean(name, (tree / name).read_bytes(), kept, settings.operations)
            for name in kept
        }
        return elf.select(files, package.architecture)

    def _write_layer(self, package: Package, files: dict[str, bytes], entries: list[Entry]) -> None:
        """Keep a layer. Its zip is written last: where that is, the facts about it are."""
        components = sorted(
            sbom.read_component(data.decode())
            for name, data in files.items()
            if name.endswith(".dist-info/METADATA")
        )
        facts = {
            "unzipped": sum(entry.size for entry in entries),
            "components": [dataclasses.astuple(component) for component in components],
        }
        path = self._layer_path(package)
        outputs.replace(path.with_suffix(".json"), outputs.to_json(facts))
        outputs.replace(path, Archive().add(entries).to_bytes())

    def _delete_old_layers(self, packages: list[Package]) -> None:
        """Note which layers are used, and delete those that were not for a long time."""
        for path in map(self._layer_path, packages):
            if path.exists():
                path.touch()
        for layer in self.cache.glob("*.zip"):
            if layer.stat().st_mtime < time.time() - KEEP_DAYS * 24 * 60 * 60:
                layer.unlink()
                layer.with_suffix(".json").unlink(missing_ok=True)

    def _write(self, package: Package) -> None:
        """Write a zip from its layer and its sources."""
        path = self._layer_path(package)
        facts = json.loads(path.with_suffix(".json").read_bytes())
        components = [sbom.Component(*values) for values in facts["components"]]
        layer = Archive.parse(path.read_bytes())
        entries = [e for s in package.sources for e in make_entries(s.name, s.content)]
        archive = layer.add(entries)
        content = archive.to_bytes()
        record = outputs.describe(
            package,
            content,
            unzipped=facts["unzipped"] + sum(entry.size for entry in entries),
            files=archive.count,
            dependencies={component.name: component.version for component in components},
        )
        _check_size(package, record)
        bill = sbom.bill_of_materials(
            package.function, package.architecture, record["sha256"], components
        )
        outputs.publish(self.build, package, content, record, bill)
        size = record["zip_bytes"] / MEBIBYTE
        _say(f"{package.name}: {size:.1f} MiB, sha256 {record['sha256'][:16]}")


def _say(line: str) -> None:
    """Print a line at once and in one piece: several threads do."""
    sys.stdout.write(f"package: {line}\n")
    sys.stdout.flush()


def _check_size(package: Package, record: outputs.Record) -> None:
    """Refuse a zip above its own budget, or above what Lambda takes."""
    budget = trim.read_settings(package.settings).max_zip_mib
    zipped, unzipped = record["zip_bytes"] / MEBIBYTE, record["unzipped_bytes"] / MEBIBYTE
    if budget is not None and zipped > budget:
        msg = (
            f"{package.name}.zip would have {zipped:.1f} MiB; its budget is {budget:g} MiB "
            f"(max_zip_mib in {package.settings[-1]}). `unzip -v` of an earlier one shows what "
            "takes the room."
        )
        raise PackagingError(msg)
    if unzipped > LAMBDA_UNZIPPED_MIB:
        msg = (
            f"{package.name}.zip would unpack to {unzipped:.0f} MiB; "
            f"Lambda takes {LAMBDA_UNZIPPED_MIB} MiB."
        )
        raise PackagingError(msg)
