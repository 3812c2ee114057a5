"""Follows one file's life through the logs of the API and the functions.

Given a key, or any identifier that the log lines hold (a request id, a correlation id), it finds
the lines that name it, then the lines of those uploads, and then all other lines that the
processing functions wrote in the same invocations.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from scripts.operations.options import span, text
from uploads.keys import UPLOADS_PREFIX

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from types_boto3_logs.client import CloudWatchLogsClient

    from scripts.operations.environment import Environment
    from scripts.operations.progress import Screen

_DEFAULT_SPAN: Final = timedelta(days=1)
_POLL_SECONDS: Final = 2.0
# Lines may appear in CloudWatch Logs later than others that are younger.
_LATE: Final = timedelta(minutes=2)
# Maximum difference between the clocks of a signer and of CloudWatch Logs.
_CLOCKS: Final = timedelta(minutes=5)
_INVOCATIONS: Final = 50

# The API puts each upload below an identifier whose first 48 bits are its time in milliseconds.
_UPLOAD_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A log line.

    Attributes:
        time: milliseconds since 1970.
        place: how many lines were read before it; keeps lines of the same millisecond in order.
        source: the function, or `api_access` for the API's access log.
        stream: log stream.
        text: as it was written.
    """

    time: int
    place: int
    source: str
    stream: str
    text: str

    @property
    def fields(self) -> dict[str, Any]:
        """The line's JSON object, empty for plain text."""
        try:
            content = json.loads(self.text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def request_id(self) -> str | None:
        """The invocation that the line is of."""
        fields = self.fields
        record = fields.get("record")
        of_platform = record.get("requestId") if isinstance(record, dict) else None
        found = fields.get("function_request_id") or fields.get("requestId") or of_platform
        return str(found) if found else None


class Logs:
    """The log groups of an environment."""

    def __init__(
        self, client: CloudWatchLogsClient, groups: Mapping[str, str], processors: Collection[str]
    ) -> None:
        """Bind to log groups by source."""
        self._client = client
        self._groups = groups
        self._read = 0
        self._processors = processors

    def find(self, source: str, term: str, since: datetime) -> Iterator[Line]:
        """Return the lines of a source that hold a term."""
        quoted = term.replace("\\", "\\\\").replace('"', '\\"')
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._groups[source],
            filterPattern=f'"{quoted}"',
            startTime=int(since.timestamp() * 1000),
        )
        for page in pages:
            for event in page["events"]:
                self._read += 1
                line = Line(
                    event["timestamp"],
                    self._read,
                    source,
                    event.get("logStreamName", ""),
                    event["message"].rstrip("\n"),
                )
                # A filter of CloudWatch Logs compares words: what holds them all may be another.
                if names(line, term):
                    yield line

    def life(self, wanted: str, since: datetime) -> list[Line]:
        """Return all lines about a key or an identifier, oldest first."""
        found: dict[tuple[str, str, int, str], Line] = {}

        def look(sources: Iterable[str], term: str) -> None:
            for source in sources:
                for line in self.find(source, term, since):
                    # The last reading is of a whole invocation, in its order.
                    found[line.source, line.stream, line.time, line.text] = line

        term = _term(wanted)
        look(self._groups, term)
        for key in {key for line in found.values() for key in _uploads(line)}:
            if _term(key) != term:
                look(self._groups, _term(key))
        invocations = sorted(
            {
                (line.source, line.request_id)
                for line in found.values()
                if line.source in self._processors and line.request_id
            }
        )
        for source, request_id in invocations[:_INVOCATIONS]:
            look([source], request_id)
        return sorted(found.values())


def names(line: Line, term: str) -> bool:
    """Return whether a term is part of a line, or of a text in its JSON object."""
    return term in line.text or any(term in text for text in _texts(line.fields))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _uploads(line: Line) -> Iterator[str]:
    """Return the uploads that a line is about."""
    for name in ("key", "correlation_id"):
        value = line.fields.get(name)
        if isinstance(value, str) and value.startswith(UPLOADS_PREFIX):
            yield value


def _term(wanted: str) -> str:
    """Return what to look for: of a key its upload's identifier, which is never encoded."""
    identifier = _UPLOAD_ID.search(wanted)
    return identifier[0] if identifier and wanted.startswith(UPLOADS_PREFIX) else wanted


def beginning(wanted: str, span: timedelta | None, now: datetime) -> datetime:
    """Return the start of the search: as given, else the time of the upload, else a day ago."""
    if span:
        return now - span
    identifier = _UPLOAD_ID.search(wanted)
    if not identifier:
        return now - _DEFAULT_SPAN
    milliseconds = int(identifier[0].replace("-", "")[:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, UTC) - _CLOCKS


def describe(line: Line) -> str:
    """Return a line for people: time, source and message."""
    moment = datetime.fromtimestamp(line.time / 1000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{line.time % 1000:03}Z  {line.source:<16}  {_message(line)}"


def _message(line: Line) -> str:
    fields = line.fields
    record = fields.get("record")
    if isinstance(record, dict):  # Lambda's own lines
        values = record | record.get("metrics", {})
        return f"{fields.get('type')}  " + _listed(
            values,
            ("status", "errorType", "durationMs", "initDurationMs", "maxMemoryUsedMB"),
        )
    if line.source == "api_access" and fields:
        return _listed(fields, ("method", "path", "status", "latency_ms", "error"))
    if "message" not in fields:
        return line.text
    parts = [str(fields.get("level", "")), str(fields["message"])]
    error = fields.get("error")
    if isinstance(error, dict):
        parts.append(f"{error.get('code')}: {error.get('message')}")
    rest = ("route", "status", "duration_ms", "key", "size", "version_id", "function_request_id")
    parts.append(_listed(fields, rest))
    if "exception" in fields:
        parts.append("\n" + str(fields["exception"]))
    return "  ".join(part for part in parts if part)


def _listed(fields: Mapping[str, Any], names: Iterable[str]) -> str:
    return "  ".join(f"{name}={fields[name]}" for name in names if name in fields)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "wanted",
        type=text,
        metavar="KEY_OR_ID",
        help="an upload's key, a request id or a correlation id",
    )
    parser.add_argument(
        "--since",
        type=span,
        metavar="SPAN",
        help="how far back to look, such as 30m, 6h or 7d (default: to the upload, whose key holds "
        "its time; a day where it does not)",
    )
    parser.add_argument("--follow", action="store_true", help="run until interrupted")


def run(
    options: argparse.Namespace,
    environment: Environment,
    screen: Screen,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run the command; return its exit status. With `--json`, each line is an object."""
    groups = {name: environment.log_group(name) for name in environment.function_names}
    if environment.api_log_group:
        groups["api_access"] = environment.api_log_group
    logs = Logs(environment.logs, groups, environment.processors)
    since = beginning(options.wanted, options.since, datetime.now(UTC))
    shown: set[tuple[str, str, int, str]] = set()
    with contextlib.suppress(KeyboardInterrupt) if options.follow else contextlib.nullcontext():
        while True:
            for line in logs.life(options.wanted, since):
                identity = (line.source, line.stream, line.time, line.text)
                if identity not in shown:
                    shown.add(identity)
                    _show(screen, line)
            if not options.follow:
                break
            since = max(since, datetime.now(UTC) - _LATE)
            sleep(_POLL_SECONDS)
    if not shown:
        screen.say(
            f"No line names {options.wanted}. Logs are kept for some days and appear seconds after "
            "they are written; an invocation that ran out of time or memory names no key: look "
            "into the dead-letter queue, and for its request id here."
        )
    return 0 if shown else 1


def _show(screen: Screen, line: Line) -> None:
    if screen.as_json:
        content = {
            "time": datetime.fromtimestamp(line.time / 1000, UTC).isoformat(),
            "source": line.source,
            "request_id": line.request_id,
            "line": line.fields or line.text,
        }
        print(json.dumps(content, ensure_ascii=False), flush=True)
    else:
        screen.say(describe(line))
