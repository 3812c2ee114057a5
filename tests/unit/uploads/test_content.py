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
        (b"<Error><Code>AccessDenied</Code></Error>", "an XML or HTML document"),
        (b"\n<table border='1'>\n<tr><td>1</td>", "an XML or HTML document"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a Git LFS pointer"),
        (b"{\\rtf1\\ansi Hello, world}", "an RTF document"),
        (b"%!PS-Adobe-3.0\n", "a PostScript document"),
        (b"-----BEGIN RSA PRIVATE KEY-----\n", "a certificate or a key"),
        (b"BEGIN:VCARD\r\nVERSION:3.0", "a vCard or a calendar"),
        (b"\0\0\1\0\1\0\x10\x10", "an icon"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x0a\x00\x10", "a JPEG XL picture"),
        (b"8BPS\0\1\0\0", "a Photoshop document"),
        (b"ID3\x03\0", "a sound"),
        (b"\x1a\x45\xdf\xa3\x01", "a video"),
        (b"MZ\x90\0\x03", "a program"),
    ],
)
def test_kind_of_a_file(head: bytes, kind: str) -> None:
    assert describe(head) == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"a,b\n1,2\n",
        b"name\n<b>bold</b>\n",
        b'{"a": 1}',
        b"PARIS\n",
        b"<DATE>,<OPEN>\n1,2\n",
        b"MZ,n\n",
        b"ID3,n\n",
    ],
)
def test_text_is_of_no_known_kind(head: bytes) -> None:
    assert describe(head) is None
