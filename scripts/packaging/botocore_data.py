"""Reduce botocore's data to what the functions call.

botocore parses it whenever it makes a client, which took a fifth of the API function's start. It
comes without documentation, without white space, without the endpoints of services that are not
there, and without the operations that are not wanted.
"""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import deflate

from scripts.packaging.project import PackagingError

_FOLDER = "botocore/data/"
_LEVEL = 12
_SHAPE = re.compile(r'"shape":"(\w+)"')


def reduce(
    files: Mapping[str, bytes], operations: Mapping[str, Collection[str]]
) -> dict[str, bytes]:
    """Return the files of a zip, with those of botocore's data reduced.

    Args:
        files: All files of a zip, by name.
        operations: Those wanted, by service; all of a service that is not named.

    Raises:
        PackagingError: A service is not there, or does not have an operation that is wanted.
    """
    # Names are botocore/data/<service>/<version>/<kind>.json.gz.
    services = {name: name.split("/")[2] for name in files if name.startswith(_FOLDER)}
    if unknown := ", ".join(sorted(operations.keys() - services.values())):
        raise PackagingError(f"package.toml names operations of {unknown}, which no file describes")
    reduced = dict(files)
    for name, service in services.items():
        if service == "endpoints.json":
            value = json.loads(files[name])
            for partition in value["partitions"]:
                found = partition["services"]
                partition["services"] = {s: found[s] for s in found if s in services.values()}
            reduced[name] = _to_json(value).encode()
        elif name.endswith(".json.gz"):
            content = deflate.gzip_decompress(files[name])
            value = json.loads(content, object_hook=_without_documentation)
            if service in operations and "operations" in value:
                value = _select(value, service, operations[service])
            reduced[name] = bytes(deflate.gzip_compress(_to_json(value).encode(), _LEVEL))
    return reduced


def _select(description: dict[str, Any], service: str, wanted: Collection[str]) -> dict[str, Any]:
    """Keep some operations of a service's description, and the shapes that they are made of."""
    operations, shapes = description["operations"], description["shapes"]
    if unknown := sorted(set(wanted) - operations.keys()):
        raise PackagingError(
            f"package.toml names operations that {service} does not have: {', '.join(unknown)}. "
            "Remove them, or look for the new names."
        )
    operations = {name: operations[name] for name in operations if name in wanted}
    used: set[str] = set()
    found = set(_SHAPE.findall(_to_json(operations)))
    while found:
        used |= found
        found = {inner for name in found for inner in _SHAPE.findall(_to_json(shapes[name]))} - used
    kept = {name: shapes[name] for name in shapes if name in used}
    return description | {"operations": operations, "shapes": kept}


def _without_documentation(value: dict[str, Any]) -> dict[str, Any]:
    """Empty the documentation; botocore reads some of it, so it is not left out."""
    return {
        # A structure of this name is a member of the service's own.
        name: "" if name.startswith("documentation") and isinstance(part, str) else part
        for name, part in value.items()
    }


def _to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
