"""Columns: names fit for SQL and files, and types that lose nothing of the text they stand for."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from data_transformer.settings import Names

TEXT: Final = "VARCHAR"
# Markers of missing values. They become null in typed columns; in a column of text they stay, since
# NA may be Namibia.
MISSING: Final = (
    "#DIV/0!", "#N/A", "#N/A N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!",
    "(null)", "-", "--", ".", "<NA>", "?", "N/A", "NA", "NULL", "NaN", "NaT", "Nil", "None", "Null",
    "\\N", "n/a", "na", "nan", "nil", "none", "null",
)  # fmt: skip
ABSENT: Final = ""  # neither a name nor a value: what a trailing delimiter makes


def identifier(name: str) -> str:
    """Return a name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def _template(sql: str) -> str:
    """Return SQL as a part of a template, in which {text} and {value} stand for something."""
    return sql.replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table.

    Attributes:
        original: name in the file, possibly empty.
        name: normalised name, unique in the table.
        type: DuckDB type, or `ABSENT`.
    """

    original: str
    name: str
    type: str = TEXT


@dataclass(frozen=True, slots=True)
class Candidate:
    """A type that text may have.

    Attributes:
        type: DuckDB type.
        noun: what a value of it is called in a reason.
        exact: SQL condition on {text} and {value} (the text, cast): nothing is lost by the cast.
            Only evaluated when the cast succeeds.
        quick: SQL condition that is cheap, true of most values, and true of no other text.
        cast: SQL of the value.
        text: SQL of the text that is cast, from that of the cell.
        marked: SQL condition on {text}: it is such a value, but written so that it cannot be cast.
    """

    type: str
    noun: str
    exact: str
    quick: str = "false"
    cast: str = "TRY_CAST({text} AS {type})"
    text: str = "{text}"
    marked: str = ""

    def value(self, cell: str) -> str:
        """Return the SQL of the typed value; NULL where the text is not of the type."""
        return self.cast.format(text=self.text.format(text=cell), type=self.type)

    def fits(self, cell: str, value: str) -> str:
        """Return the SQL condition that the text is missing or exactly a value of this type."""
        text = self.text.format(text=cell)
        exact = self.exact.format(text=text, value=value)
        quick = self.quick.format(text=text, value=value)
        typed = f"{value} IS NOT NULL AND ({quick} OR {exact})"
        return f"({cell} IS NULL OR ({typed}) OR {is_missing(cell)})"

    def mostly_fits(self, cell: str, value: str) -> str:
        """Return a quicker condition, true of most texts that fit, and of no other."""
        condition = self.exact if self.quick == "false" else self.quick
        text = self.text.format(text=cell)
        typed = condition.format(text=text, value=value)
        return f"({cell} IS NULL OR ({value} IS NOT NULL AND {typed}))"

    def damaged(self, cell: str, value: str) -> str:
        """Return the SQL condition that a text which does not fit is a value of this type.

        Such a value is right, so it makes its column a text instead of being rejected.
        """
        marked = f" OR {self.is_marked(cell)}" if self.marked else ""
        return f"({value} IS NOT NULL{marked})"

    def is_marked(self, cell: str) -> str:
        """Return the SQL condition that a cell is a number with marks that keep it from a cast."""
        return self.marked.format(text=cell)


def without_versions(number: Candidate) -> Candidate:
    """Return the candidate of numbers that are not 1.10, which may be the version behind 1.9."""
    guard = "{text} NOT LIKE '%.10'"
    return replace(
        number,
        exact=f"({number.exact} AND {guard})",
        quick=f"({number.quick} AND {guard})",
    )


def is_missing(text: str) -> str:
    """Return the SQL condition that a text is empty, blanks, or one of the markers in `MISSING`.

    One pattern: each value of an IN, for each column, would take the memory of a vector.
    """
    return f"regexp_full_match({text}, {_MISSING_PATTERN})"


_CANONICAL: Final = "{value}::VARCHAR = {text}"
# DuckDB reads "infinity", which is a word to everybody else.
_CANONICAL_FINITE: Final = "(isfinite({value}) AND {value}::VARCHAR = {text})"
# A leading zero marks a code, not a number, and so does an exponent with neither a sign nor a
# decimal point: programs write 1e+05 or 1.0E5, article numbers are 1E5. Doubles keep 15 digits of
# any decimal text; beyond that the shortest text of the double must be the same. What is too large
# or too small for a double would become infinite or 0.
_DOUBLE: Final = (
    "({text} >= '-' AND {text} < ':' AND ({text} < '00' OR {text} >= '0:') "
    "AND ({text} < '-00' OR {text} >= '-0:') AND NOT contains({text}, '_') "
    "AND isfinite({value}) AND ({value} <> 0 OR NOT regexp_matches({text}, '^[^eE]*[1-9]')) "
    "AND NOT regexp_full_match({text}, '-?[0-9]+[eE][0-9]+') "
    "AND (strlen({text}) <= 16 OR {value}::VARCHAR = {text} "
    "OR length(ltrim(regexp_replace({text}, '[eE].*|[-.]', '', 'g'), '0')) <= 15))"
)
# Most numbers: no sign, no zero in front, no exponent, short enough to be exact.
_QUICK_DOUBLE: Final = (
    "({text} >= '1' AND {text} < ':' AND strlen({text}) <= 16 AND NOT contains({text}, '_') "
    "AND NOT contains({text}, 'e') AND NOT contains({text}, 'E'))"
)
_DAY: Final = r"\d{{4}}-\d{{2}}-\d{{2}}"
_CLOCK: Final = r"\d{{2}}:\d{{2}}(:\d{{2}}(\.\d{{1,6}})?)?"

_CURRENCIES: Final = "$€£¥"
_GROUPING: Final = "'\u2019 \u00a0\u202f"  # marks of thousands, beside the comma or point


def _marked(decimal: str) -> str:
    """Return the SQL template of numbers with marks of thousands, a currency or percent."""
    thousands, mark = (".", ",") if decimal == "," else (",", ".")
    group = f"[{thousands}{_GROUPING}][0-9]{{3}}"
    forms = (
        f"[{_CURRENCIES}] ?[0-9.,{_GROUPING}]*[0-9]",
        f"[0-9.,{_GROUPING}]*[0-9] ?[%{_CURRENCIES}]",
        f"[0-9]{{1,3}}({group})+([{mark}][0-9]+)?",
        # The marks of the other countries, where they are sure to be these.
        f"[0-9]{{1,3}}([{mark}][0-9]{{3}}){{2,}}",
        f"[0-9]{{1,3}}([{mark}][0-9]{{3}})+[{thousands}][0-9]+",
    )
    pattern = literal(f" *[-+]?(?:{'|'.join(forms)}) *")
    return f"regexp_full_match({{text}}, {_template(pattern)})"


# From the narrowest to the widest. TIMESTAMP comes before its sibling with an offset: the cast to
# it would drop the offset in silence, the pattern does not let it.
CANDIDATES: Final = (
    Candidate(
        "BOOLEAN",
        "a boolean",
        "lower({text}) IN ('true', 'false')",
        _CANONICAL,
    ),
    Candidate("BIGINT", "an integer", _CANONICAL),
    Candidate("DECIMAL(38,0)", "an integer", _CANONICAL),
    # NULL for "NaN", which is a marker of a missing value.
    Candidate(
        "DOUBLE",
        "a number",
        _DOUBLE,
        _QUICK_DOUBLE,
        cast="nullif(TRY_CAST({text} AS {type}), 'NaN'::DOUBLE)",
    ),
    Candidate("DATE", "a date", _CANONICAL_FINITE),
    Candidate(
        "TIMESTAMP",
        "a timestamp",
        f"({_CANONICAL_FINITE} OR regexp_full_match({{text}}, '{_DAY}[ T]{_CLOCK}'))",
    ),
    Candidate(
        "TIMESTAMP WITH TIME ZONE",
        "a timestamp with an offset",
        f"regexp_full_match({{text}}, '{_DAY}[ T]{_CLOCK} ?(Z|[+-]\\d{{{{2}}}}(:?\\d{{{{2}}}})?)')",
    ),
    Candidate("TIME", "a time of day", _CANONICAL),
)
NUMBERS: Final = {"BIGINT", "DECIMAL(38,0)", "DOUBLE"}
NOUNS: Final = {candidate.type: candidate.noun for candidate in CANDIDATES}


def candidates(decimal: str) -> tuple[Candidate, ...]:
    """Return the candidates for the values of a text.

    Args:
        decimal: decimal mark, a point or a comma.
    """
    marked = _marked(decimal)
    return tuple(
        replace(_with_comma(one) if decimal == "," else one, marked=marked)
        if one.type in NUMBERS
        else one
        for one in CANDIDATES
    )


def declared(
    table: Sequence[Column], types: Mapping[str, str], decimal: str, *, required: bool
) -> dict[int, Candidate | None]:
    """Return the types that the options declare, by place of the column; None for text.

    How a value of a declared type is written is not questioned: it may have zeros in front, marks
    of thousands, or more digits than a double keeps. A value that is none of the type, such as 1.5
    among integers, is rejected.

    Args:
        table: columns.
        types: see `uploads.table_options.TableOptions`; by the column's name in the file or here.
        decimal: decimal mark, a point or a comma.
        required: whether all of these columns must be in the table.

    Raises:
        RejectedError: the table does not have the column.
    """
    found: dict[int, Candidate | None] = {}
    for name, kind in types.items():
        places = [place for place, one in enumerate(table) if name in {one.original, one.name}]
        if required and not places:
            names = ", ".join(one.name for one in table[:_NAMED])
            raise RejectedError(
                "options_do_not_fit",
                f"The options name a column {name!r}, which is not in the table; it has {names}.",
            )
        candidate = None if kind == "text" else _candidate_of(kind, decimal)
        found |= dict.fromkeys(places, candidate)
    return found


def _candidate_of(kind: str, decimal: str) -> Candidate:
    """Return the candidate of a type with or without a format."""
    name, _, form = kind.removesuffix(")").partition("(")
    type_, condition = _DECLARED[name]
    cast, text = "TRY_CAST({text} AS {type})", "trim({text})"
    if form:
        cast = f"TRY_CAST(try_strptime({{text}}, {_template(literal(form))}) AS {{type}})"
        if name == "timestamp" and "%z" in form:
            type_ = "TIMESTAMP WITH TIME ZONE"
    else:
        cast = f"CASE WHEN {condition.format(text='{text}', value=cast)} THEN {cast} END"
    if name in {"integer", "number"}:
        text = _plain_number(text, decimal)
    return Candidate(type_, NOUNS[type_], "true", "true", cast, text)


def _plain_number(text: str, decimal: str) -> str:
    """Return the SQL of a number without marks of thousands, currency or percent.

    Its decimal mark is a point. It is NULL for a text with a mark that is neither.
    """
    text = f"regexp_replace({text}, {literal(_SIGNS)}, '\\1', 'g')"
    mark, other = (",", ".") if decimal == "," else (".", ",")
    group = f"[{other}{_GROUPING}]"
    grouped = f"[-+]?[0-9]{{1,3}}({group}[0-9]{{3}})+([{mark}][0-9]*)?"
    digits = (
        f"CASE WHEN regexp_full_match({text}, {_template(literal(grouped))}) "
        f"THEN regexp_replace({text}, {literal(group)}, '', 'g') "
        f"WHEN NOT contains({text}, {literal(other)}) THEN {text} END"
    )
    return f"replace({digits}, {literal(mark)}, '.')"


_SIGNS: Final = f"^([-+]?)[{_CURRENCIES}] ?| ?[%{_CURRENCIES}]$"
_CLOCK_FORM: Final = "[0-9]+:[0-9]+(:[0-9]+([.][0-9]+)?)?"
_DAY_FORM: Final = "[0-9]+[-/][0-9]+[-/][0-9]+"
# By its name in the options: the DuckDB type, and the condition that a text is of it. DuckDB itself
# rounds 1.5 to an integer, drops the time of a date and the offset of a timestamp.
_DECLARED: Final = {
    "integer": ("BIGINT", "regexp_full_match({text}, '[-+]?[0-9]+([.]0*)?')"),
    "number": (
        "DOUBLE",
        "isfinite({value}) AND ({value} <> 0 OR NOT regexp_matches({text}, '^[^eE]*[1-9]'))",
    ),
    "boolean": ("BOOLEAN", "true"),
    "date": (
        "DATE",
        f"regexp_full_match({{text}}, '{_DAY_FORM}([ T]0+:00(:00([.]0*)?)?)?')",
    ),
    "time": ("TIME", f"regexp_full_match({{text}}, '{_CLOCK_FORM}')"),
    "timestamp": (
        "TIMESTAMP",
        f"regexp_full_match({{text}}, '{_DAY_FORM}([ T]{_CLOCK_FORM})?')",
    ),
}
_NAMED: Final = 10


def _with_comma(number: Candidate) -> Candidate:
    """Return the candidate for numbers with a decimal comma; one with a point is none of them."""
    if number.type != "DOUBLE":
        return number
    plain = "replace({text}, ',', '.')"
    exact = number.exact.replace("{text}", plain)
    return replace(
        number,
        cast=number.cast.replace("{text}", plain),
        exact=f"NOT contains({{text}}, '.') AND {exact}",
        quick="false",
    )


@dataclass(frozen=True, slots=True)
class TypeEvidence:
    """How many values of a column are of a candidate's type.

    Attributes:
        candidate: the type.
        fitting: number of values that are of it.
        damaged: number of values that a cast would change.
        misfits: number of values that are not of it, the damaged among them.
    """

    candidate: Candidate
    fitting: int
    damaged: int
    misfits: int


def choose(values: int, evidence: Iterable[TypeEvidence], misfits_share: float) -> str:
    """Return the type of a column.

    The narrowest type that every value has; else the one that the most have, if no more than
    `misfits_share` do not; else text. A cast that would change one value (a leading zero, digits
    beyond the precision) rules a type out: such values are right, the type would be wrong.

    Args:
        values: number of values that are not missing.
        evidence: of each candidate, from the narrowest to the widest.
        misfits_share: share of values, 0 to 1, that may be of another type.
    """
    if not values:
        return TEXT
    possible = [one for one in evidence if one.fitting and not one.damaged]
    best = max(possible, key=lambda one: one.fitting, default=None)
    if best is None or values - best.fitting > misfits_share * values:
        return TEXT
    return best.candidate.type


# Where the case of letters ends a word; not in pH, kWh or iPhone.
_WORDS: Final = re.compile(
    r"(?<=[a-zß-öø-ÿ]{2})(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]{2})"
)
_MISSING_PATTERN: Final = literal(f" *(?:{'|'.join(map(re.escape, MISSING))}) *| *")


def named(originals: Sequence[str], style: Names) -> list[Column]:
    """Return text columns with unique names, by default of lower-case letters, digits and _.

    Words that only capitals divide are divided by underscores: sepalLength is sepal_length, and
    HTTPStatus http_status. Letters of every script stay. A column without a name is called by its
    place, `column_3`; a name that is taken gets a number, `name_2`.
    """
    taken: set[str] = set()
    columns = []
    for place, original in enumerate(originals, 1):
        base = (original if style == "original" else _snake_case(original)) or f"column_{place}"
        name, number = base, 1
        # DuckDB compares names without their case.
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        columns.append(Column(original, name))
    return columns


def _snake_case(name: str) -> str:
    divided = _WORDS.sub("_", unicodedata.normalize("NFKC", name))
    return re.sub(r"[\W_]+", "_", divided.lower()).strip("_")
