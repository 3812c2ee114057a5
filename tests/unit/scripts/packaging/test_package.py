"""`python -m scripts.packaging` on a small project, with the installer replaced."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import sys
import time
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from scripts.packaging import __main__ as packaging
from scripts.packaging import build, outputs
from scripts.packaging.project import host_architecture, read_packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Installer:
    """Stands in for uv: fills a directory, counts its calls, or fails."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {
            "some_lib/__init__.py": b"VALUE = 1\n",
            "some_lib-1.2.dist-info/METADATA": b"Name: Some_Lib\nVersion: 1.2\n",
        }
        self.calls = 0
        self.systems: list[str] = []

    def __call__(self, _lock: Path, _architecture: str, target: Path, *, system: str) -> None:
        self.calls += 1
        self.systems.append(system)
        for name, content in self.files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


@pytest.fixture
def installer(monkeypatch: pytest.MonkeyPatch) -> Installer:
    made = Installer()
    monkeypatch.setattr(build.Builder.__init__, "__defaults__", ("linux", made))
    return made


type Run = Callable[..., int]


@pytest.fixture
def run(project: Path) -> Run:
    def run_in_project(*arguments: str) -> int:
        return packaging.main(arguments, project)

    return run_in_project


def read_record(project: Path, name: str = "first-arm64") -> dict[str, Any]:
    result: dict[str, Any] = json.loads((project / f"build/{name}.json").read_bytes())
    return result


@pytest.mark.usefixtures("installer")
def test_every_function_and_architecture_is_built(project: Path, run: Run) -> None:
    assert run() == 0
    built = {path.name for path in (project / "build").glob("*.zip")}
    assert built == {f"{f}-{a}.zip" for f in ("first", "second") for a in ("arm64", "x86_64")}
    with zipfile.ZipFile(project / "build/first-arm64.zip") as archive:
        assert set(archive.namelist()) == {
            *("some_lib/__init__.py", "some_lib/__pycache__/__init__.cpython-312.pyc"),
            *("first/__init__.py", "first/__pycache__/__init__.cpython-312.pyc"),
            *("first/index.py", "first/__pycache__/index.cpython-312.pyc", "first/data.json"),
            *("uploads/__init__.py", "uploads/__pycache__/__init__.cpython-312.pyc"),
            "some_lib-1.2.dist-info/METADATA",
        }
    record = read_record(project)
    content = (project / "build/first-arm64.zip").read_bytes()
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert record["zip_bytes"] == len(content)
    assert record["handler"] == "first.index.handler"
    assert record["dependencies"] == {"Some_Lib": "1.2"}


def test_nothing_is_done_twice(
    project: Path, run: Run, installer: Installer, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    before = (project / "build/second-arm64.zip").stat().st_mtime_ns
    # Both functions have one lock: an installation for each architecture.
    assert installer.calls == 2
    capsys.readouterr()
    run()
    assert capsys.readouterr().out == "package: 4 zips are up to date\n"
    (project / "functions/first/index.py").write_text("NAME = 3\n")
    run()
    said = capsys.readouterr().out
    assert re.findall(r"^package: (\S+): ", said, re.MULTILINE) == ["first-x86_64", "first-arm64"]
    assert installer.calls == 2
    assert (project / "build/second-arm64.zip").stat().st_mtime_ns == before


def test_a_changed_lock_installs_again(project: Path, run: Run, installer: Installer) -> None:
    run()
    (project / "functions/first/requirements.txt").write_text("some-lib==1.3\n")
    run()
    assert installer.calls == 4


def test_what_is_there_is_compressed_while_others_download(
    project: Path, run: Run, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = project / "functions/second/requirements.txt"
    second.write_text("some-lib==1.3\n")
    layers = project / ".local/packaging"

    def download(lock: Path, architecture: str, target: Path, *, system: str) -> None:
        deadline = time.monotonic() + 10
        while lock == second and not list(layers.glob("*.zip")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        installer(lock, architecture, target, system=system)

    monkeypatch.setattr(build.Builder.__init__, "__defaults__", ("linux", download))
    assert run("--arch", "arm64", "--jobs", "1") == 0


@pytest.mark.parametrize("damage", ["append", "touch", "record", "bill", "other inputs", "no zip"])
@pytest.mark.usefixtures("installer")
def test_a_damaged_output_is_built_again(project: Path, run: Run, damage: str) -> None:
    run()
    zipped, side = project / "build/first-arm64.zip", project / "build/first-arm64.json"
    content = zipped.read_bytes()
    match damage:
        case "append":
            zipped.write_bytes(content + b"x")
        case "touch":
            zipped.write_bytes(bytes(len(content)))
            os.utime(zipped, ns=(1, side.stat().st_mtime_ns + 1))
        case "record":
            side.write_text("{")
        case "bill":
            (project / "build/first-arm64.cdx.json").unlink()
        case "other inputs":
            side.write_bytes(outputs.to_json(read_record(project) | {"inputs_sha256": "0"}))
        case _:
            zipped.unlink()
    run()
    assert zipped.read_bytes() == content
    assert read_record(project)["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.usefixtures("installer")
def test_one_function_for_this_machine(project: Path, run: Run) -> None:
    assert run("second", "--arch", "host") == 0
    [zipped] = (project / "build").glob("*.zip")
    assert zipped.stem == f"second-{host_architecture()}"


def test_a_mac_runs_zips_of_its_own(
    project: Path, run: Run, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    # A pattern for files that only the wheels for Linux have, and no room at all.
    (project / "functions/second/package.toml").write_text(
        'max_zip_mib = 0.0001\nleave_out = ["second.libs/*"]\n'
    )
    assert run("second", "--arch", "host") == 0
    assert not (project / "build").exists()
    assert len(list((project / ".local/packages").glob("*.zip"))) == 1
    assert installer.systems == ["darwin"]


def test_zips_of_a_mac_are_not_published(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert run("--arch", "host", "--publish", "s3://bucket") == 1
    assert "run on this machine alone: publish those of --arch all" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (None, ["third"], "No function 'third'. There are: first, second; a folder"),
        ("syntax", [], "first/index.py is not valid Python 3.12"),
        ("budget", [], "its budget is 0.0001 MiB (max_zip_mib in"),
        ("no functions", [], "No function found"),
        ("huge", [], "Lambda takes 0 MiB"),
    ],
)
@pytest.mark.usefixtures("installer")
def test_errors_say_what_to_do(
    *,
    project: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: str | None,
    arguments: list[str],
    message: str,
) -> None:
    first = project / "functions/first"
    match change:
        case "syntax":
            (first / "index.py").write_text("def")
        case "budget":
            (first / "package.toml").write_text("max_zip_mib = 0.0001")
        case "no functions":
            (first / "index.py").unlink()
            (project / "functions/second/index.py").unlink()
        case "huge":
            monkeypatch.setattr(build, "LAMBDA_UNZIPPED_MIB", 0)
        case _:
            pass
    assert run(*arguments) == 1
    assert message in capsys.readouterr().err
    assert not list(project.glob("build/first-*"))


def test_a_failed_build_leaves_the_old_zips(
    project: Path, run: Run, installer: Installer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    before = {path: path.read_bytes() for path in (project / "build").iterdir()}
    installer.files["broken.py"] = b"def"
    (project / "functions/first/requirements.txt").write_text("some-lib==1.3\n")
    assert run() == 1
    assert {path: path.read_bytes() for path in (project / "build").iterdir()} == before

    # Interrupted between zip and record: no record, so nobody takes the one for the other.
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    del installer.files["broken.py"]
    monkeypatch.setattr(outputs, "replace", stop)
    monkeypatch.setattr(build.Builder, "_make_layers", lambda *_: None)
    (project / "functions/first/requirements.txt").write_text("some-lib==1.2 --hash=sha256:00\n")
    (project / "functions/first/index.py").write_text("NAME = 3\n")
    with pytest.raises(KeyboardInterrupt):
        run("first", "--arch", "arm64")
    assert not (project / "build/first-arm64.json").exists()


@pytest.mark.usefixtures("installer")
def test_a_second_build_waits(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def flock(_: object, operation: int) -> None:
        if operation & fcntl.LOCK_NB:
            raise BlockingIOError

    monkeypatch.setattr(build, "fcntl", SimpleNamespace(flock=flock, LOCK_EX=2, LOCK_NB=4))
    assert run() == 0
    assert "another build is running" in capsys.readouterr().out


@pytest.mark.usefixtures("installer")
def test_what_was_left_is_removed_and_old_layers_go(project: Path, run: Run) -> None:
    run()
    cache = project / ".local/packaging"
    (cache / "install-of-a-killed-build").mkdir()
    before = set(cache.glob("*.zip"))
    month_ago = time.time() - 31 * 24 * 60 * 60
    for layer in before:
        os.utime(layer, (month_ago, month_ago))
    # Both functions have one lock, so they share two layers, and now use others.
    assert len(before) == 2
    for function in ("first", "second"):
        (project / f"functions/{function}/requirements.txt").write_text("some-lib==1.3\n")
    run("--arch", "arm64")
    assert not (cache / "install-of-a-killed-build").exists()
    after = set(cache.glob("*.zip"))
    assert (len(after - before), len(after & before)) == (1, 0)

    for layer in after:
        layer.unlink()
    (project / "functions/first/requirements.txt").write_text("some-lib==1.4\n")
    run("--arch", "arm64")
    assert len(list(cache.glob("*.zip"))) == 1


def test_a_machine_that_lambda_does_not_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    assert run("--arch", "host") == 1
    assert "This machine is riscv64" in capsys.readouterr().err


@pytest.mark.usefixtures("installer")
def test_zips_are_published(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[str] = []

    def publish(_: object, records: list[dict[str, Any]], place: object) -> None:
        published.extend(str(record["zip"]) for record in records)
        assert place == "s3://bucket/v1"

    monkeypatch.setattr("scripts.packaging.publish.publish", publish)
    assert run("--arch", "arm64", "--publish", "s3://bucket/v1") == 0
    assert published == ["first-arm64.zip", "second-arm64.zip"]


@pytest.mark.usefixtures("installer")
def test_zips_are_published_to_a_bucket_alone(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--publish", "") == 1
    assert "'' is not an S3 address" in capsys.readouterr().err


def test_a_folder_elsewhere_is_a_function(
    run: Run, installer: Installer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "our app" / "word_count"
    own.mkdir(parents=True)
    (own / "index.py").write_text("NAME = 1\n")
    build = tmp_path / "our build"
    assert run(str(own), "--arch", "arm64", "--to", str(build)) == 0
    with zipfile.ZipFile(build / "word_count-arm64.zip") as archive:
        assert {"word_count/index.py", "uploads/__init__.py", "some_lib/__init__.py"} <= set(
            archive.namelist()
        )
    record = json.loads((build / "word_count-arm64.json").read_bytes())
    assert record["handler"] == "word_count.index.handler"
    assert run(str(own), "--arch", "arm64", "--to", str(build)) == 0
    assert "1 zips are up to date" in capsys.readouterr().out
    assert installer.calls == 1


def test_without_a_lock_a_function_has_what_all_have(project: Path) -> None:
    (project / "functions/first/requirements.txt").unlink()
    packages = read_packages(project, ["first", "second"], ("arm64",))
    locks = [package.lock.relative_to(project / "functions") for package in packages]
    assert [str(lock) for lock in locks] == ["uploads/requirements.txt", "second/requirements.txt"]


@pytest.mark.parametrize(
    ("folder", "content", "said"),
    [
        ("empty", {}, "holds no function: it needs index.py"),
        ("Word-Count", {"index.py": ""}, "name the folder with lower-case words"),
        ("first", {"index.py": ""}, "has the name of one of"),
        ("uploads", {"index.py": ""}, "has the name of one of"),
        (
            "own",
            {"index.py": "", "requirements.in": "six"},
            "requirements.txt is missing: lock",
        ),
    ],
)
def test_a_folder_that_is_no_function(
    *,
    run: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    folder: str,
    content: dict[str, str],
    said: str,
) -> None:
    own = tmp_path / "elsewhere" / folder
    own.mkdir(parents=True)
    for name, text in content.items():
        (own / name).write_text(text)
    assert run(str(own)) == 1
    assert said in capsys.readouterr().err


def test_bytecode_of_another_python_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.implementation", SimpleNamespace(cache_tag="cpython-313"))
    assert run() == 1
    assert "need bytecode of CPython 3.12; this is cpython-313" in capsys.readouterr().err
