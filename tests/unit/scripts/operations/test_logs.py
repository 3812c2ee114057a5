from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from scripts.operations import __main__ as operate
from scripts.operations import logs
from scripts.operations.logs import Line
from scripts.operations.progress import Screen
from tests.unit.scripts.operations.fakes import KEY, NOW

if TYPE_CHECKING:
    from tests.unit.scripts.operations.conftest import Run
    from tests.unit.scripts.operations.fakes import Aws

API, IMAGES, ACCESS = "/aws/lambda/api_handler", "/aws/lambda/image_processor", "access"
ID = KEY.split("/")[1]
BORN = datetime.fromtimestamp(int(ID.replace("-", "")[:12], 16) / 1000, UTC)


@pytest.fixture
def lines(aws: Aws) -> None:
    """A file's life, in the formats of AWS: its form, its processing, a look at its result."""

    def put(group: str, seconds: float, message: object) -> None:
        aws.logs.put(group, message, BORN + timedelta(seconds=seconds))

    asked = {"level": "INFO", "message": "request", "request_id": "api-1", "correlation_id": KEY}
    put(API, 0, asked | {"route": "POST /files", "status": 201, "function_request_id": "f-1"})
    put(ACCESS, 0.1, {"method": "GET", "path": f"/prod/files/{KEY}", "status": "200"})
    put(IMAGES, 1, {"type": "platform.start", "record": {"requestId": "f-2"}})
    failed = {"level": "ERROR", "message": "failed", "key": KEY, "function_request_id": "f-2"}
    error = {"code": "odd", "message": "It is odd."}
    put(IMAGES, 2, failed | {"exception": "OSError: disk is full", "error": error})
    metrics = {"durationMs": 900.0, "maxMemoryUsedMB": 80}
    report = {"requestId": "f-2", "status": "error", "metrics": metrics}
    put(IMAGES, 3, {"type": "platform.report", "record": report})
    put(IMAGES, 4, f"{ID} in plain text\n")
    put(IMAGES, 5, {"message": "of another file", "key": "uploads/1/b.jpg"})


@pytest.mark.usefixtures("lines")
def test_a_life_in_its_order(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("logs", KEY) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split("  ", 1)[1] for line in shown[:4]] == [
        "api_handler       INFO  request  route=POST /files  status=201  function_request_id=f-1",
        f"api_access        method=GET  path=/prod/files/{KEY}  status=200",
        "image_processor   platform.start  ",
        f"image_processor   ERROR  failed  odd: It is odd.  key={KEY}  function_request_id=f-2  ",
    ]
    assert shown[4] == "OSError: disk is full"
    assert shown[5].endswith("platform.report  status=error  durationMs=900.0  maxMemoryUsedMB=80")
    assert shown[6].endswith(f"{ID} in plain text")
    assert len(shown) == 7
    assert shown[0].startswith(f"{BORN:%Y-%m-%d %H:%M:%S}.{BORN.microsecond // 1000:03}Z  api")


@pytest.mark.usefixtures("lines")
def test_an_api_without_a_log(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    options = operate.parser().parse_args(["logs", KEY, "--json"])
    assert logs.run(options, aws.environment(api_log_group_name=None), Screen(as_json=True)) == 0
    sources = [json.loads(line)["source"] for line in capsys.readouterr().out.splitlines()]
    assert sources == ["api_handler", *["image_processor"] * 4]


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("wanted", ["api-1", "f-2", ID])
def test_an_identifier_leads_to_the_whole_life(
    run: Run, capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    assert run("logs", wanted, "--json", "--since", "9999d") == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["source"] for line in found] == [
        "api_handler",
        "api_access",
        *["image_processor"] * 4,
    ]
    assert found[0]["line"]["route"] == "POST /files"
    assert found[-1]["line"] == f"{ID} in plain text"
    assert [line["request_id"] for line in found[2:]] == ["f-2", "f-2", "f-2", None]


def test_another_key_that_holds_the_same_words_is_another(aws: Aws, run: Run) -> None:
    aws.logs.put(IMAGES, {"key": "uploads/photos.jpg my uploads/my", "size": 5})
    assert run("logs", "uploads/my photos.jpg", "--since", "9999d") == 1


def test_quotes_of_a_name_do_not_end_the_pattern(aws: Aws, run: Run) -> None:
    run("logs", 'uploads/my "holiday" photos.jpg')
    assert set(aws.logs.patterns) == {'"uploads/my \\"holiday\\" photos.jpg"'}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_key_is_found_however_json_writes_it(ascii_only: bool) -> None:  # noqa: FBT001 - pytest's
    key = 'uploads/"\u00e9t\u00e9".jpg'
    text = json.dumps({"files": [{"key": key}]}, ensure_ascii=ascii_only)
    assert logs.names(Line(0, 0, "api_handler", "s", text), key)


def test_nothing_found(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("logs", KEY) == 1
    assert f"No line names {KEY}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wanted", "span", "expected"),
    [
        (KEY, None, BORN - timedelta(minutes=5)),
        (KEY, timedelta(hours=6), NOW - timedelta(hours=6)),
        ("uploads/photo.jpg", None, NOW - timedelta(days=1)),
    ],
)
def test_since_when(wanted: str, span: timedelta | None, expected: datetime) -> None:
    assert logs.beginning(wanted, span, NOW) == expected


def follow(aws: Aws, *arguments: str, rounds: list[Any]) -> int:
    """Follow; after each round happens what the test says, and then the user interrupts."""

    def sleep(_: float) -> None:
        if not rounds:
            raise KeyboardInterrupt
        rounds.pop(0)()

    options = operate.parser().parse_args(["logs", KEY, "--follow", *arguments])
    return logs.run(options, aws.environment(), Screen(as_json=options.json), sleep)


@pytest.mark.usefixtures("lines")
def test_following_shows_each_line_once(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    def later() -> None:
        aws.logs.put(IMAGES, {"message": "again", "key": KEY}, datetime.now(UTC))

    assert follow(aws, "--json", rounds=[later, lambda: None]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 7
    assert shown.count('"again"') == 1


def test_a_line_that_is_json_but_no_object(aws: Aws, run: Run) -> None:
    aws.logs.put(IMAGES, f'["{KEY}"]')
    aws.logs.put(IMAGES, {"record": "r", "message": KEY})
    assert run("logs", KEY, "--since", "9999d") == 0
