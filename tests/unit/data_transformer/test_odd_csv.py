from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from data_transformer import csv_reader, outputs
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Transform = Any


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(transform: Transform, delimiter: str) -> None:
    made = transform(f"a{delimiter}b\n1{delimiter}x\n")
    assert made.rows == [(1, "x")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encoding_is_found(transform: Transform, encoding: str) -> None:
    made = transform("name,n\nChloé Müller,1\n".encode(encoding))
    assert made.types == {"name": "VARCHAR", "n": "BIGINT"}
    assert made.rows == [("Chloé Müller", 1)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(transform: Transform, end: str) -> None:
    assert transform(end.join(["a,b", "1,x", "2,y", ""])).rows == [(1, "x"), (2, "y")]


def test_mixed_line_ends(transform: Transform) -> None:
    assert transform("a,b\r\n1,x\n2,y\r3,z").rows == [(1, "x"), (2, "y"), (3, "z")]


def test_quotes_and_embedded_newlines(transform: Transform) -> None:
    made = transform('a,b\n1,"x ""y"", z\nnext"\n')
    assert made.rows == [(1, 'x "y", z\nnext')]


def test_ragged_rows_are_rejects(transform: Transform) -> None:
    made = transform("a,b\n" + "1,x\n" * 30 + "2\n3,y,z\n")
    assert len(made.rows) == 30
    assert made.rejects == [
        {
            "line": 32,
            "column": None,
            "reason": "too few cells: 1 instead of 2",
            "raw": "2",
        },
        {
            "line": 33,
            "column": None,
            "reason": "too many cells: 3 instead of 2",
            "raw": "3,y,z",
        },
    ]


def test_misfitting_value_is_a_reject_with_its_column(transform: Transform) -> None:
    made = transform("n,s\n" + "1,x\n" * 30 + "many,y\n")
    assert made.types["n"] == "BIGINT"
    assert made.rejects == [
        {"line": 32, "column": "n", "reason": "'many' is not an integer", "raw": "many,y"}
    ]


def test_bad_values_in_several_columns_are_listed_in_the_order_of_the_text(
    transform: Transform,
) -> None:
    rows = [f"{number},2024-01-02,{number}.5" for number in range(5000)]
    bad = {10: "10,bad,1.5", 40: "x,2024-01-02,1.5", 30: "30,2024-01-02,x", 4000: "y,bad,x"}
    for number, row in bad.items():
        rows[number] = row
    rows[100] = "a,b"  # ends a run of rows
    made = transform("\n".join(["id,day,share", *rows]) + "\n")
    found = [(one["line"], one["raw"]) for one in made.rejects]
    assert found == [(number + 2, bad.get(number, "a,b")) for number in sorted({*bad, 100})]
    assert len(made.rows) == 5000 - 5


def test_too_many_bad_rows_reject_the_file_and_give_the_rejects(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="too_many_bad_rows") as caught:
        transform("a,b\n" + "1,x\n" * 5 + "2\n" * 2)
    assert [output.name for output in caught.value.processed.outputs] == ["rejects.jsonl"]


def test_missing_and_duplicate_names(transform: Transform) -> None:
    made = transform("Total €,,total,Total\n1,2,3,4\n")
    assert list(made.types) == ["total", "column_2", "total_2", "total_3"]


def test_no_header(transform: Transform) -> None:
    made = transform("1,x\n2,y\n")
    assert made.types == {"column_1": "BIGINT", "column_2": "VARCHAR"}
    assert len(made.rows) == 2


def test_header_only(transform: Transform) -> None:
    assert transform("a,b\n").rows == []


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_empty_file(transform: Transform, content: str) -> None:
    with pytest.raises(RejectedError, match="empty_file"):
        transform(content)


def test_one_column(transform: Transform) -> None:
    assert transform("a\n1\n2\n").rows == [(1,), (2,)]


def test_trailing_delimiters(transform: Transform) -> None:
    assert transform("a,b,\n1,x,\n2,y,\n").rows == [(1, "x"), (2, "y")]
    assert list(transform("a,b\n1,x,\n2,y,\n").types) == ["a", "b"]
    assert transform("a,b,\nw,x,\ny,z,\n").rows == [("w", "x"), ("y", "z")]


def test_late_cell_behind_a_trailing_delimiter_makes_a_column(transform: Transform) -> None:
    made = transform("a,\nx,\n" + f"{'y' * 2_000},\n" * 800 + "x,z\n")
    assert made.types == {"a": "VARCHAR", "column_2": "VARCHAR"}
    assert made.rows[-1] == ("x", "z")


def test_nul_bytes_are_removed_with_a_warning(transform: Transform) -> None:
    made = transform(b"a,b\n1,x\0y\n")
    assert made.rows == [(1, "xy")]
    assert [warning.code for warning in made.processed.warnings] == ["nul_characters"]


def test_cell_of_ten_megabytes(transform: Transform) -> None:
    made = transform("a,b\n1,x\n2," + "y" * 10_000_000 + "\n3,z\n")
    assert [len(row[1]) for row in made.rows] == [1, 10_000_000, 1]


def test_leading_zeros_stay(transform: Transform) -> None:
    made = transform("plz\n" + "12345\n" * 99 + "01067\n")
    assert made.types == {"plz": "VARCHAR"}
    assert made.rows[-1] == ("01067",)


def test_late_leading_zero_makes_the_column_text(transform: Transform) -> None:
    made = transform("plz\n" + "12345\n" * 200_000 + "01067\n")
    assert made.types == {"plz": "VARCHAR"}
    assert made.rows[-1] == ("01067",)


def test_large_integers_stay_exact(transform: Transform) -> None:
    made = transform("n\n12345678901234567890123\n1\n")
    assert made.rows == [(Decimal("12345678901234567890123"),), (Decimal(1),)]


def test_dates_timestamps_and_booleans(transform: Transform) -> None:
    made = transform(
        "d,t,z,b\n2024-02-29,2024-02-29T10:00,2024-02-29T10:00:00+02:00,TRUE\n"
        "2024-03-01,2024-03-01 10:00:01.5,2024-03-01T10:00:00Z,false\n"
    )
    assert list(made.types.values()) == [
        "DATE",
        "TIMESTAMP",
        "TIMESTAMP WITH TIME ZONE",
        "BOOLEAN",
    ]
    highest = [one["max"] for one in made.processed.details["profile"]]
    assert highest == [
        "2024-03-01",
        "2024-03-01 10:00:01.5",
        "2024-03-01 10:00:00+00",
        True,
    ]


def test_empty_strings_and_nulls_differ(transform: Transform) -> None:
    assert transform('a,b\n1,\n2,""\n').rows == [(1, None), (2, "")]


def test_formulas_stay_text(transform: Transform) -> None:
    made = transform('a,b\n=1+1,"=HYPERLINK(""x"")"\n')
    assert made.rows == [("=1+1", '=HYPERLINK("x")')]


def test_names_cannot_become_sql(transform: Transform) -> None:
    made = transform('"a"") FROM x; --",b\'c\nx,y\n')
    assert made.rows == [("x", "y")]


def test_other_outputs(transform: Transform) -> None:
    made = transform("a,b\n1,é\n", output_formats=("jsonl", "csv"))
    assert [output.name for output in made.processed.outputs] == ["table.jsonl", "table.csv"]
    assert json.loads((made.directory / "table.jsonl").read_text()) == {"a": 1, "b": "é"}
    assert (made.directory / "table.csv").read_text() == "a,b\n1,é\n"


def test_same_input_same_bytes(transform: Callable[..., Any]) -> None:
    first = (transform("a,b\n1,x\n").directory / "table.parquet").read_bytes()
    assert (transform("a,b\n1,x\n").directory / "table.parquet").read_bytes() == first


def test_json_kinds(transform: Transform) -> None:
    for content in ('[{"a": 1, "b": [1, 2]}]', '{"a": 1, "b": [1, 2]}', '{"a":1,"b":[1,2]}\n'):
        assert transform(content, "table.json").rows == [(1, [1, 2])]


def test_invalid_json_is_rejected(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="invalid_json"):
        transform('[{"a":1},{"a":]', "table.json")


def test_empty_name_at_the_end_of_the_header_alone(transform: Transform) -> None:
    assert list(transform("a,b,,\n1,x\n2,y\n").types) == ["a", "b"]


def test_first_row_longer_than_the_sample(transform: Transform) -> None:
    made = transform("a,b\n1," + "y" * 2_000_000 + "\n2,z\n")
    assert made.types == {"a": "BIGINT", "b": "VARCHAR"}
    assert len(made.rows) == 2


def test_column_of_many_late_words_is_text(transform: Transform) -> None:
    made = transform("n,s\n" + f"1,{'x' * 2_000}\n" * 800 + "word,x\n" * 200)
    assert made.types == {"n": "VARCHAR", "s": "VARCHAR"}
    assert len(made.rows) == 1_000


def test_bad_rows_keep_the_order_of_their_lines(transform: Transform) -> None:
    made = transform("n,s\n" + "1,x\n" * 60 + "2\nmany,y\n3,z,z\n4,x\nmore,y\n")
    assert [(one["line"], one["column"]) for one in made.rejects] == [
        (62, None),
        (63, "n"),
        (64, None),
        (66, "n"),
    ]


def test_more_bad_values_than_allowed_reject_the_file(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="More than 2 rows") as caught:
        transform("n,s\n" + "1,x\n" * 101 + "1\na,x\nb c,x\nd1,x\n", max_rejected_rows=2)
    [rejects] = caught.value.processed.outputs
    assert [json.loads(line)["line"] for line in rejects.path.read_text().splitlines()] == [
        103,
        104,
    ]


def test_quote_that_does_not_end_is_a_reject(transform: Transform) -> None:
    made = transform("a,b\n" + "1,x\n" * 30 + '2,"y\n')
    assert len(made.rows) == 30
    assert [(one["line"], one["reason"]) for one in made.rejects] == [(32, "unclosed quote")]


def test_rows_too_wide_for_the_memory_reject_the_file(transform: Transform) -> None:
    wide = "".join(f"{row}{'x' * 20_000},{row}{'y' * 20_000}\n" for row in range(2_200))
    with pytest.raises(RejectedError, match="too_wide"):
        transform("a,b\n" + wide, memory_limit_mb=50)


def test_wrong_option_is_no_fault_of_the_text(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "parquet_options", lambda _: "FORMAT parquet, ROW_GROUP_SIZE -1")
    with pytest.raises(duckdb.InvalidInputException):
        transform("a,b\n1,x\n")


def test_profile_is_fit_for_json_and_short(transform: Transform) -> None:
    made = transform('[{"n": Infinity, "s": "' + "x" * 200 + '"}]', "table.json")
    assert [one["max"] for one in made.processed.details["profile"]] == ["inf", "x" * 99 + "…"]


def test_line_and_text_of_bad_rows_are_those_of_the_file(transform: Transform) -> None:
    good = '1,"two\nlines"\n\n'
    made = transform("n,s\n" + good * 30 + 'many, "a ""b"" \n c" \n' + good + "3,y,  z\n")
    assert [(one["line"], one["column"], one["raw"]) for one in made.rejects] == [
        (92, "n", 'many, "a ""b"" \n c" '),
        (97, None, "3,y,  z"),
    ]


def test_bad_row_far_behind_and_without_line_end(transform: Transform) -> None:
    made = transform("n,s\n" + "1,x\n" * 300_000 + '2,"q\nr"\n' + "late,y")
    assert [(one["line"], one["raw"]) for one in made.rejects] == [(300_004, "late,y")]


def test_bad_row_of_one_column_with_blank_lines(transform: Transform) -> None:
    made = transform("n\n" + "1\n\n" * 30 + "word\n")
    assert [(one["line"], one["raw"]) for one in made.rejects] == [(62, "word")]


def test_cell_of_10_mb(transform: Transform) -> None:
    made = transform("a,b\n1," + "x" * 10_000_000 + "\nword,y\n" + "2,z\n" * 20)
    assert len(made.rows[0][1]) == 10_000_000
    assert [one["line"] for one in made.rejects] == [3]


def test_late_leading_zeros_make_a_column_text(transform: Transform) -> None:
    made = transform("n,s\n" + f"7,{'x' * 2_000}\n" * 800 + "007,x\n")
    assert made.types["n"] == "VARCHAR"
    assert made.rows[-1] == ("007", "x")


def test_late_fractions_make_a_column_of_integers_numbers(transform: Transform) -> None:
    made = transform("n,s\n" + f"7,{'x' * 2_000}\n" * 800 + "1.5,x\n")
    assert made.types["n"] == "DOUBLE"


def test_300_columns(transform: Transform) -> None:
    made = transform("\n".join(",".join(f"{row}{place}" for place in range(300)) for row in "ab1"))
    assert len(made.types) == 300


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_2000_columns_are_in_files_of_150(transform: Transform, kind: str) -> None:
    names = [f"n{place}" for place in range(2_000)]
    rows = [[row * place for place in range(2_000)] for row in range(3)]
    content = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    if kind == "csv":
        content = ",".join(names) + "".join("\n" + ",".join(map(str, row)) for row in rows)
    made = transform(content, f"table.{kind}")
    assert len(made.types) == 2_000
    assert made.processed.details["columns"] == 2_000
    files = made.processed.outputs
    assert [file.name for file in files] == [f"table-{part}.parquet" for part in range(1, 15)]
    with duckdb.connect() as connection:
        for number, file in enumerate(files):
            columns = slice(150 * number, 150 * (number + 1))
            assert list(file.attributes["types"]) == names[columns]
            found = connection.sql(f"FROM '{file.path}'").fetchall()
            assert found == [tuple(row[columns]) for row in rows]


def test_bad_row_is_in_no_part_of_a_wide_table(transform: Transform) -> None:
    rows = [[str(row * 1_000 + place) for place in range(600)] for row in range(60)]
    rows[20][3] = rows[20][400] = rows[30][599] = "word"
    content = ",".join(f"n{place}" for place in range(600)) + ",\n"
    content += "".join(",".join(row) + ",\n" for row in rows) + "1,2\n"
    made = transform(content)
    assert [(one["line"], one["column"]) for one in made.rejects] == [
        (22, "n3"),
        (32, "n599"),
        (62, None),
    ]
    wanted = [int(row[0]) // 1_000 for row in rows if "word" not in row]
    with duckdb.connect() as connection:
        for part in (1, 2, 3, 4):
            path = made.directory / f"table-{part}.parquet"
            query = f"SELECT COLUMNS(*) // 1000 FROM '{path}'"  # noqa: S608 - a path of ours
            assert [row[0] for row in connection.sql(query).fetchall()] == wanted


def test_too_many_columns_are_rejected_at_once(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="too_many_columns: The table has 2001 columns"):
        transform(",".join(["name"] * 2_001) + "\n" + ",".join(["1"] * 2_001))


def test_delimiters_alone_are_no_table(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="empty_file: The file holds delimiters"):
        transform(",,\n,,\n")


def test_values_far_behind_empty_rows(transform: Transform) -> None:
    made = transform(",,\n" * 600_000 + "1,2,x\n")
    assert list(made.types.values()) == ["BIGINT", "BIGINT", "VARCHAR"]


def test_quote_that_does_not_end_takes_no_other_row_with_it(transform: Transform) -> None:
    made = transform("a,b\n" + "1,x\n" * 30 + '2,"y\n3,z\n4,"w"\n5,v\n')
    assert [row[0] for row in made.rows[-3:]] == [3, 4, 5]
    assert [(one["line"], one["raw"]) for one in made.rejects] == [(32, '2,"y')]
    assert made.rejects[0]["reason"] == "text after a closing quote"


def test_bytes_that_are_no_text_are_a_reject(transform: Transform) -> None:
    made = transform(b"a,b\n" + "1,é\n".encode() * 30 + b"2,\xff\n" + "3,é\n".encode())
    assert [row[0] for row in made.rows[-2:]] == [1, 3]
    assert [(one["line"], one["reason"]) for one in made.rejects] == [(32, "undecodable bytes")]


def test_late_bytes_that_are_no_text_are_a_reject(transform: Transform) -> None:
    good = f"1,{'é' * 1_000}\n"
    made = transform(b"a,b\n" + (good * 1_000).encode() + b'2,\xff\n "3" ,"\xff"\n')
    assert len(made.rows) == 1_000
    assert [one["line"] for one in made.rejects] == [1_002, 1_003]


LARGEST = 16 * 1024 * 1024


@pytest.mark.parametrize("quote", ["", '"'])
def test_longest_row(transform: Transform, quote: str) -> None:
    cell = "y" * (LARGEST - 3 - 2 * len(quote))
    rows = [f"{number},{quote}{cell}{more}{quote}\n" for number, more in ((1, ""), (2, "y"))]
    made = transform("a,b\n" + "0,x\n" * 30 + "".join(rows) + "3,x\n")
    assert [(row[0], len(row[1])) for row in made.rows[-2:]] == [(1, len(cell)), (3, 1)]
    assert [(one["line"], one["reason"]) for one in made.rejects] == [(33, "the row is too long")]


def test_line_without_end_is_one_reject(transform: Transform) -> None:
    made = transform("a,b\n" + "0,x\n" * 30 + "z" * (3 * LARGEST) + "\n1,x\n")
    assert made.rows[-1] == (1, "x")
    assert [(one["line"], one["reason"]) for one in made.rejects] == [(32, "the row is too long")]


def test_late_rows_that_do_not_fit_are_listed_in_their_order(transform: Transform) -> None:
    good = [f'{number},"{"y" * 1_000},"' for number in range(1, 2_001)]
    late = ["3,x,,", "", "4", "five,x", '6,"\n",z', "7,é,,", "8,x,y", "9,z"]
    made = transform("\n".join(["a,b", *good, *late]))
    assert [row[0] for row in made.rows] == [*range(1, 2_001), 3, 7, 9]
    assert [(one["line"], one["column"], one["raw"]) for one in made.rejects] == [
        (2_004, None, "4"),
        (2_005, "a", "five,x"),
        (2_006, None, '6,"\n",z'),
        (2_009, None, "8,x,y"),
    ]


def test_blank_lines_and_line_ends_in_cells_are_no_rejects(transform: Transform) -> None:
    made = transform("a,b\n" + '1,"\n"\n\n' * 30 + '"2","\n\n"\n' * 30)
    assert [row[0] for row in made.rows] == [1] * 30 + [2] * 30
    assert made.processed.details["rejected_rows"] == 0


def test_row_that_is_lost_is_an_error(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = csv_reader._Job._reader

    def forgetful(job: Any, path: Path, typed: Any) -> str:
        return f"(FROM {reader(job, path, typed)} WHERE c0 <> '7' AND c0 <> 'none')"

    monkeypatch.setattr(csv_reader._Job, "_reader", forgetful)
    with pytest.raises(csv_reader.RowsLostError, match=r"40 rows .* fit, but 39 were written"):
        transform("a,b\n" + "".join(f"{number},x\n" for number in range(40)))


@pytest.mark.parametrize("bad", ["1,2,3\n1\n", '1,"2"3\n'])
def test_of_many_bad_rows_the_first_are_listed(transform: Transform, bad: str) -> None:
    with pytest.raises(RejectedError, match="More than 100 rows") as caught:
        transform("a,b\n" + f"1,2\n{bad}" * 300_000, max_rejected_rows=100)
    [rejects] = caught.value.processed.outputs
    assert len(rejects.path.read_text().splitlines()) == 100


def test_text_of_bad_rows_is_bounded(transform: Transform) -> None:
    with pytest.raises(RejectedError, match="rows of more than 64 MiB") as caught:
        transform("a,b\n" + f"{'x' * 10_000_000}\n" * 7 + "1,2\n" * 1_000)
    [rejects] = caught.value.processed.outputs
    assert len(rejects.path.read_text().splitlines()) == 6
