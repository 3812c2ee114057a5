"""A small function and a bucket in memory: what the tests of `uploads` run."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from tests.unit.uploads.fake_s3 import BUCKET, FakeS3
from uploads import result as results
from uploads.log import json_logger
from uploads.processing import Processed, Produced, RejectedError, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from uploads.event_bus import EventBus
    from uploads.processing import Core, Source

KEY = "uploads/folder/note.txt"
RECORD = "processed/folder/note.txt/result.json"


@dataclass(frozen=True)
class Settings:
    suffix: str = "!"


@dataclass
class Shouter:
    """A core: one file in capitals. A test may let something happen before it ends."""

    suffix: str = "!"
    meanwhile: Callable[[], object] = lambda: None
    runs: int = 0

    def __call__(self, source: Source, directory: Path) -> Processed:
        self.runs += 1
        text = source.save(directory / "input").read_text()
        if text == "reject":
            raise RejectedError("too_quiet", "Nothing to shout.")
        if text == "reject for a library":
            raise RejectedError("too_odd", "It cannot be read.") from ValueError("at /tmp/input")
        if text == "reject with report":
            raise RejectedError(
                "too_quiet", "Nothing to shout.", Processed(details={"bytes": source.size})
            )
        shouted = directory / "shouted"
        shouted.write_text(text.upper() + self.suffix)
        self.meanwhile()
        return Processed(
            (Produced(shouted, "shouted.txt", "text/plain", {"letters": len(text)}),),
            {"name": source.name},
            [results.Problem("loud", "It is loud.")],
        )


class Setting:
    """A bucket, and functions that process its uploads."""

    def __init__(self) -> None:
        self.s3 = FakeS3()
        self.remaining_ms = 60_000
        self.event_bus: EventBus | None = None
        self._deliveries = 0
        self._log = io.StringIO()
        self._logger = json_logger(f"test-{id(self._log)}", self._log)

    def upload(
        self, text: str, sequencer: str, key: str = KEY, metadata: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Store a version; return its event."""
        version, etag = self.s3.put(key, text.encode(), metadata)
        described = {
            "key": key,
            "size": len(text),
            "eTag": etag,
            "versionId": version,
            "sequencer": sequencer,
        }
        record = {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": BUCKET}, "object": described},
        }
        return {"Records": [record]}

    def run(
        self,
        event: dict[str, Any],
        core: Core | None = None,
        suffix: str = "!",
        *,
        retry: bool = False,
    ) -> str:
        """Deliver an event, or have Lambda try the last one again."""
        return self.run_all(event, core, suffix, retry=retry)[KEY]

    def run_all(
        self,
        event: dict[str, Any],
        core: Core | None = None,
        suffix: str = "!",
        *,
        retry: bool = False,
    ) -> Mapping[str, str]:
        self._deliveries += not retry
        runner = Runner(
            core or Shouter(suffix),
            settings=Settings(suffix),
            s3=self.s3.client,
            logger=self._logger,
            event_bus=self.event_bus,
        )
        return runner.run(event, self.context())

    def context(self) -> LambdaContext:
        """Return the context of the last delivery; a retry has the request id of what failed."""
        return cast(
            "LambdaContext",
            SimpleNamespace(
                aws_request_id=f"request-{self._deliveries}",
                function_name="shouter",
                function_version="3",
                get_remaining_time_in_millis=lambda: self.remaining_ms,
            ),
        )

    def result(self) -> results.Result:
        return results.Result.from_json(self.s3.content(RECORD))

    def outputs(self) -> list[bytes]:
        """Return the content of every object below `processed/` that is no result record."""
        found = {key for key in self.s3.keys if key.startswith("processed/")} - {RECORD}
        assert found == {output.key for output in self.result().outputs}
        return [self.s3.content(key) for key in found]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]
