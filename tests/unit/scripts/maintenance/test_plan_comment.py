"""The comment that shows a plan in a pull request."""

from pathlib import Path

import pytest

from scripts.maintenance.plan_comment import comment, main

PLAN = """
Terraform will perform the following actions:

  # module.stack.module.uploads.aws_s3_bucket.this will be created
  + resource "aws_s3_bucket" "this" {
    }

Plan: 1 to add, 0 to change, 0 to destroy.
"""


def test_a_comment_says_what_changes_and_can_be_found_again() -> None:
    lines = comment("dev", PLAN).splitlines()
    assert lines[0] == "<!-- terraform plan of dev -->"
    assert lines[1] == "**dev**: Plan: 1 to add, 0 to change, 0 to destroy."
    assert '  + resource "aws_s3_bucket" "this" {' in lines


@pytest.mark.parametrize(
    ("plan", "summary"),
    [
        ("No changes. Your infrastructure matches the configuration.\n", "No changes."),
        ("Note: Objects have changed outside of Terraform\n", "see the plan."),
    ],
)
def test_a_plan_without_numbers_has_a_summary(plan: str, summary: str) -> None:
    assert comment("prod", plan).splitlines()[1].startswith(f"**prod**: {summary}")


def test_nothing_in_a_plan_leaves_the_block_it_stands_in() -> None:
    text = comment("dev", "description = ```\n</details> ````\n")
    assert text.count("\n`````") == 2
    assert "\n`````text\ndescription = ```\n" in text


def test_a_long_plan_is_cut_at_a_line_and_says_so() -> None:
    text = comment("dev", "a line of a plan\n" * 10_000)
    assert len(text) < 65_536
    assert "a line of a plan\n```\n" in text
    assert text.endswith("Cut: the log of the run has all 169,999 characters.\n")


def test_the_command_prints_the_comment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.txt").write_text(PLAN)
    assert main(["dev", str(tmp_path / "plan.txt")]) == 0
    assert capsys.readouterr().out == comment("dev", PLAN)


def test_the_command_says_how_it_is_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["plan_comment.py"])
    assert main() == 2
    assert capsys.readouterr().err == "usage: plan_comment.py ENVIRONMENT FILE\n"
