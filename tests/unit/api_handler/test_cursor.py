from __future__ import annotations

import base64
import json

import pytest

from api_handler import cursor
from api_handler.errors import ApiError

PREFIX = "uploads/"


def made(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("key", ["uploads/1/a.jpg", "uploads/1/\u6d77 +%.jpg", "uploads/"])
def test_a_cursor_leads_back_to_its_key(key: str) -> None:
    assert cursor.decode(cursor.encode(PREFIX, key), PREFIX) == key


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "\u00e9",
        "!!!!",
        "AAAA",
        "[" * 10,
        made("uploads/"),
        made([PREFIX]),
        made([PREFIX, 1]),
        made([1, "a"]),
        made([PREFIX, "\ud800"]),
        made(["processed/", "1/result.json"]),
        cursor.encode("uploads/1", "uploads/1/a.jpg"),
        cursor.encode(PREFIX, "uploads/1/a.jpg") + "=",
        made([PREFIX, "a"]) + "\n",
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_what_this_listing_did_not_give_is_refused(forged: str) -> None:
    with pytest.raises(ApiError) as caught:
        cursor.decode(forged, PREFIX)
    assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")
