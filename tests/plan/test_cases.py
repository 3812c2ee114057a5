"""Every case file: the plan of its variables holds what was written down by hand."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.plan.cases import KEYS, Case, all_cases, main, written
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


@pytest.mark.parametrize(
    "name", ["lambda_with_dlq/complete", "lambda_with_dlq/refused_arns", "dev/minimal"]
)
def test_what_is_written_for_a_new_case_is_what_its_plan_holds(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    (known,) = (case for case in all_cases() if str(case) == name)
    folder = tmp_path / known.root / "cases"
    folder.mkdir(parents=True)
    new = Case(Path(shutil.copy(known.file, folder / f"new_{known.file.stem}.tfvars")))
    new.file.with_suffix(".yaml").write_text(yaml.safe_dump(written(new, workspace)))
    if known.is_refused:
        assert len(new.expected["errors"]) == len(known.expected["errors"])
        return
    plan = (
        workspace.plan_modules(f"{new.label}_again", {new.label: new.call})[new.label]
        if new.is_of_module
        else workspace.plan(new.root, new.file)
    )
    assert new.differences(plan) == []
    assert new.expected["counts"] == plan.counts


def test_a_case_that_has_expectations_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    first = all_cases()[0]
    assert main([str(first.file)]) == 1
    assert f"{first} has a YAML file already: delete it first" in capsys.readouterr().err
