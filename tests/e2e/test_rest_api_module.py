"""The REST API module alone, applied to the emulator and called over HTTP."""

import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from scripts import ROOT, local_cloud
from scripts.terraform import Terraform, environment

_ORIGIN = "https://app.example.com"
_HANDLER = """
def handler(event, context):
    return {"statusCode": 200, "body": event["httpMethod"] + " " + event["resource"]}
"""
_ROOT = """
variable "api" {
  type = any
}

resource "aws_iam_role" "echo" {
  name = "echo"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_lambda_function" "echo" {
  function_name = "echo"
  role          = aws_iam_role.echo.arn
  runtime       = "python3.12"
  handler       = "index.handler"
  filename      = "echo.zip"
}

module "api" {
  source = "MODULE"

  name = "echo"
  cors = { allow_origins = ["ORIGIN"] }
  tags = var.api.tags
  routes = {
    for name, route in var.api.routes : name => merge(route, {
      function = {
        name       = aws_lambda_function.echo.function_name
        invoke_arn = aws_lambda_function.echo.invoke_arn
      }
    })
  }
}

output "api" {
  value = { id = module.api.id, deployment_id = module.api.deployment_id }
}
"""
_ROUTES: dict[str, Any] = {
    "show": {"method": "GET", "path": "/items/{key+}", "authorization": "NONE"},
    "create": {
        "method": "POST",
        "path": "/items",
        "authorization": "NONE",
        "request": {"schema": json.dumps({"type": "object", "required": ["name"]})},
    },
    "signed": {"method": "GET", "path": "/signed"},
}

# The emulator can lose one of two permissions of a function that are added at the same moment.
ONE_AT_A_TIME = ("-parallelism=1",)


class Api:
    """The applied module: change it, plan it, call it."""

    def __init__(self, terraform: Terraform, address: str) -> None:
        self._terraform = terraform
        self._address = address

    def apply(self, *, tags: dict[str, str], routes: dict[str, Any]) -> str:
        """Apply and return the id of the deployment that is served."""
        variables = self._terraform.directory / "terraform.tfvars.json"
        variables.write_text(json.dumps({"api": {"tags": tags, "routes": routes}}))
        self._terraform.apply(*ONE_AT_A_TIME)
        return str(self._terraform.outputs()["api"]["deployment_id"])

    def has_changes(self) -> bool:
        return self._terraform.has_changes()

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        identifier = self._terraform.outputs()["api"]["id"]
        url = f"{self._address}/restapis/{identifier}/prod/_user_request_{path}"
        return httpx.request(method, url, headers={"Origin": _ORIGIN}, timeout=60, **arguments)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    root = tmp_path_factory.mktemp("rest_api")
    text = _ROOT.replace("MODULE", str(ROOT / "modules/rest_api")).replace("ORIGIN", _ORIGIN)
    (root / "main.tf").write_text(text.replace('"echo.zip"', json.dumps(str(root / "echo.zip"))))
    with zipfile.ZipFile(root / "echo.zip", "w") as package:
        package.writestr("index.py", _HANDLER)
    for name in ("versions.tf", ".terraform.lock.hcl"):
        (root / name).write_text((ROOT / "envs/state" / name).read_text())
    with local_cloud.running(tmp_path_factory.mktemp("rest_api_cloud")) as cloud:
        env = environment(cloud.client_environment(os.environ))
        terraform = Terraform(root, env, root / "terraform.log")
        terraform.init()
        applied = Api(terraform, cloud.aws.url)
        try:
            applied.apply(tags={}, routes=_ROUTES)
            yield applied
        finally:
            terraform.destroy()


def test_second_plan_is_empty(api: Api) -> None:
    assert not api.has_changes()


def test_routes_reach_the_function(api: Api) -> None:
    assert api.call("GET", "/items/a/b").text == "GET /items/{key+}"
    assert api.call("POST", "/items", json={"name": "x"}).text == "POST /items"


def test_preflight_names_the_origin_and_the_methods(api: Api) -> None:
    headers = api.call("OPTIONS", "/items").headers
    assert headers["Access-Control-Allow-Origin"] == _ORIGIN
    assert headers["Access-Control-Allow-Methods"] == "POST"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/items", 400, "BAD_REQUEST_BODY"),
        ("GET", "/signed", 403, "MISSING_AUTHENTICATION_TOKEN"),
        ("GET", "/nowhere", 403, "MISSING_AUTHENTICATION_TOKEN"),
    ],
)
def test_errors_of_the_gateway_look_like_ours(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    response = api.call(method, path, content="{}")
    assert response.status_code == status
    assert response.headers["Access-Control-Allow-Origin"] == _ORIGIN
    body = response.json()
    assert body.keys() == {"error", "request_id"}
    assert body["error"]["code"] == code


def test_redeploys_only_when_something_served_changes(api: Api) -> None:
    first = api.apply(tags={}, routes=_ROUTES)
    assert api.apply(tags={"Team": "shop"}, routes=_ROUTES) == first
    fewer = {name: route for name, route in _ROUTES.items() if name != "create"}
    assert api.apply(tags={"Team": "shop"}, routes=fewer) != first
    assert api.call("POST", "/items", json={"name": "x"}).status_code == 403
