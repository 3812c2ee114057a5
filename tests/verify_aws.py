"""Hold AWS against what the tests expect of it: apply, plan again, upload, compare, destroy.

    make verify-aws ENV=dev ACCOUNT=123456789012

It works in a copy of an environment that can be destroyed, under .local/verify-aws, with a state of
its own there, and removes all that it made. It has met the emulator alone so far.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import boto3
import httpx
import schemathesis
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from scripts import LOCAL, ROOT, terraform
from scripts.local_cloud import samples
from scripts.operations import environment as environments
from scripts.operations import progress
from scripts.operations.dead_letters import Queue
from scripts.operations.errors import OperationError
from scripts.packaging import __main__ as packaging
from scripts.packaging.project import host_architecture
from uploads_client import ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scripts.operations.environment import Environment

PLACE: Final = LOCAL / "verify-aws"
OWN_STATE: Final = 'terraform {\n  backend "local" {}\n}\n'
CONTRACT: Final = schemathesis.openapi.from_dict(
    yaml.safe_load((ROOT / "functions/api_handler/openapi.yaml").read_text())
)
# Lambda tries again after one minute and after two more.
DEAD_LETTER_SECONDS: Final = 600
IGNORED: Final = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars*", "backend.hcl")
NO_EVENT: Final = {"no": "event"}


@dataclass(frozen=True)
class Finding:
    """What was expected of AWS, and what it did."""

    name: str
    expected: object
    found: object


def comparisons(environment: Environment, http: httpx.Client, folder: Path) -> Iterator[Finding]:
    """Ask the deployed API, its bucket and its functions; yield what is worth comparing.

    Args:
        environment: what is deployed.
        http: client, with a timeout of more than 20 seconds.
        folder: where samples are written.
    """
    client = Client(environment.api_url, http)
    yield _answer(client, "/status", "/status")
    files = samples.write(folder)
    odd = folder / "two words +1 %41 ü.csv"
    shutil.copy(files[2], odd)
    for file in [*files, odd]:
        yield from _upload(client, file)
    yield _answer(client, "/files", "/files")
    for method, path, sent, status, code in (
        ("GET", "/files/uploads/none/a.jpg", None, 404, "no_such_file"),
        ("GET", "/nothing", None, 403, "MISSING_AUTHENTICATION_TOKEN"),
        ("POST", "/files", {"title": "a.jpg"}, 400, "BAD_REQUEST_BODY"),
        ("PUT", "/files", {}, 405, "method_not_allowed"),
    ):
        answer = http.request(method, f"{client.url}{path}", json=sent)
        found = answer.json().get("error", {}).get("code")
        yield Finding(f"{method} {path}", (status, code), (answer.status_code, found))
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    answer = http.options(f"{client.url}/files", headers=preflight)
    origin = answer.headers.get("Access-Control-Allow-Origin")
    yield Finding("OPTIONS /files", (200, "*"), (answer.status_code, origin))

    form = client.start("a.csv")
    fields = form["fields"] | {"key": "uploads/other.csv"}
    answer = http.post(form["url"], data=fields, files={"file": b"a\n1\n"})
    code = answer.text.partition("<Code>")[2].partition("</Code>")[0]
    yield Finding("a form with another key", (403, "AccessDenied"), (answer.status_code, code))
    yield Finding("httpMethod of OPTIONS, a MOCK", None, _method_of_mock(environment))
    yield from _dead_letter(environment)


def _answer(client: Client, path: str, route: str) -> Finding:
    """Compare an answer with the published document."""
    answer = client.http.get(f"{client.url}{path}")
    described = "as described"
    try:
        CONTRACT[route]["GET"].validate_response(answer)
    except Exception as error:  # noqa: BLE001 - whatever differs is what is looked for
        described = " ".join(str(error).split())[:200]
    return Finding(f"GET {path}", (200, "as described"), (answer.status_code, described))


def _upload(client: Client, file: Path) -> Iterator[Finding]:
    key = client.upload(file)
    found = client.wait(key)
    name, state = key.rpartition("/")[2], found["state"]
    yield Finding(f"upload of {file.name}", (file.name, "succeeded"), (name, state))
    yield _answer(client, f"/files/{quote(key)}", "/files/{key}")


def _method_of_mock(environment: Environment) -> str | None:
    """Return the method that the integration for preflights has of its own."""
    api = environment.outputs["api_id"]
    resources = environment.apigateway.get_resources(restApiId=api, limit=500)["items"]
    [files] = [resource["id"] for resource in resources if resource["path"] == "/files"]
    integration = environment.apigateway.get_integration(
        restApiId=api, resourceId=files, httpMethod="OPTIONS"
    )
    return integration.get("httpMethod")


def _dead_letter(environment: Environment) -> Iterator[Finding]:
    """Wait for an event that no try can handle."""
    environment.functions.invoke(
        FunctionName=environment.function_name("data_transformer"),
        InvocationType="Event",
        Payload=json.dumps(NO_EVENT).encode(),
    )
    queue = Queue(environment.sqs, environment.queue_url("data_transformer"))
    deadline = time.monotonic() + DEAD_LETTER_SECONDS
    letters = queue.receive()
    while not letters and time.monotonic() < deadline:
        letters = queue.receive()
    found = [(letter.event, bool(letter.request_id), bool(letter.error)) for letter in letters]
    yield Finding("a dead letter: event, RequestID, ErrorMessage", [(NO_EVENT, True, True)], found)


def verify(name: str, suffix: str) -> list[Finding]:
    """Apply a copy of an environment, compare, and destroy it.

    Raises:
        TerraformError: an apply or the destroy failed; the folder holds the state.
    """
    for folder in ("envs", "modules"):
        shutil.copytree(ROOT / folder, PLACE / folder, ignore=IGNORED, dirs_exist_ok=True)
    directory = PLACE / "envs" / name
    (directory / "backend_override.tf").write_text(OWN_STATE)
    runs = terraform.Terraform(directory, terraform.environment(), PLACE / "terraform.log")
    variables = {
        "suffix": suffix,
        "architecture": host_architecture(),
        "region": boto3.Session().region_name or "eu-central-1",
    }
    given = [f"-var={name}={value}" for name, value in variables.items()]
    runs.init()
    try:
        runs.apply(*given)
        changes = "changes" if runs.has_changes(*given) else "none"
        findings = [Finding("a second plan", "none", changes)]
        with (
            contextlib.closing(environments.find(str(directory))) as environment,
            httpx.Client(timeout=60) as http,
        ):
            findings += comparisons(environment, http, PLACE / "samples")
    finally:
        runs.destroy(*given)
    return findings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return 1 where AWS did something else than the tests expect."""
    parser = argparse.ArgumentParser(prog="python -m tests.verify_aws", description=__doc__)
    parser.add_argument("--env", default="dev", help="a folder of envs/ that can be destroyed")
    parser.add_argument("--account", required=True, help="id of the account, of 12 digits")
    parser.add_argument("--suffix", default="verify", help="in every name (default: verify)")
    options = parser.parse_args(arguments)
    try:
        account = boto3.client("sts").get_caller_identity()["Account"]
        if account != options.account:
            progress.error(
                f"the credentials are of account {account}, not of {options.account!r}: name the "
                "account in which everything may be made and destroyed"
            )
            return 1
        if packaging.main(["--arch", "host", "--to", str(PLACE / "build")]) != 0:
            return 1
        findings = verify(options.env, options.suffix)
    except (
        ApiError,
        BotoCoreError,
        ClientError,
        OperationError,
        httpx.HTTPError,
        terraform.TerraformError,
    ) as error:
        progress.error(str(error))
        return 1
    shutil.rmtree(PLACE)
    different = [finding for finding in findings if finding.expected != finding.found]
    screen = progress.Screen(as_json=False)
    screen.table(
        ["What", "Expected", "Found"],
        [
            [progress.plain(str(part)) for part in (one.name, one.expected, one.found)]
            for one in findings
        ],
    )
    screen.say(f"{len(findings)} compared, {len(different)} different.")
    for finding in different:
        screen.say(f"{finding.name}: expected {finding.expected}, found {finding.found}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
