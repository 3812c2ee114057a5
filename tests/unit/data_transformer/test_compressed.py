"""Compressed tables, other delimiters by name, and tables under the name of another format."""

from __future__ import annotations

import gzip
import random
import shutil
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]

CSV = b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(1000))


def _codes(made: Outcome) -> list[str]:
    return [warning.code for warning in made.processed.warnings]


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": partial(gzip.compress, mtime=0),
    ".zst": zstd.compress,
}


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"a,b\n1,x\n2,y\n"),
        ("T.CSV", b"a,b\n1,x\n2,y\n"),
        ("t.tsv", b"a\tb\n1\tx\n2\ty\n"),
        ("t.json", b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'),
        ("t.jsonl", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'),
        ("t.ndjson", b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n'),
    ],
)
def test_compressed_tables(transform: Transform, name: str, content: bytes, ending: str) -> None:
    made = transform(PACK[ending](content), name + ending)
    assert made.rows == [(1, "x"), (2, "y")]
    assert _codes(made) == []


@pytest.mark.parametrize("ending", PACK)
def test_several_members_are_one_text(transform: Transform, ending: str) -> None:
    packed = b"".join(map(PACK[ending], (CSV[:1500], b"", CSV[1500:])))
    for filling in (b"", b"\0", b"\0" * 600_000):
        made = transform(packed + filling, f"t.csv{ending}")
        assert len(made.rows) == 1000
        assert _codes(made) == []


@pytest.mark.parametrize("ending", PACK)
def test_rows_before_a_cut_are_kept_and_said(transform: Transform, ending: str) -> None:
    chance = random.Random(1)  # noqa: S311 - what cannot be compressed
    rows = b"a,b\n" + b"".join(b"1,%d\n" % chance.getrandbits(60) for _ in range(30_000))
    packed = PACK[ending](rows)
    made = transform(packed[: len(packed) // 2], f"t.csv{ending}")
    assert 10_000 < len(made.rows) < 20_000
    assert "cut_compression" in _codes(made)


def test_frames_that_are_to_be_skipped_are(transform: Transform) -> None:
    skipped = b"\x5e\x2a\x4d\x18\x03\0\0\0abc"
    made = transform(skipped + zstd.compress(CSV) + skipped, "t.csv.zst")
    assert len(made.rows) == 1000


def test_a_large_window_is_rejected(transform: Transform) -> None:
    window = {int(zstd.CompressionParameter.window_log): 24}
    packer = zstd.ZstdCompressor(options=window)
    packed = packer.compress(CSV, zstd.ZstdCompressor.FLUSH_BLOCK) + packer.flush()
    with pytest.raises(RejectedError, match=r"too_large: .* without --long and --ultra"):
        transform(packed, "t.csv.zst")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", CSV),
        ("t.csv.zst", CSV),
        ("t.csv.zst", gzip.compress(CSV, mtime=0)),
        ("t.csv.gz", zstd.compress(CSV)),
        ("t.json.gz", b'[{"a": 1, "b": "x"}]'),
    ],
    ids=["no gzip", "no Zstandard", "gzip", "Zstandard", "JSON"],
)
def test_a_file_that_is_compressed_otherwise_is_read_and_said(
    transform: Transform, name: str, content: bytes
) -> None:
    """Clients decompress what a server declares as compressed, and keep its name."""
    made = transform(content, name)
    assert len(made.rows) == (1 if "json" in name else 1000)
    assert _codes(made) == ["other_format"]


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize(("rest", "codes"), [(b"\0" * 512, []), (b"rest", ["rest_of_compression"])])
def test_what_follows_the_compressed_data_is_said(
    transform: Transform, ending: str, rest: bytes, codes: list[str]
) -> None:
    made = transform(PACK[ending](CSV) + rest, f"t.csv{ending}")
    assert len(made.rows) == 1000
    assert _codes(made) == codes


@pytest.mark.parametrize(
    ("ending", "content", "code", "message"),
    [
        (".gz", b"PK\x03\x04", "damaged_workbook", "is a damaged zip archive"),
        (".gz", b"<!doctype html><html>", "not_a_table", "is an HTML page"),
        (
            ".gz",
            gzip.compress(CSV, mtime=0)[:18],
            "damaged_compression",
            "before anything can be read",
        ),
        (".gz", gzip.compress(b"", mtime=0), "empty_file", "holds no text"),
        *(
            case
            for ending, pack in PACK.items()
            for case in (
                (ending, pack(CSV)[:100] + b"x" * 900, "damaged_compression", "are damaged"),
                (ending, pack(b"a,b\n" * 10**6), "too_large_decompressed", "more than 1 MB"),
            )
        ),
    ],
)
def test_what_cannot_be_decompressed_is_rejected(
    transform: Transform, ending: str, content: bytes, code: str, message: str
) -> None:
    with pytest.raises(RejectedError, match=message) as rejected:
        transform(content, f"t.csv{ending}", max_decompressed_mb=1)
    assert rejected.value.code == code


def test_compressed_json_leaves_room_in_the_temporary_folder(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 2**20))
    with pytest.raises(RejectedError, match="more than 1 MB"):
        transform(gzip.compress(b'{"a": 1}\n' * 200_000, mtime=0), "t.jsonl.gz")


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("t.tsv", "a,b\tc,d\nx, y, 1\t2\nz\t3\n", 2),  # more commas than tabs
        ("t.tab", "a\tb\n1\t2\n", 2),
        ("t.psv", "a|b,c\n1|2,5\n3|4,5\n", 2),
        ("t.tsv", "a,b,c\n1,2,3\n", 3),  # the content says otherwise
        ("t.tsv", "sep=;\na\tx;b\n1\t1;2\n", 2),
    ],
)
def test_delimiter_by_name(transform: Transform, name: str, text: str, columns: int) -> None:
    assert len(transform(text, name).types) == columns


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("t.csv", b'[{"a": 1},\n {"a": 2}]', "JSON"),
        ("t.csv", b'{"a": 1}\n{"a": 2}\n', "JSON"),
        ("t.tsv", b'{"a": 1}\n{"a": 2}\n', "JSON"),
        ("t.json", b"a,b\r\n1,x\r\n2,y\r\n", "CSV"),
        ("t.json", b"a,b\r1,x\r2,y\r", "CSV"),
        ("t.csv", gzip.compress(b"a\n1\n2\n", mtime=0), "gzip"),
        ("t.json", gzip.compress(b'[{"a": 1}, {"a": 2}]', mtime=0), "gzip"),
        ("t.json", zstd.compress(b'[{"a": 1}, {"a": 2}]'), "zstd"),
    ],
)
def test_content_counts_more_than_the_name(
    transform: Transform, name: str, content: bytes, form: str
) -> None:
    made = transform(content, name)
    assert [row[0] for row in made.rows] == [1, 2]
    [warning] = made.processed.warnings
    assert (warning.code, warning.message.split(",")[0]) == ("other_format", f"The file is {form}")


@pytest.mark.parametrize("content", [b"hello\n", b"1,2\n3,4\n", b"a,b\n"])
def test_a_text_that_is_no_table_with_a_header_is_bad_json(
    transform: Transform, content: bytes
) -> None:
    with pytest.raises(RejectedError, match="invalid_json"):
        transform(content, "t.json")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.json.gz"])
def test_what_is_compressed_twice_is_rejected(transform: Transform, name: str) -> None:
    with pytest.raises(RejectedError, match="not_a_table: The file is compressed twice"):
        transform(gzip.compress(gzip.compress(CSV), mtime=0), name)


def test_what_begins_like_two_formats_is_rejected(transform: Transform) -> None:
    # The NUL hides the bracket from the one reader, and is removed by the other.
    with pytest.raises(RejectedError, match="begins like CSV and like JSON"):
        transform(b'\0[{"a": 1, "b": 2},\n{"a": 1, "b": 3}]\n', "t.json")
