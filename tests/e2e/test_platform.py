"""The platform as its users have it: applied by Terraform, used over HTTP, broken and destroyed."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import pytest
from PIL import Image

from scripts.local_cloud import samples
from tests.conftest import ARTIFACT_BUCKET, SUFFIX, Stack
from tests.support.environments import STATE_BUCKET
from uploads_client import ApiError


def outputs_of(stack: Stack, found: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Download the outputs of a file through the links of the API."""
    for output in found["result"]["outputs"]:
        stack.client.download(output["url"], folder / output["name"])
    return {output["name"]: folder / output["name"] for output in found["result"]["outputs"]}


def upload(stack: Stack, path: Path) -> dict[str, Any]:
    return stack.client.wait(stack.client.upload(path), seconds=180)


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_status_is_ok(stack: Stack) -> None:
    status = stack.client.status()
    assert status["status"] == "ok"
    assert status["environment"] == SUFFIX
    code = stack.aws("lambda").get_function(FunctionName=f"api-handler-{SUFFIX}")["Configuration"]
    assert status["version"] == code["CodeSha256"]
    assert status["checks"] == {"bucket": "ok"}


def test_the_api_answers_at_the_address_that_terraform_prints(stack: Stack, tmp_path: Path) -> None:
    """The emulator is connected to in place of that host, as by `curl --connect-to`."""
    address, here = httpx.URL(stack.outputs["api_gateway_url"]), httpx.URL(stack.cloud.aws.url)
    url = address.copy_with(scheme=here.scheme, host=here.host, port=here.port)
    table = tmp_path / "a b%20c.csv"
    table.write_text("a\n1\n")
    key = upload(stack, table)["key"]
    found = stack.http.get(f"{url}/files/{quote(key)}", headers={"Host": address.host})
    assert found.json()["key"] == key


def test_a_photo_becomes_upright_thumbnails_without_metadata(stack: Stack, tmp_path: Path) -> None:
    photo = samples.write(tmp_path)[0]
    with Image.open(photo) as original:
        width, height = original.size
        assert original.getexif()[0x0112] == 6
    found = upload(stack, photo)
    assert found["state"] == "succeeded"
    outputs = outputs_of(stack, found, tmp_path / "out")
    assert set(outputs) == {"thumbnail-160.webp", "thumbnail-640.webp", "thumbnail-1600.webp"}
    for name, path in outputs.items():
        with Image.open(path) as thumbnail:
            limit = min(int(name.removeprefix("thumbnail-").removesuffix(".webp")), width)
            assert thumbnail.format == "WEBP"
            assert thumbnail.size == (round(limit * height / width), limit)
            assert not thumbnail.getexif()


def test_a_drawing_keeps_its_transparency(stack: Stack, tmp_path: Path) -> None:
    found = upload(stack, samples.write(tmp_path)[1])
    assert found["state"] == "succeeded"
    for path in outputs_of(stack, found, tmp_path / "out").values():
        with Image.open(path) as thumbnail:
            assert thumbnail.mode == "RGBA"


@pytest.mark.parametrize(("index", "rows"), [(2, 1461), (3, 406)], ids=["csv", "json"])
def test_a_table_becomes_typed_parquet(stack: Stack, tmp_path: Path, index: int, rows: int) -> None:
    found = upload(stack, samples.write(tmp_path)[index])
    assert found["state"] == "succeeded"
    parquet = outputs_of(stack, found, tmp_path / "out")["table.parquet"]
    relation = duckdb.read_parquet(str(parquet))
    assert relation.count("*").fetchall() == [(rows,)]
    assert any(str(kind) in {"DOUBLE", "BIGINT"} for kind in relation.types)
    assert found["result"]["details"]["rows"] == rows


def test_an_uploader_says_how_a_table_is_read(stack: Stack, tmp_path: Path) -> None:
    table = tmp_path / "told.csv"
    table.write_text("zip;price\n12345;1,5\n23456;2,5\n")
    options = {"delimiter": ";", "decimal": ",", "columns": {"zip": "text"}}
    asked = {"name": table.name, "options": options}
    form = stack.client.http.post(f"{stack.client.url}/files", json=asked).json()
    stack.client.send(form, table)
    result = stack.client.wait(form["key"])["result"]
    assert result["details"]["options"] == options
    assert [column["type"] for column in result["details"]["profile"]] == ["VARCHAR", "DOUBLE"]
    # What was not signed is not taken.
    form["fields"]["x-amz-meta-options"] = "{}"
    with pytest.raises(ApiError, match="AccessDenied"):
        stack.client.send(form, table)


def test_json_lines_are_a_table_too(stack: Stack, tmp_path: Path) -> None:
    lines = tmp_path / "lines.json"
    lines.write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n')
    found = upload(stack, lines)
    assert found["state"] == "succeeded"
    assert found["result"]["details"]["rows"] == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.png", b"\x89PNG\r\n\x1a\nthis is no image"),
        ("text.jpg", b"hello"),
        ("broken.json", b'{"a": '),
    ],
)
def test_a_bad_file_is_rejected_with_a_reason_and_stays(
    stack: Stack, tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = upload(stack, path)
    assert found["state"] == "rejected"
    assert found["result"]["error"]["code"]
    assert found["result"]["error"]["message"].endswith(".")
    stack.client.download(found["url"], tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content


def test_files_are_listed(stack: Stack, tmp_path: Path) -> None:
    key = stack.client.upload(samples.write(tmp_path)[3])
    assert key in {file["key"] for file in stack.client.files()}


def test_a_poisoned_event_ends_in_the_queue_of_its_function(stack: Stack) -> None:
    sqs = stack.aws("sqs")
    queues: dict[str, str] = {n: f["queue_url"] for n, f in stack.outputs["functions"].items()}
    poison = {"no": "S3 event"}
    for function, queue in queues.items():
        stack.aws("lambda").invoke(
            FunctionName=stack.outputs["functions"][function]["function_name"],
            InvocationType="Event",
            Payload=json.dumps(poison | {"for": function}).encode(),
        )
        messages: list[dict[str, Any]] = []

        def received(queue: str = queue, messages: list[dict[str, Any]] = messages) -> bool:
            messages += sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
            return bool(messages)

        assert eventually(received), f"nothing in {queue}"
        events = [json.loads(message["Body"]) for message in messages]
        assert events == [poison | {"for": function}]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])


def test_a_failed_event_is_tried_three_times(stack: Stack) -> None:
    function = stack.outputs["functions"]["image_processor"]["function_name"]
    queue = stack.outputs["functions"]["image_processor"]["queue_url"]
    sqs, logs = stack.aws("sqs"), stack.aws("logs")

    def failures() -> int:
        group = stack.outputs["functions"]["image_processor"]["log_group"]
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        messages = [event["message"] for page in pages for event in page["events"]]
        return sum(m.startswith("uploads.events.MalformedEventError") for m in messages)

    before = failures()
    stack.aws("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
    messages: list[dict[str, Any]] = []

    def received() -> bool:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
        messages.extend(answer.get("Messages", []))
        return bool(messages)

    assert eventually(received)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=messages[0]["ReceiptHandle"])
    assert failures() - before == 3


def test_functions_start_no_function(stack: Stack) -> None:
    keys = list(all_keys(stack, stack.outputs["s3_bucket_name"]))
    assert {key.split("/")[0] for key in keys} == {"uploads", "processed"}
    assert not [key for key in keys if key.startswith("processed/processed")]
    uploads = [key for key in keys if key.startswith("uploads/")]
    results = [key for key in keys if key.endswith("/result.json")]
    assert len(results) <= len(uploads)


def test_the_log_is_json(stack: Stack) -> None:
    group = stack.outputs["functions"]["image_processor"]["log_group"]
    events = stack.aws("logs").filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(e["message"]) for e in events if '"outcome"' in e["message"]]
    assert lines
    assert {"key", "bucket", "outcome", "duration_ms", "correlation_id"} <= lines[0].keys()


def test_the_bucket_refuses_strangers(stack: Stack, tmp_path: Path) -> None:
    key = stack.client.upload(samples.write(tmp_path)[3])
    bucket = stack.outputs["s3_bucket_name"]
    assert httpx.get(f"{stack.cloud.aws.url}/{bucket}/{key}").status_code == 403


def test_a_second_plan_is_empty(stack: Stack) -> None:
    plan = stack.terraform.execute_command(
        "plan", "-input=false", "-no-color", "-detailed-exitcode"
    )
    assert plan.retcode == 0, plan.out


def test_the_state_is_in_its_bucket(stack: Stack) -> None:
    states = [f"serverless-uploads/{name}.tfstate" for name in ("e2e", "github")]
    assert list(all_keys(stack, STATE_BUCKET)) == states


@pytest.mark.destroys
def test_destroy_leaves_nothing(stack: Stack) -> None:
    stack.terraform.destroy()
    stack.workflow_roles.destroy()
    left = {
        "buckets": [b["Name"] for b in stack.aws("s3").list_buckets()["Buckets"]],
        "functions": stack.aws("lambda").list_functions()["Functions"],
        "queues": stack.aws("sqs").list_queues().get("QueueUrls", []),
        "roles": [
            r["RoleName"] for r in stack.aws("iam").list_roles()["Roles"] if SUFFIX in r["RoleName"]
        ],
        "log groups": [
            g["logGroupName"]
            for g in stack.aws("logs").describe_log_groups()["logGroups"]
            if SUFFIX in g["logGroupName"]
        ],
        "APIs": stack.aws("apigateway").get_rest_apis()["items"],
        "alarms": stack.aws("cloudwatch").describe_alarms()["MetricAlarms"],
        "dashboards": stack.aws("cloudwatch").list_dashboards()["DashboardEntries"],
    }
    assert left == {kind: [] for kind in left} | {"buckets": [ARTIFACT_BUCKET, STATE_BUCKET]}


def all_keys(stack: Stack, bucket: str) -> Iterator[str]:
    for page in stack.aws("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (entry["Key"] for entry in page.get("Contents", []))
