"""The REST API module alone, applied to the emulator and called over HTTP."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from botocore.credentials import Credentials

from scripts import ROOT, local_cloud
from scripts.terraform import Terraform, environment
from tests.support import root_user
from tests.support.cognito import id_token
from uploads_client import Signature

_ORIGIN = "https://app.example.com"
_HANDLER = """
def handler(event, context):
    return {"statusCode": 200, "body": event["httpMethod"] + " " + event["resource"]}

def authorize(event, context):
    sent = {name.lower(): value for name, value in event["headers"].items()}
    effect = "Allow" if sent["authorization"] == "open sesame" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "caller", "policyDocument": policy}
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

resource "aws_lambda_function" "guard" {
  function_name = "guard"
  role          = aws_iam_role.echo.arn
  runtime       = "python3.12"
  handler       = "index.authorize"
  filename      = "echo.zip"
}

resource "aws_cognito_user_pool" "members" {
  name = "members"
}

resource "aws_cognito_user_pool" "strangers" {
  name = "strangers"
}

module "api" {
  source = "MODULE"

  name = "echo"
  cors = { allow_origins = ["ORIGIN"] }
  tags = var.api.tags
  authorizers = {
    guard = {
      function = {
        name       = aws_lambda_function.guard.function_name
        invoke_arn = aws_lambda_function.guard.invoke_arn
      }
    }
    members = { user_pool_arns = [aws_cognito_user_pool.members.arn] }
  }
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
  value = {
    id            = module.api.id
    deployment_id = module.api.deployment_id
    execution_arn = module.api.execution_arn
    pools = {
      members   = aws_cognito_user_pool.members.id
      strangers = aws_cognito_user_pool.strangers.id
    }
  }
}
"""
_ROUTES: dict[str, Any] = {
    "show": {"method": "GET", "path": "/items/{key+}", "authorization": "NONE"},
    "create": {
        "method": "POST",
        "path": "/items",
        "authorization": "NONE",
        "schema": json.dumps({"type": "object", "required": ["name"]}),
    },
    # One path for all: each would have a preflight of its own.
    "signed": {"method": "GET", "path": "/private"},
    "guarded": {"method": "PUT", "path": "/private", "authorization": "guard"},
    "personal": {"method": "DELETE", "path": "/private", "authorization": "members"},
}

# The emulator can lose one of two permissions of a function that are added at the same moment.
ONE_AT_A_TIME = ("-parallelism=1",)


class Api:
    """The applied module: change it, plan it, call it."""

    def __init__(self, terraform: Terraform, address: str) -> None:
        self._terraform = terraform
        self._address = address
        self.outputs: dict[str, Any] = {}

    def apply(self, *, tags: dict[str, str], routes: dict[str, Any]) -> str:
        """Apply and return the id of the deployment that is served."""
        variables = self._terraform.directory / "terraform.tfvars.json"
        variables.write_text(json.dumps({"api": {"tags": tags, "routes": routes}}))
        self._terraform.apply(*ONE_AT_A_TIME)
        self.outputs = self._terraform.outputs()["api"]
        return str(self.outputs["deployment_id"])

    def has_changes(self) -> bool:
        return self._terraform.has_changes()

    def url(self, path: str) -> str:
        return f"{self._address}/restapis/{self.outputs['id']}/prod/_user_request_{path}"

    def call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **arguments: Any
    ) -> httpx.Response:
        sent = {"Origin": _ORIGIN, **(headers or {})}
        return httpx.request(method, self.url(path), headers=sent, timeout=60, **arguments)

    def aws(self, service: Any) -> Any:
        """Return a client of an emulated service, as the root user."""
        return root_user.session().client(service, endpoint_url=self._address)

    def signed(self, path: str, credentials: Credentials) -> httpx.Response:
        signature = Signature(self.url(""), credentials, local_cloud.REGION)
        return self.call("GET", path, auth=signature)

    def user(self, name: str, path: str) -> Credentials:
        """Return the keys of a new IAM user who may call one path."""
        iam = self.aws("iam")
        iam.create_user(UserName=name)
        statement = {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": f"{self.outputs['execution_arn']}/prod/GET{path}",
        }
        iam.put_user_policy(
            UserName=name,
            PolicyName="call",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def token(self, pool: str) -> str:
        """Return the ID token of a new user of a Cognito user pool."""
        return id_token(self.aws("cognito-idp"), self.outputs["pools"][pool], "ada")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    root = tmp_path_factory.mktemp("rest_api")
    text = _ROOT.replace("MODULE", str(ROOT / "modules/rest_api")).replace("ORIGIN", _ORIGIN)
    (root / "main.tf").write_text(text.replace('"echo.zip"', json.dumps(str(root / "echo.zip"))))
    with zipfile.ZipFile(root / "echo.zip", "w") as package:
        package.writestr("index.py", _HANDLER)
    for name in ("versions.tf", ".terraform.lock.hcl"):
        (root / name).write_text((ROOT / "envs/account" / name).read_text())
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
        ("GET", "/private", 403, "MISSING_AUTHENTICATION_TOKEN"),
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


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/items", "OPTIONS, POST"),
        ("PUT", "/items/a/b", "GET, OPTIONS"),
        ("HEAD", "/items/a/b", "GET, OPTIONS"),
        # Whatever its routes ask of a caller.
        ("PATCH", "/private", "DELETE, GET, OPTIONS, PUT"),
    ],
)
def test_a_method_that_a_path_lacks_is_answered_without_a_function(
    api: Api, method: str, path: str, allowed: str
) -> None:
    response = api.call(method, path)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed
    assert response.headers["Access-Control-Allow-Origin"] == _ORIGIN


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data"])
def test_a_method_that_a_path_lacks_takes_no_body_for_its_own(api: Api, kind: str) -> None:
    sent = '{"statusCode": 200}'
    response = api.call("PUT", "/items", {"Content-Type": kind}, content=sent)
    assert response.status_code == 405
    body = response.json()
    assert body.keys() == {"error", "request_id"}
    assert body["error"] == {
        "code": "method_not_allowed",
        "message": "This address takes POST only.",
    }


def test_a_body_of_an_unusual_type_is_refused_where_a_path_lacks_the_method(api: Api) -> None:
    answer = api.call("PUT", "/items", {"Content-Type": "image/png"}, content=b"x")
    assert refused(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_signed_route_is_for_those_whom_iam_lets_in(api: Api) -> None:
    allowed, elsewhere = api.user("allowed", "/private"), api.user("elsewhere", "/items")
    forged = Credentials(allowed.access_key, "not the secret")
    assert refused(api.call("GET", "/private")) == (403, "MISSING_AUTHENTICATION_TOKEN")
    assert refused(api.signed("/private", forged)) == (403, "INVALID_SIGNATURE")
    # The emulator answers this one itself, not with the API's own response.
    assert api.signed("/private", elsewhere).status_code == 403
    assert api.signed("/private", allowed).text == "GET /private"


def test_a_function_decides(api: Api) -> None:
    assert refused(api.call("PUT", "/private")) == (401, "UNAUTHORIZED")
    wrong = {"Authorization": "open"}
    assert refused(api.call("PUT", "/private", wrong)) == (403, "ACCESS_DENIED")
    right = {"Authorization": "open sesame"}
    assert api.call("PUT", "/private", right).text == "PUT /private"


def test_the_users_of_a_pool_are_let_in(api: Api) -> None:
    own, foreign = (api.token(pool) for pool in ("members", "strangers"))
    signed, _, signature = own.rpartition(".")
    forged = f"{signed}.{signature[::-1]}"
    for wrong in ({}, {"Authorization": foreign}, {"Authorization": forged}):
        answer = api.call("DELETE", "/private", wrong)
        assert answer.status_code == 401, wrong
        assert refused(answer) == (401, "UNAUTHORIZED")
    assert api.call("DELETE", "/private", {"Authorization": own}).text == "DELETE /private"


def test_redeploys_only_when_something_served_changes(api: Api) -> None:
    first = api.outputs["deployment_id"]
    assert api.apply(tags={"Team": "shop"}, routes=_ROUTES) == first
    fewer = {name: route for name, route in _ROUTES.items() if name != "create"}
    assert api.apply(tags={"Team": "shop"}, routes=fewer) != first
    assert api.call("POST", "/items", json={"name": "x"}).status_code == 403
