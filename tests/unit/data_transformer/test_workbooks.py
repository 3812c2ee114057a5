"""Workbooks: what openpyxl, xlwt and odfpy write is what comes out, or a warning says more."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import struct
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pytest
import python_calamine as calamine
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_transformer import outputs, sheets
from data_transformer.core import Transformer
from data_transformer.settings import Settings
from tests.unit.data_transformer.conftest import Bytes, Outcome
from uploads.processing import RejectedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    type Transform = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the sheets in this process, or in a separate one where a test is marked so."""
    if "process" in request.keywords:
        return

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        answer = io.StringIO()
        with contextlib.redirect_stdout(answer):
            status = sheets.main(command[3:])
        return subprocess.CompletedProcess(command, status, answer.getvalue().encode())

    monkeypatch.setattr(subprocess, "run", run)


def book(*rows: Any, **more: Any) -> bytes:
    """Return an .xlsx of a first sheet with some rows, and of others by their name."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for name, content in more.items():
        sheet = made.create_sheet(name)
        for row in content:
            sheet.append(row)
    return saved(made)


def saved(made: openpyxl.Workbook | xlwt.Workbook) -> bytes:
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def codes(outcome: Outcome) -> list[str]:
    return [warning.code for warning in outcome.processed.warnings]


def table(outcome: Outcome, name: str) -> list[tuple[Any, ...]]:
    return duckdb.read_parquet(f"{outcome.directory}/{name}.parquet").fetchall()


@pytest.mark.process
def test_cells_keep_their_types(transform: Transform) -> None:
    when, day, time = dt.datetime(2024, 1, 2, 3, 4, 5), dt.date(2024, 1, 2), dt.time(1, 2, 3)  # noqa: DTZ001 - Excel has no zones
    outcome = transform(
        book(
            ["id", "share", "when", "day", "time", "ok", "code", "half"],
            [1, 0.25, when, day, time, True, "007", 1],
            [2, 1, dt.datetime(2024, 1, 3), day, time, False, "008", 1.5],  # noqa: DTZ001 - as above
        ),
        "a.xlsx",
    )
    assert outcome.rows[0] == (1, 0.25, when, day, time, True, "007", 1.0)
    assert outcome.types == {
        "id": "BIGINT",
        "share": "DOUBLE",
        "when": "TIMESTAMP",
        "day": "DATE",
        "time": "TIME",
        "ok": "BOOLEAN",
        "code": "VARCHAR",
        "half": "DOUBLE",
    }
    assert codes(outcome) == []
    assert outcome.processed.details["sheets"] == [
        {"name": "Sheet", "hidden": False, "header": True, "first_row": 2, "rows_above_table": 0}
    ]


def test_every_sheet_with_a_table_is_one(transform: Transform) -> None:
    content = book(["a"], [1], **{"Q1 2024": [["b", "c"], [2, 3]], "Empty": []})
    outcome = transform(content, "a.xlsx")
    names = [output.name for output in outcome.processed.outputs]
    assert names == ["table-sheet.parquet", "table-q1_2024.parquet"]
    assert table(outcome, "table-q1_2024") == [(2, 3)]
    details = outcome.processed.details
    assert details["rows"] == 2
    assert [sheet["columns"] for sheet in details["sheets"]] == [1, 2]


def test_hidden_sheets_are_reported(transform: Transform) -> None:
    made = openpyxl.load_workbook(io.BytesIO(book(["a"], [1], prices=[["b"], [2]])))
    made["prices"].sheet_state = "veryHidden"
    outcome = transform(saved(made), "a.xlsm")
    assert codes(outcome) == ["hidden_sheets"]


def test_what_stands_above_a_table_is_no_part_of_it(transform: Transform) -> None:
    rows = [["Sales of 2024"], ["by", "us"], [], [None, "id", "name", "n"], [None, 1, "x", 2]]
    outcome = transform(book(*rows, [None, 2, "y", 3], [None, 3, "z", 4]), "a.xlsx")
    assert outcome.rows == [(1, "x", 2), (2, "y", 3), (3, "z", 4)]
    assert codes(outcome) == ["lines_above_table"]
    [sheet] = outcome.processed.details["sheets"]
    assert (sheet["first_row"], sheet["rows_above_table"]) == (5, 2)


def test_a_title_without_a_blank_row_is_none_of_the_names(transform: Transform) -> None:
    outcome = transform(book(["Sales"], ["id", "n"], [1, 2], [2, 3]), "a.xlsx")
    assert list(outcome.types) == ["id", "n"]


def test_sheets_of_charts_and_of_blanks_are_no_tables(transform: Transform) -> None:
    made = openpyxl.load_workbook(io.BytesIO(book(["a"], [1], Blank=[[" "]])))
    made.create_chartsheet("Chart").add_chart(openpyxl.chart.BarChart())
    outcome = transform(saved(made), "a.xlsx")
    assert [sheet["name"] for sheet in outcome.processed.details["sheets"]] == ["Sheet"]


def test_a_header_of_groups_is_joined(transform: Transform) -> None:
    made = openpyxl.Workbook()
    for row in (["region", 2023, None, 2024, None], ["", "q1", "q2", "q1", "q2"]):
        made.active.append(row)
    for row in (["north", 1, 2, 3, 4], ["south", 5, 6, 7, 8]):
        made.active.append(row)
    for cells in ("A1:A2", "B1:C1", "D1:E1"):
        made.active.merge_cells(cells)
    outcome = transform(saved(made), "a.xlsx")
    assert list(outcome.types) == ["region", "2023_q1", "2023_q2", "2024_q1", "2024_q2"]
    assert outcome.rows[0] == ("north", 1, 2, 3, 4)
    assert codes(outcome) == []


def test_merged_cells_are_reported(transform: Transform) -> None:
    made = openpyxl.load_workbook(io.BytesIO(book(["a", "b"], [1, 2], [3, 4])))
    made.active.merge_cells("A2:A3")
    outcome = transform(saved(made), "a.xlsx")
    assert outcome.rows == [(1, 2), (None, 4)]
    assert codes(outcome) == ["merged_cells"]


def test_markers_of_missing_values_are_null_among_numbers(transform: Transform) -> None:
    outcome = transform(book(["n", "text"], [1, "NA"], ["NA", "x"], [3, "-"]), "a.xlsx")
    assert outcome.rows == [(1, "NA"), (None, "x"), (3, "-")]
    assert codes(outcome) == ["missing_values"]


def test_texts_beside_numbers_make_a_column_text(transform: Transform) -> None:
    outcome = transform(book(["n"], [1], [2.5], ["about 3"], [True]), "a.xlsx")
    assert [row[0] for row in outcome.rows] == ["1", "2.5", "about 3", "true"]
    assert codes(outcome) == ["mixed_as_text"]


def test_durations_are_text(transform: Transform) -> None:
    outcome = transform(book(["d"], [dt.timedelta(hours=25, seconds=1)]), "a.xlsx")
    assert outcome.rows == [("25:00:01",)]
    assert codes(outcome) == ["durations_as_text"]


def test_whole_numbers_that_a_workbook_rounds_are_reported(transform: Transform) -> None:
    outcome = transform(book(["id", "n"], [1234567890123456, 1], [2, 10**14]), "a.xlsx")
    assert outcome.rows == [(1234567890123456, 1), (2, 10**14)]
    assert codes(outcome) == ["many_digits"]


def test_identifiers_beyond_64_bits_are_no_quantities_and_quantities_are(
    transform: Transform,
) -> None:
    outcome = transform(book(["id", "n"], [12345678901234567890, 6.02e23], [2, 1e300]), "a.xlsx")
    assert codes(outcome) == ["many_digits"]
    assert "in the sheet 'Sheet': id." in outcome.processed.warnings[0].message


def formatted_xlsx(form: str) -> bytes:
    made = openpyxl.Workbook()
    made.active.append(["zip"])
    made.active.append([1234])
    made.active["A2"].number_format = form
    return saved(made)


def formatted_xls(form: str) -> bytes:
    made = xlwt.Workbook()
    sheet = made.add_sheet("old")
    sheet.write(0, 0, "zip")
    sheet.write(1, 0, 1234, xlwt.easyxf(num_format_str=form))
    return saved(made)


@pytest.mark.parametrize("write", [formatted_xlsx, formatted_xls])
@pytest.mark.parametrize(
    ("form", "said"),
    [("00000", ["leading_zeros"]), ("000-00-0000", ["leading_zeros"]), ("0.00", []), ("#,##0", [])],
)
def test_leading_zeros_that_are_a_format_are_reported(
    transform: Transform, write: Callable[[str], bytes], form: str, said: list[str]
) -> None:
    outcome = transform(write(form), f"a.{write.__name__[10:]}")
    assert outcome.rows == [(1234,)]
    assert codes(outcome) == said


def test_errors_and_formulas_without_values_are_reported(transform: Transform) -> None:
    outcome = transform(book(["a", "b", "c"], [1, "#N/A", "=A2*2"]), "a.xlsx")
    assert outcome.rows == [(1, None, None)]
    said = {warning.code: warning.message for warning in outcome.processed.warnings}
    assert said.keys() == {"cell_errors", "formulas_without_values"}
    assert said["cell_errors"].endswith(": 1.")


def test_a_sum_below_the_rows_is_reported(transform: Transform) -> None:
    outcome = transform(book(["who", "n"], ["a", 1], ["b", 2], ["Total", 3]), "a.xlsx")
    assert codes(outcome) == ["total_row"]


def test_rows_without_a_header_have_numbered_columns(transform: Transform) -> None:
    outcome = transform(book([1, "x"], [2, "y"], [], [3, "z"]), "a.xlsx")
    assert list(outcome.types) == ["column_1", "column_2"]
    assert len(outcome.rows) == 3
    assert "no_header" in codes(outcome)


@pytest.mark.parametrize(
    "rows",
    [
        [["a", "b"], [1, 2], [], ["c", "d"], [3, 4]],
        [["a", "b", None, "c"], [1, 2, None, 3], [4, 5, None, 6]],
    ],
    ids=["row", "column"],
)
def test_what_divides_a_table_is_reported(transform: Transform, rows: list[list[object]]) -> None:
    assert "divided_table" in codes(transform(book(*rows), "a.xlsx"))


def test_years_are_names(transform: Transform) -> None:
    outcome = transform(book(["who", 2023, 2024], ["a", 1.5, 2], ["b", 3, 4]), "a.xlsx")
    assert list(outcome.types) == ["who", "2023", "2024"]
    assert codes(outcome) == ["header_of_values"]


def test_an_old_book_is_read(transform: Transform) -> None:
    made = xlwt.Workbook()
    sheet = made.add_sheet("old")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for place, name in enumerate(["id", "day"]):
        sheet.write(0, place, name)
    sheet.write(1, 0, 1)
    sheet.write(1, 1, dt.date(2020, 1, 2), day)
    outcome = transform(saved(made), "a.xls")
    assert outcome.rows == [(1, dt.date(2020, 1, 2))]


def old_book(*cells: object) -> bytes:
    """Return an .xls file with a column `a`; a whole number in a list is the code of an error."""
    made = xlwt.Workbook()
    sheet = made.add_sheet("old")
    sheet.write(0, 0, "a")
    for place, cell in enumerate(cells, 1):
        if isinstance(cell, list):
            sheet.row(place).set_cell_error(0, cell[0])
        else:
            sheet.write(place, 0, cell)
    return saved(made)


def test_errors_in_an_old_book_are_reported(transform: Transform) -> None:
    outcome = transform(old_book(1, [42], "x", [7]), "a.xls")
    assert outcome.rows == [("1",), ("x",)]  # rows without any value are left out
    said = {warning.code: warning.message for warning in outcome.processed.warnings}
    assert said["cell_errors"].endswith(": 2.")


def test_formulas_that_nobody_calculated_in_an_old_book_are_reported(transform: Transform) -> None:
    outcome = transform(old_book(1, 3, xlwt.Formula("A2*2")), "a.xls")
    assert outcome.rows == [(1,), (3,)]
    assert codes(outcome) == ["formulas_without_values"]


def test_results_of_formulas_in_an_old_book() -> None:
    def formula(value: bytes) -> bytes:
        return struct.pack("<HHHHH", 0x0006, 22, 1, 0, 15) + value + bytes(8)

    divided, empty, number = (
        formula(b"\2\0\7\0\0\0\xff\xff"),
        formula(b"\3\0\0\0\0\0\xff\xff"),
        formula(struct.pack("<d", 2.5)),
    )
    assert sheets._marks_of_records(divided + empty + number) == sheets.Marks(errors=1)
    assert sheets._marks_of_records(empty + empty) == sheets.Marks(unstored=2)
    assert sheets._marks_of_records(number[:-3]) == sheets.Marks()
    assert sheets._marks_of_records(b"\6") == sheets.Marks()


def test_dates_since_1904_are_right(transform: Transform) -> None:
    made = openpyxl.Workbook()
    made.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    made.active.append(["day"])
    made.active.append([dt.date(2024, 2, 29)])
    assert transform(saved(made), "a.xlsx").rows == [(dt.date(2024, 2, 29),)]


_ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="one">
<table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>
</table:table-row><table:table-row>
<table:table-cell office:value-type="float" office:value="1.5"><text:p>1.5</text:p>
</table:table-cell></table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def zipped(**members: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_an_open_document_is_read(transform: Transform) -> None:
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    members = {
        "mimetype": kind,
        "content.xml": _ODS.replace(">\n<", "><").replace("\n", " "),
        "META-INF/manifest.xml": manifest,
    }
    assert transform(zipped(**members), "a.ods").rows == [(1.5,)]
    # As LibreOffice writes the result of a division by zero.
    error = (
        '<table:table-cell office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
    )
    row = f"</table:table-row><table:table-row>{error}</table:table-row></table:table>"
    members["content.xml"] = members["content.xml"].replace("</table:table-row></table:table>", row)
    zeros = (
        '<number:number-style style:name="N1"><number:number number:decimal-places="0" '
        'number:min-integer-digits="5"/></number:number-style>'
    )
    styles = f"<office:automatic-styles>{zeros}</office:automatic-styles><office:body>"
    members["content.xml"] = members["content.xml"].replace("<office:body>", styles)
    outcome = transform(zipped(**members), "a.ods")
    assert outcome.rows == [(1.5,)]
    assert codes(outcome) == ["cell_errors", "leading_zeros"]


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (book(), "empty_file", "hold no values"),
        (zipped(**{"word/document.xml": ""}), "not_a_table", "a zip archive, but not a workbook"),
        (zipped(**{"xl/workbook.xml": "<a"}), "damaged_workbook", "save it again"),
        (b"PK\3\4" + bytes(30), "damaged_workbook", "cut short"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage\0".encode("utf-16-le"),
            "encrypted_file",
            "without a password",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument\0".encode("utf-16-le"),
            "not_a_table",
            "not a workbook",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook\0".encode("utf-16-le"),
            "damaged_workbook",
            "save it again",
        ),
        (b"<html><table><tr><td>1", "not_a_table", "an HTML page"),
    ],
    # The zip archives hold the time, and a test's name must not.
    ids=itertools.count(),
)
def test_what_is_no_readable_book_is_rejected(
    transform: Transform, content: bytes, code: str, said: str
) -> None:
    with pytest.raises(RejectedError, match=said) as caught:
        transform(content, "a.xlsx")
    assert caught.value.code == code


def test_text_under_the_name_of_a_book_is_read(transform: Transform) -> None:
    outcome = transform("a\tb\n1\t2\n", "export.xls")
    assert outcome.rows == [(1, 2)]
    assert codes(outcome) == ["other_format"]


def test_a_book_under_another_name_is_read(transform: Transform) -> None:
    outcome = transform(book(["a"], [1]), "a.csv")
    assert outcome.rows == [(1,)]
    assert codes(outcome) == ["other_format"]


@pytest.mark.process
def test_a_cell_far_away_does_not_take_the_memory(transform: Transform) -> None:
    made = openpyxl.Workbook()
    made.active["A1"] = "a"
    made.active["XFD1048576"] = 1
    with pytest.raises(RejectedError, match="do not fit in the memory") as caught:
        transform(saved(made), "a.xlsx")
    assert caught.value.code == "too_large"


def test_a_book_that_unfolds_is_rejected(transform: Transform) -> None:
    bomb = zipped(**{"xl/workbook.xml": " " * 3 * 2**20})
    with pytest.raises(RejectedError, match="more than 1 MB when it is decompressed"):
        transform(bomb, "a.xlsx", max_decompressed_mb=1)


def test_xml_that_refers_to_itself_is_rejected(transform: Transform) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><workbook>&b;</workbook>'
    with pytest.raises(RejectedError, match="damaged"):
        transform(zipped(**{"xl/workbook.xml": laughs}), "a.xlsx")


def test_a_wide_sheet_is_in_several_files(transform: Transform) -> None:
    outcome = transform(book([f"c{n}" for n in range(200)], list(range(200))), "a.xlsx")
    names = [output.name for output in outcome.processed.outputs]
    assert names == ["table-1.parquet", "table-2.parquet"]


def test_the_tables_that_do_not_fit_in_the_memory_are_rejected(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise duckdb.OutOfMemoryException

    monkeypatch.setattr(outputs, "finish", fail)
    with pytest.raises(RejectedError, match="save it as CSV"):
        transform(book(["a"], [1]), "a.xlsx")


def test_the_command_answers_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(book(["a"], [1]))
    assert sheets.main([str(path), str(tmp_path), "100"]) == 0
    assert '"sheets": [{"name": "Sheet"' in capsys.readouterr().out
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert sheets.main([str(path), str(tmp_path), "100"]) == 0
    assert '"code": "damaged_workbook"' in capsys.readouterr().out
    path.write_bytes(zipped(**{"xl/workbook.xml": " " * 3 * 2**20}))
    assert sheets.main([str(path), str(tmp_path), "1"]) == 0
    assert '"code": "too_large_decompressed"' in capsys.readouterr().out


def test_an_encrypted_old_book_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Path) -> None:
        raise calamine.PasswordError

    monkeypatch.setattr(calamine, "load_workbook", refuse)
    assert sheets.main([str(tmp_path / "a.xls"), str(tmp_path), "1"]) == 0
    assert '"code": "encrypted_file"' in capsys.readouterr().out


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
COLUMNS = {
    "BIGINT": st.integers(-(2**52), 2**52),
    "DOUBLE": st.integers(-(10**9), 10**9).map(lambda n: n / 8 + 0.0625),
    "BOOLEAN": st.booleans(),
    "VARCHAR": TEXTS.map("text {}".format),
    "DATE": st.dates(dt.date(1901, 1, 1), dt.date(2199, 12, 31)),
}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_written_comes_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, max_size=5))
    rows = data.draw(
        st.lists(st.tuples(*(COLUMNS[kind] | st.none() for kind in kinds)), min_size=1, max_size=8)
    )
    rows = [row for row in rows if any(cell is not None for cell in row)]
    filled = [place for place in range(len(kinds)) if any(row[place] is not None for row in rows)]
    if len(filled) < len(kinds):
        return
    content = book([f"column {n}" for n in range(len(kinds))], *rows)
    directory = tmp_path_factory.mktemp("book")
    processed = Transformer(Settings())(Bytes(content, "a.xlsx"), directory)
    found = duckdb.read_parquet(f"{directory}/table.parquet").fetchall()
    reported = {warning.code for warning in processed.warnings}
    if not reported & {"total_row", "missing_values", "mixed_as_text", "lines_above_table"}:
        assert found == rows


def test_the_process_that_reads_has_a_limit(
    transform: Transform, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, object] = {}

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options)
        return subprocess.CompletedProcess(command, -6, b"", b"memory allocation failed")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(RejectedError, match="do not fit"):
        transform(book(["a"], [1]), "a.xlsx")
    assert callable(seen["preexec_fn"])
