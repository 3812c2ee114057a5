"""The published document against the running API, and the rules of uploads against the storage."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance, unsupported_method

from scripts import ROOT
from tests.e2e.api.conftest import FORM_BYTES, Deployment
from tests.support.waiting import eventually

DOCUMENT = yaml.safe_load((ROOT / "functions/api_handler/openapi.yaml").read_text())


def call(deployment: Deployment, method: str, path: str, **options: Any) -> requests.Response:
    """Send a request, again when the service is busy: few functions run at once on the emulator."""
    for wait in (0.5, 1, 2, 4, 8):
        answer = requests.request(method, deployment.api + path, timeout=40, **options)
        if answer.status_code != 429:
            break
        time.sleep(wait)
    return answer


def ask(deployment: Deployment, name: str) -> dict[str, Any]:
    answer = call(deployment, "POST", "/files", json={"name": name})
    assert answer.status_code == 201, answer.text
    form: dict[str, Any] = answer.json()
    return form


def described(deployment: Deployment, key: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = call(deployment, "GET", f"/files/{quote(key)}")
        assert answer.status_code == 200, answer.text
        file: dict[str, Any] = answer.json()
        if file["state"] != "pending":
            return file
        time.sleep(0.2)
    pytest.fail(f"{key} is still pending after 60 s")


contract = schemathesis.openapi.from_dict(DOCUMENT)
# A name outside ASCII is a matter of bytes and normal forms, which a schema cannot count or bring
# about; unit tests do.
contract.config.generation.update(codec="ascii")

# Each request starts a function in a process of the emulator; a few of each kind find what
# hundreds would, because names and keys have unit tests of their own.
FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def excluded_checks(case: Any) -> list[Any]:
    """Return what a request cannot be held against.

    A schema cannot say which extensions a deployment accepts, nor which content type goes with
    which of them, nor what goes with the word `batch`; and a cursor is good only as it was given,
    which the test of the links sees. To the gateway, `/files/{key}/reprocess` is a key that ends
    so: other methods than POST ask for it.
    """
    asks = case.operation.label == "POST /files" or case.operation.path.startswith("/s3/")
    beyond_schemas = asks or "cursor" in (case.query or {})
    part_of_a_key = case.operation.path.endswith("/reprocess")
    return [positive_data_acceptance] * beyond_schemas + [unsupported_method] * part_of_a_key


@contract.parametrize()
@FEW
def test_the_api_is_as_published(case: Any, deployment: Deployment) -> None:
    case.call_and_validate(
        excluded_checks=excluded_checks(case),
        base_url=deployment.api,
        headers={"Origin": deployment.origin},
        timeout=40,
    )


def test_what_an_answer_leads_to_is_there(deployment: Deployment) -> None:
    machine: Any = contract.as_state_machine()

    class Client(machine):  # type: ignore[misc]  # its base is made at run time, from the document
        """Follows the document's links, and uploads a file wherever it is given a form."""

        def before_call(self, case: Any) -> None:
            super().before_call(case)
            if case.operation.label == "POST /files" and case.meta.generation.mode.is_positive:
                case.body = {"name": "table.csv"}

        def get_call_kwargs(self, _: Any) -> dict[str, Any]:
            return {"base_url": deployment.api, "timeout": 40}

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            if case.operation.label == "POST /files" and response.status_code == 201:
                form = response.json()
                assert deployment.send(form, b"a\n1\n").status_code == 204
                uploaded.append(form["key"])

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            case.validate_response(
                response,
                excluded_checks=excluded_checks(case),
                recorder=self.recorder,
                transport_kwargs=options,
            )

    uploaded: list[str] = []
    Client.run(settings=settings(FEW, max_examples=6, stateful_step_count=6))
    assert uploaded


@pytest.mark.parametrize(
    "name", ["a b.csv", "a+b.csv", "100%.csv", "%41.csv", "caf\u00e9 \u6d77.csv", "a&b=c;d.csv"]
)
def test_a_key_round_trips_from_upload_to_list_to_result(deployment: Deployment, name: str) -> None:
    form = ask(deployment, name)
    assert deployment.send(form, b"a,b\n1,2\n").status_code == 204
    listed = call(deployment, "GET", "/files", params={"prefix": form["key"]}).json()["files"]
    assert [file["key"] for file in listed] == [form["key"]]
    file = described(deployment, listed[0]["key"])
    assert (file["key"], file["state"]) == (form["key"], "succeeded")
    assert requests.get(file["url"], timeout=30).content == b"a,b\n1,2\n"
    for output in file["result"]["outputs"]:
        assert len(requests.get(output["url"], timeout=30).content) == output["bytes"]


def test_a_form_is_good_for_what_it_was_made_for_and_nothing_else(deployment: Deployment) -> None:
    form = ask(deployment, "a.csv")
    body = b"a\n1\n"
    other = form["key"].replace("a.csv", "b.csv")
    assert deployment.send(form, body, key=other).status_code == 403
    assert deployment.send(form, body, key="processed/x/result.json").status_code == 403
    assert deployment.send(form, body, **{"Content-Type": "text/html"}).status_code == 403
    assert deployment.send(form, body, **{"x-amz-meta-a": "b"}).status_code == 403
    assert deployment.send(form, b"x" * (FORM_BYTES + 1)).status_code == 400
    assert deployment.send(form, b"").status_code == 400
    assert deployment.send(form, body, policy="e30=").status_code == 403
    assert call(deployment, "GET", f"/files/{quote(form['key'])}").status_code == 404
    assert deployment.send(form, body).status_code == 204


def test_a_form_that_has_expired_is_refused(deployment: Deployment) -> None:
    functions = deployment.aws("lambda")
    name = deployment.outputs["functions"]["api_handler"]["function_name"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    short = variables | {"UPLOAD_URL_TTL_SECONDS": "1"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": short})
    try:
        form = ask(deployment, "a.csv")
        expiry = datetime.fromisoformat(form["expires_at"]) + timedelta(seconds=1)
        time.sleep(max(0, (expiry - datetime.now(UTC)).total_seconds()))
        answer = deployment.send(form, b"a\n1\n")
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
    assert (answer.status_code, "Policy expired" in answer.text) == (403, True)


def test_a_listing_pages_through_every_file_while_others_come(deployment: Deployment) -> None:
    first = [ask(deployment, f"{n}.csv") for n in range(5)]
    for form in first:
        assert deployment.send(form, b"a\n1\n").status_code == 204
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = call(deployment, "GET", "/files", params=params).json()
        seen += [file["key"] for file in page["files"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) <= 4:
            deployment.send(ask(deployment, "late.csv"), b"a\n1\n")
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    assert {form["key"] for form in first} <= set(seen)


def test_a_rejected_file_is_explained(deployment: Deployment) -> None:
    form = ask(deployment, "broken.png")
    assert deployment.send(form, b"this is no picture").status_code == 204
    file = described(deployment, form["key"])
    assert file["state"] == "rejected"
    assert file["result"]["error"]["message"].endswith(".")


def test_a_deleted_file_is_gone_with_all_that_was_made_of_it(deployment: Deployment) -> None:
    form = ask(deployment, "a.csv")
    deployment.send(form, b"a\n1\n")
    described(deployment, form["key"])
    path = f"/files/{quote(form['key'])}"
    assert call(deployment, "DELETE", path).status_code == 204
    assert call(deployment, "GET", path).status_code == 404
    # A repeated event may make outputs once more, and removes them again.
    eventually(lambda: call(deployment, "DELETE", path).status_code == 404)
    folder = form["key"].replace("uploads/", "processed/", 1)
    s3 = deployment.aws("s3")
    assert s3.list_objects_v2(Bucket=deployment.bucket, Prefix=folder)["KeyCount"] == 0
    kept = s3.list_object_versions(Bucket=deployment.bucket, Prefix=form["key"])
    assert [marker["IsLatest"] for marker in kept["DeleteMarkers"]] == [True]
    assert len(kept["Versions"]) == 1


def test_a_file_can_be_processed_again(deployment: Deployment) -> None:
    form = ask(deployment, "a.csv")
    deployment.send(form, b"a\n1\n")
    described(deployment, form["key"])
    s3 = deployment.aws("s3")
    record = form["key"].replace("uploads/", "processed/", 1) + "/result.json"
    s3.delete_object(Bucket=deployment.bucket, Key=record)
    answer = call(deployment, "POST", f"/files/{quote(form['key'])}/reprocess")
    assert (answer.status_code, answer.json()) == (202, {"key": form["key"]})
    assert described(deployment, form["key"])["state"] == "succeeded"


def test_one_search_finds_the_life_of_a_file(deployment: Deployment) -> None:
    form = ask(deployment, "no picture at all.png")
    deployment.send(form, b"this is no picture")
    described(deployment, form["key"])
    call(deployment, "DELETE", f"/files/{quote(form['key'])}")
    call(deployment, "GET", f"/files/{quote(form['key'])}")
    lines = [line for line in logged(deployment) if line.get("correlation_id") == form["key"]]
    requests_made = [line for line in lines if line["service"] == "api-handler"]
    assert [line["status"] for line in requests_made if "POST" in line["route"]] == [201]
    assert [line["status"] for line in requests_made][-2:] == [204, 404]
    for line in requests_made:
        assert line["request_id"]
        assert line["function_request_id"]
        assert line["duration_ms"] >= 0
    processed = [line for line in lines if line["service"] == "image-processor"]
    assert [line["level"] for line in processed if line["outcome"] == "rejected"] == ["INFO"]
    # The event may come twice.
    assert {line["outcome"] for line in processed} <= {"rejected", "duplicate", "deleted"}


def test_uploads_are_counted(deployment: Deployment) -> None:
    for name, content in (("a.csv", b"a\n1\n"), ("a.png", b"this is no picture")):
        form = ask(deployment, name)
        deployment.send(form, content)
        described(deployment, form["key"])
    counted = {
        metric["Name"]
        for line in logged(deployment)
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
        for metric in directive["Metrics"]
        if directive["Namespace"] == "ServerlessUploads"
    }
    assert counted >= {"UploadsAsked", "UploadsSucceeded", "UploadsRejected"}


def logged(deployment: Deployment) -> list[dict[str, Any]]:
    """Return the JSON lines of all functions, each function's in their order."""
    pages = deployment.aws("logs").get_paginator("filter_log_events")
    messages = [
        event["message"]
        for group in (f["log_group"] for f in deployment.outputs["functions"].values())
        for page in pages.paginate(logGroupName=group)
        for event in page["events"]
    ]
    return [json.loads(message) for message in messages if message.startswith("{")]


def test_no_error_names_what_is_behind_the_api(deployment: Deployment) -> None:
    for path in ("/files/x", "/files/uploads/1/none.csv", "/files?cursor=x", "/nowhere"):
        answer = call(deployment, "GET", path)
        assert 400 <= answer.status_code < 500
        assert deployment.bucket not in answer.text
        assert "arn:" not in answer.text
        assert set(answer.json()) == {"error", "request_id"}


def test_a_probe_is_answered_often(deployment: Deployment) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: call(deployment, "GET", "/status"), range(20)))
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("path", ["/files", "/files/uploads/1/a.csv", "/status"])
def test_a_preflight_names_the_origin_that_asks_and_is_kept(
    deployment: Deployment, path: str
) -> None:
    headers = {"Origin": deployment.origin, "Access-Control-Request-Method": "GET"}
    answer = call(deployment, "OPTIONS", path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == deployment.origin
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
