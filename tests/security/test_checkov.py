"""Static analysis of the plans of production and development by checkov.

A check that fails must be listed here with its reason, and one that is listed must fail.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.plan.harness import REPOSITORY, Workspace

CHECKOV = REPOSITORY / ".local/checkov/bin/checkov"
_OPTIONS = (
    "--framework=terraform_plan",
    "--output=json",
    "--quiet",
    "--compact",
    "--skip-download",
)
CASES = REPOSITORY / "tests/plan"

# Production, with everything given that is not ours to make (key, log bucket, web ACL, network,
# code signing).
EXCEPTIONS = {
    "CKV_AWS_59": "the answer to a method that a path lacks is for all; no other method, see below",
    "CKV_AWS_76": "checkov sees no block that is optional; test_specification.py looks for it",
    "CKV_AWS_120": "answers differ from caller to caller and from second to second: no cache",
    "CKV_AWS_225": "as CKV_AWS_120",
    "CKV_AWS_144": "a copy in a second region is the user's decision; versions guard from mistakes",
    "CKV2_AWS_51": "a client certificate is shown to HTTP back ends, and there are none",
    "CKV2_AWS_77": "the web ACL is given by ARN; its rules are not in the plan",
}
# Development costs nothing when idle, and needs nothing that has to be made before. Its API is open
# to a browser and to curl, throttled, for trials.
DEV_EXCEPTIONS = {
    "CKV_AWS_59": "the answer to a method that a path lacks is for all; no other method, see below",
    "CKV_AWS_18": "no access log: needs a bucket for logs",
    "CKV_AWS_73": "no tracing: it costs per request",
    "CKV_AWS_76": "checkov sees no block that is optional; test_specification.py looks for it",
    "CKV_AWS_117": "no network of our own: needs one",
    "CKV_AWS_145": "keys managed by S3: a key of our own costs per month",
    "CKV_AWS_158": "keys managed by CloudWatch Logs, as CKV_AWS_145",
    "CKV_AWS_272": "no code signing: needs a signing profile",
    "CKV_AWS_338": "logs are kept a week",
    "CKV2_AWS_4": "no execution log: needs the account-wide role of API Gateway",
    "CKV2_AWS_29": "no web ACL: it costs per month",
    "CKV2_AWS_51": "a client certificate is shown to HTTP back ends, and there are none",
}


PLANS = {"prod": "complete", "dev": "minimal"}


@pytest.fixture(scope="module")
def failed(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, list[str]]]:
    """Resources by failed check, by environment; checkov starts slowly, so it runs once."""
    assert CHECKOV.exists(), f"{CHECKOV} is missing: run `make setup`"
    folder = tmp_path_factory.mktemp("checkov")
    for root, case in PLANS.items():
        plan = workspace.plan(root, CASES / root / "cases" / f"{case}.tfvars")
        (folder / f"{root}.json").write_text(json.dumps(plan.raw))
    done = subprocess.run(
        [CHECKOV, "--file", *(folder / f"{root}.json" for root in PLANS), *_OPTIONS],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    found: dict[str, dict[str, list[str]]] = {root: {} for root in PLANS}
    for check in report["results"]["failed_checks"]:
        root = Path(check["file_path"]).stem
        found[root].setdefault(check["check_id"], []).append(check["resource"])
    return found


def test_prod_fails_the_listed_checks_alone(failed: dict[str, dict[str, list[str]]]) -> None:
    assert sorted(failed["prod"]) == sorted(EXCEPTIONS), failed["prod"]


def test_nothing_in_prod_is_open_but_the_answer_to_a_method_that_a_path_lacks(
    failed: dict[str, dict[str, list[str]]],
) -> None:
    for resource in failed["prod"]["CKV_AWS_59"]:
        assert ".aws_api_gateway_method.not_allowed[" in resource


def test_dev_fails_the_listed_checks_alone(failed: dict[str, dict[str, list[str]]]) -> None:
    expected = (EXCEPTIONS | DEV_EXCEPTIONS).keys() - {"CKV2_AWS_77"}
    assert failed["dev"].keys() == expected, failed["dev"]
