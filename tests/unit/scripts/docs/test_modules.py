"""The tables of the modules' READMEs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.docs import modules

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = """\
variable "log" {
  description = "Where to \\"log\\" | <prefix>."
  type = object({
    bucket = string
    prefix = optional(string, "logs/")
    # For how long.
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


def test_tables_show_variables_and_outputs(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(VARIABLES)
    (tmp_path / "outputs.tf").write_text(OUTPUTS)
    assert modules.tables(tmp_path) == TABLES
