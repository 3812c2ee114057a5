"""Plans a root module of a copy of the tree and reads the plan.

A plan test needs three things that are slow to make: a copy of the tree (tftest writes into the
directories it works in), an initialised root, and a running provider. Each is made once a session.
Nearly all of the rest is what terraform does once a plan, whatever it holds: so many calls of
modules are planned in one root, and a plan of an environment is kept for all tests that read it.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import tftest  # type: ignore[import-untyped]  # tftest ships no types

from scripts import terraform
from scripts.packaging.project import list_functions
from tests.plan.planned import Json, Plan, refusals

REPOSITORY = Path(__file__).resolve().parents[2]

# Small zips stand where `make package` would put the real ones.
FUNCTIONS = (*list_functions(REPOSITORY / "functions"), "example")
ARCHITECTURES = ("x86_64", "arm64")
# What a case means by `artifacts = published_zips`: the zips of all functions, in a bucket.
_PUBLISHED = {
    "bucket": "artifacts",
    "zips": {
        name: {
            "key": f"v1/{name}.zip",
            "sha256_base64": b64encode(hashlib.sha256(name.encode()).digest()).decode(),
            "version_id": "v7",
            "runtime": "python3.12",
            "architecture": "arm64",
        }
        for name in (f"{function}-arm64" for function in FUNCTIONS)
    },
}
_QUIET = {
    f"TF_LOG_SDK{part}": "ERROR" for part in ("", "_FRAMEWORK", "_HELPER_SCHEMA", "_MUX", "_PROTO")
}
_NOT_COPIED = shutil.ignore_patterns(
    ".terraform", "*.tfstate*", "*.tfplan", "*.tfvars", "backend.hcl"
)


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
            said = done.stdout if "-json" in cmd_args else done.stderr
            message = f"terraform {cmd} in {self.tfdir}: {done.returncode}\n{said}"
            raise tftest.TerraformTestError(message, said)
        return tftest.TerraformCommandOutput(done.returncode, done.stdout, done.stderr)


def expanded(variables: Path) -> str:
    """Return a tfvars file's text; in it `published_zips` stands for all zips, in a bucket."""
    return variables.read_text().replace("published_zips", json.dumps(_PUBLISHED))


@contextmanager
def running_workspace(folder: Path, cloud: Mapping[str, str]) -> Iterator["Workspace"]:
    """A workspace in an empty folder, and the provider that its plans share.

    Args:
        folder: takes the copy of the tree and the provider.
        cloud: variables for an emulator, which answers who the caller is.
    """
    tree = copy_tree(folder / "tree")
    for function in FUNCTIONS:
        for architecture in ARCHITECTURES:
            _write_package(tree / "build", function, architecture)
    _write_package(tree / "build", "stale", "x86_64").write_bytes(b"built later")
    home = folder / "home"
    home.mkdir()
    # No profile, credentials or plug-in settings of whoever runs the tests reach a plan.
    environment = {
        # Go collects garbage less often: a third of the processor time of a plan.
        "GOGC": "400",
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **cloud,
    }
    for name in ("versions.tf", ".terraform.lock.hcl"):
        (home / name).write_text((tree / "envs/local" / name).read_text())
    install = terraform.environment(os.environ, directory=home) | {"HOME": str(home)}
    terraform.Terraform(home, install, home / "init.log").init()
    # `**` would not follow the link that a mirror leaves for the platform's folder.
    binary = next(home.glob(".terraform/providers/*/*/*/*/*/terraform-provider-aws_*"))
    with running_provider(binary, environment, home / "provider.log") as reattach:
        yield Workspace(tree, {**environment, "TF_REATTACH_PROVIDERS": reattach})


def _write_package(build: Path, function: str, architecture: str) -> Path:
    """Write what the packager writes: a zip and, beside it, what it was built for."""
    build.mkdir(exist_ok=True)
    package = build / f"{function}-{architecture}.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(f"{function}/index.py", "def handler(event, context): ...\n")
    digest = hashlib.sha256(package.read_bytes())
    facts = {
        "function": function,
        "architecture": architecture,
        "runtime": "python3.12",
        "handler": f"{function}.index.handler",
        "sha256": digest.hexdigest(),
        "sha256_base64": b64encode(digest.digest()).decode(),
    }
    package.with_suffix(".json").write_text(json.dumps(facts))
    return package


def copy_tree(target: Path) -> Path:
    """Copy modules and environments, and give the environments a local state."""
    for folder in ("modules", "envs", "functions"):
        shutil.copytree(REPOSITORY / folder, target / folder, ignore=_NOT_COPIED)
    for main in (target / "envs").glob("*/*.tf"):
        if re.search(r'^\s*backend "s3"', main.read_text(), re.MULTILINE):
            main.with_name("backend_override.tf").write_text(
                'terraform {\n  backend "local" {}\n}\n'
            )
    return target


def call_of(module: str, arguments: Mapping[str, Json]) -> str:
    """The body of a call of a module, in HCL, of which JSON values are a part."""
    values = (f"  {name} = {json.dumps(value)}" for name, value in arguments.items())
    return "\n".join([f'  source = "../../modules/{module}"', *values])


class Workspace:
    """A copy of the tree whose roots are initialised when first used, and planned once."""

    def __init__(self, tree: Path, environment: Mapping[str, str]) -> None:
        self.tree = tree
        self._environment = dict(environment)
        self._roots: dict[str, Terraform] = {}
        self._plans: dict[tuple[str, Path], Plan] = {}

    def plan(self, root: str, variables: Path) -> Plan:
        """Plan an environment with a tfvars file."""
        if (root, variables) not in self._plans:
            self._plans[root, variables] = self._plan(root, tf_var_file=str(self._write(variables)))
        return self._plans[root, variables]

    def errors(self, root: str, variables: Path) -> list[str]:
        """The sentences with which the plan of an environment is refused."""
        return [
            sentence for _, sentence in self._errors(root, f"-var-file={self._write(variables)}")
        ]

    def _write(self, variables: Path) -> Path:
        """Write a tfvars file as Terraform is to read it."""
        file = self.tree / f"{variables.parents[1].name}-{variables.name}"
        file.write_text(expanded(variables))
        return file

    def plan_modules(
        self, root: str, calls: Mapping[str, str], state: Sequence[Json] = ()
    ) -> dict[str, Plan]:
        """Plan many calls of modules in one root of that name.

        Args:
            root: name of the root, which is made.
            calls: the arguments of each call in HCL, by its label.
            state: resources that are there already, as a state file has them.
        """
        self._write_calls(root, calls)
        if state:
            file = {"version": 4, "serial": 1, "lineage": root, "resources": list(state)}
            (self.tree / "envs" / root / "terraform.tfstate").write_text(json.dumps(file))
        plan = self._plan(root)
        return {label: plan.module(label) for label in calls}

    def errors_of_modules(self, root: str, calls: Mapping[str, str]) -> dict[str, list[str]]:
        """The sentences with which each of many calls of modules is refused."""
        self._write_calls(root, calls)
        found = self._errors(root)
        errors = {
            label: [sentence for where, sentence in found if where == f'module "{label}"']
            for label in calls
        }
        # Terraform checks each value by itself first, then values together, then the rest, and a
        # refusal ends it: so calls that were not refused yet are planned again without those that
        # were. An error of the rest does not tell whose it is, so these calls go one by one.
        later = {label: call for label, call in calls.items() if not errors[label]}
        if later and len(later) < len(calls):
            errors |= self.errors_of_modules(f"{root}_later", later)
        elif len(later) > 1:
            for label, call in later.items():
                errors |= self.errors_of_modules(f"{root}_{label}", {label: call})
        elif later:
            errors = {label: [sentence for _, sentence in found] for label in later}
        return errors

    def _write_calls(self, root: str, calls: Mapping[str, str]) -> None:
        folder = self.tree / "envs" / root
        folder.mkdir()
        for name in ("versions.tf", ".terraform.lock.hcl"):
            (folder / name).write_text((self.tree / "envs/account" / name).read_text())
        for label, arguments in calls.items():
            (folder / f"{label}.tf").write_text(
                f'module "{label}" {{\n{arguments}\n}}\n\n'
                f'output "{label}" {{\n  value = module.{label}\n}}\n'
            )

    def _plan(self, root: str, **arguments: str) -> Plan:
        # Planning writes the plan to the temporary directory, where tftest leaves it.
        with tempfile.TemporaryDirectory(dir=self.tree) as folder, _temporary_files_in(folder):
            output = self._initialised(root).plan(output=True, refresh=False, **arguments)
        return Plan(output._raw)

    def _errors(self, root: str, *arguments: str) -> list[tuple[str, str]]:
        try:
            self._initialised(root).execute_command("plan", "-json", "-input=false", *arguments)
        except tftest.TerraformTestError as error:
            return refusals(error.cmd_error or "")
        return []

    def _initialised(self, root: str) -> Terraform:
        if root not in self._roots:
            terraform = Terraform(str(self.tree / "envs" / root), env=self._environment)
            terraform.init()
            self._roots[root] = terraform
        return self._roots[root]


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
            [binary, "-debug"],
            # Without levels it writes a megabyte for every plan.
            env={**environment, **_QUIET},
            stdout=output,
            stderr=subprocess.STDOUT,
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
