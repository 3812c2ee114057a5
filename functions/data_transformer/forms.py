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
    from collections.abc import Callable, Iterable, Iterator

NUMBER: Final = r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?"

_NUMBER: Final = re.compile(NUMBER, re.IGNORECASE)
_MARKER: Final = re.compile(r"NA|N/A|NaN|null|None|-+|\.|\?|\*+", re.IGNORECASE)
# Colons that divide no columns: of times and addresses, and in a whole line of hours and minutes.
_TIME: Final = re.compile(r"\d\d:\d\d:\d\d|\d[ T]\d\d:\d\d|://|^\s*\d?\d:\d\d\s*$")

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

    def rewritten(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a text, given in any chunks, with each of its lines rewritten."""
        held = b""
        for chunk in chunks:
            whole = held + chunk
            end = whole.rfind(b"\n") + 1
            held = whole[end:]
            yield self.plain(whole[:end])
        if held:
            yield self.plain(held)


def _collapsed(lines: bytes) -> bytes:
    stripped = b"\n".join(line.strip(b" \t") for line in lines.split(b"\n"))
    return _BLANKS.sub(lambda found: found[1] or b"\t", stripped)


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
    many or, as R writes it, one less; and most columns must hold numbers.
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
    """Tell whether the cells of a header and rows make columns; stops where they do not."""
    header, row = next(records), next(records)
    usual = len(row)
    if usual < 2 or not (len(header) == usual or 3 <= usual == len(header) + 1):
        return False
    rows = [row]
    for row in records:
        if len(row) != usual:
            return False
        rows.append(row)
    numeric = sum(
        all(_NUMBER.fullmatch(c) or _MARKER.fullmatch(c) for c in column)
        for column in zip(*rows, strict=True)
    )
    return 2 * numeric >= usual
