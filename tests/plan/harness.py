"""Plans a root module of a copy of the tree and reads the plan.

A plan test needs three things that are slow to make: a copy of the tree (tftest writes into the
directories it works in), an initialised root, and a running provider. Each is made once a session.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import tftest  # type: ignore[import-untyped]  # tftest ships no types

REPOSITORY = Path(__file__).resolve().parents[2]
KNOWN_AFTER_APPLY = "(known after apply)"
_NOT_COPIED = shutil.ignore_patterns(
    ".terraform", "*.tfstate*", "*.tfplan", "*.tfvars", "backend.hcl"
)

# A value of the plan: what JSON can hold. Narrowing every access would hide what a test says.
type Json = Any


class Terraform(tftest.TerraformTest):  # type: ignore[misc]  # its base class has no types
    """tftest with its command runner replaced.

    tftest's own blocks once terraform has written more to stderr than a pipe holds, waits for ever,
    and takes a killed terraform for success.
    """

    timeout_seconds = 300

    def execute_command(self, cmd: str, *cmd_args: str) -> tftest.TerraformCommandOutput:
        done = subprocess.run(
            [self.binary, cmd, *cmd_args],
            cwd=self.tfdir,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=self.timeout_seconds,
            check=False,
        )
        # `plan -detailed-exitcode` says 2 for "there are changes".
        if done.returncode not in (0, 2):
            message = f"terraform {cmd} in {self.tfdir}: {done.returncode}\n{done.stderr}"
            raise tftest.TerraformTestError(message, done.stderr)
        return tftest.TerraformCommandOutput(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Plan:
    """What a plan would create, from `terraform show -json`."""

    raw: Mapping[str, Json]

    @cached_property
    def resources(self) -> dict[str, dict[str, Json]]:
        """Planned values by full address; what only an apply can know is KNOWN_AFTER_APPLY."""
        return {
            change["address"]: _merge_unknown(
                change["change"]["after"], change["change"]["after_unknown"]
            )
            for change in self.raw.get("resource_changes", [])
            if change["mode"] == "managed" and change["change"]["actions"] != ["delete"]
        }

    @cached_property
    def outputs(self) -> dict[str, Json]:
        """Values of the root's outputs."""
        return {
            name: _merge_unknown(change.get("after"), change.get("after_unknown"))
            for name, change in self.raw.get("output_changes", {}).items()
        }

    @cached_property
    def warnings(self) -> list[str]:
        """Sentences of the failed `check` blocks."""
        return [
            problem["message"]
            for check in self.raw.get("checks", [])
            if check["address"]["kind"] == "check"
            for instance in check.get("instances", [])
            for problem in instance.get("problems", [])
        ]

    @property
    def counts(self) -> dict[str, int]:
        """Number of resources by type."""
        types = [_type_of(address) for address in self.resources]
        return {kind: types.count(kind) for kind in sorted(set(types))}

    def of_type(self, kind: str) -> dict[str, dict[str, Json]]:
        """Planned values of every resource of a type, by full address."""
        return {a: values for a, values in self.resources.items() if _type_of(a) == kind}

    def policy(self, address: str, attribute: str = "policy") -> dict[str, dict[str, Json]]:
        """Statements of a policy document, by their Sid."""
        return statements(json.loads(self.resources[address][attribute]))


def statements(document: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """The statements of a policy document by their Sid, which every statement of ours has."""
    return {statement["Sid"]: statement for statement in document["Statement"]}


def _type_of(address: str) -> str:
    return re.sub(r'\[(?:"[^"]*"|\d+)\]', "", address).split(".")[-2]


def _merge_unknown(value: Json, unknown: Json) -> Json:
    if unknown is True:
        return KNOWN_AFTER_APPLY
    if isinstance(unknown, dict):
        known = value or {}
        return {k: _merge_unknown(known.get(k), unknown.get(k)) for k in {**known, **unknown}}
    if isinstance(unknown, list) and unknown:
        known = value or []
        known += [None] * (len(unknown) - len(known))
        return [_merge_unknown(v, u) for v, u in zip(known, unknown, strict=True)]
    return value


def differences(expected: Json, actual: Json, where: str = "") -> Iterator[str]:
    """Say where `actual` does not hold what `expected` asks.

    A mapping asks for its own keys only, and reads a JSON text for what it holds and a list of
    statements by their Sid; `null` asks for nothing or something empty; everything else asks for
    equality.
    """
    if isinstance(expected, dict):
        if isinstance(actual, str) and actual[:1] in "{[":
            actual = json.loads(actual)
        if isinstance(actual, list) and all(isinstance(v, dict) and "Sid" in v for v in actual):
            actual = {statement["Sid"]: statement for statement in actual}
            yield from (
                f"{where}: statement {sid} is not expected" for sid in actual.keys() - expected
            )
        if not isinstance(actual, dict):
            yield f"{where}: expected {expected!r}, got {actual!r}"
            return
        for key, value in expected.items():
            yield from differences(value, actual.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{where}: expected {len(expected)} elements, got {len(actual)}: {actual!r}"
            return
        for index, (want, have) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(want, have, f"{where}[{index}]")
    elif expected != actual and not (expected is None and actual in ("", [], {})):
        yield f"{where}: expected {expected!r}, got {actual!r}"


def sentences(stderr: str) -> list[str]:
    """Each error that terraform printed, as one line without its frame."""
    unframed = " ".join(re.sub(r"^[│╷╵]", "", line).strip() for line in stderr.splitlines())
    return [re.sub(r"\s+", " ", part).strip() for part in unframed.split("Error: ")[1:]]


def copy_tree(target: Path) -> Path:
    """Copy modules and environments, and give the environments a local state."""
    for folder in ("modules", "envs"):
        shutil.copytree(REPOSITORY / folder, target / folder, ignore=_NOT_COPIED)
    for main in (target / "envs").glob("*/*.tf"):
        if re.search(r'^\s*backend "s3"', main.read_text(), re.MULTILINE):
            main.with_name("backend_override.tf").write_text(
                'terraform {\n  backend "local" {}\n}\n'
            )
    return target


class Workspace:
    """A copy of the tree whose roots are initialised when first used."""

    def __init__(self, tree: Path, environment: Mapping[str, str]) -> None:
        self.tree = tree
        self._environment = dict(environment)
        self._roots: dict[Path, Terraform] = {}

    def root(self, name: str | Path) -> Terraform:
        """The initialised root: a module's or environment's name, or a path in the tree."""
        path = self._path(name)
        if path not in self._roots:
            terraform = Terraform(str(path), env=self._environment)
            terraform.init()
            self._roots[path] = terraform
        return self._roots[path]

    def plan(self, name: str | Path, variables: Mapping[str, Json] | list[Path]) -> Plan:
        """Plan a root with variables, given as a mapping or as tfvars files."""
        # Planning writes the plan to the temporary directory, where tftest leaves it.
        with tempfile.TemporaryDirectory(dir=self.tree) as folder:
            files = variables
            if isinstance(files, Mapping):
                # On the command line Python's True and None would reach terraform as text.
                file = Path(folder, "case.tfvars.json")
                file.write_text(json.dumps(files))
                files = [file]
            terraform = self.root(name)
            with _temporary_files_in(folder):
                output = terraform.plan(output=True, tf_var_file=[str(f) for f in files])
        return Plan(output._raw)

    def errors(self, name: str | Path, variables: Mapping[str, Json] | list[Path]) -> list[str]:
        """The sentences with which a plan is refused; none when it is not."""
        try:
            self.plan(name, variables)
        except tftest.TerraformTestError as error:
            return sentences(error.cmd_error or "")
        return []

    def _path(self, name: str | Path) -> Path:
        candidates = [self.tree / folder / name for folder in ("modules", "envs", ".")]
        return next(path for path in candidates if path.is_dir())


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    before = tempfile.tempdir
    tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def running_provider(binary: Path, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Start the provider once for many plans; yields the value of TF_REATTACH_PROVIDERS.

    The provider reads the AWS variables of its own process, not those of terraform.
    """
    with (
        log.open("w") as output,
        subprocess.Popen(
            [binary, "-debug"], env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield _reattach_value(process, log)
        finally:
            process.terminate()


def _reattach_value(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = monotonic() + 60
    while monotonic() < deadline and process.poll() is None:
        found = re.search(r"TF_REATTACH_PROVIDERS='(.*)'", log.read_text())
        if found:
            return found.group(1)
        sleep(0.05)
    message = f"the provider did not start within 60 s; it printed:\n{log.read_text()}"
    raise RuntimeError(message)
