from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource

import api_handler
from tests.unit.api_handler.support import KEY, RECORD, Aws, Client, result

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

DOCUMENT = yaml.safe_load((Path(api_handler.__file__).parent / "openapi.yaml").read_text())
BASE = "urn:openapi"
REGISTRY: Any = Registry().with_resource(
    BASE,
    Resource.from_contents(DOCUMENT | {"$schema": "https://json-schema.org/draft/2020-12/schema"}),
)


def conforms(answer: SimpleNamespace, path: str, method: str) -> None:
    described = DOCUMENT["paths"][path][method]["responses"][str(answer.status)]
    if "$ref" in described:
        described = DOCUMENT["components"]["responses"][described["$ref"].rpartition("/")[2]]
    if "content" not in described:
        assert answer.body == ""
        return
    schema = described["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = {"$ref": BASE + schema["$ref"]}
    Draft202012Validator(schema, registry=REGISTRY).validate(answer.json)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]


@pytest.mark.parametrize(
    ("path", "method", "operation"), operations(), ids=lambda value: str(value)[:40]
)
def test_examples_fit_their_schemas(path: str, method: str, operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    answers = [answer for answer in operation["responses"].values() if "content" in answer]
    checked = 0
    for body in bodies + answers:
        media = body["content"]["application/json"]
        if "example" in media:
            schema = media["schema"]
            schema = (
                {"$ref": BASE + schema["$ref"]}
                if "$ref" in schema
                else {**schema, "properties": {"key": {"type": "string"}}}
            )
            Draft202012Validator(schema, registry=REGISTRY).validate(media["example"])
            checked += 1
    assert checked or method == "delete", f"{method} {path} has no example"


def test_every_route_is_described_and_nothing_else(make_client: Callable[..., Client]) -> None:
    client = make_client(enable_delete=True, enable_reprocess=True, enable_multipart=True)
    described = {
        (
            method.upper(),
            path.removesuffix("/reprocess").replace("{key}", "{key+}"),
        )
        for path, method, _ in operations()
    }
    assert described == client.routes


def test_answers_are_as_described(aws: Aws, make_client: Callable[..., Client]) -> None:
    client = make_client(enable_delete=True, enable_reprocess=True, enable_multipart=True)
    conforms(client.send("POST", "/files", body='{"name": "a.jpg"}'), "/files", "post")
    conforms(client.send("POST", "/files", body="{}"), "/files", "post")
    conforms(client.send("POST", "/files", body='{"name": "a.exe"}'), "/files", "post")
    for kind in (result(), result("rejected"), None):
        aws.has()
        if kind:
            aws.has_result(kind)
        else:
            aws.has_no_result()
        conforms(client.send("GET", "/files/{key+}", key=KEY), "/files/{key}", "get")
    aws.refuses("head_object", "404", 404)
    conforms(client.send("GET", "/files/{key+}", key=KEY), "/files/{key}", "get")
    aws.answers("list_objects_v2", {"IsTruncated": False}, Prefix="uploads/", MaxKeys=100)
    conforms(client.send("GET", "/files"), "/files", "get")
    aws.refuses("list_objects_v2", "AccessDenied", 403)
    conforms(client.send("GET", "/status"), "/status", "get")
    aws.has()
    aws.answers("delete_object", {}, Key=KEY)
    aws.answers(
        "list_objects_v2", {"IsTruncated": False}, Prefix=RECORD.removesuffix("result.json")
    )
    conforms(client.send("DELETE", "/files/{key+}", key=KEY), "/files/{key}", "delete")
