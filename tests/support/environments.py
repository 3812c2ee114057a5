"""Folders of `envs` in a copy of the project, with their state in a bucket of the emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scripts.local_cloud import ACCOUNT_ID, REGION
from tests.plan import harness

if TYPE_CHECKING:
    from pathlib import Path

STATE_BUCKET: Final = f"terraform-state-{ACCOUNT_ID}"


def initialised(
    root: Path, suffix: str, variables: dict[str, Any], environment: dict[str, str]
) -> harness.Terraform:
    """Give a folder its variables and its state, as the documents say.

    Args:
        root: the folder.
        suffix: of the environment; the state is called so.
        variables: those of the folder.
        environment: variables of Terraform's process.
    """
    # The names that Terraform and the documents' commands find by themselves.
    (root / "terraform.tfvars.json").write_text(json.dumps(variables))
    (root / "backend.hcl").write_text(
        f'bucket = "{STATE_BUCKET}"\nkey = "serverless-uploads/{suffix}.tfstate"\n'
        f'region = "{REGION}"\nuse_path_style = true\nskip_requesting_account_id = true\n'
    )
    run = harness.Terraform(str(root), env=environment)
    run.execute_command("init", "-input=false", "-no-color", "-backend-config=backend.hcl")
    return run


def workflow_roles(
    root: Path, suffix: str, environment: dict[str, str], **settings: list[str]
) -> harness.Terraform:
    """Apply `envs/github` for one environment, as an administrator.

    Args:
        root: the folder.
        suffix: of the environment.
        environment: variables of Terraform's process.
        settings: further variables, such as `kms_key_arns`.
    """
    variables = {
        "account_id": ACCOUNT_ID,
        "environments": [suffix],
        "region": REGION,
        "subject_prefix": "repo:octo-org@1/uploads@2",
    }
    run = initialised(root, "github", variables | settings, environment)
    run.apply()
    return run
