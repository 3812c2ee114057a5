"""How a table is to be read, said by the one who uploads it instead of found out.

The API checks the options and signs them into the form, as metadata of the object; the function
that transforms tables reads them there.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_BYTES: Final = 1_800
_MOST_LINES: Final = 1_000
_MOST_NAMES: Final = 100
_DELIMITER: Final = re.compile(r"[\t -!#-/:-@\[-`{-~]")
_TYPE: Final = re.compile(r"text|integer|number|boolean|date|time|timestamp|(date|timestamp)\(.+\)")


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How to read a table. An option that is None is detected.

    Attributes:
        delimiter: one ASCII character other than a letter, digit or quote.
        decimal: decimal mark, "." or ",".
        encoding: of the text, by a name that Python knows.
        header: whether the first row holds the names of the columns.
        skip: number of lines above the table.
        null_values: cells that are missing values, in every column.
        rows: path of the rows in a JSON document, names joined by points.
        columns: types by the column's name: text, integer, number, boolean, date, time, timestamp,
            date(FORMAT) or timestamp(FORMAT) with the format of strptime.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip: int | None = None
    null_values: tuple[str, ...] | None = None
    rows: str | None = None
    columns: Mapping[str, str] | None = None

    @classmethod
    def parse(cls, content: Any) -> Self:  # noqa: ANN401 - JSON of a caller
        """Return the options of a JSON object.

        Raises:
            ValueError: they are none; the message is a sentence.
        """
        if not isinstance(content, dict):
            raise ValueError("The options must be an object.")  # noqa: TRY004 - one kind for all
        known = [one.name for one in fields(cls)]
        for name, value in content.items():
            if name not in known:
                raise ValueError(f"Unknown option {name!r}; the options are {', '.join(known)}.")
            if value is not None and not _CHECKS[name](value):
                raise ValueError(f"The option {name} must be {_ALLOWED[name]}.")
        given = {name: value for name, value in content.items() if value is not None}
        if given.get("decimal") == "," and given.get("delimiter") == ",":
            raise ValueError("The delimiter and the decimal mark cannot both be commas.")
        if "null_values" in given:
            given["null_values"] = tuple(given["null_values"])
        found = cls(**given)
        if len(found.to_text()) > MOST_BYTES:
            raise ValueError(f"The options have more than {MOST_BYTES} bytes.")
        return found

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the options of a JSON text; those of an empty one are all found out.

        Raises:
            ValueError: they are none.
        """
        return cls.parse(json.loads(text) if text else {})

    def over(self, others: TableOptions, *unfit: str) -> TableOptions:
        """Return these options, and those of the others that are neither here nor `unfit`.

        Raises:
            ValueError: they do not go together.
        """
        kept = {name: value for name, value in others.to_json().items() if name not in unfit}
        return TableOptions.parse(kept | self.to_json())

    def to_text(self) -> str:
        """Return the options as JSON in ASCII."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    def to_json(self) -> dict[str, Any]:
        """Return the options that are set."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.null_values is not None:
            values["null_values"] = list(self.null_values)
        return {name: value for name, value in values.items() if value is not None}


def _is_encoding(value: Any) -> bool:  # noqa: ANN401 - as above
    try:
        return isinstance(value, str) and codecs.lookup(value)._is_text_encoding  # noqa: SLF001 - no public name
    except LookupError:
        return False


def _are_names(values: Any) -> bool:  # noqa: ANN401 - as above
    few = isinstance(values, list) and len(values) <= _MOST_NAMES
    return few and all(isinstance(value, str) and value and "\n" not in value for value in values)


def _are_columns(value: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(value, dict) and all(
        isinstance(kind, str) and _TYPE.fullmatch(kind) for kind in value.values()
    )


_CHECKS: Final = {
    "delimiter": lambda value: isinstance(value, str) and bool(_DELIMITER.fullmatch(value)),
    "decimal": lambda value: value in {".", ","},
    "encoding": _is_encoding,
    "header": lambda value: isinstance(value, bool),
    "skip": lambda value: type(value) is int and 0 <= value <= _MOST_LINES,
    "null_values": _are_names,
    "rows": lambda value: isinstance(value, str) and all(value.split(".")),
    "columns": _are_columns,
}
_ALLOWED: Final = {
    "delimiter": 'one character other than a letter, digit or quote, such as ";" or "\\t"',
    "decimal": '"." or ","',
    "encoding": "the name of an encoding that Python knows, such as windows-1252",
    "header": "true or false",
    "skip": f"a number of lines, 0 to {_MOST_LINES}",
    "null_values": f"a list of at most {_MOST_NAMES} texts",
    "rows": "names joined by points, such as data.items",
    "columns": "types by the names of columns: text, integer, number, boolean, date, time, "
    "timestamp, date(%d.%m.%Y) or timestamp(%d.%m.%Y %H:%M)",
}
