"""Where a table begins and ends in a delimited text, and whether its first row holds names."""

from __future__ import annotations

import csv
import io
import itertools
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from data_transformer.columns import MISSING
from data_transformer.forms import NUMBER

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterator

VALUE: Final = re.compile(
    rf"\s*(?:(?P<day>\d{{4}}-\d\d-\d\d(?:[ T]\S*)?)|(?P<number>{NUMBER})|(?P<truth>true|false))\s*",
    re.IGNORECASE,
)
_PERIOD: Final = re.compile(r"(19|20)\d\d(-\d\d(-\d\d)?)?")
_RULE: Final = re.compile(r"[-=+_*~: ]+")
_MOST_LINES: Final = 20  # above a table, and below
_LONGEST_UNIT: Final = 12
# A word for a sum, in the languages that most tables are in.
_TOTAL: Final = re.compile(
    r"((grand|sub)[ -]?)?(totals?|sum|summe|gesamt|gesamtsumme|insgesamt|totale|totaal|suma|somme|"
    r"soma)\b",
    re.IGNORECASE,
)
# The line that psql and sqlcmd write below a table.
_ROWS: Final = re.compile(r"\(?\d+ rows?( affected| selected)?\)?")

csv.field_size_limit(sys.maxsize)


def reader(text: str, delimiter: str) -> _csv.Reader:
    """Return a reader of records; it passes over blanks in front of a cell or its quote."""
    file = io.StringIO(text, newline="\n")
    return csv.reader(file, delimiter=delimiter, skipinitialspace=True)


def comments(text: str) -> int:
    """Return the number of the first lines that begin with #, blank lines between them included."""
    lines = text.split("\n", _MOST_LINES)[:-1]
    above = itertools.takewhile(lambda line: line.startswith("#") or not line.strip(), lines)
    return max((place for place, line in enumerate(above, 1) if line.startswith("#")), default=0)


def lines_above(text: str, delimiter: str, records: list[list[str]]) -> int:
    """Return the number of lines above a table of several columns.

    They are lines without a value, and lines with a title, or with a name and its value, which
    leave the columns at the end empty. Of the latter there must be a sign that the table begins
    below: names above numbers or, with a blank line between, names.

    Args:
        text: the text.
        delimiter: between its cells.
        records: the first ones.
    """
    usual = usual_length(records)
    if usual == 1:
        return 0
    rows = reader(text, delimiter)
    found: list[tuple[list[str], int]] = []  # with the line behind each
    for row in itertools.islice(rows, _MOST_LINES):
        if not _may_be_above(row, usual):
            break
        found.append((row, rows.line_num))
    else:
        row = next(rows, [])
    empty = list(itertools.takewhile(lambda one: not _filled(one[0]), found))
    titles = [one for one, _ in found[len(empty) :]]
    if not row:  # no table
        return 0
    below = itertools.islice(rows, len(records))
    if titles and _begins(row, list(below), titles):
        return found[-1][1]
    return empty[-1][1] if empty else 0


def _begins(row: list[str], below: list[list[str]], titles: list[list[str]]) -> bool:
    """Return whether a table begins with a row below what may be titles."""
    is_divided = not all(map(_filled, titles))
    if is_divided and all(len(one) <= 1 for one in titles):
        return True
    if not is_header(row, below):
        return False
    words, values = words_and_values(row, below)
    return is_divided or words > values


def _may_be_above(row: list[str], usual: int) -> bool:
    """Return whether a row may be a title, or a name and its value, above a table."""
    most = 2 if usual > 2 else 1
    return _filled(row) <= most and (len(row) != usual or not row[-1].strip())


def _filled(row: list[str]) -> int:
    return sum(map(bool, map(str.strip, row)))


def lines_below(text: str, delimiter: str, records: list[list[str]]) -> list[str]:
    """Return the lines below a table of several columns.

    They are notes below a blank line, comments that begin with #, or a count of rows.

    Args:
        text: all of the text.
        delimiter: between its cells.
        records: the first ones.
    """
    if usual_length(records) == 1:
        return []
    last = text.rstrip("\n").rsplit("\n", _MOST_LINES)[-_MOST_LINES:]
    without = (number for number, line in enumerate(reversed(last)) if delimiter in line)
    below = last[len(last) - next(without, 0) :]
    notes = [line for line in below if line.strip()]
    divided = len(notes) < len(below) and not below[0].strip()
    # A quote that is open reaches over the blank line.
    is_whole = (text.count('"') - "".join(below).count('"')) % 2 == 0
    are_comments = bool(notes) and all(line.startswith("#") for line in notes)
    is_count = len(notes) == 1 and _ROWS.fullmatch(notes[0].strip())
    if ((divided or are_comments) and is_whole) or is_count:
        return below
    return []


def is_total(filled: list[str]) -> bool:
    """Return whether a row seems to hold sums, by its cells that are not empty."""
    return bool(filled and _TOTAL.match(filled[0].strip()))


def usual_length(records: list[list[str]]) -> int:
    """Return the number of cells that most records have."""
    return Counter(map(len, records)).most_common(1)[0][0]


def are_units(rows: list[list[str]]) -> bool:
    """Return whether the first row below the header holds units: words above numbers alone.

    Each of its cells is short and no value, and most columns below hold values without exception.
    """
    if len(rows) < 3 or len(rows[0]) < 2:
        return False
    first, *below = rows
    filled = [cell for cell in first if cell.strip()]
    if len(filled) * 2 < len(first) or any(
        len(cell) > _LONGEST_UNIT
        or VALUE.fullmatch(cell)
        or _RULE.fullmatch(cell)
        or cell.strip() in MISSING
        for cell in filled
    ):
        return False
    columns = list(zip(*(row for row in below if len(row) == len(first)), strict=False))
    valued = sum(all(map(VALUE.fullmatch, filter(None, column))) for column in columns)
    return bool(columns) and valued * 2 > len(first)


def is_header(first: list[str], rest: list[list[str]]) -> bool:
    """Return whether the first row holds names: a row with a number, date or boolean does not.

    But years, months and days above columns (a table spread out over them) are names, if they are
    not also below; and so are steps in a row (2018, 2019, … or 0, 1, …), if the rows below have
    none; and so is what stands right of an empty corner, above a column that is filled; and so is
    all of a row with more words above numbers than numbers above numbers.
    """
    words = [cell for cell in first if cell.strip() and cell.strip() not in MISSING]
    cells = [cell for cell in first if VALUE.fullmatch(cell)]
    if not words or not cells:
        return bool(words)
    names_above_values, values = words_and_values(first, rest)
    if names_above_values > values:
        return True
    return len(set(cells)) == len(cells) and _are_names(first, cells, rest)


def _are_names(first: list[str], cells: list[str], rest: list[list[str]]) -> bool:
    """Return whether a row with values in it, each once, holds names."""
    if not first[0] and len(cells) == len(first) - 1 > 1 and len(rest) > 1:
        # The corner of a table with names of rows.
        return all(record[0] for record in rest)
    places = [place for place, cell in enumerate(first) if VALUE.fullmatch(cell)]
    below = [[record[place] for place in places if place < len(record)] for record in rest]
    if _are_steps(cells) and (cells[0] == "0" or all(map(_PERIOD.fullmatch, cells))):
        return bool(rest) and not any(_are_steps(record) for record in below)
    periods = all(_PERIOD.fullmatch(cell) for cell in cells)
    named = len(cells) > 1 or (len(first) > 1 and bool(rest))
    kinds = set(map(_kind, cells))
    alike = (c for record in below for c in record if _kind(c) in kinds)
    return periods and named and not any(map(_PERIOD.fullmatch, alike))


def words_and_values(first: list[str], rest: list[list[str]]) -> tuple[int, int]:
    """Return how many columns hold values alone below a word, and how many below a value."""
    found = list(_above_values(first, rest))
    return found.count("word"), found.count("value")


def has_word_above_values(first: list[str], rest: list[list[str]]) -> bool:
    """Return whether there is a column with values alone below a word."""
    return "word" in _above_values(first, rest)


def _above_values(first: list[str], rest: list[list[str]]) -> Iterator[Literal["word", "value"]]:
    """Yield what stands above each column of values alone, a value only if it is of their kind."""
    for place, cell in enumerate(map(str.strip, first)):
        kinds = set()
        for record in rest:
            one = record[place].strip() if place < len(record) else ""
            if one and one not in MISSING:
                kinds.add(_kind(one))
                if "" in kinds:
                    break
        if not kinds or "" in kinds:
            continue
        if _kind(cell):
            if _kind(cell) in kinds:
                yield "value"
        elif cell and cell not in MISSING:
            yield "word"


def _kind(cell: str) -> str:
    """Return the kind of a value, nothing for a word."""
    found = VALUE.fullmatch(cell)
    return (found.lastgroup or "") if found else ""


def _are_steps(cells: list[str]) -> bool:
    """Return whether cells are whole numbers, each one more than the last."""
    if len(cells) < 3 or not all(cell.isascii() and cell.isdigit() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
