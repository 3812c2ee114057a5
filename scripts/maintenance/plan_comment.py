"""Turns what `terraform plan` or `terraform show` printed into Markdown for a pull request.

    python3 scripts/maintenance/plan_comment.py ENVIRONMENT FILE > comment.md

The first line is a mark that no reader sees; the comment of an earlier run is found by it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# GitHub takes 65,536 characters in a comment.
_MOST_CHARACTERS: Final = 60_000
_SUMMARY: Final = re.compile(r"^(?:Plan: .*|No changes\..*)$", re.MULTILINE)


def comment(environment: str, plan: str) -> str:
    """Return the Markdown for a plan.

    Args:
        environment: name of the environment.
        plan: what Terraform printed, without colours.
    """
    plan = plan.strip()
    summary = _SUMMARY.search(plan)
    cut = ""
    if len(plan) > _MOST_CHARACTERS:
        cut = f"\n\nCut: the log of the run has all {len(plan):,} characters."
        plan = plan[:_MOST_CHARACTERS].rpartition("\n")[0]
    # A plan shows texts of the configuration: none of them may close the block that it stands in.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", plan)), default=0))
    return (
        f"<!-- terraform plan of {environment} -->\n"
        f"**{environment}**: {summary.group() if summary else 'see the plan.'}\n\n"
        f"<details><summary>Plan</summary>\n\n"
        f"{fence}text\n{plan}\n{fence}\n\n</details>{cut}\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 2:
        print("usage: plan_comment.py ENVIRONMENT FILE", file=sys.stderr)
        return 2
    print(comment(given[0], Path(given[1]).read_text()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
