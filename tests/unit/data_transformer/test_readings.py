# ruff: noqa: RUF001 - names in other scripts
"""Ambiguous tables: how they are read, and the warnings that report it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data_transformer import json_text
from data_transformer.columns import MISSING
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]


def codes(outcome: Outcome) -> set[str]:
    return {warning.code for warning in outcome.processed.warnings}


@pytest.mark.parametrize("marker", MISSING)
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("7", "BIGINT"),
        ("2.5", "DOUBLE"),
        ("true", "BOOLEAN"),
        ("2024-01-02", "DATE"),
        ("2024-01-02 10:00:00", "TIMESTAMP"),
        ("2024-01-02 10:00:00+01", "TIMESTAMP WITH TIME ZONE"),
        ("10:00:00", "TIME"),
    ],
)
def test_marker_of_a_missing_value_is_null_beside_a_type(
    transform: Transform, marker: str, value: str, kind: str
) -> None:
    outcome = transform(f"id,v\n1,{marker}\n2,{value}\n3,{marker}\n")
    assert outcome.types["v"] == kind
    assert outcome.processed.details["profile"][1]["nulls"] == 2
    assert outcome.processed.details["rejected_rows"] == 0
    assert codes(outcome) == {"missing_values"}
    assert outcome.processed.details["reading"]["columns_with_missing_values"] == ["v"]


def test_a_few_missing_values_throw_no_row_out(transform: Transform) -> None:
    """Less than the share of bad rows that may be rejected, and behind the sample."""
    values = ["NA" if number in {3, 700_000} else str(number) for number in range(800_000)]
    outcome = transform("v\n" + "\n".join(values) + "\n")
    assert outcome.types == {"v": "BIGINT"}
    assert outcome.processed.details["rows"] == len(values)
    assert outcome.processed.details["profile"][0]["nulls"] == 2


@pytest.mark.parametrize("marker", ["NA", "-", r"\N", "NaN"])
def test_a_marker_behind_the_sample_is_reported(transform: Transform, marker: str) -> None:
    rows = [f"{number},{number}.5,{number}x" for number in range(150_000)]
    outcome = transform("\n".join(["a,b,c", *rows, f"7,{marker},{marker}", ""]))
    assert outcome.rows[-1] == (7, None, marker)
    assert outcome.processed.details["reading"]["columns_with_missing_values"] == ["b"]
    assert codes(outcome) == {"missing_values"}


def test_a_column_that_a_late_value_makes_text_has_no_missing_values(transform: Transform) -> None:
    rows = [str(number) for number in range(200_000)]
    outcome = transform("\n".join(["a", *rows, "NA", "007", ""]))
    assert outcome.types == {"a": "VARCHAR"}
    assert outcome.processed.details["reading"]["columns_with_missing_values"] == []


def test_markers_stay_in_a_column_of_text(transform: Transform) -> None:
    outcome = transform("id,country\n1,NA\n2,DE\n3,-\n")
    assert [row[1] for row in outcome.rows] == ["NA", "DE", "-"]
    assert codes(outcome) == set()


def test_column_of_markers_alone_is_kept(transform: Transform) -> None:
    outcome = transform("id,\n1,NA\n2,NA\n")
    assert [row[1] for row in outcome.rows] == ["NA", "NA"]


@pytest.mark.parametrize(
    "values",
    [
        ["1E5", "2E7", "3E9"],  # codes
        ["1e400", "2.5", "3.5"],
        ["1e-400", "2.5", "3.5"],
        ["inf", "-inf", "2.5"],
        ["infinity", "2024-01-01", "2024-01-02"],
        ["epoch", "2024-01-01", "2024-01-02"],
    ],
    ids=lambda values: values[0],
)
def test_what_a_type_would_change_stays_text(transform: Transform, values: list[str]) -> None:
    outcome = transform("v,n\n" + "".join(f"{value},1\n" for value in values))
    assert [row[0] for row in outcome.rows] == values


def test_numbers_with_an_exponent(transform: Transform) -> None:
    outcome = transform("v\n1e+05\n1.5E3\n0e-5\n0.0\n-2e-3\n")
    assert [row[0] for row in outcome.rows] == [100_000.0, 1500.0, 0.0, 0.0, -0.002]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_commas_in_cells_are_no_delimiters(transform: Transform, delimiter: str) -> None:
    lines = [["id", "name", "place"], *([str(n), "Last, First", "52.0,13.0"] for n in range(30))]
    outcome = transform("\n".join(delimiter.join(line) for line in lines))
    assert outcome.rows[0] == (0, "Last, First", "52.0,13.0")


def test_decimal_comma(transform: Transform) -> None:
    outcome = transform("name;weight;share\nA;1,5;0,25\nB;-2,25;1\nC;;0,5\n")
    assert outcome.rows == [("A", 1.5, 0.25), ("B", -2.25, 1.0), ("C", None, 0.5)]
    assert outcome.processed.details["reading"]["decimal"] == ","
    assert codes(outcome) == {"decimal_comma"}


def test_commas_between_thousands_are_no_decimal_commas(transform: Transform) -> None:
    outcome = transform("name;price\nA;1,500\nB;2,250\n")
    assert [row[1] for row in outcome.rows] == ["1,500", "2,250"]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a;b\n1.000;x\n12.500;y\n", {"decimal_point"}),
        ("a;b\n1.000;x\n12.5;y\n", set()),
        ("a;b\n0.125;x\n12.500;y\n", set()),
        ("a,b\n1.000,x\n12.500,y\n", set()),
    ],
)
def test_points_that_may_divide_thousands_are_reported(
    transform: Transform, text: str, reported: set[str]
) -> None:
    outcome = transform(text)
    assert outcome.types["a"] == "DOUBLE"
    assert codes(outcome) == reported
    assert codes(transform(text, table_options='{"decimal": "."}')) == set()


def test_thousands_beside_a_decimal_comma_stay_text(transform: Transform) -> None:
    outcome = transform("name;price;people\nA;1,5;1.500\nB;2,25;2.000.000\n")
    assert [row[2] for row in outcome.rows] == ["1.500", "2.000.000"]


def test_a_decimal_comma_is_reported_of_numbers_alone(transform: Transform) -> None:
    outcome = transform("name;price\nA;1 234,5\nB;12,5\nC;1 000 000,0\n")
    assert [row[1] for row in outcome.rows] == ["1 234,5", "12,5", "1 000 000,0"]
    assert codes(outcome) == {"numbers_as_text"}


def test_the_file_names_its_delimiter(transform: Transform) -> None:
    assert transform("sep=;\na;b\n1;2,5\n3;4\n").rows == [(1, 2.5), (3, 4.0)]
    with pytest.raises(RejectedError, match="empty_file"):
        transform("sep=;\n")


@pytest.mark.parametrize(
    "above",
    [
        "# made by a tool\n# in mm\n",
        "Sales of 2024\n\n",
        "Sales\nof 2024\n\n\n",
        "\n\n# mm\n",
        ",\n",
        "Sales,\n",
        "Sales,\n,\n",
        "Sales: all\nDay: 2024-05-06\n",
        ",\n" * 5,
    ],
)
def test_lines_above_the_table(transform: Transform, above: str) -> None:
    outcome = transform(above + "x,y\n1,2\n3,4\nonly one\n" + "5,6\n" * 20)
    assert outcome.rows[:2] == [(1, 2), (3, 4)]
    assert outcome.rejects[0]["line"] == above.count("\n") + 4
    assert codes(outcome) == {"lines_above_table", "bad_rows"}


@pytest.mark.parametrize(
    "above",
    [
        "Sales of 2024,,\nMade:,2025-01-02,\n,,\n",
        "Region,North\nDay,2025-01-02\n\n",
        ",,\n,,\nSales,,\n",
        "Sales\n",
        "# mm\nSales,of,\n",
    ],
)
def test_names_and_values_above_the_table(transform: Transform, above: str) -> None:
    outcome = transform(above + "name,age,city\nAnna,3,Rome\nBob,4,Oslo\n")
    assert list(outcome.types) == ["name", "age", "city"]
    assert outcome.rows == [("Anna", 3, "Rome"), ("Bob", 4, "Oslo")]
    assert codes(outcome) == {"lines_above_table"}


@pytest.mark.parametrize(
    "text",
    [
        ",b,c\nx,unknown,Rome\ny,5,Oslo\n",  # names of rows
        "name,\nAnna,5\nBob,6\n",
        "id,name,,\na,b,c,d\ne,f,g,h\n",
        "1,,\n2,3,4\n5,6,7\n",
    ],
)
def test_a_short_header_is_not_above_the_table(transform: Transform, text: str) -> None:
    assert "lines_above_table" not in codes(transform(text))


@pytest.mark.parametrize(
    "below",
    [
        "\nSource: the office\n",
        "\n\nSource\n\nNote: all\n",
        "(2 rows)\n",
        "(1 row affected)\n",
        "\nSource",
    ],
)
def test_lines_below_the_table(transform: Transform, below: str) -> None:
    outcome = transform("x,y\n1,2\n3,4\n" + below)
    assert outcome.rows == [(1, 2), (3, 4)]
    assert codes(outcome) == {"lines_below_table"}
    assert outcome.processed.details["reading"]["lines_below_table"] == len(
        list(filter(None, below.split("\n")))
    )


@pytest.mark.parametrize(
    ("below", "reason"),
    [("5\n", "too few cells"), ('5,"a\n\nb\n', "unclosed quote")],
)
def test_a_row_that_is_cut_is_not_below_the_table(
    transform: Transform, below: str, reason: str
) -> None:
    outcome = transform("x,y\n" + "1,2\n" * 20 + below)
    assert codes(outcome) == {"bad_rows"}
    assert reason in outcome.rejects[0]["reason"]


def test_a_cell_with_an_empty_line_ends_the_table(transform: Transform) -> None:
    outcome = transform('x,y\n1,2\n3,"a\n\nb"\n')
    assert outcome.rows == [(1, "2"), (3, "a\n\nb")]
    assert codes(outcome) == set()


@pytest.mark.parametrize(
    ("last", "code"),
    [(",,", "empty_last_row"), ("Source: the office,,", "note_row"), ("5,,", None), ("a,,", None)],
)
def test_a_last_row_that_is_none_is_reported(
    transform: Transform, last: str, code: str | None
) -> None:
    outcome = transform(f"x,y,z\na,2,3\nb,4,5\n{last}\n")
    assert outcome.processed.details["rows"] == 3
    assert codes(outcome) == ({code} if code else set())


def test_files_that_were_put_together(transform: Transform) -> None:
    header = "name,age\n"
    outcome = transform(f"{header}Anna,3\n{header}{header}Bob,4\nbad\n{'C,5\n' * 20}name,age")
    assert outcome.rows[:3] == [("Anna", 3), ("Bob", 4), ("C", 5)]
    assert outcome.processed.details["rows"] == 22
    assert outcome.rejects[0]["line"] == 6
    (reported,) = (one for one in outcome.processed.warnings if one.code == "repeated_header")
    assert "not in the table: 3." in reported.message


def test_a_row_like_a_first_row_that_may_be_none_is_kept(transform: Transform) -> None:
    outcome = transform("rock,paper\npaper,rock\nrock,paper\n")
    assert outcome.rows == [("paper", "rock"), ("rock", "paper")]
    assert codes(outcome) == {"repeated_header"}


def test_a_header_may_begin_with_a_number_sign(transform: Transform) -> None:
    outcome = transform("#,name\n1,Anna\n2,Bob\n")
    assert [one["original_name"] for one in outcome.processed.details["profile"]] == ["#", "name"]
    assert transform("#love\n#joy\n#love\n").processed.details["rows"] == 2
    assert transform("#love\n#joy\nsunny\n").rows == [("#joy",), ("sunny",)]


def test_one_column_has_no_lines_above_it(transform: Transform) -> None:
    assert transform("name\n\nAnna\nBob\n").rows == [(None,), ("Anna",), ("Bob",)]


@pytest.mark.parametrize("first", ["NA,-,?", ",,NA"])
def test_markers_are_no_names(transform: Transform, first: str) -> None:
    outcome = transform(f"{first}\n1,2,3\n4,5,6\n")
    assert outcome.rows == [(None, None, None), (1, 2, 3), (4, 5, 6)]


def test_words_above_numbers_are_names_beside_a_number(transform: Transform) -> None:
    outcome = transform("city,mean,2020,people\nRome,1.5,2019-01-02,7\nOslo,2.5,2021-01-02,8\n")
    assert list(outcome.types) == ["city", "mean", "2020", "people"]
    assert codes(outcome) == {"header_of_values"}


@pytest.mark.parametrize(
    "header",
    [
        "country,2020",
        "country,2018,2019,2020",
        "country,2020-01-22,2020-01-23",
        "0,1,2",
        ",0,1,2",
    ],
)
def test_header_of_periods_and_steps(transform: Transform, header: str) -> None:
    cells = header.count(",")
    outcome = transform(f"{header}\nA{',1.5' * cells}\nB{',2.5' * cells}\n")
    names = [one["original_name"] for one in outcome.processed.details["profile"]]
    assert names == header.split(",")
    assert codes(outcome) == {"header_of_values"}


def test_years_below_years_that_step(transform: Transform) -> None:
    outcome = transform("country,2018,2019,2020\nA,1950,1960,1999\nB,2001,1904,1907\n")
    assert [row[0] for row in outcome.rows] == ["A", "B"]


@pytest.mark.parametrize(
    "rows",
    ["Anna,2020\nBob,2021\n", "0,1,2\n1,2,3\n", "2020-01-01,5\n2020-01-02,6\n", "0,0\n1,2\n"],
)
def test_data_without_header(transform: Transform, rows: str) -> None:
    assert len(transform(rows).rows) == 2


@pytest.mark.parametrize("name", ["table.csv", "table.json"])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG picture"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "HTML page"),
    ],
)
def test_other_kinds_of_files_are_named(
    transform: Transform, name: str, content: bytes, word: str
) -> None:
    with pytest.raises(RejectedError, match=word) as error:
        transform(content, name)
    assert error.value.code == "not_a_table"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_encoding_of_json(transform: Transform, encoding: str) -> None:
    assert transform('{"a": "ü"}\n'.encode(encoding), "table.json").rows == [("ü",)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('{"data": [{"a": 1}, {"a": 2}]}', [(1,), (2,)]),
        (
            '{"next": null, "count": 2, "results": [{"a": 1, "b": [1]}, {"b": []}]}',
            [(1, [1]), (None, [])],
        ),
    ],
)
def test_rows_in_a_member_of_one_object(
    transform: Transform, text: str, rows: list[tuple[object, ...]]
) -> None:
    outcome = transform(text, "table.json")
    assert outcome.rows == rows
    assert codes(outcome) == {"rows_in_member"}


def test_one_object_of_objects_is_one_row_and_says_so(transform: Transform) -> None:
    outcome = transform('{"a": {"x": 1}, "b": {"y": "z"}}', "table.json")
    assert outcome.processed.details["rows"] == 1
    assert codes(outcome) == {"one_object"}


def test_lists_of_objects_stay_in_a_table_of_several_rows(transform: Transform) -> None:
    outcome = transform('{"data": [{"a": 1}]}\n{"data": [{"a": 2}]}\n', "table.json")
    assert outcome.processed.details["rows"] == 2
    assert codes(outcome) == set()


def test_names_that_differ_in_case_below_the_top(transform: Transform) -> None:
    outcome = transform('{"a": {"id": 1, "ID": 2}, "b": 1, "c": "x", "d": null}', "table.json")
    assert outcome.rows == [('{"id":1,"ID":2}', 1, "x", None)]
    assert codes(outcome) == {"nested_as_text"}


def test_column_of_nulls_is_text(transform: Transform) -> None:
    outcome = transform('{"a": null, "b": 1}\n{"a": null, "b": 2}\n', "table.json")
    assert outcome.types["a"] == "VARCHAR"
    assert outcome.rows == [(None, 1), (None, 2)]


@pytest.mark.parametrize("text", ["[1, 2]\n[3, 4, 5]\n", "[[1, 2], [3, 4, 5]]"])
def test_rows_that_are_arrays(transform: Transform, text: str) -> None:
    outcome = transform(text, "table.json")
    assert list(outcome.types) == ["column_1", "column_2", "column_3"]
    assert outcome.rows == [(1, 2, None), (3, 4, 5)]
    assert codes(outcome) == {"rows_of_arrays"}


def test_first_array_of_texts_gives_the_names(transform: Transform) -> None:
    outcome = transform('[["name", "age"], ["Ann", 1], ["Bob", 2]]', "table.json")
    assert outcome.types == {"name": "VARCHAR", "age": "BIGINT"}
    assert outcome.rows == [("Ann", 1), ("Bob", 2)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1]\n[2]\nx\n", "Row 3 is malformed."),
        ("[1]\n[2]\n3\n", "Row 3 is not an array"),
        ("[[1], [2", "ends too early"),
        ("[[1]]\n[[2]]", "several arrays"),
    ],
)
def test_rows_that_are_not_all_arrays_are_rejected(
    transform: Transform, text: str, reason: str
) -> None:
    with pytest.raises(RejectedError, match=reason):
        transform(text, "table.json")


def test_member_with_an_empty_name(transform: Transform) -> None:
    outcome = transform('{"v": "x", "": 1}\n{"v": "y"}\n', "table.json")
    assert outcome.rows == [("x", 1), ("y", None)]
    assert list(outcome.types) == ["v", "unnamed"]


def test_json_numbers_keep_every_digit(transform: Transform) -> None:
    rows = [
        '{"v": 0.12345678901234567890, "s": "12345678901234567890123", "u": 18446744073709551615}',
        '{"v": 0.30000000000000004, "s": "é", "u": 1}',
    ]
    outcome = transform("\n".join(rows), "table.json")
    assert outcome.rows[0][0] == "0.12345678901234567890"
    assert [str(row[2]) for row in outcome.rows] == ["18446744073709551615", "1"]
    assert codes(outcome) == {"long_numbers"}
    assert codes(transform(rows[1], "table.json")) == set()


@pytest.mark.parametrize(
    "number",
    [
        "1.12345678901234567",
        "12.3456789012345678",
        "-1234567.12345678901",
        "123456789.123456789",
        "12345678901234567.8",
        "12.3456789012345678e3",
    ],
)
def test_digits_on_both_sides_of_a_point_are_kept(transform: Transform, number: str) -> None:
    outcome = transform(f'[{{"v": 0.5}}, {{"v": {number}}}]', "table.json")
    assert outcome.rows == [("0.5",), (number,)]
    assert codes(outcome) == {"long_numbers"}


def test_whole_numbers_beside_fractions_are_not_rounded(transform: Transform) -> None:
    rows = [{"id": 2**63 - 1, "v": 2**53 + 1, "w": 2**60}, {"id": 1, "v": 1.5, "w": -0.5}, {"v": 2}]
    for text in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        outcome = transform(text, "table.json")
        assert outcome.types == {"id": "BIGINT", "v": "VARCHAR", "w": "DOUBLE"}
        assert [row[1] for row in outcome.rows] == ["9007199254740993", "1.5", "2"]
        assert outcome.rows[0][0] == 2**63 - 1
        assert codes(outcome) == {"long_numbers"}


@pytest.mark.parametrize(
    "pair",
    [
        ({"b": 2**53 + 1}, {"b": 0.5}),
        ([2**53 + 1], [0.5]),
        ([{"b": [0.5]}, {"b": [2**53 + 1]}], []),
        ({'a "b"': 2**53 + 1}, {'a "b"': 0.5}),
    ],
)
def test_nested_numbers_are_not_rounded(transform: Transform, pair: tuple[Any, Any]) -> None:
    outcome = transform(json.dumps([{"v": value, "id": 2**60 + 1} for value in pair]), "t.json")
    assert outcome.types == {"v": "VARCHAR", "id": "BIGINT"}
    assert [json.loads(row[0]) for row in outcome.rows] == list(pair)
    assert codes(outcome) == {"long_numbers"}


def test_nested_numbers_that_doubles_hold_stay(transform: Transform) -> None:
    rows = [{"v": {"id": 2**60 + 1, "at": [1.5, 2]}}, {"v": {"id": 3, "at": [2**60]}}]
    outcome = transform(json.dumps(rows), "t.json")
    assert outcome.types == {"v": 'STRUCT(id BIGINT, "at" DOUBLE[])'}
    assert codes(outcome) == set()


def test_long_numbers_of_both_kinds_are_texts(transform: Transform) -> None:
    text = '[{"a": 9007199254740993, "b": 1e400, "c": 1.5}, {"a": 0.5, "b": 1, "c": -2}, {}]'
    outcome = transform(text, "table.json")
    assert outcome.rows == [
        ("9007199254740993", "1e400", 1.5),
        ("0.5", "1", -2),
        (None, None, None),
    ]
    assert codes(outcome) == {"long_numbers"}


@pytest.mark.parametrize("number", [1.2345678901234567, 12.345678901234567, 123456789.12345678])
def test_doubles_stay_numbers(transform: Transform, number: float) -> None:
    outcome = transform(json.dumps([{"v": number}]), "table.json")
    assert outcome.rows == [(number,)]
    assert codes(outcome) == set()


def test_long_numbers_where_chunks_meet(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f'{{"n": {number}, "": "a, {number}"}}' for number in range(10**25, 10**25 + 30)]
    for size in (64, 100, 1000):
        monkeypatch.setattr(json_text, "_CHUNK", size)
        outcome = transform("[" + ",\n".join(rows) + "]", "table.json")
        expected = [(str(10**25 + number), f"a, {10**25 + number}") for number in range(30)]
        assert outcome.rows == expected
        assert list(outcome.types) == ["n", "unnamed"]


@pytest.mark.parametrize(
    ("number", "exact"),
    [
        (b"18446744073709551615", True),
        (b"18446744073709551616", False),
        (b"-0.30000000000000004", True),
        (b"0.300000000000000041", False),
        (b"1" * 5000, False),
        (b"0.10000000000000001", True),  # a double with all of its 17 digits
        (b"1e400", False),
        (b"1e-400", False),
        (b"1.2.3", True),  # no number, which the parser reports
    ],
)
def test_numbers_that_a_parser_would_round(number: bytes, exact: bool) -> None:  # noqa: FBT001
    assert json_text.is_exact(number) is exact


def test_json_texts_that_look_like_dates_or_uuids_stay(transform: Transform) -> None:
    uuid = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"
    outcome = transform(
        f'{{"c": "01-02-03", "d": "2020-01-02", "u": "{uuid}", "n": {{"date": "01-02-03"}}}}',
        "table.json",
    )
    assert outcome.types["c"] == outcome.types["u"] == "VARCHAR"
    assert outcome.types["d"] == "DATE"
    assert outcome.rows[0][2] == uuid
    assert outcome.rows[0][3] == {"date": "01-02-03"}


def test_names_that_duckdb_numbers(transform: Transform) -> None:
    outcome = transform('{"a": 1, "A": 2}\n{"a": 3, "A": 4}', "table.json")
    assert outcome.rows == [(1, 2), (3, 4)]


def test_broken_rows_of_utf_16_json_are_listed(transform: Transform) -> None:
    rows = "".join(f'{{"a": {number}}}\n' for number in range(20)) + "{\n"
    outcome = transform(rows.encode("utf-16"), "table.json")
    assert len(outcome.rows) == 20
    assert outcome.processed.details["rejected_rows"] == 1


def test_blanks_around_values_and_before_quotes(transform: Transform) -> None:
    outcome = transform('a, b, c\n1, "x, y",  NA\n2, "z", .5 \n')
    assert outcome.types == {"a": "BIGINT", "b": "VARCHAR", "c": "DOUBLE"}
    assert outcome.rows == [(1, "x, y", None), (2, "z", 0.5)]


def test_blanks_around_values_behind_the_sample(transform: Transform) -> None:
    values = [" 7" if number == 700_000 else str(number) for number in range(800_000)]
    outcome = transform("v\n" + "\n".join(values) + "\n")
    assert outcome.types == {"v": "BIGINT"}
    assert outcome.processed.details["rejected_rows"] == 0


def test_versions_are_text(transform: Transform) -> None:
    outcome = transform("version,n\n1.9,1\n1.10,2\n")
    assert [row[0] for row in outcome.rows] == ["1.9", "1.10"]
    assert codes(outcome) == {"versions_as_text"}
    assert transform("v,n\n0.5,1\n0.120,2\n").types["v"] == "DOUBLE"
    assert transform("v,n\n1.9,1\n1.10,2\n1.05,3\n").types["v"] == "DOUBLE"


@pytest.mark.parametrize("before", [300, 300_000], ids=["behind 300 rows", "behind the sample"])
def test_versions_are_text_wherever_the_tenth_stands(transform: Transform, before: int) -> None:
    values = [f"1.{number % 10}" for number in range(before)]
    outcome = transform("\n".join(["version,n", *(f"{one},0" for one in [*values, "1.10"])]) + "\n")
    assert [row[0] for row in outcome.rows] == [*values, "1.10"]
    assert codes(outcome) == {"versions_as_text"}


def test_a_number_like_the_tenth_version_behind_the_sample_is_one(transform: Transform) -> None:
    values = [f"{number}.{number % 8}" for number in range(200_000)]
    outcome = transform("\n".join(["v", *values, "7.10"]) + "\n")
    assert outcome.types == {"v": "DOUBLE"}
    assert outcome.rows[-1] == (7.1,)
    assert codes(outcome) == set()


@pytest.mark.parametrize("number", ["1,234", "12'345.50", "$5", "-5 €", "7 %", "1.234.567"])
@pytest.mark.parametrize("before", [20, 200_000], ids=["few rows", "behind the sample"])
def test_numbers_with_marks_reject_no_row(transform: Transform, number: str, before: int) -> None:
    values = [*map(str, range(before)), number]
    outcome = transform("n\tm\n" + "".join(f"{one}\t{one}\n" for one in values))
    assert outcome.rows == [(one, one) for one in values]
    assert codes(outcome) == {"numbers_as_text"}


def test_what_was_found_in_the_first_rows_is_told_of_all(transform: Transform) -> None:
    values = ["c16" if n % 50 == 0 else str(n) for n in range(200_000)]
    rows = [f"{one},{n}" for n, one in enumerate(values)]
    outcome = transform("\n".join(["code,n", *rows, "5,007"]) + "\n")
    assert outcome.types == {"code": "VARCHAR", "n": "VARCHAR"}
    assert codes(outcome) == {"codes_as_text"}
    reasons = outcome.processed.details["reading"]["text_because"]
    assert reasons["n"] == "1 of 200001 values would change if each were an integer"
    assert reasons["code"].endswith("values are not an integer (in the first rows)")


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_decimal_comma_behind_many_whole_numbers(transform: Transform, quote: str) -> None:
    rows = [f"{number};{number}" for number in range(1_000)]
    outcome = transform("\n".join(["a;b", *rows, f"1;{quote}2,5{quote}"]) + "\n")
    assert outcome.types == {"a": "BIGINT", "b": "DOUBLE"}
    assert outcome.rows[-1] == (1, 2.5)
    assert codes(outcome) == {"decimal_comma"}


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp932", "山田太郎"),
        ("gb18030", "张伟"),
        ("big5", "張偉"),
        ("cp949", "김철수"),
        ("cp1251", "Иван"),
        ("koi8_r", "Иван"),
    ],
)
def test_text_in_a_national_encoding(transform: Transform, encoding: str, name: str) -> None:
    names = {
        "cp932": "名前,年齢\n山田太郎,1\n鈴木花子,2\nカタカナ,3\n",
        "gb18030": "姓名,城市\n张伟,北京\n王芳,上海\n李娜,广州\n",
        "big5": "姓名,城市\n張偉,台北\n王芳,高雄\n李娜,台中\n",
        "cp949": "이름,도시\n김철수,서울\n이영희,부산\n",
        "cp1251": "имя,город\nИван,Москва\nОльга,Казань\nПётр,Тверь\n",
        "koi8_r": "имя,город\n" + "Иван,Москва\nОльга,Казань\nПётр,Тверь\n" * 2_000,
    }
    outcome = transform(names[encoding].encode(encoding))
    assert outcome.rows[0][0] == name
    assert outcome.processed.details["encoding"] == encoding
    assert codes(outcome) == {"legacy_encoding"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["007", "008", "12"], "2 of 3 values would change if each were an integer"),
        (["1", "2", "3", "x", "y"], "2 of 5 values are not an integer"),
        (["x", "y", "1"], None),
        (["1", "2"], None),
    ],
)
def test_it_is_reported_why_a_column_of_numbers_is_text(
    transform: Transform, values: list[str], reason: str | None
) -> None:
    outcome = transform("code,n\n" + "".join(f"{value},1\n" for value in values))
    found = outcome.processed.details["reading"]["text_because"]
    assert found == ({"code": reason} if reason else {})


def test_numbers_among_words_are_reported(transform: Transform) -> None:
    outcome = transform("n,zip,c\n1,007,a\n2,008,b\nthree,9,c\n4,10,d\n")
    assert outcome.types == dict.fromkeys(("n", "zip", "c"), "VARCHAR")
    (reported,) = outcome.processed.warnings
    assert reported.code == "mixed_as_text"
    assert "n: read as text" in reported.message
    assert "1 of 4 values are not an integer" in reported.message


@pytest.mark.parametrize(
    "above",
    [
        "# exported 2020\n# by x\n",  # three words in each, as if divided by blanks
        "# one two three\n# four five six\n# seven eight nine\n",
        "# one, two\n# three, four\n",  # as many cells as the table
        "#one,two\n",
        "# a\n\n# b\n\n",
    ],
)
def test_comments_above_a_table_are_skipped(transform: Transform, above: str) -> None:
    outcome = transform(f"{above}id,v\n1,2\n")
    assert (outcome.types, outcome.rows) == ({"id": "BIGINT", "v": "BIGINT"}, [(1, 2)])
    assert codes(outcome) == {"lines_above_table"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("#id,v\n1,2\n3,4\n", ["id", "v"]),
        ("#name,city\nAnna,Bonn\nBob,Rome\n", ["name", "city"]),
        ("##format=1\n#CHROM\tPOS\n1\t2\n1\t3\n", ["chrom", "pos"]),
        ("#1,Anna\n#2,Bob\n3,Cy\n", ["1", "anna"]),
    ],
)
def test_a_header_may_begin_like_a_comment(
    transform: Transform, text: str, names: list[str]
) -> None:
    outcome = transform(text)
    assert list(outcome.types) == names
    assert len(outcome.rows) == 2


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a,b\n1,5,2,5\n3,5,4,5\n", {"missing_names"}),
        ("a,b,c\n1,2,3,\n4,5,6,\n", set()),  # a delimiter at the end of each row
        ("a,b,,\n1,2,3,4\n5,6,7,8\n", set()),
        ("a\tb\n1\tx\ty\n2\tx\ty\n", {"row_names"}),
    ],
)
def test_a_header_that_is_short_is_reported(
    transform: Transform, text: str, reported: set[str]
) -> None:
    assert codes(transform(text)) == reported


@pytest.mark.parametrize("text", ["a,b\n", "404: Not Found"])
def test_a_table_without_rows_is_reported(transform: Transform, text: str) -> None:
    outcome = transform(text)
    assert outcome.rows == []
    assert codes(outcome) == {"no_rows"}


def test_what_follows_the_header_of_a_log_is_divided(transform: Transform) -> None:
    outcome = transform(
        "#Fields: date time ip\n2020-01-02 03:04:05 1.2.3.4\n2020-01-02 03:04:06 1.2.3.4\n"
    )
    assert codes(outcome) >= {"lines_above_table", "no_header"}


def test_comments_below_a_table_are_skipped(transform: Transform) -> None:
    outcome = transform("id,v\n1,2\n2,3\n# end\n")
    assert outcome.rows == [(1, 2), (2, 3)]
    assert codes(outcome) == {"lines_below_table"}


@pytest.mark.parametrize("marker", ["#DIV/0!", "#VALUE!", "<NA>", "NaT", "(null)"])
def test_what_programs_write_for_no_value_is_null(transform: Transform, marker: str) -> None:
    outcome = transform(f"n,t\n1,a\n{marker},{marker}\n3,b\n")
    assert outcome.rows == [(1, "a"), (None, marker), (3, "b")]
    assert codes(outcome) == {"missing_values"}


def test_a_first_row_of_values_is_reported(transform: Transform) -> None:
    outcome = transform("1,Anna\n2,Bob\n")
    assert outcome.rows == [(1, "Anna"), (2, "Bob")]
    assert codes(outcome) == {"no_header"}
    assert codes(transform("1,Anna\n2,Bob\n", table_options='{"header": false}')) == set()
