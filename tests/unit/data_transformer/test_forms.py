"""Texts in forms of their own: blanks, colons, other quotes; units, row names, totals, codes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from data_transformer import forms
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.data_transformer.conftest import Outcome

    type Transform = Callable[..., Outcome]


def _codes(made: Outcome) -> list[str]:
    return [warning.code for warning in made.processed.warnings]


@pytest.mark.parametrize(
    "text",
    [
        "Date       Open   High\n2020-01-01  1.5  2.5\n2020-01-02   1.7    NA\n",
        "  Date Open High\n  2020-01-01 1.5 2.5\n  2020-01-02 1.7 NA  \n\n",
        "Date\t Open \tHigh\n2020-01-01 1.5 2.5\n2020-01-02 1.7 NA\n",
        '"Date" "Open" "High"\n"2020-01-01" 1.5 2.5\n"2020-01-02" 1.7 NA',
        "'Date' 'Open' 'High'\n2020-01-01 1.5 2.5\n2020-01-02 1.7 NA",
    ],
)
def test_columns_divided_by_blanks(transform: Transform, text: str) -> None:
    made = transform(text)
    assert made.rows == [
        (dt.date(2020, 1, 1), 1.5, 2.5),
        (dt.date(2020, 1, 2), 1.7, None),
    ]
    assert list(made.types) == ["date", "open", "high"]
    assert made.processed.details["delimiter"] == " "
    assert "separated_by_blanks" in _codes(made)


def test_columns_divided_by_blanks_as_r_prints_them(transform: Transform) -> None:
    made = transform('"mpg" "cyl"\n"Mazda RX4" 21 6\n"Datsun" 22.8 4\n')
    assert made.rows == [("Mazda RX4", 21.0, 6), ("Datsun", 22.8, 4)]
    assert list(made.types) == ["column_1", "mpg", "cyl"]
    assert _codes(made) == ["separated_by_blanks", "row_names"]


@pytest.mark.parametrize(
    "text",
    [
        "name\nAnna Smith\nBob Jones\n",
        "address\n12 Main St\n7 Oak Ave\n",
        "text\none\ntwo words\nthree of them\n",
        "name\nAnna 12\nBob 13\n",
        "given middle family\nAnna M Smith\nBob K Jones\n",
        "time\n12:30:00\n13:40:00\n",
        "only a line\n",
        "and/or\nboth\nnone\n",
    ],
)
def test_one_column_of_words_stays_one(transform: Transform, text: str) -> None:
    made = transform(text)
    assert len(made.types) == 1
    assert _codes(made) == ([] if made.rows else ["no_rows"])


@pytest.mark.parametrize(
    "text",
    [
        " name | age \n------+-----\n Anna |   3\n Bob  |    \n(2 rows)\n",
        "+------+---+\n| name | n |\n+------+---+\n| Anna | 3 |\n| Bob  |   |\n+------+---+",
        "| name | age |\n|:-----|----:|\n| Anna |   3 |\n| Bob  |     |\n",
    ],
)
def test_tables_that_are_drawn(transform: Transform, text: str) -> None:
    made = transform(text)
    assert made.rows == [("Anna", 3), ("Bob", None)]
    assert set(_codes(made)) - {"lines_below_table"} == {"drawn_table"}


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("a  b\n" + "1  1\n" * 20 + "2   many\n3  3\n", "   "),
        ("a:b\n" + "1:1\n" * 20 + "2:many\n3:3\n", ":"),
        ("'a','b'\n" + "'x',1\n" * 20 + "'it''s',many\n'y',3\n", "'"),
    ],
)
def test_a_bad_row_is_listed_as_it_was_sent(transform: Transform, text: str, bad: str) -> None:
    (reject,) = transform(text).rejects
    assert bad in reject["raw"]
    assert text.split("\n")[reject["line"] - 1] == reject["raw"]


@pytest.mark.parametrize("delimiter", ["^", "~", "\x01", "\x1f"])
def test_delimiters_that_few_use(transform: Transform, delimiter: str) -> None:
    made = transform(f"a{delimiter}b\n1{delimiter}x\n2{delimiter}y\n")
    assert made.rows == [(1, "x"), (2, "y")]
    assert _codes(made) == ["unusual_delimiter"]


@pytest.mark.parametrize(
    "text",
    ["k=v\na=1\nb=2\n", "name  age\nAnna  three\nBob  four\n", "a:b\nhttp://x\nhttp://y\n"],
)
def test_one_column_that_may_be_several_is_reported(transform: Transform, text: str) -> None:
    made = transform(text)
    assert len(made.types) == 1
    assert _codes(made) == ["one_column"]


def test_days_and_times_beside_numbers_are_columns(transform: Transform) -> None:
    made = transform("day time value\n2020-01-01 10:00 5\n2020-01-01 11:00 6\n")
    assert list(made.types) == ["day", "time", "value"]
    assert len(transform("start time\n2020-01-01 10:00\n2020-01-01 11:00\n").types) == 1


def test_the_last_line_of_a_sample_may_be_cut() -> None:
    assert forms.of_one_column("a b\n1 2\n3", whole=False) is forms.BLANKS
    assert forms.of_one_column("a b\n1 2\n3", whole=True) is None


def test_columns_divided_by_colons(transform: Transform) -> None:
    made = transform('id:count:name\n1:10:x\n2:20:"y:z"\n')
    assert made.rows == [(1, 10, "x"), (2, 20, "y:z")]
    assert made.processed.details["delimiter"] == ":"
    assert _codes(made) == ["separated_by_colons"]


def test_cells_in_single_quotes(transform: Transform) -> None:
    made = transform("'a','b'\n'x, y',1\n'it''s \"so\"',2\n")
    assert made.rows == [("x, y", 1), ('it\'s "so"', 2)]
    assert _codes(made) == ["single_quotes"]


def test_single_quotes_in_rows_alone(transform: Transform) -> None:
    assert transform("a,b\n'x',1\n'y',2\n").rows == [("x", 1), ("y", 2)]


def test_apostrophes_are_no_quotes(transform: Transform) -> None:
    made = transform("a,b\n'tis,1\nrock 'n' roll,2\n")
    assert made.rows == [("'tis", 1), ("rock 'n' roll", 2)]
    assert _codes(made) == []


def test_backslashes_before_quotes(transform: Transform) -> None:
    made = transform('a,b\n"say \\"hi\\", then \\\\ go",1\n"C:\\dir",2\n')
    assert made.rows == [('say "hi", then \\ go', 1), ("C:\\dir", 2)]
    assert _codes(made) == ["backslash_escapes"]


def test_a_path_that_ends_with_a_backslash_is_no_escape(transform: Transform) -> None:
    assert transform('a,b\n"C:\\",1\n"D:\\",2\n').rows == [("C:\\", 1), ("D:\\", 2)]


def test_a_form_holds_behind_the_sample(transform: Transform) -> None:
    rows = 120_000
    made = transform("a b\n" + "".join(f"{row}  {row % 7}\n" for row in range(rows)) + "1 2")
    assert len(made.rows) == rows + 1
    assert made.rows[-2:] == [(rows - 1, (rows - 1) % 7), (1, 2)]


def test_a_control_z_at_the_end_is_no_row(transform: Transform) -> None:
    made = transform("a,b\r\n1,2\r\n\x1a")
    assert made.rows == [(1, 2)]
    assert made.processed.details["rejected_rows"] == 0


def test_units_below_the_header(transform: Transform) -> None:
    made = transform("time,speed,note\ns,m/s,\n0,1.5,x\n1,2.5,y\n2,3.5,z\n")
    assert made.rows == [(0, 1.5, "x"), (1, 2.5, "y"), (2, 3.5, "z")]
    assert made.processed.details["reading"]["units"] == ["s", "m/s", ""]
    assert _codes(made) == ["units_below_header"]


@pytest.mark.parametrize(
    "first_row",
    ["unknown,not measured at all,", "NA,-,", "a,1,", ",,x"],
)
def test_a_first_row_of_other_values_is_no_units(transform: Transform, first_row: str) -> None:
    made = transform(f"time,speed,note\n{first_row}\n0,1.5,x\n1,2.5,y\n2,3.5,z\n")
    assert "units_below_header" not in _codes(made)


def test_a_name_less_than_cells_is_that_of_the_row_names(transform: Transform) -> None:
    made = transform('"mpg","cyl"\n"Mazda",21,6\n"Datsun",22.8,4\n')
    assert list(made.types) == ["column_1", "mpg", "cyl"]
    assert _codes(made) == ["row_names"]


def test_delimiters_behind_the_last_cell_are_no_row_names(transform: Transform) -> None:
    made = transform("a,b\n1,2,\n3,4,\n")
    assert made.rows == [(1, 2), (3, 4)]
    assert _codes(made) == []


@pytest.mark.parametrize("word", ["Total", '"Grand total"', "SUMME", "Sub-Total"])
def test_a_total_at_the_end_is_said(transform: Transform, word: str) -> None:
    made = transform(f"item,count\na,1\nb,2\n{word},3\n")
    assert len(made.rows) == 3
    assert _codes(made) == ["total_row"]


def test_a_first_word_that_begins_like_total_is_none(transform: Transform) -> None:
    assert _codes(transform("item,count\na,1\nTotalitarian,2\n")) == []


def test_names_right_of_an_empty_corner(transform: Transform) -> None:
    made = transform('"","142.24","144.78"\n"9.4",0,1\n"9.5",2,0\n')
    assert made.rows == [(9.4, 0, 1), (9.5, 2, 0)]
    assert [one["original_name"] for one in made.processed.details["profile"]] == [
        "", "142.24", "144.78",
    ]  # fmt: skip
    assert _codes(made) == ["header_of_values"]


@pytest.mark.parametrize("odd", [["X"] * 4, ["c168", "c118", "c204"]])
def test_codes_make_a_column_text(transform: Transform, odd: list[str]) -> None:
    values = [str(number) for number in range(60)] + odd
    made = transform("a,b\n" + "".join(f"1,{value}\n" for value in values))
    assert made.types == {"a": "BIGINT", "b": "VARCHAR"}
    assert [row[1] for row in made.rows] == values
    assert made.processed.details["rejected_rows"] == 0
    assert _codes(made) == ["codes_as_text"]


def test_an_accident_is_a_rejected_row(transform: Transform) -> None:
    made = transform("a,b\n" + "".join(f"1,{n}\n" for n in range(60)) + "1,l2\n1,oops!\n")
    assert made.types == {"a": "BIGINT", "b": "BIGINT"}
    assert [one["line"] for one in made.rejects] == [62, 63]


def test_quoted_empty_cells_are_null_beside_a_type(transform: Transform) -> None:
    made = transform('n,s\n"1","x"\n"",""\n"3","y"\n')
    assert made.rows == [(1, "x"), (None, ""), (3, "y")]
    assert _codes(made) == []


@pytest.mark.parametrize(
    ("content", "noun"),
    [
        (b"\0\x05\x16\x07\0\x02\0\0Mac OS X        \0\x02", "a macOS resource fork"),
        (b"\x01\x02\x03\x04\x05,\x06\n" * 20, "binary"),
    ],
)
def test_binary_files_are_no_tables(transform: Transform, content: bytes, noun: str) -> None:
    with pytest.raises(RejectedError, match=f"not_a_table: The file is {noun}"):
        transform(content)


def test_names_in_snake_case_or_as_they_are(transform: Transform) -> None:
    text = "sepalLength,HTTPStatus,pH,kWh,Été Chaud,a b,A B\n1,2,3,4,5,6,7\n"
    assert list(transform(text).types) == [
        "sepal_length", "http_status", "ph", "kwh", "été_chaud", "a_b", "a_b_2",
    ]  # fmt: skip
    assert list(transform(text, column_names="original").types) == [
        "sepalLength", "HTTPStatus", "pH", "kWh", "Été Chaud", "a b", "A B_2",
    ]  # fmt: skip
