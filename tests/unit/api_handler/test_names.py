from __future__ import annotations

import pytest

from api_handler.errors import ApiError
from api_handler.names import checked_content_type, checked_name
from tests.unit.api_handler.support import KINDS

EXTENSIONS = (".jpg", ".csv")


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("beach.jpg", "beach.jpg"),
        ("IMG_0001.JPG", "IMG_0001.jpg"),
        ("a b+c%20d.csv", "a b+c%20d.csv"),
        ("archive.2026.csv", "archive.2026.csv"),
        ("..csv.csv", "..csv.csv"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg"),
        ("\u6d77\U0001f3d6.jpg", "\u6d77\U0001f3d6.jpg"),
        ("x" * 251 + ".jpg", "x" * 251 + ".jpg"),
        ("console.csv", "console.csv"),
    ],
)
def test_a_name_that_people_use_is_kept(name: str, stored: str) -> None:
    assert checked_name(name, EXTENSIONS)[0] == stored


@pytest.mark.parametrize(
    "name",
    [
        "",
        " a.jpg",
        "a.jpg ",
        "../a.jpg",
        "a\\b.jpg",
        "a\x00.jpg",
        "a\n.jpg",
        "a\u2028.jpg",
        "a\ud800.jpg",
        "a\ufffe.jpg",
        "gpj.\u202egpj.jpg",
        "x" * 252 + ".jpg",
        "\u00e9" * 126 + ".jpg",
        "${filename}.jpg",
        "con.jpg",
        "LPT1.data.csv",
    ],
)
def test_a_name_that_would_do_harm_is_refused(name: str) -> None:
    with pytest.raises(ApiError) as caught:
        checked_name(name, EXTENSIONS)
    assert (caught.value.status, caught.value.code) == (400, "invalid_name")


@pytest.mark.parametrize("name", ["a.exe", "a", ".jpg", "jpg", "a.jpg.exe", "a."])
def test_a_kind_that_is_not_accepted_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(ApiError, match=r"accepted are \.jpg, \.csv") as caught:
        checked_name(name, EXTENSIONS)
    assert (caught.value.status, caught.value.code) == (415, "unsupported_type")


@pytest.mark.parametrize(
    ("declared", "extension", "stored"),
    [
        (None, ".jpg", "image/jpeg"),
        ("", ".png", "image/png"),
        ("image/JPEG", ".jpeg", "image/jpeg"),
        ("text/csv; charset=utf-8", ".csv", "text/csv"),
        ("application/vnd.ms-excel", ".csv", "text/csv"),
    ],
)
def test_the_content_type_follows_from_the_extension(
    declared: str | None, extension: str, stored: str
) -> None:
    assert checked_content_type(declared, extension, KINDS[extension].content_types) == stored


@pytest.mark.parametrize("declared", ["text/html", "image/png", "image/jpeg\r\nX-A: b", "nonsense"])
def test_another_content_type_is_refused(declared: str) -> None:
    with pytest.raises(ApiError) as caught:
        checked_content_type(declared, ".jpg", KINDS[".jpg"].content_types)
    assert caught.value.status == 415


def test_the_longest_ending_is_the_kind() -> None:
    kinds = (".gz", ".csv.gz", ".csv")
    assert checked_name("t.CSV.GZ", kinds) == ("t.csv.gz", ".csv.gz")
