from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.maintenance import lint_terraform
from tests.unit.scripts import fake_terraform

if TYPE_CHECKING:
    from pathlib import Path

VERSION = """if [ "$1" = version ]; then echo '{"terraform_version": "1.11.0"}'; exit; fi"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project of one module and one environment, which was initialised before."""
    for folder in ("modules/bucket", "envs/local"):
        directory = tmp_path / "project" / folder
        (directory / ".terraform").mkdir(parents=True)
        (directory / "versions.tf").touch()
    return tmp_path / "project"


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "own.rc"
    own.touch()
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(own))
    directory = tmp_path / "bin"
    monkeypatch.setenv("PATH", str(directory))
    return directory


def test_good_project(root: Path, terraform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_terraform.install(
        terraform,
        f"""{VERSION}
case "$1" in -chdir=*) test -f "${{1#-chdir=}}/versions.tf" -a ! -d "${{1#-chdir=}}/.terraform" ;;
esac""",
    )
    assert lint_terraform.main(root) == 0
    assert capsys.readouterr().out == (
        "terraform validate: envs/local is valid\nterraform validate: modules/bucket is valid\n"
    )
    runs = fake_terraform.runs(terraform)
    assert runs[:2] == [
        "version -json",
        f"fmt -check -recursive -diff {root}/modules {root}/envs",
    ]
    commands = [run.split(maxsplit=1)[1] for run in runs[2:]]
    assert commands == ["init -input=false -no-color -backend=false", "validate -no-color"] * 2


def test_module_that_an_environment_calls_is_validated_with_it(
    root: Path, terraform: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = '{"Modules": [{"Dir": "."}, {"Dir": "../../modules/bucket"}]}'
    fake_terraform.install(
        terraform,
        f"""{VERSION}
case "$2" in init)
  cd "${{1#-chdir=}}" && /bin/mkdir -p .terraform/modules
  echo '{manifest}' > .terraform/modules/modules.json ;;
esac""",
    )
    assert lint_terraform.main(root) == 0
    assert "modules/bucket is valid" in capsys.readouterr().out
    validated = [run for run in fake_terraform.runs(terraform) if "validate" in run]
    assert len(validated) == 1
    assert validated[0].startswith("-chdir=")
    assert "/envs/local " in validated[0]


def test_unformatted_file(root: Path, terraform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_terraform.install(terraform, f"{VERSION}\nexit 3")
    assert lint_terraform.main(root) == 1
    assert "run `make format`" in capsys.readouterr().out
    assert len(fake_terraform.runs(terraform)) == 2


def test_invalid_module(root: Path, terraform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fake_terraform.install(
        terraform,
        f"""{VERSION}
if [ "$2" = validate ]; then echo 'Error: Missing name for resource'; exit 1; fi""",
    )
    assert lint_terraform.main(root) == 1
    printed = capsys.readouterr().err
    assert "Error: Missing name for resource" in printed
    log = root / ".local" / "lint-terraform" / "local.log"
    assert str(log) in printed
    assert log.is_file()


def test_deprecated_argument(
    root: Path, terraform: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_terraform.install(
        terraform,
        f"""{VERSION}
if [ "$2" = validate ]; then echo 'Warning: Argument is deprecated'; fi""",
    )
    assert lint_terraform.main(root) == 1
    assert "local is valid with warnings: see" in capsys.readouterr().err


def test_terraform_that_cannot_be_used(
    root: Path,
    terraform: Path,  # noqa: ARG001 - it sets an empty PATH
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert lint_terraform.main(root) == 1
    assert "error: Terraform is not on PATH" in capsys.readouterr().err


def test_mirror_without_the_provider(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TF_PLUGIN_DIR", str(tmp_path))
    assert lint_terraform.main(root) == 1
    assert "error: TF_PLUGIN_DIR is" in capsys.readouterr().err
