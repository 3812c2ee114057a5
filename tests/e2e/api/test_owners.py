"""Two users of one environment: each has files of their own, an administrator sees all."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
import requests
from hypothesis import settings

from tests.e2e.api.test_api_contract import FEW, contract
from tests.support.cognito import id_token
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.api.conftest import Deployment


@dataclass(frozen=True)
class User:
    """A caller, by the token of a user pool."""

    api: str
    token: str

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.api + path, headers=headers, timeout=60, **arguments)

    def files(self, **query: str) -> list[str]:
        return [file["key"] for file in self.call("GET", "/files", params=query).json()["files"]]

    def upload(self, name: str, body: bytes, **known: object) -> str:
        """Upload a file, wait for its result, and return its key."""
        form = self.call("POST", "/files", json={"name": name} | known).json()
        sent = requests.post(form["url"], data=form["fields"], files={"file": body}, timeout=30)
        assert sent.status_code == 204, sent.text
        path = f"/files/{quote(form['key'])}"

        def processed() -> bool:
            return bool(self.call("GET", path, params={"wait": "20"}).json()["state"] != "pending")

        eventually(processed)
        return str(form["key"])


@pytest.fixture(scope="module")
def sign_in(deployment: Deployment) -> Callable[..., User]:
    cognito = deployment.aws("cognito-idp")
    owned = deployment.outputs["owned"]
    api = deployment.cloud.api_url(owned["api_id"])

    def sign_in(name: str, *, pool: str = "people", **options: Any) -> User:
        return User(api, id_token(cognito, owned["pools"][pool], name, **options))

    return sign_in


@pytest.fixture(scope="module")
def ada(sign_in: Callable[..., User]) -> User:
    return sign_in("ada")


@pytest.fixture(scope="module")
def bob(sign_in: Callable[..., User]) -> User:
    return sign_in("bob")


@pytest.fixture(scope="module")
def adas_key(ada: User) -> str:
    return ada.upload("sales.csv", b"a,b\n1,2\n")


def test_everybody_lists_their_own_files(ada: User, bob: User, adas_key: str) -> None:
    bobs_key = bob.upload("costs.csv", b"a,b\n3,4\n")
    assert adas_key.split("/")[1] != bobs_key.split("/")[1]
    assert (ada.files(), bob.files()) == ([adas_key], [bobs_key])
    assert bob.files(prefix=adas_key) == bob.files(prefix="uploads/" + adas_key.split("/")[1]) == []
    assert ada.call("GET", f"/files/{quote(adas_key)}").json()["state"] == "succeeded"


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /files/{}",
        "DELETE /files/{}",
        "POST /files/{}/reprocess",
        "GET /s3/multipart/u?key={}",
        "DELETE /s3/multipart/u?key={}",
        "GET /s3/multipart/u/1?key={}",
        "GET /s3/multipart/u/batch?partNumbers=1&key={}",
        "POST /s3/multipart/u/complete?key={}",
    ],
)
def test_nobody_reaches_the_files_of_another(
    ada: User, bob: User, adas_key: str, request_line: str
) -> None:
    method, _, path = request_line.partition(" ")
    own_folder = bob.call("POST", "/files", json={"name": "a.csv"}).json()["key"].split("/")[1]
    for key in (adas_key, f"uploads/{own_folder}/../{adas_key.removeprefix('uploads/')}"):
        # As the key stands in a path, and encoded as one part of it.
        for written in (quote(key), quote(key, safe="")):
            answer = bob.call(method, path.replace("{}", written), json={"parts": []})
            assert answer.status_code == 404, answer.text
    assert ada.call("GET", f"/files/{quote(adas_key)}").json()["state"] == "succeeded"


def test_an_administrator_sees_the_files_of_all(
    sign_in: Callable[..., User], bob: User, adas_key: str
) -> None:
    bobs_key = bob.upload("more.csv", b"a,b\n5,6\n")
    admin = sign_in("root", group="admins")
    assert {adas_key, bobs_key} <= set(admin.files())
    assert admin.call("DELETE", f"/files/{quote(bobs_key)}").status_code == 204
    assert bobs_key not in bob.files()


def test_the_same_content_is_uploaded_once_by_each_owner(ada: User, bob: User) -> None:
    body = b"a,b\n7,8\n"
    known = {"checksum_sha256": hashlib.sha256(body).hexdigest()}
    key = ada.upload("first.csv", body, metadata={"order": "17"}, **known)

    def again(user: User, name: str = "again.csv") -> requests.Response:
        return user.call("POST", "/files", json={"name": name} | known)

    twin = again(ada)
    assert (twin.status_code, twin.json()["key"]) == (200, key)
    assert twin.json()["metadata"] == {"order": "17"}
    assert twin.json()["result"]["details"]["rows"] == 1
    assert [again(bob).status_code, again(ada, "table.tsv").status_code] == [201, 201]
    assert ada.call("DELETE", f"/files/{quote(key)}").status_code == 204
    assert again(ada).status_code == 201


def test_files_get_the_tags_that_a_deployment_allows(deployment: Deployment, ada: User) -> None:
    key = ada.upload("tagged.csv", b"a,b\n9,8\n", tags={"team": "a + b"})
    s3 = deployment.aws("s3")
    found = s3.get_object_tagging(Bucket=deployment.outputs["owned"]["bucket"], Key=key)["TagSet"]
    assert found == [{"Key": "team", "Value": "a + b"}]
    refused = ada.call("POST", "/files", json={"name": "a.csv", "tags": {"admin": "yes"}})
    assert refused.json()["error"]["code"] == "invalid_tags"
    assert ada.call("DELETE", f"/files/{quote(key)}").status_code == 204


def test_nobody_uploads_more_than_the_quota(bob: User) -> None:
    answer = bob.call("POST", "/files", json={"name": "large.csv", "size": 10_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "quota_exceeded")
    form = bob.call("POST", "/files", json={"name": "large.csv"}).json()
    assert form["max_bytes"] < 9999
    sent = requests.post(
        form["url"], data=form["fields"], files={"file": b"x" * 10_000}, timeout=30
    )
    assert sent.status_code == 400


def test_a_token_of_another_pool_opens_nothing(sign_in: Callable[..., User]) -> None:
    assert sign_in("ada", pool="strangers").call("GET", "/files").status_code == 401


def test_nor_does_an_expired_token(sign_in: Callable[..., User]) -> None:
    late = sign_in("late", seconds=5)
    assert late.call("GET", "/files").status_code == 200
    eventually(lambda: late.call("GET", "/files").status_code == 401)
    answer = late.call("POST", "/files", json={"name": "a.csv"})
    assert answer.status_code == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_nor_does_none(ada: User, token: str) -> None:
    assert User(ada.api, token).call("GET", "/files").status_code == 401


def test_a_stranger_repeats_all_that_a_user_does_and_learns_nothing(
    sign_in: Callable[..., User],
) -> None:
    """The user follows the links of the published document; each request is repeated."""
    user, stranger = sign_in("carol"), sign_in("mallory")
    folder = user.call("POST", "/files", json={"name": "a.csv"}).json()["key"].split("/")[1]
    machine: Any = contract.as_state_machine()
    answers: Counter[tuple[str, int]] = Counter()

    class Carol(machine):  # type: ignore[misc]  # its base is made at run time, from the document
        def before_call(self, case: Any) -> None:
            super().before_call(case)
            if case.operation.label == "POST /files" and case.meta.generation.mode.is_positive:
                case.body = {"name": "table.csv"}

        def get_call_kwargs(self, _: Any) -> dict[str, Any]:
            return _as(user)

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            if case.operation.label == "POST /files" and response.status_code == 201:
                form = response.json()
                requests.post(
                    form["url"], data=form["fields"], files={"file": b"a\n1\n"}, timeout=30
                )
            repeated = case.call(**_as(stranger))
            assert folder not in repeated.text
            if folder in unquote(repeated.request.url):
                answers[case.operation.label, repeated.status_code] += 1

        def validate_response(self, *_: Any, **__: Any) -> None:
            """Leave the user's answers to tests/e2e/api/test_api_contract.py."""

    Carol.run(settings=settings(FEW, max_examples=6, stateful_step_count=6))
    statuses = {status for _, status in answers}
    # What breaks the document is refused before anybody looks for the key.
    assert 404 in statuses, answers
    assert statuses <= {400, 404, 405}, answers
    assert stranger.files(prefix=f"uploads/{folder}/") == []


def _as(user: User) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {user.token}"}
    return {"base_url": user.api, "headers": headers, "timeout": 40}
