"""Every library in a zip is for Lambda: its machine, its glibc, and what it is linked with."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from scripts import ROOT
from scripts.packaging import __main__ as packaging
from scripts.packaging import project
from scripts.packaging.project import ARCHITECTURES, list_functions

# Lambda's python3.12 is Amazon Linux 2023, with glibc 2.34.
MAX_GLIBC = 34
# The first bytes of a library for 64-bit Macs, and of one for Macs of both kinds.
MACH_O = {bytes.fromhex("cffaedfe"), bytes.fromhex("cafebabe")}
MACHINES = {"x86_64": "x64", "arm64": "AArch64"}
# What every Lambda runtime based on Amazon Linux 2023 has by itself.
SYSTEM = re.compile(
    r"ld-linux-(x86-64|aarch64)\.so\.\d|lib(c|dl|m|pthread|rt|util|gcc_s|stdc\+\+|z)\.so\.\d"
)


def linked_with(elf: ELFFile) -> set[str]:
    dynamic = [part for part in elf.iter_segments() if isinstance(part, DynamicSegment)]
    return {tag.needed for part in dynamic for tag in part.iter_tags("DT_NEEDED")}  # type: ignore[attr-defined]


def test_libraries_of_a_macs_local_cloud_are_for_macs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(project, "host_architecture", lambda: "arm64")
    assert packaging.main(["--arch", "host", "--to", str(tmp_path)]) == 0
    for function in list_functions(ROOT / "functions"):
        with zipfile.ZipFile(tmp_path / f"{function}-arm64.zip") as archive:
            paths = [n for n in archive.namelist() if n.endswith((".so", ".dylib"))]
            assert {archive.read(path)[:4] for path in paths} <= MACH_O
            assert paths or function == "api_handler"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_libraries_run_on_lambda(architecture: str) -> None:
    assert packaging.main(["--arch", architecture]) == 0
    for function in list_functions(ROOT / "functions"):
        with zipfile.ZipFile(ROOT / f"build/{function}-{architecture}.zip") as archive:
            paths = [name for name in archive.namelist() if ".so" in PurePosixPath(name).suffixes]
            contents = {PurePosixPath(path).name: archive.read(path) for path in paths}
        elves = {name: ELFFile(io.BytesIO(content)) for name, content in contents.items()}
        assert {elf.get_machine_arch() for elf in elves.values()} <= {MACHINES[architecture]}
        for name, content in contents.items():
            wanted = [int(minor) for minor in re.findall(rb"\0GLIBC_2\.(\d+)(?=\0)", content)]
            assert max(wanted, default=0) <= MAX_GLIBC, name

        needed = {name: linked_with(elf) for name, elf in elves.items()}
        found_elsewhere = set().union(*needed.values()) - needed.keys()
        assert {name for name in found_elsewhere if not SYSTEM.fullmatch(name)} == set()
        # Those in a folder <wheel>.libs/ are there for others: package.toml leaves out the unused.
        vendored = {PurePosixPath(path).name for path in paths if ".libs/" in path}
        reached: set[str] = set()
        todo = needed.keys() - vendored
        while todo:
            reached |= todo
            todo = {library for name in todo for library in needed[name] if library in needed}
            todo -= reached
        assert vendored - reached == set(), f"{function}/package.toml should leave these out"
