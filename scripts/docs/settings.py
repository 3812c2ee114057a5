"""The settings of a function as Terraform and the documents show them.

A setting is declared once, in `functions/<function>/settings.py`, see `uploads.settings`.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Final

from uploads.settings import declared

if TYPE_CHECKING:
    from uploads.settings import Declared

_TYPES: Final = {int: "number", float: "number", bool: "bool"}


def table(function: str) -> str:
    """Return the settings as a Markdown table."""
    rows = [
        f"| `{s.name}` | `{json.dumps(s.default)}` | {s.about.description} | {s.allowed} |"
        for s in _settings(function)
    ]
    return "\n".join(["| setting | default | meaning | allowed |", "|---|---|---|---|", *rows])


def settings(function: str) -> str:
    """Return the settings as attributes of the type of a Terraform variable."""
    attributes = [
        (s.name, f"optional({_type(s)}, {json.dumps(s.default)})", s) for s in _settings(function)
    ]
    # Aligned as `terraform fmt` does it.
    names = max(len(name) for name, _, _ in attributes)
    values = max(len(value) for _, value, _ in attributes)
    return "\n".join(
        f"    {name:{names}} = {value:{values}} # {_sentence(s.about.description)}"
        for name, value, s in attributes
    )


def validations(function: str) -> str:
    """Return the validations of a Terraform variable with these settings."""
    blocks = []
    for s in _settings(function):
        value = f"var.{function}.{s.name}"
        condition = _condition(s, value)
        if condition:
            given = f"jsonencode({value})" if s.is_list else value
            blocks.append(
                "  validation {\n"
                f"    condition     = {condition}\n"
                f'    error_message = "{function}.{s.name} must be {s.allowed}; '
                f'given: ${{{given}}}."\n'
                "  }"
            )
    return "\n".join(blocks)


def _settings(function: str) -> list[Declared]:
    """Return the settings that operators decide on; Lambda gives the others."""
    module = importlib.import_module(f"{function}.settings")
    return [one for one in declared(module.Settings) if one.about.variable is None]


def _condition(one: Declared, value: str) -> str | None:
    """Return the expression that holds for values that are allowed; None when all are."""
    item = "v" if one.is_list else value
    if one.words:
        condition = f"contains({json.dumps(one.words)}, {item})"
    elif one.item_type in {int, float}:
        low, high = one.about.at_least, one.about.at_most
        condition = f"{item} >= {low} && {item} <= {high}"
        if one.item_type is int:
            condition = f"{item} == floor({item}) && {condition}"
    elif one.about.pattern:
        condition = f"can(regex({json.dumps(f'^(?:{one.about.pattern})$')}, {item}))"
    elif one.about.members:
        members = f"keys(jsondecode({item}))"
        unknown = f"setsubtract({members}, {json.dumps(one.about.members)})"
        condition = f'try(length({unknown}) == 0, {item} == "")'
    else:
        return None
    if not one.is_list:
        return condition
    some = f"length({value}) > 0 && " if one.default else ""
    return f"{some}alltrue([for v in {value} : {condition}])"


def _type(one: Declared) -> str:
    name = _TYPES.get(one.item_type, "string")
    return f"list({name})" if one.is_list else name


def _sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}."
