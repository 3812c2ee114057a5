"""Warnings of a delimited text: choices that were not certain, and odd rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from data_transformer import bounds
from data_transformer.messages import listed, shortened
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_transformer.columns import Column
    from data_transformer.dialect import Dialect
    from data_transformer.inference import Inference

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Seen:
    """Facts about a text, collected while its table was made.

    Attributes:
        encoding: of the text.
        nuls: number of NUL characters in it.
        dialect: in which it was read.
        table: the columns.
        types: the inferred types.
        missing: names of the columns in which a marker was read as a missing value.
        repeated: number of lines that repeat the header.
        rows: number of rows in the table.
        last_line: the last line that is a row.
    """

    encoding: str
    nuls: int
    dialect: Dialect
    table: Sequence[Column]
    types: Inference
    missing: Sequence[str]
    repeated: int
    rows: int
    last_line: bytes


def warnings(seen: Seen) -> Iterator[Problem]:
    """Yield the warnings of a table."""
    nuls = seen.nuls
    if nuls:
        yield Problem("nul_characters", f"{nuls} NUL characters were removed.")
    encoding = seen.encoding
    if not encoding.startswith("utf"):
        yield Problem(
            "legacy_encoding",
            f"The text is not UTF-8; it was read as {encoding}. If letters are wrong, save it "
            "as UTF-8.",
        )
    versions = [seen.table[place].name for place in seen.types.versions]
    if versions:
        yield Problem(
            "versions_as_text",
            f"{', '.join(versions[:_NAMED])}: read as text, since the column holds values such "
            "as 1.9 and 1.10, which are not two numbers of the same kind but versions.",
        )
    thousands = [
        seen.table[place].name
        for place in sorted(seen.dialect.thousands)
        if seen.types.columns[place].type == "DOUBLE"
    ]
    if thousands:
        yield Problem(
            "decimal_point",
            f"Points in the numbers of {listed(thousands)} were read as decimal marks. If they "
            "divide thousands (12.500 for 12500), the option decimal = ',' keeps them as text.",
        )
    if seen.types.marked:
        named = [f"{name} ({shortened(one)!r})" for name, one in seen.types.marked.items()]
        yield Problem(
            "numbers_as_text",
            f"{listed(named)}: read as text, since numbers have marks of thousands, of a currency "
            "or of percent. The option columns can declare such a column a number.",
        )
    yield from seen.dialect.warnings()
    if seen.repeated:
        are = "are not in the table" if seen.dialect.is_header_sure else "were read as rows"
        yield Problem(
            "repeated_header",
            f"Lines that repeat the header {are}: {seen.repeated}. Files that were put "
            "together have such lines.",
        )
    if seen.types.codes:
        named = [f"{name} ({shortened(one)!r})" for name, one in seen.types.codes.items()]
        yield Problem(
            "codes_as_text",
            f"{listed(named)}: read as text, since values that are no "
            "numbers, dates or booleans occur several times.",
        )
    if seen.types.mixed:
        names = listed([*map(shortened, seen.types.mixed)], 1)
        yield Problem(
            "mixed_as_text",
            f"{names}: read as text, although most values are numbers, dates or the like: "
            f"{seen.types.reasons[seen.types.mixed[0]]}.",
        )
    yield from _of_last_row(seen)
    fractions = [one for one in seen.types.columns if one.type.startswith(("DOUBLE", "DECIMAL"))]
    if seen.dialect.decimal == "," and fractions:
        yield Problem(
            "decimal_comma",
            "Commas in numbers were read as decimal marks, not as marks of thousands.",
        )
    missing = seen.missing
    if missing:
        names = listed([*map(shortened, missing)])
        yield Problem(
            "missing_values",
            f"Markers such as NA and - were read as missing values in {names}; in "
            "columns of text they stay.",
        )


def _of_last_row(seen: Seen) -> Iterator[Problem]:
    """Yield what the last row seems to be, if it is none of the data."""
    line = seen.last_line.decode(errors="replace")
    shown = shortened(line)
    cells = next(bounds.reader(line, seen.dialect.delimiter), [])
    filled = [cell for cell in cells if cell.strip()]
    if seen.rows > 1 and bounds.is_total(filled):
        yield Problem(
            "total_row",
            "The last row seems to be a total of the others; it is in the table like them: "
            f"{shown!r}.",
        )
    elif len(cells) > 1 and not filled:
        yield Problem(
            "empty_last_row",
            "The last row holds delimiters, but no values; such rows are in the table, as rows "
            "of nulls.",
        )
    elif len(cells) > 2 and len(filled) == 1 and " " in filled[0]:
        yield Problem(
            "note_row",
            "The last row seems to be a note, since it has a value in one column alone; it is "
            f"in the table like the others: {shown!r}.",
        )
