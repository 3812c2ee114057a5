"""What a client says of a new file: checksum, metadata, tags; and the same content twice."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY

from tests.unit.api_handler.support import KEY, Aws, Client, result, source

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST = hashlib.sha256(b"hello")
SHA256 = DIGEST.hexdigest()
NOTE = f"processed/.sha256/.shared/{SHA256}"


def asked(client: Client, **given: object) -> Any:
    body = json.dumps({"name": "beach.jpg"} | given)
    return client.send("POST", "/files", body=body)


@pytest.mark.parametrize(
    "text", [SHA256, SHA256.upper(), base64.b64encode(DIGEST.digest()).decode()]
)
def test_a_form_takes_no_other_content_than_declared(client: Client, text: str) -> None:
    made = asked(client, checksum_sha256=text).json
    signed = {
        "x-amz-checksum-sha256": base64.b64encode(DIGEST.digest()).decode(),
        "x-amz-meta-sha256": SHA256,
    }
    policy = json.loads(base64.b64decode(made["fields"]["policy"]))
    for field, value in signed.items():
        assert made["fields"][field] == value
        assert {field: value} in policy["conditions"]


def test_metadata_and_tags_are_signed_into_the_form(make_client: Callable[..., Client]) -> None:
    client = make_client(tag_names=("team",))
    fields = asked(client, metadata={"order-id": "17"}, tags={"team": "a/b+c"}).json["fields"]
    assert fields["x-amz-meta-order-id"] == "17"
    tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>a/b+c</Value></Tag></TagSet></Tagging>"
    assert fields["tagging"] == tags


def test_an_upload_in_parts_has_them_too(aws: Aws, make_client: Callable[..., Client]) -> None:
    client = make_client(tag_names=("team", "cost center"), enable_multipart=True, form_max_bytes=1)
    known = {"metadata": {"order": "17"}, "checksum_sha256": SHA256}
    aws.answers(
        "create_multipart_upload",
        {"UploadId": "2~id"},
        Key=ANY,
        ContentType="image/jpeg",
        Metadata={"order": "17", "sha256": SHA256},
        Tagging="team=a%2Bb&cost+center=7",
    )
    answer = asked(client, size=5, tags={"team": "a+b", "cost center": "7"}, **known)
    assert answer.json["upload_id"] == "2~id"


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({"checksum_sha256": "abc"}, "invalid_checksum", "64 hexadecimal digits, or base64"),
        ({"checksum_sha256": "zz" * 32}, "invalid_checksum", "64 hexadecimal digits"),
        ({"checksum_sha256": "YWJj"}, "invalid_checksum", "64 hexadecimal digits"),
        ({"checksum_sha256": 5}, "invalid_checksum", "64 hexadecimal digits"),
        ({"metadata": ["a"]}, "invalid_metadata", "texts by their names"),
        ({"metadata": {"a": 1}}, "invalid_metadata", "texts by their names"),
        ({"metadata": {"Order": "1"}}, "invalid_metadata", "'Order' cannot be the name"),
        ({"metadata": {"sha256": "1"}}, "invalid_metadata", "options and sha256 are taken"),
        ({"metadata": {"who": "Zoë"}}, "invalid_metadata", "must be printable ASCII"),
        ({"metadata": {"who": " x"}}, "invalid_metadata", "must be printable ASCII"),
        ({"metadata": {"who": ""}}, "invalid_metadata", "must be printable ASCII"),
        ({"metadata": {"a": "x" * 2048}}, "invalid_metadata", "2,049 bytes"),
        ({"tags": "a"}, "invalid_tags", "texts by their names"),
        ({"tags": {"other": "a"}}, "invalid_tags", "'other' cannot be set here: set team only"),
        ({"tags": {"team": "a?"}}, "invalid_tags", "up to 256 letters"),
    ],
)
def test_what_s3_would_not_take_is_refused(
    make_client: Callable[..., Client], given: dict[str, Any], code: str, said: str
) -> None:
    answer = asked(make_client(tag_names=("team",)), **given)
    assert (answer.status, answer.json["error"]["code"]) == (400, code)
    assert said in answer.json["error"]["message"]


def test_no_tag_can_be_set_by_default(client: Client) -> None:
    answer = asked(client, tags={"team": "a"})
    assert answer.json["error"]["message"].endswith("cannot be set here: leave the tags out.")


def test_with_a_file_the_note_of_its_content_is_deleted(
    aws: Aws, make_client: Callable[..., Client]
) -> None:
    aws.has(metadata={"sha256": SHA256})
    aws.answers("delete_object", {}, Key=KEY)
    aws.answers("delete_object", {}, Key=NOTE)
    aws.answers("list_objects_v2", {"IsTruncated": False}, Prefix=ANY)
    answer = make_client(enable_delete=True).send("DELETE", "/files/{key+}", key=KEY)
    assert answer.status == 204


class TestTwin:
    @pytest.fixture
    def client(self, make_client: Callable[..., Client]) -> Client:
        return make_client(enable_deduplication=True, option_functions=("data-transformer-test",))

    @staticmethod
    def noted(aws: Aws, key: str = KEY) -> None:
        body = key.encode()
        answer = {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": "n"}
        aws.answers("get_object", answer, Key=NOTE)

    def test_the_file_that_was_processed_is_the_answer(self, aws: Aws, client: Client) -> None:
        done = result(source=source(sha256=SHA256))
        self.noted(aws)
        aws.has(metadata={"sha256": SHA256, "order": "17"})
        aws.has_result(done)
        answer = asked(client, checksum_sha256=SHA256)
        assert answer.status == 200
        assert (answer.json["key"], answer.json["state"]) == (KEY, "succeeded")
        assert answer.json["metadata"] == {"order": "17"}

    def test_nothing_is_known_of_it(self, aws: Aws, client: Client) -> None:
        aws.refuses("get_object", "NoSuchKey", 404)
        assert asked(client, checksum_sha256=SHA256).status == 201

    def test_a_bucket_out_of_reach_is_no_answer(self, aws: Aws, client: Client) -> None:
        aws.refuses("get_object", "SlowDown", 503)
        assert asked(client, checksum_sha256=SHA256).status == 500

    def test_what_cannot_be_uploaded_is_not_looked_for(self, client: Client) -> None:
        answer = asked(client, checksum_sha256=SHA256, content_type="text/html")
        assert answer.status == 415

    def test_without_a_checksum_nobody_looks(self, client: Client) -> None:
        assert asked(client).status == 201

    def test_it_is_off_by_default(self, make_client: Callable[..., Client]) -> None:
        assert asked(make_client(), checksum_sha256=SHA256).status == 201

    def test_a_deleted_file_is_none(self, aws: Aws, client: Client) -> None:
        self.noted(aws)
        aws.refuses("head_object", "404", 404)
        assert asked(client, checksum_sha256=SHA256).status == 201

    @pytest.mark.parametrize(
        ("given", "found", "metadata"),
        [
            ({}, result("rejected", source=source(sha256=SHA256)), {}),
            ({}, result(source=source(sha256="0" * 64)), {}),
            ({"name": "a.csv"}, result(source=source(sha256=SHA256)), {}),
            ({}, result(source=source(sha256=SHA256)), {"options": "{}"}),
        ],
        ids=["rejected", "other content", "other kind", "other options"],
    )
    def test_another_file_is_uploaded(
        self,
        aws: Aws,
        client: Client,
        given: dict[str, str],
        found: Any,
        metadata: dict[str, str],
    ) -> None:
        self.noted(aws)
        aws.has(metadata=metadata)
        aws.has_result(found)
        assert asked(client, checksum_sha256=SHA256, **given).status == 201
