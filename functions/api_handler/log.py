"""The API's log: one JSON line an event, on standard output.

Importing Powertools' Logger would lengthen the start of this function by a sixth, for two lines a
request at the most; the other functions, which nobody waits for, use it. The field names are the
same.
"""

from __future__ import annotations

import json
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from typing import TextIO


class Log:
    """Writes lines.

    Lambda itself drops what is below the function's log level: it reads `level` and `timestamp`, in
    RFC 3339, of JSON lines on standard output ("Log-level filtering", Lambda developer guide).
    """

    def __init__(self, service: str, stream: TextIO | None = None) -> None:
        """Bind to the service's name, and to a stream other than standard output."""
        self._service = service
        self._stream = stream

    def write(
        self,
        level: Literal["INFO", "ERROR"],
        message: str,
        fields: dict[str, Any],
        fault: BaseException | None = None,
    ) -> None:
        """Write a line, with the trace of what went wrong."""
        line: dict[str, Any] = {
            "level": level,
            "message": message,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
        } | fields
        if fault:
            line["exception_name"] = type(fault).__name__
            line["exception"] = "".join(traceback.format_exception(fault))
        print(json.dumps(line), file=self._stream or sys.stdout, flush=True)
