"""One deployment on the emulator for all tests of the API, with every route enabled.

It is made from a copy of the tree: files of its own give it the settings and the second API that
these tests need.
"""

from __future__ import annotations

import contextlib
import http.server
import shutil
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, override

import pytest
import requests

from scripts import ROOT, local_cloud, terraform
from scripts.packaging.project import host_architecture
from tests.plan import harness
from tests.support import root_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OVERRIDE = """
module "stack" {
  cors_allowed_origins = ["ORIGIN", "https://second.example"]
  max_upload_bytes     = LARGEST
  events_enabled       = true
  event_targets = {
    crm = {
      url            = "https://crm.example.com/uploads"
      connection_arn = "CONNECTION"
      kinds          = [".tsv"] # which no other test uploads: the address leads nowhere
    }
    tables = { queue_arn = aws_sqs_queue.results["tables"].arn, kinds = [".csv"] }
    closed = { queue_arn = aws_sqs_queue.results["closed"].arn, states = ["rejected"] }
    news   = { topic_arn = aws_sns_topic.news.arn }
  }
  api_handler          = { environment = { FORM_MAX_BYTES = "FORM_BYTES" } }
  api = { deletion_enabled = true, multipart_enabled = true, reprocessing_enabled = true }
}
"""
_EVENTS = """
# Receivers of the events, as a team makes them beside the stack; the queue "closed" lets nobody in.
resource "aws_sqs_queue" "results" {
  for_each = toset(["tables", "closed", "news"])
  name     = "results-${each.key}"
}

resource "aws_sns_topic" "news" {
  name = "results-news"
}

resource "aws_sns_topic_subscription" "news" {
  topic_arn            = aws_sns_topic.news.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.results["news"].arn
  raw_message_delivery = true
}

data "aws_iam_policy_document" "allowed" {
  for_each = {
    tables = { by = "events", from = module.stack.event_targets["tables"].rule_arn }
    news   = { by = "sns", from = aws_sns_topic.news.arn }
  }

  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.results[each.key].arn]
    principals {
      type        = "Service"
      identifiers = ["${each.value.by}.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [each.value.from]
    }
  }
}

resource "aws_sqs_queue_policy" "allowed" {
  for_each  = data.aws_iam_policy_document.allowed
  queue_url = aws_sqs_queue.results[each.key].url
  policy    = each.value.json
}

resource "aws_sns_topic_policy" "news" {
  arn = aws_sns_topic.news.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.news.arn
      Condition = { ArnEquals = { "aws:SourceArn" = module.stack.event_targets["news"].rule_arn } }
    }]
  })
}

output "queue_urls" {
  value = { for name, q in aws_sqs_queue.results : name => q.url }
}
"""
_SIGNED = """
# The same function behind an API whose callers sign their requests.
module "signed" {
  source = "../../modules/rest_api"

  name = "signed"
  routes = {
    for name, route in {
      create_file = { method = "POST", path = "/files" }
      read_file   = { method = "GET", path = "/files/{key+}" }
      } : name => merge(route, {
        function = {
          name       = module.stack.functions["api_handler"].function_name
          invoke_arn = join("/", [
            "arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions",
            module.stack.api_handler_arn,
            "invocations",
          ])
        }
    })
  }
}

output "signed_api_id" {
  value = module.signed.id
}
"""
_OWNED = """
# A second environment, whose files have owners: users of a pool.
resource "aws_cognito_user_pool" "pool" {
  for_each = toset(["people", "strangers"])
  name     = each.key
}

locals {
  people = aws_cognito_user_pool.pool["people"].arn
}

module "owned" {
  source = "../../modules/serverless_stack"

  suffix        = "owned"
  architecture  = var.architecture
  force_destroy = true
  alarms        = { enabled = false, unattended = true }
  api = {
    authorization        = "people"
    authorizers          = { people = { user_pool_arns = [local.people] } }
    owners = {
      claim     = "sub"
      admins    = { "cognito:groups" = ["admins"] }
      max_files = 99
      max_bytes = 9999
    }
    deduplication_enabled = true
    deletion_enabled      = true
    multipart_enabled     = true
    reprocessing_enabled  = true
    tag_names             = ["team"]
  }
}

output "owned" {
  value = {
    api_id = module.owned.api_id
    bucket = module.owned.s3_bucket_name
    pools  = { for name, pool in aws_cognito_user_pool.pool : name => pool.id }
  }
}
"""
MEBIBYTE = 1024 * 1024
WEBHOOK_KEY = "of-the-webhook"
FORM_BYTES, LARGEST = 4 * MEBIBYTE, 24 * MEBIBYTE


@dataclass(frozen=True)
class Deployment:
    """What a test needs to know: API, bucket, the page and its origin, Terraform's folder."""

    api: str
    signed_api: str
    bucket: str
    origin: str
    foreign_origin: str
    cloud: local_cloud.Cloud
    folder: Path
    outputs: dict[str, Any]

    def aws(self, service: Any) -> Any:
        """Return a client of an emulated service, as the root user."""
        return root_user.client(self.cloud, service)

    def send(self, form: dict[str, Any], body: bytes, **fields: str) -> requests.Response:
        """Send a file with a form that `POST /files` gave; `fields` replace some of its own."""
        return requests.post(
            form["url"], data=form["fields"] | fields, files={"file": body}, timeout=30
        )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def _served(directory: Path) -> Iterator[str]:
    """Serve a folder; yields its origin."""
    handler = partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="session")
def deployment(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    tree = harness.copy_tree(tmp_path_factory.mktemp("api"))
    # A copy: zips that change between plan and apply fail the apply.
    shutil.copytree(packages, tree / "build")
    environment = tree / "envs" / "local"
    page = ROOT / "examples" / "browser-upload"
    with (
        _served(page) as origin,
        _served(page) as foreign_origin,
        local_cloud.running(tree / "cloud", repeat_events=True) as cloud,
    ):
        override = _OVERRIDE.replace("ORIGIN", origin).replace("LARGEST", str(LARGEST))
        override = override.replace('"FORM_BYTES"', f'"{FORM_BYTES}"')
        # Made outside of Terraform, whose state would hold the key.
        connection = root_user.client(cloud, "events").create_connection(
            Name="crm",
            AuthorizationType="API_KEY",
            AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "X-Api-Key", "ApiKeyValue": WEBHOOK_KEY}
            },
        )
        override = override.replace("CONNECTION", connection["ConnectionArn"])
        (environment / "api_override.tf").write_text(override)
        (environment / "events.tf").write_text(_EVENTS)
        (environment / "owned.tf").write_text(_OWNED)
        (environment / "signed.tf").write_text(_SIGNED.replace("REGION", local_cloud.REGION))
        stack = terraform.Terraform(
            environment, terraform.environment(cloud.client_environment()), tree / "terraform.log"
        )
        stack.init()
        stack.apply(f"-var=architecture={host_architecture()}")
        outputs = stack.outputs()
        yield Deployment(
            api=cloud.api_url(outputs["api_id"]),
            signed_api=cloud.api_url(outputs["signed_api_id"]),
            bucket=outputs["s3_bucket_name"],
            origin=origin,
            foreign_origin=foreign_origin,
            cloud=cloud,
            folder=environment,
            outputs=outputs,
        )
