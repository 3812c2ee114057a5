from __future__ import annotations

import pytest

from uploads.content import describe


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"\0\0\0\x18ftypheic\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0", "a video"),
        (b"PK\x03\x04\x14\0", "a zip archive, such as an Excel workbook"),
        (b"\x1f\x8b\x08", "compressed with gzip"),
        (b"PAR1\x15", "a Parquet file"),
        (b"\n <!DOCTYPE html>\n<html>", "an HTML page"),
        (b"\xef\xbb\xbf<html lang='en'>", "an HTML page"),
        (b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg xmlns='x'>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<kml>", "an XML document"),
    ],
)
def test_kind_of_a_file(head: bytes, kind: str) -> None:
    assert describe(head) == kind


@pytest.mark.parametrize(
    "head", [b"", b"a,b\n1,2\n", b"name\n<b>bold</b>\n", b'{"a": 1}', b"PARIS\n"]
)
def test_text_is_of_no_known_kind(head: bytes) -> None:
    assert describe(head) is None
