"""Checks that Terraform files are formatted, and that every module and environment is valid."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts import ROOT, terraform


def main(root: Path = ROOT) -> int:
    """Check; return the exit status."""
    try:
        env = terraform.environment()
        terraform.check_version(env)
        formatted = subprocess.run(
            [terraform.executable(env), "fmt", "-check", "-recursive", "-diff", *_folders(root)],
            env=env,
            check=False,
        )
        if formatted.returncode != 0:
            print("terraform fmt: the files above are not formatted; run `make format`")
            return 1
        # A copy: initialising writes into the directory.
        with tempfile.TemporaryDirectory() as name:
            copy = Path(name)
            for folder in ("modules", "envs"):
                shutil.copytree(
                    root / folder,
                    copy / folder,
                    ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"),
                )
            for directory in sorted(path.parent for path in copy.glob("*/*/versions.tf")):
                runs = terraform.Terraform(directory, env, root / ".local" / "lint-terraform.log")
                runs.init("-backend=false")
                runs.validate()
                print(f"terraform validate: {directory.relative_to(copy)} is valid")
    except terraform.TerraformError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _folders(root: Path) -> list[str]:
    return [str(root / folder) for folder in ("modules", "envs")]


if __name__ == "__main__":
    sys.exit(main())
