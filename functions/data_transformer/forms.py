"""Ways to write a delimited text that `Rows` and DuckDB do not read, and how they are made plain.

A form is found in the sample. Each line of the text is then rewritten to commas and their kin, with
double quotes that are doubled inside a cell, before anything else reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBER: Final = r"[-+]?[\d.,]*\d[\d.,]*(?:e[-+]?\d+)?"

_MARKER: Final = r"NA|N/A|NaN|null|None|-+|\.|\?|\*+"
_DAY_OR_TIME: Final = re.compile(rf"\d{{4}}-\d\d-\d\d|\d\d?:\d\d(:\d\d)?|{_MARKER}", re.IGNORECASE)
_NUMBER_OR_MARKER: Final = re.compile(rf"{NUMBER}|{_MARKER}", re.IGNORECASE)
_QUOTED: Final = re.compile(rf'"[^"]*"|{_MARKER}', re.IGNORECASE)
# Colons that divide no columns: of times and addresses, and in a whole line of hours and minutes.
_TIME: Final = re.compile(r"\d\d:\d\d:\d\d|\d[ T]\d\d:\d\d|://|^\s*\d?\d:\d\d\s*$")

# A line that is drawn: of dashes, with a cross or a bar between columns.
_DRAWN: Final = re.compile(rb"^(?=[^\n]*[+|])[|+ ]*:?-{2,}[-+|: ]*$", re.MULTILINE)
_FRAMED: Final = re.compile(rb"^ *\|(.*)\| *$", re.MULTILINE)
_AROUND_BARS: Final = re.compile(rb"^ +| +$|(?<=\|) +| +(?=\|)", re.MULTILINE)
_BLANKS: Final = re.compile(rb'("[^"\n]*")|[ \t]+')
_COLONS: Final = re.compile(rb'("[^"\n]*")|:')
_SINGLE: Final = re.compile(rb"(?<![^,;\t|\n])'((?:[^'\n]|'')*)'(?![^,;\t|\n])")
_BACKSLASHED: Final = re.compile(rb'"(?:[^"\\\n]|\\.)*"')
_ESCAPED: Final = re.compile(rb'\\(["\\])')
# In a cell with doubled quotes a backslash stands in front of a quote only where the cell ends.
_BACKSLASH_QUOTE: Final = re.compile(r'(?<=[^"\\,;\t|\n])\\"(?![,;\t|\n"])')
_SINGLE_BEGINS: Final = re.compile(r"(?:^|[,;\t|])'", re.MULTILINE)
_SINGLE_ENDS: Final = re.compile(r"'(?=[,;\t|]|$)", re.MULTILINE)
_SINGLE_HEADER: Final = re.compile(r"'[^'\n]*'([,;\t|]'[^'\n]*')+\n")


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write a delimited text.

    Attributes:
        warning: says that it was taken.
        plain: rewrites whole lines.
        written: what divided the cells where tabs do so now; empty where nothing changed.
    """

    warning: Problem
    plain: Callable[[bytes], bytes]
    written: str = ""

    def rewrite(self, text: str) -> str:
        """Return whole lines rewritten."""
        return self.plain(text.encode()).decode()


def _collapsed(lines: bytes) -> bytes:
    stripped = b"\n".join(line.strip(b" \t") for line in lines.split(b"\n"))
    return _BLANKS.sub(lambda found: found[1] or b"\t", stripped)


def _undrawn(lines: bytes) -> bytes:
    return _AROUND_BARS.sub(b"", _FRAMED.sub(rb"\1", _DRAWN.sub(b"", lines)))


def _with_tabs(lines: bytes) -> bytes:
    return _COLONS.sub(lambda found: found[1] or b"\t", lines)


def _double_quoted(lines: bytes) -> bytes:
    return _SINGLE.sub(
        lambda found: b'"%b"' % found[1].replace(b"''", b"'").replace(b'"', b'""'), lines
    )


def _doubled(lines: bytes) -> bytes:
    def cell(found: re.Match[bytes]) -> bytes:
        inner = _ESCAPED.sub(rb"\1", found[0][1:-1])
        return b'"%b"' % inner.replace(b'"', b'""')

    return _BACKSLASHED.sub(cell, lines)


DRAWN: Final = Form(
    Problem(
        "drawn_table",
        "The lines and bars around the cells, as databases and Markdown draw them, were left out.",
    ),
    _undrawn,
)
BLANKS: Final = Form(
    Problem(
        "separated_by_blanks",
        "Blanks were read as what divides the columns; if the text is one column, give it another "
        "delimiter or quotes.",
    ),
    _collapsed,
    written=" ",
)
COLONS: Final = Form(
    Problem(
        "separated_by_colons",
        "Colons were read as what divides the columns; if the text is one column, give it quotes.",
    ),
    _with_tabs,
    written=":",
)
SINGLE_QUOTES: Final = Form(
    Problem(
        "single_quotes",
        "Single quotes around cells were read as quotes and are not a part of the values.",
    ),
    _double_quoted,
)
BACKSLASHES: Final = Form(
    Problem(
        "backslash_escapes",
        'Backslashes in front of quotes and backslashes were read as escapes: \\" is a quote.',
    ),
    _doubled,
)


def of_lines(text: str) -> Form | None:
    """Return the form of a table that is drawn with bars and dashes; None of another text."""
    above = [line for line in text.split("\n", 4) if line.strip()][:2]
    is_drawn = any(_DRAWN.match(line.encode()) for line in above)
    return DRAWN if is_drawn and "|" in text else None


def of_quotes(text: str) -> Form | None:
    """Return the form of a text by its quotes; None where they are double, or there are none."""
    if _BACKSLASH_QUOTE.search(text):
        return BACKSLASHES
    if _SINGLE_HEADER.match(text):
        return SINGLE_QUOTES
    begins, ends = len(_SINGLE_BEGINS.findall(text)), len(_SINGLE_ENDS.findall(text))
    if '"' not in text and begins == ends and begins >= max(2, text.count("\n") // 2):
        return SINGLE_QUOTES
    return None


def of_one_column(text: str, *, whole: bool) -> Form | None:
    """Return how blanks or colons divide the lines of a text that no other delimiter divides.

    Words are divided by blanks, too. So all rows must have the same number of cells, the header as
    many or, as R writes it, one less; and half of the columns must hold numbers, quoted cells, or
    days and times, not only the latter.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not whole and len(lines) > 1:
        lines.pop()
    if len(lines) < 2:
        return None
    for form in (BLANKS, COLONS):
        if form is COLONS and any(map(_TIME.search, lines)):
            continue
        if _are_columns(form.rewrite(line).split("\t") for line in lines):
            return form
    return None


def _are_columns(records: Iterator[list[str]]) -> bool:
    """Return whether the cells of a header and rows make columns; stops where they do not."""
    header, row = next(records), next(records)
    usual = len(row)
    least = 2 if header[0].startswith('"') else 3
    if usual < 2 or not (len(header) == usual or least <= usual == len(header) + 1):
        return False
    rows = [row]
    for row in records:
        if len(row) != usual:
            return False
        rows.append(row)
    columns = list(zip(*rows, strict=True))
    sure = sum(
        all(map(_NUMBER_OR_MARKER.fullmatch, column)) or all(map(_QUOTED.fullmatch, column))
        for column in columns
    )
    # A day and a time of day alone may be one column.
    times = sum(all(map(_DAY_OR_TIME.fullmatch, column)) for column in columns)
    return bool(sure) and 2 * (sure + times) >= usual
