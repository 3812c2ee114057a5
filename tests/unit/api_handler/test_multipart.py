from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.stub import ANY

from api_handler.multipart import part_bytes
from tests.unit.api_handler.support import KEY, Aws, Client
from tests.unit.api_handler.test_app import error_of
from tests.unit.api_handler.test_openapi import conforms
from uploads.table_options import TableOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

GIGABYTE = 1_000_000_000
ID = "2~upload.id_-"
UPLOAD = "/s3/multipart/{upload_id}"
PART = "/s3/multipart/{upload_id}/{part}"
PARTS = [{"PartNumber": 1, "ETag": '"a"'}, {"PartNumber": 2, "ETag": '"b"'}]
SIZES = [
    {"PartNumber": 1, "ETag": '"a"', "Size": 5_242_880},
    {"PartNumber": 2, "ETag": '"b"', "Size": 10},
]


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client(
        enable_multipart=True,
        max_upload_bytes=2 * GIGABYTE,
        form_max_bytes=100_000_000,
        option_functions=("data-transformer-test",),
    )


def started(aws: Aws, **expected: object) -> None:
    asked = {"Key": ANY, "ContentType": "image/jpeg", "Metadata": {}} | expected
    aws.answers("create_multipart_upload", {"UploadId": ID}, **asked)


def listed(aws: Aws) -> None:
    aws.answers("list_parts", {"Parts": SIZES, "IsTruncated": False}, Key=KEY, UploadId=ID)


def send(client: Client, method: str, part: str | None = None, **others: Any) -> SimpleNamespace:
    query = {"key": KEY} | others.pop("query", {})
    path = {"upload_id": ID.replace("~", "%7E")} | ({"part": part} if part else {})
    answer = client.send(method, PART if part else UPLOAD, path=path, query=query, **others)
    conforms(answer, PART if part else UPLOAD, method.lower())
    return answer


def complete(client: Client, parts: object = None) -> SimpleNamespace:
    return send(client, "POST", "complete", body=json.dumps({"parts": parts or PARTS}))


class TestStart:
    def test_a_file_that_fits_a_form_gets_one_that_takes_its_size_alone(
        self, client: Client
    ) -> None:
        answer = client.send("POST", "/files", body='{"name": "a.jpg", "size": 100000000}')
        conforms(answer, "/files", "post")
        assert answer.json["max_bytes"] == 100_000_000
        assert "upload_id" not in answer.json

    def test_a_larger_one_comes_in_parts(self, aws: Aws, client: Client) -> None:
        started(aws)
        answer = client.send("POST", "/files", body='{"name": "a.jpg", "size": 100000001}')
        conforms(answer, "/files", "post")
        made = answer.json
        assert (made["upload_id"], made["part_bytes"]) == (ID, 8 * 1024**2)
        assert made["max_bytes"] == 2 * GIGABYTE
        assert "url" not in made

    def test_its_options_are_stored_with_it(self, aws: Aws, client: Client) -> None:
        stored = {"options": TableOptions.parse({"skip": 1}).to_text()}
        started(aws, ContentType="text/csv", Metadata=stored)
        wanted = {"name": "a.csv", "size": GIGABYTE, "options": {"skip": 1}}
        assert client.send("POST", "/files", body=json.dumps(wanted)).status == 201

    def test_what_is_too_large_is_refused(self, client: Client) -> None:
        answer = client.send("POST", "/files", body='{"name": "a.jpg", "size": 2000000001}')
        conforms(answer, "/files", "post")
        assert error_of(answer) == (413, "too_large")
        assert "2,000,000,001 bytes; at most 2,000,000,000" in answer.json["error"]["message"]

    def test_without_parts_a_form_takes_all_that_is_allowed(
        self, make_client: Callable[..., Client]
    ) -> None:
        client = make_client(max_upload_bytes=2 * GIGABYTE)
        answer = client.send("POST", "/files", body='{"name": "a.jpg", "size": 2000000000}')
        assert answer.json["max_bytes"] == 2 * GIGABYTE
        assert error_of(client.send("POST", "/s3/multipart", body="{}")) == (404, "no_such_route")

    @pytest.mark.parametrize("size", ["0", "-1", '"1"', "1.5", "true"])
    def test_a_size_is_a_number_of_bytes(self, client: Client, size: str) -> None:
        answer = client.send("POST", "/files", body=f'{{"name": "a.jpg", "size": {size}}}')
        assert error_of(answer) == (400, "invalid_body")

    def test_a_size_decides_how_large_the_parts_are(self) -> None:
        assert part_bytes(1) == 8 * 1024**2
        for size in (10**11, 5 * 1024**4):
            assert (size - 1) // part_bytes(size) + 1 <= 10_000


class TestAsUppyAsks:
    def test_for_a_form(self, client: Client) -> None:
        query = {"filename": "a.jpg", "type": "image/jpeg", "metadata[name]": "a.jpg"}
        answer = client.send("GET", "/s3/params", query=query)
        conforms(answer, "/s3/params", "get")
        assert (answer.json["method"], answer.json["expires"]) == ("POST", 900)
        assert answer.json["fields"]["key"].endswith("/a.jpg")

    @pytest.mark.parametrize("kind", ["image/jpeg", "application/octet-stream", "", None])
    def test_to_start_parts(self, aws: Aws, client: Client, kind: str | None) -> None:
        started(aws)
        body = json.dumps({"filename": "a.jpg", "type": kind, "metadata": {"name": "a.jpg"}})
        answer = client.send("POST", "/s3/multipart", body=body)
        conforms(answer, "/s3/multipart", "post")
        assert answer.json["uploadId"] == ID
        assert answer.json["key"].endswith("/a.jpg")

    @pytest.mark.parametrize("body", ["{}", '{"filename": 1}', '{"filename": "a.jpg", "type": 1}'])
    def test_without_a_name(self, client: Client, body: str) -> None:
        answer = client.send("POST", "/s3/multipart", body=body)
        conforms(answer, "/s3/multipart", "post")
        assert error_of(answer) == (400, "invalid_name")
        assert error_of(client.send("GET", "/s3/params")) == (400, "invalid_name")

    def test_every_upload_is_counted(
        self, aws: Aws, client: Client, capsys: pytest.CaptureFixture[str]
    ) -> None:
        started(aws)
        client.send("POST", "/s3/multipart", body='{"filename": "a.jpg"}')
        client.send("GET", "/s3/params", query={"filename": "a.jpg"})
        assert capsys.readouterr().out.count('"UploadsAsked": 1') == 2


class TestSign:
    def test_an_address_is_of_one_part(self, client: Client) -> None:
        answer = send(client, "GET", "7")
        address = urlsplit(answer.json["url"])
        assert address.path.endswith(KEY)
        query = parse_qs(address.query)
        assert (query["partNumber"], query["uploadId"]) == (["7"], [ID])
        assert query["X-Amz-Expires"] == ["900"]
        assert "content-length" not in query["X-Amz-SignedHeaders"][0]

    def test_it_takes_nothing_of_another_size(self, client: Client) -> None:
        answer = send(client, "GET", "7", query={"size": "5242880"})
        signed = parse_qs(urlsplit(answer.json["url"]).query)["X-Amz-SignedHeaders"]
        assert signed == ["content-length;host"]

    def test_several_at_once(self, client: Client) -> None:
        answer = send(client, "GET", "batch", query={"partNumbers": "1,3"})
        assert list(answer.json["presignedUrls"]) == ["1", "3"]

    @pytest.mark.parametrize(
        ("part", "query"),
        [
            ("0", {}),
            ("10001", {}),
            ("one", {}),
            ("1", {"size": "0"}),
            ("1", {"size": "5368709121"}),
            ("1", {"size": "all"}),
            ("1", {"size": "1" * 20}),
            ("batch", {}),
            ("batch", {"partNumbers": "1,x"}),
        ],
    )
    def test_no_such_part(self, client: Client, part: str, query: dict[str, str]) -> None:
        assert error_of(send(client, "GET", part, query=query)) == (400, "invalid_part")

    def test_a_misspelt_size_is_no_size(self, client: Client) -> None:
        assert error_of(send(client, "GET", "1", query={"sise": "5"})) == (400, "invalid_query")

    @pytest.mark.parametrize("key", ["", "processed/1/a.jpg", "uploads/"])
    def test_of_another_key(self, client: Client, key: str) -> None:
        answer = send(client, "GET", "1", query={"key": key})
        assert error_of(answer) == (400, "invalid_key")


class TestParts:
    def test_those_that_are_there(self, aws: Aws, client: Client) -> None:
        listed(aws)
        assert send(client, "GET").json == SIZES

    def test_none_yet(self, aws: Aws, client: Client) -> None:
        aws.answers("list_parts", {"IsTruncated": False}, Key=KEY, UploadId=ID)
        assert send(client, "GET").json == []

    def test_of_no_upload(self, aws: Aws, client: Client) -> None:
        aws.refuses("list_parts", "NoSuchUpload", 404)
        assert error_of(send(client, "GET")) == (404, "no_such_upload")
        (line,) = client.lines()
        assert line["correlation_id"] == KEY

    def test_a_fault(self, aws: Aws, client: Client) -> None:
        aws.refuses("list_parts", "AccessDenied", 403)
        assert error_of(send(client, "GET")) == (500, "internal")


class TestListing:
    """Uploads that are not completed."""

    def asked(self, aws: Aws, *ids: str, **expected: object) -> None:
        uploads = [
            {"Key": KEY, "UploadId": one, "Initiated": datetime(2026, 1, 2, tzinfo=UTC)}
            for one in ids
        ]
        answer: dict[str, Any] = {"Uploads": uploads, "IsTruncated": False}
        if "MaxUploads" in expected:
            answer |= {"IsTruncated": True, "NextKeyMarker": KEY, "NextUploadIdMarker": ids[-1]}
        wanted = {"Prefix": "uploads/", "MaxUploads": 20} | expected
        aws.answers("list_multipart_uploads", answer, **wanted)

    def test_they_come_with_their_parts(self, aws: Aws, client: Client) -> None:
        self.asked(aws, ID)
        listed(aws)
        answer = client.send("GET", "/files", query={"state": "uploading"})
        conforms(answer, "/files", "get")
        (found,) = answer.json["files"]
        assert found == {
            "key": KEY,
            "upload_id": ID,
            "size": 5_242_890,
            "parts": SIZES,
            "started_at": "2026-01-02T00:00:00Z",
            "expires_at": "2026-01-09T00:00:00Z",
        }
        assert answer.json["next_cursor"] is None

    def test_page_by_page(self, aws: Aws, client: Client) -> None:
        self.asked(aws, ID, MaxUploads=1)
        listed(aws)
        query = {"state": "uploading", "limit": "1"}
        cursor = client.send("GET", "/files", query=query).json["next_cursor"]
        self.asked(aws, ID, KeyMarker=KEY, UploadIdMarker=ID, MaxUploads=1)
        listed(aws)
        answer = client.send("GET", "/files", query=query | {"cursor": cursor})
        assert answer.json["files"][0]["upload_id"] == ID

    def test_one_that_is_completed_meanwhile_is_none(self, aws: Aws, client: Client) -> None:
        self.asked(aws, ID)
        aws.refuses("list_parts", "NoSuchUpload", 404)
        answer = client.send("GET", "/files", query={"state": "uploading"})
        assert answer.json == {"files": [], "next_cursor": None}

    def test_there_are_none_of_another_state(self, client: Client) -> None:
        answer = client.send("GET", "/files", query={"state": "pending"})
        assert error_of(answer) == (400, "invalid_state")

    def test_nor_without_uploads_in_parts(self, make_client: Callable[..., Client]) -> None:
        answer = make_client().send("GET", "/files", query={"state": "uploading"})
        assert error_of(answer) == (400, "invalid_query")


class TestComplete:
    def test_a_file_is_made_of_the_parts(self, aws: Aws, client: Client) -> None:
        listed(aws)
        wanted = {"Parts": PARTS}
        aws.answers("complete_multipart_upload", {}, Key=KEY, UploadId=ID, MultipartUpload=wanted)
        answer = complete(client)
        assert (answer.status, answer.json["key"]) == (200, KEY)
        assert answer.json["location"].endswith(KEY)

    def test_again(self, aws: Aws, client: Client) -> None:
        aws.refuses("list_parts", "NoSuchUpload", 404)
        aws.has(etag="e1-2")
        assert complete(client).status == 200

    def test_while_another_one_does(self, aws: Aws, client: Client) -> None:
        listed(aws)
        aws.refuses("complete_multipart_upload", "NoSuchUpload", 404)
        aws.has(etag="e1-2")
        assert complete(client).status == 200

    def test_after_it_was_abandoned(self, aws: Aws, client: Client) -> None:
        aws.refuses("list_parts", "NoSuchUpload", 404)
        aws.refuses("head_object", "404", 404)
        assert error_of(complete(client)) == (404, "no_such_upload")

    def test_while_it_is_abandoned(self, aws: Aws, client: Client) -> None:
        listed(aws)
        aws.refuses("complete_multipart_upload", "NoSuchUpload", 404)
        aws.refuses("head_object", "404", 404)
        assert error_of(complete(client)) == (404, "no_such_upload")

    def test_of_other_parts_than_the_file_has(self, aws: Aws, client: Client) -> None:
        aws.refuses("list_parts", "NoSuchUpload", 404)
        aws.has(etag="e1-3")
        assert error_of(complete(client)) == (404, "no_such_upload")

    def test_more_bytes_than_allowed_are_deleted(
        self, aws: Aws, make_client: Callable[..., Client]
    ) -> None:
        listed(aws)
        aws.answers("abort_multipart_upload", {}, Key=KEY, UploadId=ID)
        client = make_client(enable_multipart=True, max_upload_bytes=5_242_889)
        answer = complete(client)
        assert error_of(answer) == (413, "too_large")
        assert "5,242,890 bytes" in answer.json["error"]["message"]

    @pytest.mark.parametrize("code", ["EntityTooSmall", "InvalidPart", "InvalidPartOrder"])
    def test_parts_that_the_bucket_refuses(self, aws: Aws, client: Client, code: str) -> None:
        listed(aws)
        aws.refuses("complete_multipart_upload", code, 400)
        assert error_of(complete(client)) == (400, "invalid_parts")

    def test_a_fault(self, aws: Aws, client: Client) -> None:
        listed(aws)
        aws.refuses("complete_multipart_upload", "InternalError", 500)
        assert error_of(complete(client)) == (500, "internal")
        aws.refuses("list_parts", "NoSuchUpload", 404)
        aws.refuses("head_object", "403", 403)
        assert error_of(complete(client)) == (500, "internal")

    @pytest.mark.parametrize(
        "parts",
        [
            "all",
            {"PartNumber": 1},
            [1],
            [{"PartNumber": 1}],
            [{"PartNumber": "1", "ETag": "a"}],
            [{"PartNumber": True, "ETag": "a"}],
            [{"PartNumber": 0, "ETag": "a"}],
            [{"PartNumber": 10_001, "ETag": "a"}],
            [{"PartNumber": 1, "ETag": None}],
        ],
    )
    def test_parts_that_are_none(self, client: Client, parts: object) -> None:
        assert error_of(complete(client, parts)) == (400, "invalid_parts")

    @pytest.mark.parametrize("body", ["{}", '{"parts": []}'])
    def test_no_parts(self, client: Client, body: str) -> None:
        assert error_of(send(client, "POST", "complete", body=body)) == (400, "invalid_parts")

    def test_nothing_else_can_be_done(self, client: Client) -> None:
        path = {"upload_id": ID, "part": "1"}
        answer = client.send("POST", PART, path=path, query={"key": KEY}, body="{}")
        assert error_of(answer) == (404, "no_such_route")


class TestAbort:
    def test_it_is_gone(self, aws: Aws, client: Client) -> None:
        aws.answers("abort_multipart_upload", {}, Key=KEY, UploadId=ID)
        assert send(client, "DELETE").json == {}

    def test_again(self, aws: Aws, client: Client) -> None:
        aws.refuses("abort_multipart_upload", "NoSuchUpload", 404)
        assert send(client, "DELETE").json == {}

    def test_a_fault(self, aws: Aws, client: Client) -> None:
        aws.refuses("abort_multipart_upload", "AccessDenied", 403)
        assert error_of(send(client, "DELETE")) == (500, "internal")
