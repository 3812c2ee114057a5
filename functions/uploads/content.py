"""Identifies a file by its first bytes, for rejection messages: people rename files."""

from __future__ import annotations

import re
from typing import Final

HEAD_BYTES: Final = 512

_SIGNATURES: Final = (
    (rb"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (rb"\xff\xd8\xff", "a JPEG picture"),
    (rb"GIF8[79]a", "a GIF picture"),
    (rb"(II[*+]\0|MM\0[*+])", "a TIFF picture"),
    (rb"RIFF....WEBP", "a WebP picture"),
    (rb"....ftyp(avif|avis)", "an AVIF picture"),
    (rb"....ftyp(hei[cfmsx]|hev[cmsx]|mif1|msf1)", "a HEIC picture"),
    (rb"....ftyp", "a video"),
    (rb"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (rb"(\xff\x0a|\0\0\0\x0cJXL \r\n)", "a JPEG XL picture"),
    (rb"\0\0\x01\0[^\0]\0", "an icon"),
    (rb"8BPS\0\x01", "a Photoshop document"),
    (rb"%!PS", "a PostScript document"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"-----BEGIN [A-Z ]+-----", "a certificate or a key"),
    (rb"BEGIN:V(CARD|CALENDAR)\s", "a vCard or a calendar"),
    (rb"version https://git-lfs[.]github[.]com/spec/", "a Git LFS pointer"),
    (rb"(ID3[\x02-\x04]|RIFF....WAVE|OggS\0|fLaC)", "a sound"),
    (rb"\x1a\x45\xdf\xa3", "a video"),
    (rb"(\x7fELF|MZ[^\0]\0)", "a program"),
    (rb"%PDF-", "a PDF document"),
    (rb"PK(\x03\x04|\x05\x06)", "a zip archive, such as an Excel workbook"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document, such as an Excel workbook"),
    (rb"\x1f\x8b", "compressed with gzip"),
    (rb"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (rb"BZh[1-9]", "compressed with bzip2"),
    (rb"\xfd7zXZ\0", "compressed with xz"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"PAR1", "a Parquet file"),
    (rb"SQLite format 3\0", "an SQLite database"),
    (rb"\0\x05\x16[\0\x07]", "a macOS resource fork (of a file without ._ in its name)"),
    (rb"(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype\s+html|html|head|body)[\s>]", "an HTML page"),
    (rb"(\xef\xbb\xbf)?\s*(<(\?xml|!--|!doctype\s+svg).*?>\s*)*<svg[\s>]", "an SVG drawing"),
    (rb"(\xef\xbb\xbf)?\s*<\?xml\s", "an XML document"),
    # Names of columns may be in such brackets, but none ends.
    (rb"(\xef\xbb\xbf)?\s*<[a-z][\w:.-]*(\s[^<>]*)?>.*</", "an XML or HTML document"),
)  # fmt: skip
_PATTERNS: Final = [(re.compile(s, re.DOTALL | re.IGNORECASE), noun) for s, noun in _SIGNATURES]


def describe(head: bytes) -> str | None:
    """Return what a file is ("a PNG picture", "compressed with gzip"), or None if unknown.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it.
    """
    head = head[:HEAD_BYTES]
    return next((noun for pattern, noun in _PATTERNS if pattern.match(head)), None)
