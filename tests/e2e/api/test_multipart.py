"""Large files come in parts, as the Python client and Uppy send them, over bad networks too."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from scripts import ROOT
from tests.e2e.api.conftest import FORM_BYTES, LARGEST, MEBIBYTE, Deployment
from uploads_client import ApiError, Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PROGRAM = ROOT / "examples" / "python-client" / "uploads_client.py"
_SMALLEST = 5 * MEBIBYTE


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as made:
        yield made


@pytest.fixture
def client(deployment: Deployment, http: httpx.Client) -> Client:
    return Client(deployment.api, http)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of about 20 MiB, three parts, of which no two are alike."""
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("number,text\n")
        file.writelines(f"{number},{number:0100}\n" for number in range(190_000))
    assert FORM_BYTES < path.stat().st_size < LARGEST
    return path


def content(client: Client, key: str) -> bytes:
    return client.http.get(client.file(key)["url"]).content


def test_a_large_table_is_uploaded_in_parts_and_processed(client: Client, table: Path) -> None:
    progress: list[int] = []
    key = client.upload(table, on_progress=progress.append)
    assert sum(progress) == table.stat().st_size
    assert len(progress) == 4
    assert content(client, key) == table.read_bytes()
    found = client.wait(key)
    assert (found["state"], found["result"]["details"]["rows"]) == ("succeeded", 190_000)


def test_a_form_takes_no_other_content_than_was_declared(
    deployment: Deployment, client: Client
) -> None:
    declared = hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    form = client.start("small.csv", checksum_sha256=declared)
    refused = deployment.send(form, b"a,b\n1,3\n")
    assert (refused.status_code, "<Code>BadDigest</Code>" in refused.text) == (400, True)
    assert deployment.send(form, b"a,b\n1,2\n").status_code == 204
    assert client.wait(form["key"])["state"] == "succeeded"


def test_parts_of_another_content_than_was_declared_are_rejected(
    client: Client, table: Path
) -> None:
    size = table.stat().st_size
    started = client.start("large.csv", size=size, checksum_sha256="0" * 64)
    client.send_parts(started, table)
    found = client.wait(started["key"])
    assert (found["state"], found["result"]["error"]["code"]) == ("rejected", "wrong_checksum")


def test_a_client_that_is_killed_again_and_again_goes_on(
    deployment: Deployment, client: Client, table: Path, tmp_path: Path
) -> None:
    dice = random.Random(19)  # noqa: S311 - repeatable
    memory = tmp_path / "unfinished"
    line: list[Any] = [sys.executable, _PROGRAM, deployment.api, table, "--unfinished", memory]
    environment = {"AWS_EC2_METADATA_DISABLED": "true"}
    kills = 0
    while True:
        process = subprocess.Popen(
            line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            process.communicate(timeout=dice.uniform(0.5, 1.5) if kills < 20 else 120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        assert process.returncode == 0
        break
    assert kills > 0
    assert list(memory.iterdir()) == []
    keys = [file["key"] for file in client.files() if file["size"] == table.stat().st_size]
    assert content(client, keys[-1]) == table.read_bytes()


def test_another_machine_goes_on_with_an_upload(
    client: Client, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = httpx.Client.put

    def cut(http: httpx.Client, url: str, **about: Any) -> httpx.Response:
        if "partNumber=3" in url:  # parts are sent at once, in any order
            raise ApiError("the connection is gone", 400)
        return put(http, url, **about)

    other = table.with_name("other.csv")
    other.write_bytes(table.read_bytes().replace(b"text", b"else", 1))
    begun = client.start("Table.csv", size=table.stat().st_size)
    with monkeypatch.context() as patched:
        patched.setattr(httpx.Client, "put", cut)
        with pytest.raises(ApiError, match="the connection is gone"):
            client.send_parts(begun, table)
    assert client.find_unfinished(other, "table.csv") is None
    sent_before = client.find_unfinished(table, "table.csv")
    assert sent_before == {field: begun[field] for field in ("key", "upload_id", "part_bytes")}
    assert client.upload(table, "table.csv", begun_elsewhere=True) == begun["key"]
    assert content(client, begun["key"]) == table.read_bytes()


def test_an_upload_is_listed_with_its_parts_until_it_is_completed(
    client: Client, http: httpx.Client
) -> None:
    def uploading(**query: str) -> dict[str, Any]:
        query |= {"state": "uploading"}
        found: dict[str, Any] = http.get(f"{client.url}/files", params=query).json()
        return found

    started = [client.start(name, size=LARGEST) for name in ("a.csv", "b.csv")]
    keys = [one["key"] for one in started]
    body = b"x" * _SMALLEST
    tag = http.put(sign(client, started[0], 1), content=body).headers["ETag"]
    (found,) = uploading(prefix=keys[0])["files"]
    assert found["upload_id"] == started[0]["upload_id"]
    assert found["parts"] == [{"PartNumber": 1, "ETag": tag, "Size": _SMALLEST}]
    page = uploading(limit="1")
    listed = [file["key"] for file in page["files"]]
    while page["next_cursor"]:
        page = uploading(limit="1", cursor=page["next_cursor"])
        listed += [file["key"] for file in page["files"]]
    assert [key for key in listed if key in keys] == keys
    assert complete(client, started[0], [tag]).status_code == 200
    assert uploading(prefix=keys[0])["files"] == []


def test_a_part_has_the_size_that_was_signed(client: Client, http: httpx.Client) -> None:
    started = client.start("a.csv", size=LARGEST)
    url = sign(client, started, 1, size=_SMALLEST)
    for size in (_SMALLEST - 1, _SMALLEST + 1):
        assert http.put(url, content=b"x" * size).status_code == 403
    assert http.put(url, content=b"x" * _SMALLEST).status_code == 200


def test_more_than_is_allowed_becomes_no_file(client: Client, http: httpx.Client) -> None:
    started = client.start("a.csv", size=LARGEST)
    tags = [
        http.put(sign(client, started, number), content=b"x" * (13 * MEBIBYTE)).headers["ETag"]
        for number in (1, 2)
    ]
    answer = complete(client, started, tags)
    assert answer.status_code == 413
    assert f"at most {LARGEST:,} are taken" in answer.json()["error"]["message"]
    assert complete(client, started, tags).json()["error"]["code"] == "no_such_upload"
    assert client.http.get(f"{client.url}/files/{quote(started['key'])}").status_code == 404
    with pytest.raises(ApiError, match=r"413.*too_large"):
        client.start("a.csv", size=LARGEST + 1)


def test_parts_that_are_too_small_or_not_there_are_refused(
    client: Client, http: httpx.Client
) -> None:
    started = client.start("a.csv", size=LARGEST)
    tags = [http.put(sign(client, started, n), content=b"x").headers["ETag"] for n in (1, 2)]
    for wanted in (tags, [tags[0], '"0123"']):
        answer = complete(client, started, wanted)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parts")


def test_an_upload_is_of_one_key_alone(client: Client, http: httpx.Client) -> None:
    one, other = (client.start(name, size=LARGEST) for name in ("a.csv", "b.csv"))
    mixed = one | {"key": other["key"]}
    assert http.put(sign(client, mixed, 1), content=b"x").status_code == 404
    assert parts(client, mixed).status_code == 404
    assert complete(client, mixed, ['"a"']).status_code == 404
    signed = sign(client, one, 1)
    assert http.put(signed.replace("partNumber=1", "partNumber=2"), content=b"x").status_code == 403
    assert http.put(signed.replace("a.csv", "c.csv"), content=b"x").status_code == 403
    assert parts(client, one).json() == []


def test_two_clients_may_send_one_upload(
    deployment: Deployment, client: Client, table: Path
) -> None:
    started = client.start(table.name, size=table.stat().st_size)

    def send(_: int) -> None:
        with httpx.Client(timeout=60) as own:
            Client(deployment.api, own).send_parts(started, table)

    with ThreadPoolExecutor(2) as clients:
        list(clients.map(send, range(2)))
    assert content(client, started["key"]) == table.read_bytes()
    versions = deployment.aws("s3").list_object_versions(
        Bucket=deployment.bucket, Prefix=started["key"]
    )
    assert len(versions["Versions"]) == 1


def test_an_upload_that_is_abandoned_is_gone(client: Client, http: httpx.Client) -> None:
    started = client.start("a.csv", size=LARGEST)
    http.put(sign(client, started, 1), content=b"x")
    for _ in range(2):
        assert http.delete(address(client, started), params={"key": started["key"]}).json() == {}
    assert parts(client, started).status_code == 404


def test_uppy_uploads_in_parts(deployment: Deployment, client: Client, http: httpx.Client) -> None:
    """The requests of @uppy/aws-s3 (src/s3-client/CompanionS3.ts), with the page's origin."""
    origin = {"Origin": deployment.origin}
    companion = f"{client.url}/s3"
    asked = {"filename": "a b.csv", "type": "text/csv", "metadata": {"name": "a b.csv"}}
    answer = http.post(f"{companion}/multipart", json=asked, headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == deployment.origin
    started = answer.json()
    upload = f"{companion}/multipart/{quote(started['uploadId'], safe='')}"
    key = {"key": started["key"]}

    listed = []
    for number, body in enumerate((b"a,b\n" + b"1,2\n" * (_SMALLEST // 4), b"3,4\n"), start=1):
        url = http.get(f"{upload}/{number}", params=key, headers=origin).json()["url"]
        preflight = {**origin, "Access-Control-Request-Method": "PUT"}
        assert "PUT" in http.options(url, headers=preflight).headers["Access-Control-Allow-Methods"]
        sent = http.put(url, content=body, headers=origin)
        assert "ETag" in sent.headers["Access-Control-Expose-Headers"]
        listed.append({"PartNumber": number, "ETag": sent.headers["ETag"].strip('"')})
    assert [part["PartNumber"] for part in http.get(upload, params=key).json()] == [1, 2]

    done = http.post(f"{upload}/complete", params=key, json={"parts": listed}, headers=origin)
    assert done.json()["key"] == started["key"]
    rows = client.wait(started["key"])["result"]["details"]["rows"]
    assert rows == _SMALLEST // 4 + 1


def test_uppy_sends_a_form(deployment: Deployment, client: Client, http: httpx.Client) -> None:
    query = {"filename": "a.csv", "type": "text/csv", "metadata[name]": "a.csv"}
    form = http.get(f"{client.url}/s3/params", params=query).json()
    headers = {"Origin": deployment.origin}
    sent = http.post(form["url"], data=form["fields"], files={"file": b"a\n1\n"}, headers=headers)
    assert sent.is_success
    assert client.wait(form["fields"]["key"])["state"] == "succeeded"


def address(client: Client, started: dict[str, Any]) -> str:
    return f"{client.url}/s3/multipart/{quote(started['upload_id'], safe='')}"


def sign(client: Client, started: dict[str, Any], number: int, **size: int) -> str:
    params = {"key": started["key"], **size}
    answer = client.http.get(f"{address(client, started)}/{number}", params=params)
    assert answer.is_success, answer.text
    url: str = answer.json()["url"]
    return url


def parts(client: Client, started: dict[str, Any]) -> httpx.Response:
    return client.http.get(address(client, started), params={"key": started["key"]})


def complete(client: Client, started: dict[str, Any], tags: list[str]) -> httpx.Response:
    where = f"{address(client, started)}/complete"
    body = {"parts": [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(tags, start=1)]}
    for pause in (0.5, 1, 2):
        answer = client.http.post(where, params={"key": started["key"]}, json=body)
        if answer.status_code != 429:
            break
        time.sleep(pause)
    return answer
