"""Whoever calls reaches their own files, and those of nobody else."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY

from api_handler.owners import SIGNER
from scripts import ROOT
from tests.unit.api_handler.support import KEY, Aws, Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

ID = KEY.removeprefix("uploads/")
OWN = f"uploads/ada/{ID}"
FOREIGN = f"uploads/bob/{ID}"
BY_TOKEN = {"claim": "sub", "admins": {"cognito:groups": ["admins"]}}
BY_SIGNER = {"claim": "userArn", "admins": {"userArn": ["arn:aws:sts::1:assumed-role/Admin/*"]}}


def token(**claims: str) -> dict[str, Any]:
    """Return what API Gateway adds to a request with the token of a user pool."""
    return {"authorizer": {"claims": claims}}


ADA = token(sub="ada")
ADMIN = {"authorizer": {"claims": {"sub": "root", "cognito:groups": "staff,admins"}}}


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client(
        owners=BY_TOKEN, enable_delete=True, enable_reprocess=True, enable_multipart=True
    )


def test_a_new_file_lies_in_its_owners_folder(client: Client) -> None:
    made = client.send("POST", "/files", body='{"name": "beach.jpg"}', context=ADA).json
    assert made["key"].startswith("uploads/ada/")
    assert made["key"].endswith("/beach.jpg")
    assert made["fields"]["key"] == made["key"]


def test_so_does_one_in_parts(aws: Aws, client: Client) -> None:
    aws.answers(
        "create_multipart_upload",
        {"UploadId": "u1"},
        Key=ANY,
        ContentType="image/jpeg",
        Metadata={},
    )
    body = '{"filename": "beach.jpg", "type": "image/jpeg"}'
    assert (
        client.send("POST", "/s3/multipart", body=body, context=ADA)
        .json["key"]
        .startswith("uploads/ada/")
    )


# Every route that takes a key, with what a caller may add to it.
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/files/{key+}", {"key": "{}"}),
    ("GET", "/files/{key+}", {"key": "{}", "query": {"wait": "20"}}),
    ("DELETE", "/files/{key+}", {"key": "{}"}),
    ("POST", "/files/{key+}", {"key": "{}/reprocess"}),
    ("GET", "/s3/multipart/{upload_id}", {"path": {"upload_id": "u"}, "query": {"key": "{}"}}),
    ("DELETE", "/s3/multipart/{upload_id}", {"path": {"upload_id": "u"}, "query": {"key": "{}"}}),
    *(
        (
            "GET",
            "/s3/multipart/{upload_id}/{part}",
            {"path": {"upload_id": "u", "part": part}, "query": {"key": "{}", **query}},
        )
        for part, query in (("1", {}), ("1", {"size": "5"}), ("batch", {"partNumbers": "1"}))
    ),
    (
        "POST",
        "/s3/multipart/{upload_id}/{part}",
        {
            "path": {"upload_id": "u", "part": "complete"},
            "query": {"key": "{}"},
            "body": '{"parts": [{"PartNumber": 1, "ETag": "e"}]}',
        },
    ),
]


@pytest.mark.parametrize(
    "foreign",
    [
        FOREIGN,
        KEY,  # of a time without owners
        f"uploads/adam/{ID}",
        f"uploads/ad/{ID}",
        f"uploads/ada/../bob/{ID}",
        f"uploads/ADA/{ID}",
    ],
)
@pytest.mark.parametrize(
    ("method", "resource", "rest"),
    ROUTES,
    ids=[f"{method} {resource} {n}" for n, (method, resource, _) in enumerate(ROUTES)],
)
def test_nothing_tells_whether_somebody_elses_file_is_there(
    client: Client, method: str, resource: str, rest: dict[str, Any], foreign: str
) -> None:
    # No answer of S3 is written for this test: to ask it for anything would fail.
    filled: dict[str, Any] = {
        name: {k: v.replace("{}", foreign) for k, v in value.items()}
        if isinstance(value, dict)
        else value.replace("{}", foreign)
        for name, value in rest.items()
    }
    answer = client.send(method, resource, **filled, context=ADA)
    assert (answer.status, answer.json["error"]["code"]) == (404, "no_such_file")


def test_every_route_with_a_key_is_tried(client: Client) -> None:
    without_key = {
        ("GET", "/status"),
        ("GET", "/files"),
        ("POST", "/files"),
        ("GET", "/s3/params"),
        ("POST", "/s3/multipart"),
    }
    assert client.routes == without_key | {(method, resource) for method, resource, _ in ROUTES}


@pytest.mark.parametrize("encoded", ["uploads%2Fbob%2F", "uploads/%62ob/"])
def test_nor_does_an_encoded_key(client: Client, encoded: str) -> None:
    assert client.send("GET", "/files/{key+}", key=encoded + ID, context=ADA).status == 404


def test_an_own_file_is_described(aws: Aws, client: Client) -> None:
    aws.has(OWN)
    aws.has_no_result()
    answer = client.send("GET", "/files/{key+}", key=OWN, context=ADA)
    assert (answer.status, answer.json["key"]) == (200, OWN)


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        (None, "uploads/ada/"),
        ("uploads/", "uploads/ada/"),
        ("uploads/ad", "uploads/ada/"),
        ("uploads/ada/", "uploads/ada/"),
        ("uploads/ada/0192", "uploads/ada/0192"),
    ],
)
def test_of_a_listing_the_own_files_come(
    aws: Aws, client: Client, asked: str | None, listed: str
) -> None:
    aws.answers("list_objects_v2", {"IsTruncated": False}, Prefix=listed, MaxKeys=100)
    query = {"prefix": asked} if asked else None
    assert client.send("GET", "/files", query=query, context=ADA).status == 200


@pytest.mark.parametrize("state", [{}, {"state": "uploading"}])
@pytest.mark.parametrize("asked", ["uploads/bob/", "uploads/adam", f"uploads/{ID}"])
def test_of_somebody_elses_none_do(client: Client, asked: str, state: dict[str, str]) -> None:
    answer = client.send("GET", "/files", query={"prefix": asked} | state, context=ADA)
    assert (answer.status, answer.json) == (200, {"files": [], "next_cursor": None})


def test_of_uploads_that_are_not_completed_the_own_come(aws: Aws, client: Client) -> None:
    answer: dict[str, Any] = {"IsTruncated": False}
    aws.answers("list_multipart_uploads", answer, Prefix="uploads/ada/", MaxUploads=20)
    assert client.send("GET", "/files", query={"state": "uploading"}, context=ADA).status == 200


def test_a_cursor_of_somebody_else_leads_nowhere(aws: Aws, client: Client) -> None:
    listed = {"Key": FOREIGN, "Size": 1, "LastModified": datetime(2026, 1, 2, tzinfo=UTC)}
    aws.answers(
        "list_objects_v2",
        {"IsTruncated": True, "Contents": [listed]},
        Prefix="uploads/bob/",
        MaxKeys=1,
    )
    bob = client.send("GET", "/files", query={"limit": "1"}, context=token(sub="bob")).json
    cursor = bob["next_cursor"]
    answer = client.send("GET", "/files", query={"cursor": cursor}, context=ADA)
    assert answer.json["error"]["code"] == "invalid_cursor"


class TestAdmins:
    def test_see_the_files_of_all(self, aws: Aws, client: Client) -> None:
        aws.answers("list_objects_v2", {"IsTruncated": False}, Prefix="uploads/", MaxKeys=100)
        assert client.send("GET", "/files", context=ADMIN).status == 200
        aws.has(FOREIGN)
        aws.has_no_result()
        assert client.send("GET", "/files/{key+}", key=FOREIGN, context=ADMIN).status == 200

    def test_upload_into_a_folder_of_their_own(self, client: Client) -> None:
        made = client.send("POST", "/files", body='{"name": "beach.jpg"}', context=ADMIN).json
        assert made["key"].startswith("uploads/root/")

    @pytest.mark.parametrize("groups", ["", "admin", "Admins", "adminsx", "staff, admins"])
    def test_are_those_of_the_group(self, client: Client, groups: str) -> None:
        claims = {"authorizer": {"claims": {"sub": "ada", "cognito:groups": groups}}}
        assert client.send("GET", "/files/{key+}", key=FOREIGN, context=claims).status == 404

    def test_a_comma_in_another_claim_is_no_list(self, make_client: Callable[..., Client]) -> None:
        client = make_client(owners={"claim": "sub", "admins": {"custom:team": ["admins"]}})
        sly = {"authorizer": {"claims": {"sub": "ada", "custom:team": "fans,admins"}}}
        assert client.send("GET", "/files/{key+}", key=FOREIGN, context=sly).status == 404

    @pytest.mark.parametrize(
        ("arn", "status"),
        [
            ("arn:aws:sts::1:assumed-role/Admin/eve", 200),
            ("arn:aws:sts::1:assumed-role/Administrator/eve", 404),
            ("arn:aws:sts::2:assumed-role/Admin/eve", 404),
        ],
    )
    def test_may_be_all_sessions_of_a_role(
        self, aws: Aws, make_client: Callable[..., Client], arn: str, status: int
    ) -> None:
        if status == 200:
            aws.has(FOREIGN)
            aws.has_no_result()
        client = make_client(owners=BY_SIGNER)
        answer = client.send(
            "GET", "/files/{key+}", key=FOREIGN, context={"identity": {"userArn": arn}}
        )
        assert answer.status == status


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"authorizer": None},
        {"authorizer": {"claims": {}}},
        {"authorizer": {"claims": {"sub": ""}}},
        {"authorizer": {"claims": "sub"}},
        {"authorizer": {"claims": {"Sub": "ada"}, "sub": "ada"}},
        {"identity": {"sub": "ada"}},
        {"authorizer": {"sub": 7}},
    ],
)
def test_who_does_not_say_who_they_are_reaches_nothing(
    client: Client, context: dict[str, Any]
) -> None:
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/files", {"body": '{"name": "beach.jpg"}'}),
        ("GET", "/files", {}),
        ("GET", "/files/{key+}", {"key": KEY}),
    ]
    for method, resource, rest in requests:
        answer = client.send(method, resource, **rest, context=context)
        assert (answer.status, answer.json["error"]["code"]) == (403, "no_owner")
        assert "sub is missing" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("claim", "context"),
    [
        ("tenant", {"authorizer": {"principalId": "x", "tenant": "ada"}}),
        ("cognitoIdentityId", {"identity": {"cognitoIdentityId": "ada"}, "authorizer": None}),
    ],
)
def test_an_owner_may_come_from_a_function_or_a_signature(
    make_client: Callable[..., Client], claim: str, context: dict[str, Any]
) -> None:
    client = make_client(owners={"claim": claim, "admins": {}})
    made = client.send("POST", "/files", body='{"name": "beach.jpg"}', context=context).json
    assert made["key"].startswith("uploads/ada/")


def test_a_token_cannot_pass_for_a_signature(make_client: Callable[..., Client]) -> None:
    client = make_client(owners=BY_SIGNER)
    assert (
        client.send("GET", "/files", context=token(userArn="arn:aws:iam::1:user/ada")).status == 403
    )


def test_the_status_is_everybodys(aws: Aws, client: Client) -> None:
    aws.answers("list_objects_v2", {}, Prefix="uploads/", MaxKeys=1)
    assert client.send("GET", "/status").status == 200


class TestQuota:
    """Of files and of bytes, counted by listing the owner's folder."""

    @pytest.fixture
    def client(self, make_client: Callable[..., Client]) -> Client:
        return make_client(
            owners=BY_TOKEN | {"max_files": 3, "max_bytes": 100}, enable_multipart=True
        )

    def has(self, aws: Aws, *sizes: int) -> None:
        listed = [{"Key": f"{OWN}{n}", "Size": size} for n, size in enumerate(sizes)]
        answer = {"IsTruncated": False, "Contents": listed}
        aws.answers("list_objects_v2", answer, Prefix="uploads/ada/")

    def create(self, client: Client, size: int | None = None) -> SimpleNamespace:
        body = json.dumps({"name": "beach.jpg"} | ({"size": size} if size else {}))
        return client.send("POST", "/files", body=body, context=ADA)

    @pytest.mark.parametrize(
        ("sizes", "size", "used"),
        [
            ([1, 1, 1], None, "3 of 3 files"),
            ([100], None, "100 of 100 bytes"),
            ([60], 41, "60 of 100 bytes"),
        ],
    )
    def test_over_it_a_file_is_refused(
        self, aws: Aws, client: Client, sizes: list[int], size: int | None, used: str
    ) -> None:
        self.has(aws, *sizes)
        answer = self.create(client, size)
        assert (answer.status, answer.json["error"]["code"]) == (413, "quota_exceeded")
        assert used in answer.json["error"]["message"]

    @pytest.mark.parametrize(("size", "most"), [(None, 40), (40, 40)])
    def test_a_form_takes_what_is_left(
        self, aws: Aws, client: Client, size: int | None, most: int
    ) -> None:
        self.has(aws, 30, 30)
        answer = self.create(client, size)
        assert (answer.status, answer.json["max_bytes"]) == (201, most)

    def test_it_may_be_of_files_alone(self, aws: Aws, make_client: Callable[..., Client]) -> None:
        self.has(aws, 10**9)
        client = make_client(owners=BY_TOKEN | {"max_files": 3})
        assert self.create(client).status == 201


def test_the_plan_takes_the_claims_of_a_signer_that_the_function_knows() -> None:
    api = (ROOT / "modules" / "serverless_stack" / "api.tf").read_text()
    (planned,) = re.findall(r"_signer = (\[.*\])", api)
    assert set(json.loads(planned)) == SIGNER
