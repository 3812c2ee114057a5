"""Every case file: the plan of its variables holds what was written down by hand."""

import pytest

from tests.plan.cases import KEYS, Case, all_cases
from tests.plan.harness import Workspace
from tests.plan.planned import Plan

PLANNED = [case for case in all_cases() if not case.is_refused]
REFUSED = [case for case in all_cases() if case.is_refused]


@pytest.fixture(scope="module")
def plans(workspace: Workspace) -> dict[str, Plan]:
    calls = {case.label: case.call for case in PLANNED if case.is_of_module}
    return workspace.plan_modules("cases", calls)


@pytest.fixture(scope="module")
def errors(workspace: Workspace) -> dict[str, list[str]]:
    calls = {case.label: case.call for case in REFUSED if case.is_of_module}
    return workspace.errors_of_modules("refused", calls)


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_plan_holds_what_the_case_expects(
    case: Case, workspace: Workspace, plans: dict[str, Plan]
) -> None:
    plan = plans[case.label] if case.is_of_module else workspace.plan(case.root, case.file)
    differences = case.differences(plan)
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_plan_is_refused_with_the_sentences_of_the_case(
    case: Case, workspace: Workspace, errors: dict[str, list[str]]
) -> None:
    said = errors[case.label] if case.is_of_module else workspace.errors(case.root, case.file)
    expected = case.expected["errors"]
    missing = [sentence for sentence in expected if not any(sentence in s for s in said)]
    surplus = [s for s in said if not any(sentence in s for sentence in expected)]
    assert (missing, surplus) == ([], [])


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_case_asks_for_nothing_that_is_not_compared(case: Case) -> None:
    assert case.expected.keys() <= KEYS
