"""What a plan holds, from the JSON that terraform prints of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

KNOWN_AFTER_APPLY = "(known after apply)"

# A value of the plan: what JSON can hold. Narrowing every access would hide what a test says.
type Json = Any


@dataclass(frozen=True)
class Plan:
    """What a plan would create, from `terraform show -json`."""

    raw: Mapping[str, Json]

    @cached_property
    def resources(self) -> dict[str, dict[str, Json]]:
        """Planned values by full address; what only an apply can know is KNOWN_AFTER_APPLY."""
        return {
            change["address"]: _merge_unknown(
                change["change"]["after"], change["change"]["after_unknown"]
            )
            for change in self.raw.get("resource_changes", [])
            if change["mode"] == "managed" and change["change"]["actions"] != ["delete"]
        }

    @cached_property
    def outputs(self) -> dict[str, Json]:
        """Values of the root's outputs."""
        return {
            name: _merge_unknown(change.get("after"), change.get("after_unknown"))
            for name, change in self.raw.get("output_changes", {}).items()
        }

    @cached_property
    def warnings(self) -> list[str]:
        """Sentences of the failed `check` blocks."""
        return [
            problem["message"]
            for check in self.raw.get("checks", [])
            if check["address"]["kind"] == "check"
            for instance in check.get("instances", [])
            for problem in instance.get("problems", [])
        ]

    @property
    def counts(self) -> dict[str, int]:
        """Number of resources by type."""
        types = [_type_of(address) for address in self.resources]
        return {kind: types.count(kind) for kind in sorted(set(types))}

    def module(self, name: str) -> "Plan":
        """What one module of the root would create, with its outputs, as if it were the root."""
        prefix = f"module.{name}."
        output = self.raw["output_changes"][name]
        after, unknown = output.get("after") or {}, output.get("after_unknown") or {}
        return Plan(
            {
                "resource_changes": [
                    {**change, "address": change["address"].removeprefix(prefix)}
                    for change in self.raw.get("resource_changes", [])
                    if change["address"].startswith(prefix)
                ],
                "output_changes": {
                    key: {"after": after.get(key), "after_unknown": unknown.get(key, False)}
                    for key in {**after, **unknown}
                },
                "checks": [
                    check
                    for check in self.raw.get("checks", [])
                    if check["address"]["to_display"].startswith(prefix)
                ],
            }
        )

    def of_type(self, kind: str) -> dict[str, dict[str, Json]]:
        """Planned values of every resource of a type, by full address."""
        return {a: values for a, values in self.resources.items() if _type_of(a) == kind}

    def policy(self, address: str, attribute: str = "policy") -> dict[str, dict[str, Json]]:
        """Statements of a policy document, by their Sid."""
        return statements(json.loads(self.resources[address][attribute]))


def statements(document: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """The statements of a policy document by their Sid, which every statement of ours has."""
    return {statement["Sid"]: statement for statement in document["Statement"]}


def _type_of(address: str) -> str:
    return re.sub(r'\[(?:"[^"]*"|\d+)\]', "", address).split(".")[-2]


def _merge_unknown(value: Json, unknown: Json) -> Json:
    if unknown is True:
        return KNOWN_AFTER_APPLY
    if isinstance(unknown, dict):
        known = value or {}
        return {k: _merge_unknown(known.get(k), unknown.get(k)) for k in {**known, **unknown}}
    if isinstance(unknown, list) and unknown:
        known = value or []
        known += [None] * (len(unknown) - len(known))
        return [_merge_unknown(v, u) for v, u in zip(known, unknown, strict=True)]
    return value


def differences(expected: Json, actual: Json, where: str = "") -> Iterator[str]:
    """Yield the differences between planned and expected values, a sentence each.

    A mapping is compared by the keys that `expected` has. A JSON text is parsed, a list of
    statements is compared by Sid. `null` expects an absent or empty value, all else an equal one.
    """
    if isinstance(expected, dict):
        if isinstance(actual, str) and actual[:1] in "{[":
            actual = json.loads(actual)
        if isinstance(actual, list) and all(isinstance(v, dict) and "Sid" in v for v in actual):
            actual = {statement["Sid"]: statement for statement in actual}
            yield from (
                f"{where}: statement {sid} is not expected" for sid in actual.keys() - expected
            )
        if not isinstance(actual, dict):
            yield f"{where}: expected {expected!r}, got {actual!r}"
            return
        for key, value in expected.items():
            yield from differences(value, actual.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{where}: expected {len(expected)} elements, got {len(actual)}: {actual!r}"
            return
        for index, (want, have) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(want, have, f"{where}[{index}]")
    elif expected != actual and not (expected is None and actual in ("", [], {})):
        yield f"{where}: expected {expected!r}, got {actual!r}"


def refusals(printed: str) -> list[tuple[str, str]]:
    """Each error of `plan -json`: the block in which terraform found it, and its sentence."""
    messages = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [
        (
            (found.get("snippet") or {}).get("context") or "",
            found["detail"].partition("\n\nThis was checked by")[0].strip() or found["summary"],
        )
        for message in messages
        if message["@level"] == "error"
        for found in [message["diagnostic"]]
    ]
