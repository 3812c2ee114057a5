"""Requests checked against AWS's own service models, before the emulator sees them.

The emulator takes much that AWS refuses. botocore has the models of all services: operations, their
members, and what a value may be. moto finds the operation of a request and parses it. Run by the
emulator's own Python, see `scripts/emulator`.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Names of services in signatures that are not those of their models.
_MODELS: Final = {"monitoring": "cloudwatch"}
# Parameters that any request may have, beside the members of its operation.
_OF_ALL: Final = re.compile(r"X-Amz-.*|x-id|Action|Version", re.IGNORECASE)
# Enumerations whose values may have capitals: S3 gives rules back so, and takes what it gives back
# (https://github.com/localstack/localstack/issues/1249).
_ANY_CASE: Final = {"FilterRuleName"}
# Java's classes of characters, which Python has not.
_JAVA: Final = re.compile(r"\\[pP]\{|\[:|&&")


class ParsedRequest:
    """A request and its operation.

    Attributes:
        name: service and operation, such as `lambda CreateFunction`.
        operation: botocore's model of it.
        in_path: values that stand in the path, by their members.
    """

    def __init__(
        self, service: str, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Find the operation.

        Args:
            service: name that the request is signed for.
            method: of HTTP.
            url: whole address.
            headers: by their names.
            body: may be empty if the address determines the operation.

        Raises:
            LookupError: AWS has no such service or operation.
        """
        self._line, self._headers = (method, url), dict(headers)
        try:
            self.operation, self.in_path = _router(service).match(self._request(body))
        except Exception as error:
            what = headers.get("x-amz-target", f"{method} {url}")
            raise LookupError(f"{service} has no operation for {what}") from error
        self.name = f"{service} {self.operation.name}"

    def _request(self, body: bytes) -> Any:  # noqa: ANN401 - of moto, which has no types
        request = import_module("moto.core.request").Request
        return request.from_primitives(*self._line, self._headers, body)

    def faults(self, body: bytes) -> list[str]:
        """Return what of a request differs from the model of its operation: member, value, rule."""
        shape, request = self.operation.input_shape, self._request(body)
        if shape is None:
            return []
        protocol = import_module("moto.core.request").determine_request_protocol(
            self.operation.service_model, request.content_type
        )
        parser = import_module("moto.core.parse").PROTOCOL_PARSERS[protocol](self.operation)
        # A body that a form was read from is read.
        values = request.values
        parts = {
            "method": request.method,
            "values": values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": self.in_path,
        }
        try:
            parsed = parser.parse(parts)
        except Exception as error:  # noqa: BLE001 - any error of the parser is a fault
            return [f"it cannot be read: {error!r}"]
        found = [*_wrong(shape, parsed, ""), *self._unknown(values)]
        payload = shape.serialization.get("payload")
        whole = shape.members[payload] if payload else shape
        if "json" in protocol and body and whole.type_name == "structure":
            found += _unknown_json(whole, json.loads(body), "")
        return found

    def _unknown(self, values: Iterable[str]) -> Iterator[str]:
        """Yield the parameters of an address or a form that the operation has not."""
        members = self.operation.input_shape.members.items()
        names = {member.serialization.get("name", name) for name, member in members}
        own = self.operation.http["requestUri"].partition("?")[2].replace("=", "&").split("&")
        for key in sorted({value.partition(".")[0] for value in values} - names - {*own}):
            if not _OF_ALL.fullmatch(key):
                yield f"{key} is not a member"


@cache
def _router(service: str) -> Any:  # noqa: ANN401 - as above
    routing, name = import_module("moto.core.routing"), _MODELS.get(service, service)
    if name != "s3":
        return routing.get_service_router(name)
    # moto's own router of S3 looks for buckets in host names, and loads all of its S3 for that.
    return routing.RestRouter(import_module("moto.core.utils").get_service_model(name))


def _wrong(shape: Any, value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield the values that break a rule of their shape."""
    name, rules, kind = where.rstrip("."), shape.metadata, shape.type_name
    if kind in {"integer", "long", "float", "double"}:
        yield from _outside(name, value, rules)
    elif kind == "boolean" and not isinstance(value, bool):
        yield f"{name} is {value!r}, which is not a boolean"
    elif kind == "string":
        lower = shape.name in _ANY_CASE and isinstance(value, str)
        yield from _wrong_text(name, rules, value.lower() if lower else value)
    if kind != "structure" and isinstance(value, str | bytes | list | dict):
        yield from _outside(f"the length of {name}", len(value), rules)
    yield from (f"{where}{member} is required" for member in _missing(shape, value))
    for place, inner, item in _inner(shape, value):
        yield from _wrong(inner, item, f"{where}{place}")


def _missing(shape: Any, value: Any) -> list[str]:  # noqa: ANN401 - as above
    required = shape.required_members if shape.type_name == "structure" else ()
    return [member for member in required if value.get(member) is None]


def _inner(shape: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - as above
    """Yield place, shape and value of each member or item of a value."""
    match shape.type_name:
        case "structure":
            for member, inner in shape.members.items():
                if value.get(member) is not None:
                    yield f"{member}.", inner, value[member]
        case "list":
            for item in value:
                yield "", shape.member, item
        case "map":
            for key, item in value.items():
                yield "", shape.key, key
                yield f"{key}.", shape.value, item


def _wrong_text(name: str, rules: Mapping[str, Any], value: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    pattern = rules.get("pattern")
    if not isinstance(value, str):
        yield f"{name} is {value!r}, which is not a string"
    elif rules.get("enum") and value not in rules["enum"]:
        yield f"{name} is {value!r}, which is none of {', '.join(rules['enum'])}"
    elif pattern and not _JAVA.search(pattern) and not re.search(f"^(?:{pattern})$", value):
        yield f"{name} is {value!r}, which does not match {pattern}"


def _outside(what: str, size: float, rules: Mapping[str, Any]) -> Iterator[str]:
    low, high = rules.get("min", size), rules.get("max", size)
    if not low <= size <= high:
        limits = f"{rules.get('min', '')} to {rules.get('max', '')}"
        yield f"{what} is {size}, which is not from {limits}"


def _unknown_json(shape: Any, value: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - as above
    """Yield the members of a JSON body that its shape has not."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {m.serialization.get("name", name): m for name, m in shape.members.items()}
        for key, item in value.items():
            if key not in members:
                yield f"{where}{key} is not a member"
            else:
                yield from _unknown_json(members[key], item, f"{where}{key}.")
    if shape.type_name == "list" and isinstance(value, list):
        for item in value:
            yield from _unknown_json(shape.member, item, where)
    if shape.type_name == "map" and isinstance(value, dict):
        for item in value.values():
            yield from _unknown_json(shape.value, item, where)
