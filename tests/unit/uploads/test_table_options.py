from __future__ import annotations

from typing import Any

import pytest

from uploads.table_options import TableOptions

EVERYTHING: dict[str, Any] = {
    "delimiter": ";",
    "decimal": ",",
    "encoding": "windows-1252",
    "header": False,
    "skip": 2,
    "null_values": ["-999"],
    "rows": "data.items",
    "columns": {"zip": "text", "day": "date(%d.%m.%Y)"},
}


def test_what_is_given_is_what_is_signed() -> None:
    options = TableOptions.parse(EVERYTHING)
    assert TableOptions.from_text(options.to_text()) == options
    assert options.to_text().isascii()
    assert TableOptions.parse({"delimiter": None}).to_text() == "{}"
    assert TableOptions.parse({"header": False}).to_json() == {"header": False}


def test_options_over_others_count_more() -> None:
    usual = TableOptions.parse({"skip": 2, "decimal": ",", "rows": "a"})
    merged = TableOptions.from_text('{"skip": 1}').over(usual, "rows")
    assert merged.to_json() == {"skip": 1, "decimal": ","}
    assert TableOptions.from_text('{"skip": 0}').over(usual).skip == 0
    assert TableOptions.from_text("").over(usual) == usual


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "must be an object"),
        ({"separator": ";"}, "Unknown option 'separator'; the options are delimiter, decimal,"),
        ({"delimiter": ";;"}, "The option delimiter must be one character"),
        ({"delimiter": "a"}, "The option delimiter must be one character"),
        ({"delimiter": '"'}, "The option delimiter must be one character"),
        ({"decimal": ";"}, 'The option decimal must be "." or ","'),
        ({"encoding": "klingon"}, "such as windows-1252"),
        ({"encoding": "base64"}, "such as windows-1252"),
        ({"header": "yes"}, "The option header must be true or false"),
        ({"skip": -1}, "a number of lines, 0 to 1000"),
        ({"skip": True}, "a number of lines"),
        ({"null_values": "NA"}, "a list of at most 100 texts"),
        ({"null_values": ["a\nb"]}, "a list of at most 100 texts"),
        ({"rows": "a..b"}, "names joined by points"),
        ({"columns": {"a": "money"}}, "types by the names of columns"),
        ({"columns": ["a"]}, "types by the names of columns"),
        ({"delimiter": ",", "decimal": ","}, "cannot both be commas"),
        ({"null_values": ["x" * 50] * 50}, "more than 1800 bytes"),
    ],
)
def test_what_is_wrong_is_reported_in_a_sentence(content: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TableOptions.parse(content)
