from __future__ import annotations

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import pytest
from botocore.stub import ANY

from tests.unit.api_handler.support import KEY, RECORD, REQUEST_ID, Aws, Client, result, source

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

FILE = "/files/{key+}"
DERIVED = RECORD.removesuffix("result.json")


def error_of(answer: SimpleNamespace) -> tuple[int, str]:
    assert answer.json["request_id"] == REQUEST_ID
    assert answer.json["error"]["message"].endswith(".")
    return answer.status, answer.json["error"]["code"]


class TestStatus:
    def test_a_bucket_that_answers_is_well(self, aws: Aws, client: Client) -> None:
        aws.answers("list_objects_v2", {}, Prefix="uploads/", MaxKeys=1)
        answer = client.send("GET", "/status")
        assert answer.status == 200
        assert answer.json == {
            "status": "ok",
            "version": "unknown",
            "environment": "test",
            "accepts": [".csv", ".jpeg", ".jpg", ".json", ".png"],
            "checks": {"bucket": "ok"},
        }

    def test_the_bucket_is_not_asked_for_every_probe(
        self, aws: Aws, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        aws.answers("list_objects_v2", {}, Prefix="uploads/", MaxKeys=1)
        assert [client.send("GET", "/status").status for _ in range(3)] == [200, 200, 200]
        now += 5
        aws.refuses("list_objects_v2", "AccessDenied", 403)
        assert client.send("GET", "/status").status == 503

    def test_a_bucket_out_of_reach_is_reported_without_its_name(
        self, aws: Aws, client: Client
    ) -> None:
        aws.refuses("list_objects_v2", "NoSuchBucket", 404)
        answer = client.send("GET", "/status")
        assert answer.status == 503
        assert answer.json["checks"] == {"bucket": "unreachable"}
        assert "NoSuchBucket" not in answer.body
        assert "NoSuchBucket" in client.lines()[0]["exception"]


class TestCreate:
    def test_the_form_is_for_one_key_one_type_and_a_largest_size(
        self, make_client: Callable[..., Client]
    ) -> None:
        client = make_client(max_upload_bytes=1000, upload_url_ttl_seconds=60)
        answer = client.send("POST", "/files", body='{"name": "Beach.JPG"}')
        assert answer.status == 201
        made = answer.json
        assert re.fullmatch(
            r"uploads/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/Beach\.jpg",
            made["key"],
        )
        assert made["url"] == "https://bucket.s3.eu-west-1.amazonaws.com/"
        assert (made["content_type"], made["max_bytes"]) == ("image/jpeg", 1000)
        policy = json.loads(base64.b64decode(made["fields"]["policy"]))
        assert {"key": made["key"]} in policy["conditions"]
        assert {"Content-Type": "image/jpeg"} in policy["conditions"]
        assert {"bucket": "bucket"} in policy["conditions"]
        assert ["content-length-range", 1, 1000] in policy["conditions"]
        for moment in (policy["expiration"], made["expires_at"]):
            left = datetime.fromisoformat(moment) - datetime.now(UTC)
            assert timedelta(seconds=50) < left <= timedelta(seconds=61)

    def test_options_of_a_table_are_signed_into_the_form(
        self, make_client: Callable[..., Client]
    ) -> None:
        client = make_client(option_functions=("data-transformer-test",))
        body = '{"name": "a.csv", "options": {"delimiter": ";", "columns": {"ä": "text"}}}'
        made = client.send("POST", "/files", body=body).json
        signed = '{"delimiter":";","columns":{"\\u00e4":"text"}}'
        assert made["fields"]["x-amz-meta-options"] == signed
        policy = json.loads(base64.b64decode(made["fields"]["policy"]))
        assert {"x-amz-meta-options": signed} in policy["conditions"]

    @pytest.mark.parametrize(
        ("name", "options", "said"),
        [
            ("a.csv", {"separator": ";"}, "Unknown option 'separator'"),
            ("a.csv", [], "must be an object"),
            ("a.jpg", {"delimiter": ";"}, "A file .jpg takes no options"),
        ],
    )
    def test_options_that_are_none_are_refused(
        self, make_client: Callable[..., Client], name: str, options: object, said: str
    ) -> None:
        client = make_client(option_functions=("data-transformer-test",))
        body = json.dumps({"name": name, "options": options})
        answer = client.send("POST", "/files", body=body)
        assert error_of(answer) == (400, "invalid_options")
        assert said in answer.json["error"]["message"]

    def test_later_keys_sort_after_earlier_ones(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = []
        for milliseconds in (1_700_000_000_000, 1_700_000_000_001, 1_800_000_000_000):
            monkeypatch.setattr(time, "time_ns", lambda ms=milliseconds: ms * 1_000_000)
            keys.append(client.send("POST", "/files", body='{"name": "a.jpg"}').json["key"])
        assert keys == sorted(keys)

    def test_an_encoded_body_is_read(self, client: Client) -> None:
        body = base64.b64encode(b'{"name": "a.csv", "content_type": "text/csv"}').decode()
        assert client.send("POST", "/files", body=body, base64=True).status == 201

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            (None, 400, "invalid_json"),
            ("", 400, "invalid_json"),
            ("{", 400, "invalid_json"),
            ("[" * 100_000, 400, "invalid_json"),
            ("[]", 400, "invalid_body"),
            ("{}", 400, "invalid_body"),
            ('{"name": 1}', 400, "invalid_body"),
            ('{"name": "a.jpg", "content_type": null}', 400, "invalid_body"),
            ('{"name": "a.jpg", "folder": 1}', 400, "invalid_body"),
            ('{"name": "a/b.jpg"}', 400, "invalid_name"),
            ('{"name": "\\ud800.jpg"}', 400, "invalid_name"),
            ('{"name": "a.exe"}', 415, "unsupported_type"),
            ('{"name": "a.jpg", "content_type": "text/html"}', 415, "unsupported_type"),
        ],
    )
    def test_a_bad_body_is_refused(
        self, client: Client, body: str | None, status: int, code: str
    ) -> None:
        assert error_of(client.send("POST", "/files", body=body)) == (status, code)

    def test_a_bad_encoding_is_refused(self, client: Client) -> None:
        answer = client.send("POST", "/files", body="!", base64=True)
        assert error_of(answer) == (400, "invalid_json")


class TestList:
    ENTRY: ClassVar = {
        "Key": KEY,
        "Size": 5,
        "LastModified": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }

    def test_uploads_are_listed(self, aws: Aws, client: Client) -> None:
        page = {"Contents": [self.ENTRY], "IsTruncated": False}
        aws.answers("list_objects_v2", page, Prefix="uploads/", MaxKeys=100)
        answer = client.send("GET", "/files")
        assert answer.status == 200
        assert answer.json == {
            "files": [{"key": KEY, "size": 5, "last_modified": "2026-01-02T03:04:05Z"}],
            "next_cursor": None,
        }

    def test_the_folder_itself_is_no_upload(self, aws: Aws, client: Client) -> None:
        page = {"Contents": [self.ENTRY | {"Key": "uploads/"}], "IsTruncated": False}
        aws.answers("list_objects_v2", page, Prefix="uploads/", MaxKeys=100)
        assert client.send("GET", "/files").json["files"] == []

    def test_a_cursor_leads_to_what_follows_the_last_key(self, aws: Aws, client: Client) -> None:
        page = {"Contents": [self.ENTRY], "IsTruncated": True}
        aws.answers("list_objects_v2", page, Prefix="uploads/0", MaxKeys=1)
        query = {"prefix": "uploads/0", "limit": "1"}
        cursor = client.send("GET", "/files", query=query).json["next_cursor"]
        aws.answers(
            "list_objects_v2",
            {"IsTruncated": False},
            Prefix="uploads/0",
            MaxKeys=1,
            StartAfter=KEY,
        )
        answer = client.send("GET", "/files", query=query | {"cursor": cursor})
        assert answer.json == {"files": [], "next_cursor": None}

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({"limt": "1"}, "invalid_query"),
            ({"limit": "0"}, "invalid_limit"),
            ({"limit": "1001"}, "invalid_limit"),
            ({"limit": "-1"}, "invalid_limit"),
            ({"limit": ""}, "invalid_limit"),
            ({"limit": "\u0665"}, "invalid_limit"),
            ({"limit": "1e2"}, "invalid_limit"),
            ({"limit": "9" * 5000}, "invalid_limit"),
            ({"limit": "0" * 9 + "99999"}, "invalid_limit"),
            ({"prefix": ""}, "invalid_prefix"),
            ({"prefix": "processed/"}, "invalid_prefix"),
            ({"prefix": "uploads"}, "invalid_prefix"),
            ({"prefix": "uploads/\n"}, "invalid_prefix"),
            ({"prefix": "uploads/" + "x" * 1024}, "invalid_prefix"),
            ({"cursor": "x"}, "invalid_cursor"),
            ({"cursor": ""}, "invalid_cursor"),
        ],
    )
    def test_a_bad_query_is_refused(self, client: Client, query: dict[str, str], code: str) -> None:
        assert error_of(client.send("GET", "/files", query=query)) == (400, code)


class TestDescribe:
    def test_a_processed_upload_comes_with_links(self, aws: Aws, client: Client) -> None:
        aws.has()
        aws.has_result(result())
        answer = client.send("GET", FILE, key=quote(KEY))
        assert answer.status == 200
        file = answer.json
        host = "https://bucket.s3.eu-west-1.amazonaws.com/"
        assert file["url"].startswith(host + KEY)
        assert "filename%2A%3DUTF-8%27%27beach.jpg" in file["url"]
        assert "X-Amz-Expires=300" in file["url"]
        output = file["result"]["outputs"][0]
        assert output.pop("url").startswith(f"{host}{DERIVED}r1/thumbnail-160.webp?")
        assert output == {
            "name": "thumbnail-160.webp",
            "key": f"{DERIVED}r1/thumbnail-160.webp",
            "content_type": "image/webp",
            "bytes": 7,
            "attributes": {"width": 160, "height": 120},
        }
        expiry = datetime.fromisoformat(file["urls_expire_at"]) - datetime.now(UTC)
        assert timedelta(seconds=290) < expiry <= timedelta(seconds=300)
        assert {name: file[name] for name in ("key", "size", "content_type", "last_modified")} == {
            "key": KEY,
            "size": 5,
            "content_type": "image/jpeg",
            "last_modified": "2026-01-02T03:04:05Z",
        }
        assert file["state"] == "succeeded"
        assert file["result"]["warnings"] == [{"code": "odd", "message": "It is odd."}]
        assert file["result"]["error"] is None

    def test_a_rejected_upload_comes_with_the_reason(self, aws: Aws, client: Client) -> None:
        aws.has()
        aws.has_result(result("rejected"))
        file = client.send("GET", FILE, key=KEY).json
        assert file["state"] == "rejected"
        assert file["result"]["error"] == {"code": "not_an_image", "message": "This is no image."}

    def test_the_answer_waits_for_the_result(
        self, aws: Aws, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slept: list[float] = []
        monkeypatch.setattr(time, "sleep", slept.append)
        aws.has(modified=datetime.now(UTC))
        for _ in range(8):
            aws.refuses("get_object", "NoSuchKey", 404)
        aws.has_result(result())
        answer = client.send("GET", FILE, key=KEY, query={"wait": "20"})
        assert answer.json["state"] == "succeeded"
        assert slept == [0.3, 0.4, 0.5, 0.8, 1.0, 1.5, 1.5, 1.5]

    def test_the_answer_waits_no_longer_than_asked(
        self, aws: Aws, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [0.0]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now.pop() + seconds))
        aws.has(modified=datetime.now(UTC))
        for _ in range(4):
            aws.refuses("get_object", "NoSuchKey", 404)
        answer = client.send("GET", FILE, key=KEY, query={"wait": "1"})
        assert answer.json["state"] == "pending"
        assert now == [1.0]

    @pytest.mark.parametrize("query", [{"wait": "21"}, {"wait": "-1"}, {"wait": "x"}, {"w": "1"}])
    def test_a_wait_that_is_none_is_refused(self, client: Client, query: dict[str, str]) -> None:
        answer = client.send("GET", FILE, key=KEY, query=query)
        assert error_of(answer) == (400, "invalid_query")

    def test_an_upload_that_was_tried_for_long_has_failed(
        self, aws: Aws, make_client: Callable[..., Client]
    ) -> None:
        client = make_client(failed_after_seconds=30_000)
        aws.has(modified=datetime.now(UTC) - timedelta(seconds=30_010))
        aws.refuses("get_object", "NoSuchKey", 404)
        assert client.send("GET", FILE, key=KEY).json["state"] == "failed"

    def test_an_upload_without_a_result_is_pending(self, aws: Aws, client: Client) -> None:
        aws.has()
        aws.has_no_result()
        file = client.send("GET", FILE, key=KEY).json
        assert (file["state"], file["result"]) == ("pending", None)

    @pytest.mark.parametrize(
        ("key", "state"),
        [
            # Whoever may write into the bucket can choose any key.
            ("uploads/beach.jpg", "pending"),
            ("uploads/BEACH.JPG", "pending"),
            ("uploads/a/b/Beach.Jpg", "pending"),
            ("uploads/beach.jPg", "unsupported"),
            ("uploads/notes.txt", "unsupported"),
            ("uploads/folder/", "unsupported"),
        ],
    )
    def test_what_starts_no_function_is_not_pending_for_ever(
        self, aws: Aws, client: Client, key: str, state: str
    ) -> None:
        aws.has(key)
        aws.has_no_result()
        assert client.send("GET", FILE, key=key).json["state"] == state

    @pytest.mark.parametrize(
        ("current", "processed", "state"),
        [
            ({"version": "v2", "etag": "e1"}, {}, "pending"),
            ({"version": None, "etag": "e2"}, {"version_id": None}, "pending"),
            ({"version": None, "etag": "e1"}, {"version_id": None}, "succeeded"),
            ({"version": "v1", "etag": "e1"}, {"version_id": None}, "succeeded"),
        ],
    )
    def test_a_result_counts_for_its_own_version_only(
        self,
        aws: Aws,
        client: Client,
        current: dict[str, Any],
        processed: dict[str, Any],
        state: str,
    ) -> None:
        aws.has(**current)
        aws.has_result(result(source=source(**processed)))
        assert client.send("GET", FILE, key=KEY).json["state"] == state

    @pytest.mark.parametrize("name", ["a b.csv", "a+b.csv", "caf\u00e9.csv", "100%.csv", "%41.csv"])
    def test_a_key_as_it_was_listed_is_found(self, aws: Aws, client: Client, name: str) -> None:
        key = f"uploads/1/{name}"
        aws.has(key)
        aws.has_no_result()
        assert client.send("GET", FILE, key=quote(key)).json["key"] == key

    def test_a_key_that_came_decoded_is_found(self, aws: Aws, client: Client) -> None:
        aws.refuses("head_object", "404", 404)
        aws.has("uploads/1/%41.csv")
        aws.has_no_result()
        assert client.send("GET", FILE, key="uploads/1/%41.csv").json["key"] == "uploads/1/%41.csv"

    @pytest.mark.parametrize("sent", [KEY, quote(KEY, safe="")])
    def test_an_unknown_key_is_not_found(self, aws: Aws, client: Client, sent: str) -> None:
        aws.refuses("head_object", "404", 404)
        assert error_of(client.send("GET", FILE, key=sent)) == (404, "no_such_file")

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "a.jpg",
            "uploads/",
            "processed/1/a.jpg/result.json",
            "uploads/1/%00.jpg",
            "uploads/1/%FF.jpg",
            "uploads/1/" + "x" * 1024,
        ],
    )
    def test_a_key_that_cannot_be_is_refused(self, client: Client, key: str) -> None:
        assert error_of(client.send("GET", FILE, key=key)) == (400, "invalid_key")

    def test_a_key_that_leads_out_of_the_bucket_is_refused(self, aws: Aws, client: Client) -> None:
        aws.refuses("head_object", "400", 400)
        answer = client.send("GET", FILE, key="uploads/1/../../../a.jpg")
        assert error_of(answer) == (400, "invalid_key")

    def test_another_refusal_is_a_fault(self, aws: Aws, client: Client) -> None:
        aws.refuses("head_object", "400", 400)
        assert error_of(client.send("GET", FILE, key=KEY)) == (500, "internal")


class TestDelete:
    def test_the_upload_goes_first_so_that_no_function_adds_a_result(
        self, aws: Aws, make_client: Callable[..., Client]
    ) -> None:
        aws.has()
        aws.answers("delete_object", {}, Key=KEY)
        self.derives(aws, f"{DERIVED}r1/a.webp", RECORD)
        aws.answers("delete_object", {}, Key=RECORD)
        aws.answers("delete_object", {}, Key=f"{DERIVED}r1/a.webp")
        answer = make_client(enable_delete=True).send("DELETE", FILE, key=quote(KEY))
        assert (answer.status, answer.body) == (204, "")

    def test_what_a_deletion_left_can_be_deleted(
        self, aws: Aws, make_client: Callable[..., Client]
    ) -> None:
        aws.refuses("head_object", "404", 404)
        self.derives(aws, RECORD)
        aws.answers("delete_object", {}, Key=KEY)
        self.derives(aws, RECORD)
        aws.answers("delete_object", {}, Key=RECORD)
        answer = make_client(enable_delete=True).send("DELETE", FILE, key=KEY)
        assert (answer.status, answer.body) == (204, "")

    def test_what_is_not_there_cannot_be_deleted(
        self, aws: Aws, make_client: Callable[..., Client]
    ) -> None:
        aws.refuses("head_object", "404", 404)
        self.derives(aws)
        answer = make_client(enable_delete=True).send("DELETE", FILE, key=KEY)
        assert error_of(answer) == (404, "no_such_file")

    @staticmethod
    def derives(aws: Aws, *found: str) -> None:
        page = {"Contents": [{"Key": key} for key in found], "IsTruncated": False}
        aws.answers("list_objects_v2", page, Prefix=DERIVED)

    def test_it_is_off_by_default(self, client: Client) -> None:
        assert error_of(client.send("DELETE", FILE, key=KEY)) == (404, "no_such_route")


class TestReprocess:
    @pytest.fixture
    def client(self, make_client: Callable[..., Client]) -> Client:
        return make_client(enable_reprocess=True)

    def expect(self, aws: Aws, *, sequencer: str, version: str | None = "v1") -> None:
        described = {
            "key": KEY,
            "size": 5,
            "eTag": "e1",
            "versionId": version,
            "sequencer": sequencer,
        }
        event = {
            "reprocess": True,
            "Records": [
                {
                    "eventName": "ObjectCreated:Put",
                    "s3": {"bucket": {"name": "bucket"}, "object": described},
                }
            ],
        }
        aws.answers(
            "invoke",
            {"StatusCode": 202},
            FunctionName="image-processor-test",
            InvocationType="Event",
            Payload=json.dumps(event).encode(),
        )

    def test_the_function_gets_the_event_of_the_version_that_it_processed(
        self, aws: Aws, client: Client
    ) -> None:
        aws.has()
        aws.has_result(result())
        self.expect(aws, sequencer="0A")
        answer = client.send("POST", FILE, key=quote(KEY) + "/reprocess")
        assert (answer.status, answer.json) == (202, {"key": KEY})

    def test_without_a_result_the_upload_event_still_wins(self, aws: Aws, client: Client) -> None:
        aws.has(version=None)
        aws.has_no_result()
        self.expect(aws, sequencer="0", version=None)
        assert client.send("POST", FILE, key=KEY + "/reprocess").status == 202

    def test_a_kind_that_nothing_processes_is_refused(self, aws: Aws, client: Client) -> None:
        aws.has("uploads/1/a.txt")
        answer = client.send("POST", FILE, key="uploads/1/a.txt/reprocess")
        assert error_of(answer) == (409, "not_processable")

    def test_the_path_must_say_so(self, client: Client) -> None:
        assert error_of(client.send("POST", FILE, key=KEY)) == (404, "no_such_route")

    def test_it_is_off_by_default(self, make_client: Callable[..., Client]) -> None:
        answer = make_client().send("POST", FILE, key=KEY + "/reprocess")
        assert error_of(answer) == (404, "no_such_route")


class TestEveryAnswer:
    def test_a_fault_is_logged_and_not_shown(self, aws: Aws, client: Client) -> None:
        aws.refuses("head_object", "403", 403)
        answer = client.send("GET", FILE, key=KEY)
        assert error_of(answer) == (500, "internal")
        assert "HeadObject" not in answer.body
        (line,) = client.lines()
        assert line["level"] == "ERROR"
        assert "HeadObject" in line["exception"]
        assert (line["status"], line["correlation_id"]) == (500, KEY)

    def test_any_origin_may_read_by_default(self, client: Client) -> None:
        headers = client.send("GET", "/nowhere").headers
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("header", ["Origin", "origin"])
    def test_a_named_origin_may_read(self, make_client: Callable[..., Client], header: str) -> None:
        client = make_client(
            cors_allowed_origins=frozenset({"https://a.example", "https://b.example"})
        )
        headers = client.send("GET", "/nowhere", headers={header: "https://b.example"}).headers
        assert headers["Access-Control-Allow-Origin"] == "https://b.example"
        assert headers["Vary"] == "Origin"

    @pytest.mark.parametrize("headers", [None, {}, {"Origin": "https://evil.example"}])
    def test_another_origin_may_not(
        self, make_client: Callable[..., Client], headers: dict[str, str] | None
    ) -> None:
        client = make_client(cors_allowed_origins=frozenset({"https://a.example"}))
        answer = client.send("GET", "/nowhere", headers=headers)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


class TestLog:
    def test_a_request_is_one_line(self, client: Client) -> None:
        made = client.send("POST", "/files", body='{"name": "a.jpg"}').json
        (line,) = client.lines()
        assert line["message"] == "request"
        assert line["request_id"] == REQUEST_ID
        assert line["function_request_id"] == "function-request-1"
        assert line["route"] == "POST /files"
        assert line["status"] == 201
        assert line["correlation_id"] == made["key"]
        assert isinstance(line["duration_ms"], int)
        assert made["fields"]["policy"] not in json.dumps(line)

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/reprocess")]
    )
    def test_a_line_is_found_by_the_key_even_if_the_request_failed(
        self, aws: Aws, make_client: Callable[..., Client], method: str, path: str
    ) -> None:
        for _ in ("decoded", "as it came"):
            aws.refuses("head_object", "404", 404)
            if method == "DELETE":
                aws.answers("list_objects_v2", {"IsTruncated": False}, Prefix=ANY)
        client = make_client(enable_delete=True, enable_reprocess=True)
        client.send(method, FILE, key=quote("uploads/1/a b.csv") + path)
        (line,) = client.lines()
        assert (line["status"], line["correlation_id"]) == (404, "uploads/1/a b.csv")

    def test_a_request_about_no_upload_has_no_correlation_id(self, client: Client) -> None:
        client.send("GET", "/nowhere")
        assert "correlation_id" not in client.lines()[0]

    def test_an_upload_asked_for_is_a_metric(
        self, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        client.send("POST", "/files", body='{"name": "a.jpg"}')
        client.send("POST", "/files", body='{"name": "a.exe"}')
        (asked,) = map(json.loads, capsys.readouterr().out.splitlines())
        directive = asked["_aws"]["CloudWatchMetrics"][0]
        assert directive["Namespace"] == "ServerlessUploads"
        assert directive["Metrics"] == [{"Name": "UploadsAsked", "Unit": "Count"}]
        assert all(name in asked for name in directive["Dimensions"][0])
        assert (asked["UploadsAsked"], asked["environment"], asked["service"][:3]) == (
            1,
            "test",
            "api",
        )
        _, refused = client.lines()
        assert refused["error"]["code"] == "unsupported_type"

    def test_the_metric_is_written_at_every_log_level(
        self,
        make_client: Callable[..., Client],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("LOG_LEVEL", "ERROR")
        client = make_client()
        client.send("POST", "/files", body='{"name": "a.jpg"}')
        assert client.lines() == []
        # Without a level the line counts as INFO, which the function's filter always lets pass.
        assert "level" not in json.loads(capsys.readouterr().out)
