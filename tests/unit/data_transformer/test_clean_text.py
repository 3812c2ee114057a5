from __future__ import annotations

import io

import pytest

from data_transformer.text import CHUNK_BYTES, CleanText

FILL = b"a" * (CHUNK_BYTES - 1)


def _clean(raw: bytes) -> tuple[bytes, str]:
    text = CleanText(io.BytesIO(raw))
    return b"".join(text), text.encoding


def test_bytes_that_windows_1252_leaves_undefined() -> None:
    assert _clean(b"caf\xe9 \x81\n") == ("café \x81\n".encode(), "windows-1252")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(encoding: str) -> None:
    assert _clean("Name,Größe\n".encode(encoding)) == ("Name,Größe\n".encode(), encoding)


@pytest.mark.parametrize("encoding", ["utf-32", "utf-16", "utf-8-sig"])
def test_mark_is_removed(encoding: str) -> None:
    assert _clean("é\n".encode(encoding))[0] == "é\n".encode()


def test_late_byte_makes_the_text_windows_1252_from_there_on() -> None:
    assert _clean(FILL + b"a\xe9\n" + FILL) == (FILL + "aé\n".encode() + FILL, "windows-1252")


def test_character_over_the_end_of_a_chunk() -> None:
    raw = FILL + "é".encode()
    assert _clean(raw + FILL) == (raw + FILL, "utf-8")


def test_late_utf_8_after_ascii() -> None:
    raw = FILL + "aé".encode()
    assert _clean(raw) == (raw, "utf-8")


def test_bad_bytes_in_utf_8_stay_as_they_are() -> None:
    raw = "é".encode() + FILL + b"\xff" + FILL
    assert _clean(raw) == (raw, "utf-8")


def test_line_end_over_the_end_of_a_chunk() -> None:
    assert _clean(FILL + b"\r\n1\r")[0] == FILL + b"\n1\n"
