from __future__ import annotations

import platform
import subprocess
from typing import TYPE_CHECKING

import pytest

from scripts import terraform
from scripts.terraform import PROVIDER, Terraform, TerraformError
from tests.unit.scripts import fake_terraform

if TYPE_CHECKING:
    from pathlib import Path

LINUX = "linux_amd64"


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "local" / "cache"


def environment(
    cache: Path, *places: Path, variables: dict[str, str] | None = None
) -> dict[str, str]:
    home = {"HOME": str(cache / "home")}
    return terraform.environment(
        home | (variables or {}), directory=cache, places=[str(place) for place in places]
    )


def mirror(directory: Path, name: str = f"5.100.0/{LINUX}") -> Path:
    """Make a provider mirror; a name that ends in `.zip` makes a packed one."""
    provider = directory / PROVIDER / name
    provider.parent.mkdir(parents=True)
    provider.touch()
    return directory


def test_terraform_never_asks_a_person(cache: Path) -> None:
    found = environment(cache)
    assert (found["TF_IN_AUTOMATION"], found["TF_INPUT"]) == ("1", "0")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("plugins", f"5.100.0/{LINUX}"),
        (".", f"5.100.0/{LINUX}"),
        ("plugins", f"terraform-provider-aws_5.100.0_{LINUX}.zip"),
    ],
)
def test_mirror_in_a_usual_place_is_used(
    cache: Path, tmp_path: Path, place: str, name: str
) -> None:
    found = mirror(tmp_path / "opt" / place, name)
    result = environment(cache, tmp_path / "absent", tmp_path / "opt")
    config = cache / "terraform.rc"
    assert result["TF_CLI_CONFIG_FILE"] == str(config)
    assert f'path    = "{found}"' in config.read_text()
    assert "TF_PLUGIN_CACHE_DIR" not in result


def test_mirror_for_another_platform_is_passed_over(cache: Path, tmp_path: Path) -> None:
    mirror(tmp_path / "first" / "plugins", "5.100.0/windows_amd64")
    second = mirror(tmp_path / "second" / "plugins")
    environment(cache, tmp_path / "first", tmp_path / "second")
    assert str(second) in (cache / "terraform.rc").read_text()


def test_arm_machines_have_their_own_providers(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    mirror(tmp_path / "opt", "5.100.0/linux_arm64")
    assert "TF_CLI_CONFIG_FILE" in environment(cache, tmp_path / "opt")


def test_named_mirror_comes_before_the_usual_places(cache: Path, tmp_path: Path) -> None:
    mirror(tmp_path / "opt")
    named = mirror(tmp_path / "named")
    environment(cache, tmp_path / "opt", variables={"TF_PLUGIN_DIR": str(named)})
    assert str(named) in (cache / "terraform.rc").read_text()


def test_named_mirror_without_the_provider_is_an_error(cache: Path, tmp_path: Path) -> None:
    mirror(tmp_path / "opt")
    with pytest.raises(
        TerraformError, match=r"TF_PLUGIN_DIR is .* no AWS provider for linux_amd64"
    ):
        environment(cache, tmp_path / "opt", variables={"TF_PLUGIN_DIR": str(tmp_path / "empty")})


@pytest.mark.parametrize("named", [True, False])
def test_own_configuration_wins(cache: Path, tmp_path: Path, named: bool) -> None:  # noqa: FBT001 - a parameter of the test
    mirror(tmp_path / "opt")
    own = tmp_path / ("own.rc" if named else ".terraformrc")
    own.touch()
    variables = {"TF_CLI_CONFIG_FILE": str(own)} if named else {"HOME": str(tmp_path)}
    result = environment(cache, tmp_path / "opt", variables=variables)
    assert result.get("TF_CLI_CONFIG_FILE") == variables.get("TF_CLI_CONFIG_FILE")
    assert not cache.exists()


def test_named_configuration_that_is_missing_does_not_count(cache: Path, tmp_path: Path) -> None:
    result = environment(cache, variables={"TF_CLI_CONFIG_FILE": str(tmp_path / "gone.rc")})
    assert "TF_CLI_CONFIG_FILE" not in result


def test_downloads_are_kept_when_there_is_no_mirror(cache: Path) -> None:
    kept = cache / "terraform-plugins"
    assert environment(cache)["TF_PLUGIN_CACHE_DIR"] == str(kept)
    assert kept.is_dir()


def test_own_download_folder_is_used(cache: Path, tmp_path: Path) -> None:
    result = environment(cache, variables={"TF_PLUGIN_CACHE_DIR": str(tmp_path)})
    assert result["TF_PLUGIN_CACHE_DIR"] == str(tmp_path)


class Setting:
    """A root module, and a Terraform that does what the test says."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.module = directory / "module"
        self.log = directory / "logs" / "terraform.log"

    def terraform(self, script: str = ":") -> Terraform:
        path = fake_terraform.install(self.bin, script)
        return Terraform(self.module, {"PATH": path}, self.log)

    def runs(self) -> list[str]:
        chdir = f"-chdir={self.module} "
        runs = fake_terraform.runs(self.bin)
        assert all(run.startswith(chdir) for run in runs)
        return [run.removeprefix(chdir) for run in runs]


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


def test_commands(setting: Setting) -> None:
    runs = setting.terraform()
    runs.init("-backend=false")
    runs.validate()
    runs.apply("-var=a=b")
    runs.destroy()
    assert setting.runs() == [
        "init -input=false -no-color -backend=false",
        "validate -no-color",
        "apply -auto-approve -input=false -no-color -var=a=b",
        "destroy -auto-approve -input=false -no-color",
    ]


def test_log_keeps_every_run(setting: Setting) -> None:
    runs = setting.terraform("echo out; echo err >&2")
    runs.apply()
    runs.destroy()
    assert setting.log.read_text() == "out\nerr\n" * 2


def test_failure_tells_the_errors_of_this_run_only(setting: Setting) -> None:
    setting.log.parent.mkdir()
    setting.log.write_text("\nError: an old one\n")
    with pytest.raises(TerraformError) as caught:
        setting.terraform("echo; echo 'Error: no such bucket'; exit 1").apply()
    assert str(caught.value) == (
        f"`terraform apply` failed in {setting.module}:\nError: no such bucket\n"
        f"(all it printed: {setting.log})"
    )


def test_failure_to_install_the_provider_tells_what_to_do(setting: Setting) -> None:
    runs = setting.terraform("echo 'Error: Failed to query available provider packages'; exit 1")
    with pytest.raises(TerraformError, match="set TF_PLUGIN_DIR to a folder"):
        runs.init()


def test_other_failure_of_init_is_passed_on(setting: Setting) -> None:
    with pytest.raises(TerraformError) as caught:
        setting.terraform("echo 'Error: Unreadable module directory'; exit 1").init()
    assert "TF_PLUGIN_DIR" not in str(caught.value)


@pytest.mark.parametrize(("status", "expected"), [(0, False), (2, True)])
def test_changes(setting: Setting, status: int, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert setting.terraform(f"exit {status}").has_changes("-var=a=b") is expected
    assert setting.runs() == ["plan -detailed-exitcode -input=false -no-color -var=a=b"]


def test_failed_plan_is_no_answer(setting: Setting) -> None:
    with pytest.raises(TerraformError, match="`terraform plan` failed"):
        setting.terraform("exit 1").has_changes()


def test_outputs(setting: Setting) -> None:
    runs = setting.terraform("""echo '{"api_id": {"value": "a1", "type": "string"}}'""")
    assert runs.outputs() == {"api_id": "a1"}
    assert setting.runs() == ["output -json -no-color"]


def test_outputs_that_cannot_be_read(setting: Setting) -> None:
    runs = setting.terraform("printf '\\nError: No state\\n' >&2; exit 1")
    with pytest.raises(TerraformError, match="`terraform output` failed:\nError: No state"):
        runs.outputs()


def test_outputs_before_init(setting: Setting) -> None:
    runs = setting.terraform(
        "printf '\\nError: Backend initialization required, please run\\n' >&2; exit 1"
    )
    with pytest.raises(TerraformError, match="is not initialised on this machine: run `terraform"):
        runs.outputs()


def test_interrupted_run_may_end_its_work(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []
    wait = subprocess.Popen.wait

    def interrupted(process: subprocess.Popen[bytes]) -> int:
        if not waits:
            waits.append(0)
            raise KeyboardInterrupt
        waits.append(wait(process))
        return waits[-1]

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        setting.terraform("echo saved").apply()
    assert len(waits) == 2
    assert setting.log.read_text() == "saved\n"


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("Planning\n\nError: a\n\n  on main.tf\n\nError: b\n", "Error: a\n\non main.tf\nError: b"),
        ("╷\n│ Error: a\n│ \n│ why\n╵\n╷\n│ Error: a\n│ \n│ why\n╵\n", "Error: a\n\nwhy"),
        ("Error: at the start\n" + "x\n" * 10, "Error: at the start\n" + "\n".join("x" * 10)),
        ("\n".join("abcdefghijkl"), "\n".join("cdefghijkl")),
        ("", ""),
    ],
)
def test_errors_of(printed: str, expected: str) -> None:
    assert terraform.errors_of(printed) == expected


def test_missing_terraform(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match="Terraform is not on PATH"):
        terraform.executable({"PATH": str(tmp_path)})


@pytest.mark.parametrize("version", ["1.10.0", "1.11.4-rc1", "1.20.0", "2.0.0"])
def test_version_that_is_new_enough(tmp_path: Path, version: str) -> None:
    script = f"""echo '{{"terraform_version": "{version}"}}'"""
    terraform.check_version({"PATH": fake_terraform.install(tmp_path, script)})
    assert fake_terraform.runs(tmp_path) == ["version -json"]


@pytest.mark.parametrize("version", ["0.15.5", "1.9.8"])
def test_version_that_is_too_old(tmp_path: Path, version: str) -> None:
    script = f"""echo '{{"terraform_version": "{version}"}}'"""
    with pytest.raises(TerraformError, match=rf"Terraform is {version}, .* needs 1\.10 or later"):
        terraform.check_version({"PATH": fake_terraform.install(tmp_path, script)})


def test_terraform_that_refuses_to_start(tmp_path: Path) -> None:
    path = fake_terraform.install(tmp_path, "echo 'Error: bad CLI configuration' >&2; exit 1")
    with pytest.raises(TerraformError, match="failed:\nError: bad CLI configuration"):
        terraform.check_version({"PATH": path})
