"""Computed parts of documents and Terraform files."""

from pathlib import Path

import pytest

from scripts.docs import __main__ as docs

README = """# Bucket

<!-- inputs and outputs: made by `make docs` -->
old
<!-- end of inputs and outputs -->

More.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    module = tmp_path / "modules" / "bucket"
    module.mkdir(parents=True)
    (module / "variables.tf").write_text("")
    (module / "README.md").write_text(README)
    return tmp_path


def test_the_projects_own_files_are_up_to_date() -> None:
    assert docs.main(["--check"]) == 0


def test_a_part_is_written_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main([], project) == 0
    text = (project / "modules/bucket/README.md").read_text()
    assert text.startswith(
        "# Bucket\n\n<!-- inputs and outputs: made by `make docs` -->\n## Inputs\n"
    )
    assert text.endswith("|---|---|\n<!-- end of inputs and outputs -->\n\nMore.\n")
    assert "README.md: written" in capsys.readouterr().out


def test_check_fails_until_the_parts_are_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert docs.main(["--check"], project) == 1
    assert "out of date, run `make docs`" in capsys.readouterr().out
    docs.main([], project)
    assert docs.main(["--check"], project) == 0


def test_a_name_under_which_nothing_is_computed_is_refused() -> None:
    text = "<!-- prices: made by `make docs` -->\n<!-- end of prices -->\n"
    with pytest.raises(ValueError, match="nothing is computed under the name 'prices'"):
        docs.rendered(Path("scaling.md"), text)


def test_parts_of_one_document_have_their_own_content() -> None:
    text = "".join(
        f"<!-- {name}: made by `make docs` -->\n<!-- end of {name} -->\n"
        for name in ("costs", "concurrency")
    )
    written = docs.rendered(Path("scaling.md"), text)
    assert written.index("**together**") < written.index("end of costs")
    assert written.index("uploads a second") > written.index("end of costs")
