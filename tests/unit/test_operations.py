"""The zips describe the operations of AWS that the functions call, and few others."""

import ast

import botocore.session
import pytest
from botocore import xform_name

from scripts import ROOT
from scripts.packaging.project import SETTINGS, list_functions
from scripts.packaging.trim import read_settings

FUNCTIONS = ROOT / "functions"
# What botocore calls by itself.
_OF_BOTOCORE: dict[str, set[str]] = {
    "events": set(),
    "s3": {"CreateBucket", "CreateSession", "HeadBucket"},
}


def _names(folder: str) -> set[str]:
    """Return all that the code of a folder calls, and all of its texts (`get_paginator("…")`)."""
    nodes = [
        node
        for path in (FUNCTIONS / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    ]
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return called | {str(node.value) for node in nodes if isinstance(node, ast.Constant)}


def _called(folder: str, service: str) -> set[str]:
    model = botocore.session.get_session().get_service_model(service)
    names = _names(folder)
    return {operation for operation in model.operation_names if xform_name(operation) in names}


@pytest.mark.parametrize("function", list_functions(FUNCTIONS))
def test_a_zip_describes_what_its_function_calls(function: str) -> None:
    paths = [path / SETTINGS for path in (FUNCTIONS, FUNCTIONS / function)]
    described = read_settings(path for path in paths if path.exists()).operations
    for service, operations in described.items():
        assert _called(function, service) | _called("uploads", service) <= set(operations)


def test_what_zips_describe_is_called_by_a_function_or_by_botocore() -> None:
    settings = [read_settings([path]).operations for path in FUNCTIONS.glob(f"**/{SETTINGS}")]
    for service, by_botocore in _OF_BOTOCORE.items():
        described = set().union(*(operations.get(service, []) for operations in settings))
        called = [_called(folder, service) for folder in (*list_functions(FUNCTIONS), "uploads")]
        assert described == set.union(*called) | by_botocore
