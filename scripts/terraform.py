"""Runs the Terraform CLI: finds it, finds its providers, and turns its failures into sentences."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scripts import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MINIMUM_VERSION: Final = (1, 10)
PROVIDER: Final = "registry.terraform.io/hashicorp/aws"

# Where packages and images keep a provider mirror. Terraform itself looks into the last two only.
_SYSTEM_PLACES: Final = (
    "/opt",
    "/srv",
    "/usr/lib",
    "/usr/local",
    "/usr/local/lib",
    "/var/lib",
    "/usr/local/share",
    "/usr/share",
)


class TerraformError(Exception):
    """Terraform is missing, too old, or a run of it failed; the message says what to do."""


def environment(
    variables: Mapping[str, str] = os.environ,
    *,
    directory: Path = LOCAL,
    places: Iterable[str] = _SYSTEM_PLACES,
) -> dict[str, str]:
    """Return the environment for Terraform, with a CLI configuration that can find the provider.

    The user's own CLI configuration wins. Without one, a filesystem mirror is used: the one named
    by `TF_PLUGIN_DIR`, else the first found in the usual system places. Without a mirror, Terraform
    uses its registry, and keeps downloaded providers for all environments.

    Args:
        variables: environment to start from.
        directory: where a configuration or a cache may be written.
        places: folders to look for a mirror in.

    Raises:
        TerraformError: `TF_PLUGIN_DIR` names a folder without the provider.
    """
    result = dict(variables) | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    own = Path(result.get("TF_CLI_CONFIG_FILE") or Path(result.get("HOME", "/")) / ".terraformrc")
    if own.is_file():
        return result
    result.pop("TF_CLI_CONFIG_FILE", None)
    mirror = _named_mirror(result) or next(_mirrors(places), None)
    directory.mkdir(parents=True, exist_ok=True)
    if mirror is None:
        if "TF_PLUGIN_CACHE_DIR" not in result:
            cache = directory / "terraform-plugins"
            cache.mkdir(exist_ok=True)
            result["TF_PLUGIN_CACHE_DIR"] = str(cache)
        return result
    config = directory / "terraform.rc"
    config.write_text(
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f"    path    = {json.dumps(str(mirror))}\n"
        f"    include = [{json.dumps(PROVIDER)}]\n"
        "  }\n"
        f"  direct {{\n    exclude = [{json.dumps(PROVIDER)}]\n  }}\n"
        "}\n"
    )
    result["TF_CLI_CONFIG_FILE"] = str(config)
    return result


def _named_mirror(variables: Mapping[str, str]) -> Path | None:
    named = variables.get("TF_PLUGIN_DIR")
    if not named:
        return None
    if not _holds_provider(Path(named)):
        raise TerraformError(
            f"TF_PLUGIN_DIR is {named}, which holds no AWS provider for {_platform()}: it must "
            f"contain {PROVIDER}/<version>/{_platform()} (`terraform providers mirror` makes one)"
        )
    return Path(named).resolve()


def _mirrors(places: Iterable[str]) -> Iterator[Path]:
    for place in map(Path, places):
        for pattern in ("registry.terraform.io", "*/registry.terraform.io"):
            for found in sorted(place.glob(pattern)):
                if _holds_provider(found.parent):
                    yield found.parent


def _holds_provider(mirror: Path) -> bool:
    provider = mirror / PROVIDER
    unpacked = provider.glob(f"*/{_platform()}")
    packed = provider.glob(f"*_{_platform()}.zip")
    return any(unpacked) or any(packed)


def _platform() -> str:
    machine = platform.machine().lower()
    arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    return f"{platform.system().lower()}_{arch}"


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in one root module.

    Attributes:
        directory: the root module.
        env: environment of the runs, see `environment`.
        log: file that takes what Terraform prints.
    """

    directory: Path
    env: Mapping[str, str]
    log: Path

    def init(self, *arguments: str) -> None:
        """Initialise the root module; does nothing that is already done."""
        try:
            self._run("init", "-input=false", "-no-color", *arguments)
        except TerraformError as error:
            if not re.search(r"provider|registry", str(error)):
                raise
            raise TerraformError(
                f"{error}\nTerraform could not install the AWS provider: neither your CLI "
                "configuration, nor a mirror in the usual places, nor the registry has it. Connect "
                "to the internet, or set TF_PLUGIN_DIR to a folder made by "
                "`terraform providers mirror`."
            ) from error

    def apply(self, *arguments: str) -> None:
        """Create or change what the root module describes."""
        self._run("apply", "-auto-approve", "-input=false", "-no-color", *arguments)

    def validate(self) -> None:
        """Check that the configuration is valid."""
        self._run("validate", "-no-color")

    def destroy(self, *arguments: str) -> None:
        """Remove what the root module made."""
        self._run("destroy", "-auto-approve", "-input=false", "-no-color", *arguments)

    def has_changes(self, *arguments: str) -> bool:
        """Plan, and return whether the plan has changes."""
        return bool(
            self._run(
                "plan",
                "-detailed-exitcode",
                "-input=false",
                "-no-color",
                *arguments,
                accepted=(0, 2),
            )
        )

    def outputs(self) -> dict[str, Any]:
        """Return the output values by name.

        Raises:
            TerraformError: the root module is not initialised here, or its state cannot be read.
        """
        try:
            found = _ask(self.env, "output", "-json", "-no-color", directory=self.directory)
        except TerraformError as error:
            if "initialization required" not in str(error):
                raise
            raise TerraformError(
                f"{self.directory} is not initialised on this machine: run `terraform init "
                "-backend-config=backend.hcl` there"
            ) from error
        return {name: output["value"] for name, output in found.items()}

    def _run(self, command: str, *arguments: str, accepted: tuple[int, ...] = (0,)) -> int:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            start = log.tell()
            # Output goes to a file: a full pipe would block Terraform.
            process = subprocess.Popen(
                [executable(self.env), f"-chdir={self.directory}", command, *arguments],
                env=dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                code = process.wait()
            except KeyboardInterrupt:
                # Terraform got the interrupt too; killed, it would forget what it just made.
                process.wait()
                raise
        if code not in accepted:
            printed = self.log.read_bytes()[start:].decode(errors="replace")
            raise TerraformError(
                f"`terraform {command}` failed in {self.directory}:\n{errors_of(printed)}\n"
                f"(all it printed: {self.log})"
            )
        return code


def _ask(
    env: Mapping[str, str], command: str, *arguments: str, directory: Path | None = None
) -> dict[str, Any]:
    """Run a command that prints JSON; return the parsed output."""
    chdir = [f"-chdir={directory}"] if directory else []
    found = subprocess.run(
        [executable(env), *chdir, command, *arguments],
        env=dict(env),
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if found.returncode != 0:
        raise TerraformError(f"`terraform {command}` failed:\n{errors_of(found.stderr)}")
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def errors_of(printed: str) -> str:
    """Return the error blocks of what Terraform printed, or its last lines when it has none."""
    lines = [line.removeprefix("│").strip("╷╵ ") for line in printed.splitlines()]
    blocks = "\n".join(["", *lines]).split("\nError: ")[1:]
    if not blocks:
        return "\n".join(lines[-10:]).strip()
    return "\n".join(f"Error: {block}" for block in dict.fromkeys(map(str.strip, blocks)))


def executable(env: Mapping[str, str]) -> str:
    """Return the path of the Terraform CLI.

    Raises:
        TerraformError: it is not on PATH.
    """
    found = shutil.which("terraform", path=env.get("PATH"))
    if not found:
        raise TerraformError(
            "Terraform is not on PATH: install version 1.10 or later "
            "(https://developer.hashicorp.com/terraform/install)"
        )
    return found


def check_version(env: Mapping[str, str]) -> None:
    """Make sure that the Terraform CLI is installed and new enough.

    Raises:
        TerraformError: it is missing or too old.
    """
    version = str(_ask(env, "version", "-json")["terraform_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM_VERSION:
        raise TerraformError(
            f"Terraform is {version}, but the S3 backend's lock file needs 1.10 or later: "
            "https://developer.hashicorp.com/terraform/install"
        )
