"""The main job on this machine: deploy `envs/local` to the emulator, upload files, fetch results.

The example page for browsers is served from a bucket of the emulator, so it goes when that goes.

python -m scripts.local_cloud.demo up | run [FILE ...] | down
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import boto3
import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from scripts import LOCAL, ROOT, local_cloud, terraform
from scripts.local_cloud import samples
from scripts.packaging import __main__ as packaging
from scripts.packaging.project import PackagingError, host_architecture, local_build
from uploads_client import ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scripts.local_cloud import Cloud

ENVIRONMENT: Final = ROOT / "envs" / "local"
RESULTS: Final = LOCAL / "demo"
PAGE: Final = ROOT / "examples" / "browser-upload"

_PAGE_BUCKET: Final = "upload-page"
_PAGE_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


class DemoError(Exception):
    """Something that the user must put right; the message says what."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The applied environment: its cloud, Terraform outputs, and the addresses to use it at."""

    cloud: Cloud
    outputs: dict[str, Any]
    api_url: str
    page_url: str


@contextlib.contextmanager
def step(console: Console, sentence: str) -> Iterator[None]:
    """Show the current step, and how long it took."""
    started = time.monotonic()
    sentence = escape(sentence)
    if not console.is_terminal:
        console.print(f"{sentence} …")
    with console.status(f"{sentence} …"):
        yield
    console.print(f"[green]✓[/] {sentence} [dim]({time.monotonic() - started:.1f} s)[/]")


def deploy(console: Console, port: int = 0) -> Deployment:
    """Build the zips, start the emulator and apply `envs/local`; a running emulator is reused.

    Raises:
        DemoError: the zips cannot be built.
        CloudError: the emulator cannot be started.
        TerraformError: Terraform is missing, or its run failed.
    """
    base = terraform.environment()
    terraform.check_version(base)
    with step(console, "Building the functions' zips"):
        if packaging.main(["--arch", "host"]) != 0:
            raise DemoError("the zips could not be built, see above")
    with step(console, "Starting the AWS emulator"):
        cloud = local_cloud.start(port=port)
    runs = terraform.Terraform(ENVIRONMENT, cloud.client_environment(base), LOCAL / "terraform.log")
    with step(console, "Preparing Terraform in envs/local"):
        runs.init()
    with step(console, "Applying envs/local (the first time takes about a minute)"):
        build = local_build(ROOT)
        where = [] if build == ROOT / "build" else [f"-var=package_dir={build}"]
        runs.apply(f"-var=architecture={host_architecture()}", *where)
    outputs = runs.outputs()
    api_url = cloud.api_url(outputs["api_id"])
    return Deployment(cloud, outputs, api_url, publish_page(cloud, api_url))


def publish_page(cloud: Cloud, api_url: str) -> str:
    """Put the example page into a public bucket of the emulator; return its address."""
    s3 = boto3.Session("test", "test", region_name=local_cloud.REGION).client(
        "s3", endpoint_url=cloud.aws.url
    )
    s3.create_bucket(Bucket=_PAGE_BUCKET)
    s3.delete_public_access_block(Bucket=_PAGE_BUCKET)
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{_PAGE_BUCKET}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=_PAGE_BUCKET, Policy=policy)
    for file in PAGE.iterdir():
        if file.suffix in _PAGE_TYPES:
            s3.put_object(
                Bucket=_PAGE_BUCKET,
                Key=file.name,
                Body=file.read_bytes(),
                ContentType=_PAGE_TYPES[file.suffix],
            )
    return f"{cloud.aws.url}/{_PAGE_BUCKET}/index.html?{urlencode({'api': api_url})}"


def run(console: Console, deployment: Deployment, files: Sequence[Path], results: Path) -> bool:
    """Upload files as a client would, wait for the results and download them.

    Args:
        console: where to print.
        deployment: the environment.
        files: the files.
        results: folder for what comes back.

    Returns:
        Whether every file was processed or rejected with a reason.
    """
    table = Table("File", "State", "Output", "Size", "Details", "Seconds")
    for column in table.columns:
        column.overflow = "fold"
    complete = True
    with httpx.Client(timeout=60) as http:
        client = Client(deployment.api_url, http)
        for path in files:
            started = time.monotonic()
            try:
                with step(console, f"Uploading {path.name} and waiting for its result"):
                    found = client.wait(client.upload(path))
            except (ApiError, httpx.HTTPError) as error:
                table.add_row(escape(path.name), "[red]failed[/]", escape(str(error)))
                complete = False
                continue
            seconds = f"{time.monotonic() - started:.1f}"
            result = found["result"]
            reason = result["error"]["message"] if result["error"] else ""
            shown = (
                "[green]succeeded[/]" if found["state"] == "succeeded" else "[yellow]rejected[/]"
            )
            size = _size(found["size"])
            table.add_row(escape(path.name), shown, "", size, escape(reason), seconds)
            for output in result["outputs"]:
                client.download(output["url"], results / path.name / output["name"])
                table.add_row(
                    "",
                    "",
                    escape(output["name"]),
                    _size(output["bytes"]),
                    _attributes(output["attributes"]),
                )
        listed = sum(1 for _ in client.files())
    console.print(table)
    console.print(f"GET /files lists {listed} uploads.")
    return complete


def explain(console: Console, deployment: Deployment, results: Path) -> None:
    """Print where to look and what to type next."""
    rows = {
        "Page": deployment.page_url,
        "Results": str(results),
        "API": deployment.api_url,
        "Bucket": f"s3://{deployment.outputs['s3_bucket_name']}",
        "Logs": ", ".join(f["log_group"] for f in deployment.outputs["functions"].values()),
        "Emulator": f"{deployment.cloud.aws.url} (logs: {deployment.cloud.directory})",
        "Next": f"curl {deployment.api_url}/status",
    }
    for name, value in rows.items():
        console.print(f"[bold]{name:<9}[/] {escape(value)}", soft_wrap=True)
    for command in (
        'make demo FILES="photo.jpg table.csv"',
        'eval "$(make env)"    (then AWS clients and terraform in this shell use the emulator)',
        "make down",
    ):
        console.print(f"{'':9} {command}", soft_wrap=True)


def _attributes(attributes: dict[str, Any]) -> str:
    if "width" in attributes:
        return f"{attributes['width']} x {attributes['height']} px"
    if "rows" in attributes:
        count = attributes["rows"]
        return f"{count:,} row" if count == 1 else f"{count:,} rows"
    return ""


def _size(count: int) -> str:
    return f"{count:,} B" if count < 10_000 else f"{count / 1000:,.0f} kB"


def _checked(files: Sequence[str]) -> list[Path]:
    paths = [Path(file) for file in files]
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise DemoError(f"no such file: {', '.join(missing)} (FILES is relative to the project)")
    return paths


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m scripts.local_cloud.demo", description=__doc__)
    parser.add_argument("command", choices=["up", "run", "down"])
    parser.add_argument("files", nargs="*", help="files to upload (default: samples)")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 0))
    options = parser.parse_args(arguments)
    console = Console(highlight=False)
    try:
        if options.command == "down":
            local_cloud.stop()
            shutil.rmtree(RESULTS, ignore_errors=True)
            console.print("The local cloud is stopped, and all that it held is gone.")
            return 0
        files = _checked(options.files) or samples.write(RESULTS / "inputs")
        deployment = deploy(console, options.port)
        complete = options.command == "up" or run(console, deployment, files, RESULTS)
    except (
        DemoError,
        PackagingError,
        local_cloud.CloudError,
        terraform.TerraformError,
        ApiError,
        httpx.HTTPError,
    ) as error:
        console.print(f"[red]error:[/] {escape(str(error))}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; the same command continues from here, `make down` removes all.")
        return 130
    explain(console, deployment, RESULTS)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
