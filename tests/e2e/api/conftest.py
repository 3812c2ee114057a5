"""One deployment on the emulator for all tests of the API, with every route enabled.

It is made from a copy of the tree: an override file gives it the settings that these tests need.
"""

from __future__ import annotations

import http.server
import shutil
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, override

import boto3
import pytest
import requests

from scripts import ROOT, local_cloud, terraform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from types_boto3_s3.client import S3Client

_OVERRIDE = """
module "stack" {{
  cors_allowed_origins = ["{origin}", "https://second.example"]
  max_upload_bytes     = {max_bytes}
  api                  = {{ deletion_enabled = true, reprocessing_enabled = true }}
}}
"""
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Deployment:
    """What a test needs to know: the API, the bucket, the page and its origin."""

    api: str
    bucket: str
    origin: str
    foreign_origin: str
    cloud: local_cloud.Cloud
    outputs: dict[str, Any]

    def s3(self) -> S3Client:
        return boto3.client(
            "s3",
            endpoint_url=self.cloud.aws.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - the emulator's own
        )

    def send(self, form: dict[str, Any], body: bytes, **fields: str) -> requests.Response:
        """Send a file with a form that `POST /files` gave; `fields` replace some of its own."""
        return requests.post(
            form["url"], data=form["fields"] | fields, files={"file": body}, timeout=30
        )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _serve(directory: Path) -> http.server.ThreadingHTTPServer:
    handler = partial(_Quiet, directory=str(directory))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    missing = [
        name
        for name in ("api_handler", "data_transformer", "image_processor")
        if not (ROOT / "build" / f"{name}-x86_64.zip").is_file()
    ]
    assert not missing, f"no zip of {', '.join(missing)}: run `make package`"
    page = ROOT / "examples" / "browser-upload"
    servers = [_serve(page), _serve(page)]
    own, foreign = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)

    tree = tmp_path_factory.mktemp("api")
    for part in ("modules", "envs"):
        shutil.copytree(
            ROOT / part,
            tree / part,
            ignore=shutil.ignore_patterns(".terraform", "*.tfstate*", "*override.tf"),
        )
    # A copy: zips that change between plan and apply fail the apply.
    shutil.copytree(ROOT / "build", tree / "build")
    environment = tree / "envs" / "local"
    (environment / "api_override.tf").write_text(_OVERRIDE.format(origin=own, max_bytes=MAX_BYTES))
    with local_cloud.running(tree / "cloud") as cloud:
        stack = terraform.Terraform(
            environment, terraform.environment(cloud.client_environment()), tree / "terraform.log"
        )
        stack.init()
        stack.apply()
        outputs = stack.outputs()
        try:
            yield Deployment(
                api=_reachable(outputs["api_gateway_url"], outputs, cloud),
                bucket=outputs["s3_bucket_name"],
                origin=own,
                foreign_origin=foreign,
                cloud=cloud,
                outputs=outputs,
            )
        finally:
            for server in servers:
                server.shutdown()
                server.server_close()


def _reachable(url: str, outputs: dict[str, Any], cloud: local_cloud.Cloud) -> str:
    """Return the address at which the emulator serves what has an AWS host name in Terraform."""
    if "amazonaws.com" not in url:
        return url
    return f"{cloud.aws.url}/restapis/{outputs['api_id']}/prod/_user_request_"
