"""The tables of the modules' READMEs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts import ROOT, terraform_docs

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = """\
variable "log" {
  description = "Where to \\"log\\" | <prefix>."
  type = object({
    bucket = string
    prefix = optional(string, "logs/")
    days   = optional(list(number), [
      1,
      2,
    ])
  })
  default = null

  validation {
    condition     = true
    error_message = "No."
  }
}

variable "name" {
  description = "Name."
  type        = string
  nullable    = false
}
"""
OUTPUTS = """\
output "arn" {
  description = "ARN."
  value       = aws_s3_bucket.this.arn
}
"""
TABLES = """\
## Inputs

| name | description | type | default |
|---|---|---|---|
| `log` | Where to "log" \\| &lt;prefix>. | `object({ bucket = string, prefix = optional(string, \
"logs/"), days = optional(list(number), [ 1, 2 ]) })` | `null` |
| `name` | Name. | `string` | required |

## Outputs

| name | description |
|---|---|
| `arn` | ARN. |"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    module = tmp_path / "bucket"
    module.mkdir()
    (module / "variables.tf").write_text(VARIABLES)
    (module / "outputs.tf").write_text(OUTPUTS)
    readme = f"# Bucket\n\n{terraform_docs.BEGIN}\nold\n{terraform_docs.END}\n\nMore.\n"
    (module / "README.md").write_text(readme)
    return tmp_path


def test_tables_show_variables_and_outputs(modules: Path) -> None:
    assert terraform_docs.tables(modules / "bucket") == TABLES


def test_writing_replaces_what_is_between_the_markers_alone(
    modules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terraform_docs.main([], modules) == 0
    text = (modules / "bucket/README.md").read_text()
    assert text == f"# Bucket\n\n{terraform_docs.BEGIN}\n{TABLES}\n{terraform_docs.END}\n\nMore.\n"
    assert "written" in capsys.readouterr().out


def test_check_fails_until_the_tables_are_written(
    modules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert terraform_docs.main(["--check"], modules) == 1
    assert "out of date, run `make docs`" in capsys.readouterr().out
    terraform_docs.main([], modules)
    assert terraform_docs.main(["--check"], modules) == 0


def test_a_readme_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the tables"):
        terraform_docs.updated("# Bucket\n", TABLES)


def test_the_readmes_of_the_modules_are_up_to_date() -> None:
    assert terraform_docs.main(["--check"], ROOT / "modules") == 0
