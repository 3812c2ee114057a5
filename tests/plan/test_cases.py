"""Every case file: the plan of its variables holds what was written down by hand."""

import pytest

from tests.plan.cases import Case, all_cases
from tests.plan.harness import Workspace


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_plan_holds_what_the_case_expects(case: Case, workspace: Workspace) -> None:
    differences = case.check(workspace)
    assert not differences, "\n".join(differences)
