"""Generated tables: what is written is what was read, and nothing that is sent can break it."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import string
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_transformer import rejected_rows
from data_transformer.columns import CANDIDATES
from data_transformer.core import Transformer
from data_transformer.csv_rows import CsvRows
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes, Outcome
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text(string.ascii_letters + ' ,;"\n\téß€', min_size=1, max_size=8).map(
    lambda word: f"w{word}w"
)
KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], str]]] = {
    "BIGINT": (st.integers(-(2**63), 2**63 - 1), str),
    "DOUBLE": (st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda n: round(n, 3) + 0.5), repr),
    "DATE": (st.dates(dt.date(1900, 1, 1)), str),
    "TIMESTAMP": (
        st.datetimes(dt.datetime(1900, 1, 1)).map(lambda t: t.replace(microsecond=0)),  # noqa: DTZ001 - text without an offset
        lambda when: when.isoformat(" "),
    ),
    "BOOLEAN": (st.booleans(), lambda truth: str(truth).lower()),
    "VARCHAR": (WORDS, str),
}


def rows_of(chunks: list[bytes], columns: int, longest: int = 2**24) -> CsvRows:
    return CsvRows(chunks, delimiter=",", columns=columns, longest=longest, strict=True)


def _outcome(content: bytes, name: str, directory: str) -> Outcome:
    return Outcome(Transformer(Settings())(Bytes(content, name), Path(directory)), Path(directory))


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=5))
    rows = draw(st.lists(st.tuples(*[KINDS[kind][0] for kind in kinds]), min_size=1, max_size=8))
    return kinds, [list(row) for row in rows]


@QUICK
@given(tables(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]))
def test_parquet_holds_what_the_csv_held(
    table: tuple[list[str], list[list[Any]]], delimiter: str, end: str
) -> None:
    kinds, rows = table
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow([f"name {place}" for place in range(len(kinds))])
    for row in rows:
        writer.writerow([KINDS[kind][1](value) for kind, value in zip(kinds, row, strict=True)])
    with TemporaryDirectory() as name:
        made = _outcome(text.getvalue().encode(), "table.csv", name)
        found = made.rows
    for kind, type_, place in zip(kinds, made.types.values(), range(len(kinds)), strict=True):
        column = [row[place] for row in found]
        if type_ == kind:
            assert column == [row[place] for row in rows]
        else:  # numbers without a fraction and the like have a narrower type: as text, the same
            assert [Decimal(str(value)) for value in column] == [
                Decimal(str(row[place])) for row in rows
            ]


@QUICK
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_rejected(content: bytes) -> None:
    for file in ("table.csv", "table.json"):
        with TemporaryDirectory() as name, contextlib.suppress(RejectedError):
            Transformer(Settings())(Bytes(content, file), Path(name))


CSV_PIECES = st.sampled_from(
    [",", ",", "\n", "\n", '"', '""', "1", "a", " ", "é", '"x\ny"', "\n\n"]
)


@settings(QUICK, max_examples=25)
@given(st.lists(CSV_PIECES, max_size=30).map("".join))
def test_any_quotes_and_ragged_rows_are_a_table_or_rejected(tail: str) -> None:
    content = "a,b\n" + "1,x\n" * 40 + tail
    with TemporaryDirectory() as name:
        try:
            made = _outcome(content.encode(), "table.csv", name)
        except RejectedError:
            return
        if made.processed.details["rejected_rows"]:
            lines = content.split("\n")
            for reject in made.rejects:
                first = reject["raw"].split("\n")[0]
                assert first in lines[reject["line"] - 1]


@settings(QUICK, max_examples=25)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["", "1", 'a"b', '"x\ny"', '"q""q"', ' "s\n" ', "é"]),
            min_size=2,
            max_size=2,
        ).map(",".join)
        | st.just(""),
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_rows_are_found_in_the_text(rows: list[str], size: int) -> None:
    text = "\n".join([*rows, "end,0"]).encode()
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    wanted = [row for row in [*rows, "end,0"] if row]
    misfits = (rejected_rows.Misfit(number, "a", "wrong") for number in range(1, len(wanted) + 1))
    found = list(rejected_rows.Located(rows_of(chunks, 2), 1, misfits))
    assert [reject.raw for reject in found] == wanted
    lines = text.decode().split("\n")
    for reject in found:
        assert lines[reject.line - 1] == reject.raw.split("\n")[0]


CELLS = st.sampled_from(
    ["", "1", " ", 'a"b', 'a""', '5" pipe', '"x\ny"', '"q""q"', ' "s\n" ', '""', "é", " a", ' a"b']
)


@settings(QUICK, max_examples=100)
@given(
    st.lists(
        st.lists(CELLS | st.just("\udcff"), min_size=1, max_size=4).map(",".join), max_size=30
    ),
    st.booleans(),
)
def test_rows_hold_the_same_cells_for_duckdb(lines: list[str], strict: bool) -> None:  # noqa: FBT001 - hypothesis
    text = "\n".join(lines).encode(errors="surrogateescape")
    cells = [line.split(",") for line in lines if line.strip(" ")]
    wanted = [
        tuple(map(_value, row[:2]))
        for row in cells
        if len(row) > 1 and not any(row[2:]) and "\udcff" not in row
    ]
    with TemporaryDirectory() as name:
        path = Path(name) / "table.csv"
        rows = CsvRows([text], delimiter=",", columns=2, longest=2**24, strict=strict)
        path.write_bytes(b"".join(run.rows for run in rows))
        assert _read(path, 2, ignore_errors=not strict) == wanted


def _read(path: Path, columns: int, *, ignore_errors: bool) -> list[tuple[str | None, ...]]:
    types = {f"c{place}": "VARCHAR" for place in range(columns)}
    with duckdb.connect() as connection:
        return connection.execute(
            "FROM read_csv(?, columns = ?, auto_detect = false, header = false, delim = ',', "
            "quote = '\"', escape = '\"', new_line = '\\n', allow_quoted_nulls = false, "
            "ignore_errors = ?)",
            [str(path), types, ignore_errors],
        ).fetchall()


def test_duckdb_takes_the_same_bytes_for_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    every = [point for point in range(1, 0x110000) if chr(point) not in '\r\n",']
    lines = [b"%d,%b" % (point, chr(point).encode(errors="surrogatepass")) for point in every]
    lines += [b"0,\x80", b"0,\xc0\xaf", b"0,\xe0\x80\xaf", b"0,\xf4\x90\x80\x80", b"0,\xe4\xb8"]
    path.write_bytes(b"\n".join([*lines, b""]))
    strict = CsvRows([path.read_bytes()], delimiter=",", columns=2, longest=2**24, strict=True)
    wanted = [
        tuple(row.decode().removesuffix("\n").split(","))
        for run in strict
        for row in strict.split(run)
    ]
    assert len(wanted) == len(every) - 0x800
    assert _read(path, 2, ignore_errors=True) == wanted


def _value(cell: str) -> str | None:
    trimmed = cell.strip(" ")
    if trimmed.startswith('"'):
        return trimmed[1:-1].replace('""', '"')
    return cell or None


def test_long_bad_row_over_the_end_of_a_chunk() -> None:
    long = "x" * 20_000
    rows = rows_of([long[:10_000].encode(), f"{long[10_000:]}\nword,y".encode()], 2)
    found = rejected_rows.Located(rows, 1, iter([rejected_rows.Misfit(1, "a", "wrong")]))
    assert [(one.line, one.raw) for one in found] == [(1, long), (2, "word,y")]


NUMBERS = st.text("0123456789.-+eE_ :TZ", max_size=24)
STAMPS = st.from_regex(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d)?", fullmatch=True)


@QUICK
@given(st.lists(NUMBERS | STAMPS, min_size=20, max_size=20))
def test_a_quick_look_at_a_value_never_lets_pass_what_a_thorough_one_would_not(
    texts: list[str],
) -> None:
    with duckdb.connect() as connection:
        for candidate in CANDIDATES:
            value = candidate.value("cell")
            parts = {"text": "cell", "value": value}
            quick, exact = candidate.quick.format(**parts), candidate.exact.format(**parts)
            query = (
                f"SELECT cell FROM (SELECT unnest(?) AS cell) "  # noqa: S608 - constants
                f"WHERE {value} IS NOT NULL AND {quick} AND NOT {exact}"
            )
            assert connection.execute(query, [texts]).fetchall() == []
