"""Rows of a JSON document that is one object, in the ways that pandas and others write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from data_transformer import json_text
from data_transformer.columns import identifier, literal
from uploads.result import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from duckdb import DuckDBPyConnection

_MOST_COLUMNS: Final = 2_000
_ALIKE: Final = 0.5  # share of all names, of which each object has more


def rewrite(connection: DuckDBPyConnection, document: Path, most_bytes: int) -> Problem | None:
    """Write the rows of a document over it, as JSON Lines, and say how it was read.

    Args:
        connection: to DuckDB.
        document: exactly one object.
        most_bytes: its size at most.

    Returns:
        None where the object is one row.
    """
    return _Document(connection, document, most_bytes).rewrite()


class _Document:
    def __init__(self, connection: DuckDBPyConnection, path: Path, most_bytes: int) -> None:
        self._connection = connection
        self._path = path
        source = f"read_json_objects({literal(str(path))}, maximum_object_size = {most_bytes})"
        self._document = _select("json AS document", source)

    def rewrite(self) -> Problem | None:
        """Write the rows of the object, or of its only member."""
        lengths = "min(json_array_length(value)), max(json_array_length(value))"
        counts = self._fetch(f"json_type(value), count(*), {lengths}", self._members, "GROUP BY 1")
        kinds = {kind for kind, *_ in counts}
        number = sum(count for _, count, *_ in counts)
        if kinds == {"OBJECT"} and number == 1:
            self._document = _select("value AS document", self._members)
            return self.rewrite()
        if kinds == {"OBJECT"}:
            return self._of_objects()
        _, _, shortest, longest = counts[0] if counts else (None, 0, 0, 0)
        are_lists = kinds == {"ARRAY"} and 1 < number <= _MOST_COLUMNS
        return self._split() or (
            self._of_lists() if are_lists and shortest == longest > 1 else None
        )

    @property
    def _members(self) -> str:
        """SQL of the members of the document: key and value.

        There are none in an object with a name twice, which is rejected later.
        """
        entries = "unnest(map_entries(TRY_CAST(document AS MAP(VARCHAR, JSON)))) AS one"
        return _select("one.key AS key, one.value AS value", _select(entries, self._document))

    def _at(self, key: str) -> str:
        """Return the SQL of a member of the document."""
        return f"CAST(document AS MAP(VARCHAR, JSON))[{literal(key)}]"

    def _of_objects(self) -> Problem | None:
        """Write a row for each object or, where their members are numbered, a column."""
        names = _select("unnest(json_keys(value)) AS name", self._members)
        number, are_numbers = self._fetch(
            "count(DISTINCT name), bool_and(regexp_full_match(name, '[0-9]+'))", names
        )[0]
        least, different, are_from_0 = self._fetch(
            "min(if(len(list_distinct(keys)) = len(keys), len(keys), 0)), count(DISTINCT keys), "
            "bool_and(keys = range(len(keys))::VARCHAR[])",
            _select("json_keys(value) AS keys", self._members),
        )[0]
        if not least or least <= _ALIKE * number:
            return None
        columns = self._column("key", self._members, f"LIMIT {_MOST_COLUMNS + 1}")
        can_be_columns = len(columns) <= _MOST_COLUMNS and not all(map(str.isdecimal, columns))
        if not (are_numbers and different == 1 and can_be_columns):
            return self._of_rows(self._column("DISTINCT name", names))
        maps = [f"{self._at(key)}::MAP(VARCHAR, JSON)" for key in columns]
        lists = {key: f"map_values({one})" for key, one in zip(columns, maps, strict=True)}
        if not are_from_0:
            lists = {_free("index", columns): f"map_keys({maps[0]})", **lists}
        self._write_columns(lists)
        return Problem(
            "columns_in_members",
            "The file is one object of objects with numbered members: each object was read as a "
            "column, as pandas writes it.",
        )

    def _of_rows(self, names: list[str]) -> Problem:
        """Write a row for each object, with its key before the members, which have these names."""
        key = _free("key", names)
        head = f"'{{' || to_json({literal(key)}) || ':' || to_json(key)"
        self._write(f"{head} || ',' || substr(value::VARCHAR, 2)", self._members)
        return Problem(
            "rows_in_members",
            "The file is one object of objects alike: each was read as a row, its name is in the "
            f"column {key!r}.",
        )

    def _of_lists(self) -> Problem:
        """Write the values of lists of the same length side by side."""
        keys = self._column("key", self._members)
        self._write_columns({key: f"{self._at(key)}::JSON[]" for key in keys})
        return Problem(
            "columns_in_members",
            "The file is one object of lists of the same length: each list was read as a column.",
        )

    def _split(self) -> Problem | None:
        """Write the rows of a list of lists, and another list of as many names."""
        first = "json_type(value, '$[0]')"
        wanted = f"WHERE json_type(value) = 'ARRAY' AND {first} IN ('ARRAY', 'VARCHAR')"
        lists = self._fetch(f"key, json_array_length(value), {first}", self._members, wanted)
        tables = [key for key, _, kind in lists if kind == "ARRAY"]
        if len(tables) != 1:
            return None
        rows = _select(f"unnest({self._at(tables[0])}::JSON[]) AS one", self._document)
        lengths = self._fetch("DISTINCT json_array_length(one)", rows)
        for key, length, kind in lists:
            if kind != "ARRAY" and lengths == [(length,)]:
                [header] = self._column(f"{self._at(key)}::VARCHAR", self._document)
                texts = self._column("one::VARCHAR", rows)
                if labels := self._labels(len(texts)):
                    name = json.dumps(_free("index", json.loads(header)))
                    pairs = zip([name, *labels], [header, *texts], strict=True)
                    header, *texts = [f"[{label}, {text[1:]}" for label, text in pairs]
                target = self._path.with_suffix(".rows")
                json_text.objects_of_arrays([header, *texts], target)
                target.rename(self._path)
                return Problem(
                    "rows_in_member",
                    f"The rows are those of {tables[0]!r}, with the names of {key!r}; the other "
                    "members of the object are not in the table, but for an index with labels.",
                )
        return None

    def _labels(self, rows: int) -> list[str]:
        """Return the labels that pandas gives rows, as JSON; none where they are their numbers."""
        index = _select(f"unnest({self._at('index')}::JSON[]) AS one", self._document)
        if self._fetch(f"json_type({self._at('index')})", self._document) != [("ARRAY",)]:
            return []
        labels = self._column("one::VARCHAR", index)
        numbers = [str(number) for number in range(rows)]
        return labels if len(labels) == rows and labels != numbers else []

    def _fetch(self, values: str, rows: str, rest: str = "") -> list[tuple[Any, ...]]:
        return self._connection.execute(_select(values, rows, rest)).fetchall()

    def _column(self, value: str, rows: str, rest: str = "") -> list[str]:
        return [text for (text,) in self._fetch(value, rows, rest)]

    def _write_columns(self, lists: dict[str, str]) -> None:
        """Write the values of lists side by side: SQL by name."""
        values = ", ".join(f"unnest({one}) AS {identifier(name)}" for name, one in lists.items())
        self._write("to_json(rows)::VARCHAR", f"{_select(values, self._document)} AS rows")

    def _write(self, text: str, rows: str) -> None:
        """Write the text that SQL makes of each row."""
        target = self._path.with_suffix(".rows")
        found = self._connection.execute(_select(text, rows))
        with target.open("w", encoding="utf-8", newline="") as file:
            while some := found.fetchmany(1_000):
                file.writelines(f"{line}\n" for (line,) in some)
        target.rename(self._path)


def _select(values: str, rows: str, rest: str = "") -> str:
    return f"(SELECT {values} FROM {rows} {rest})"  # noqa: S608 - names and texts are quoted


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken; DuckDB compares names without their case."""
    lower = {one.lower() for one in taken}
    while name in lower:
        name += "_"
    return name
