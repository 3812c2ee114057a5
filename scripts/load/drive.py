"""Uploads as clients do: request a form, send the file, poll for the result; each step is timed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from uploads_client import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scripts.load.mixture import Kind, Sample, State
    from scripts.operations.progress import Pace
    from uploads_client import Client

# Pauses between a client's attempts at a busy or failing service.
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_ATTEMPTS: Final = 10
_LONGEST_WAIT: Final = 10.0

# How often a client polls for its result: often at first, so that quick results are timed well.
_FIRST_POLL: Final = 0.1
_LAST_POLL: Final = 2.0
_POLL_GROWTH: Final = 1.3


@dataclass(slots=True)
class Record:
    """The record of one upload.

    Attributes:
        kind: of the file.
        bytes: its size.
        expected: the state that it must end in.
        key: its object key, once the API gave it one.
        sent: how often the file was sent; more than once when an answer was lost.
        accepted_seconds: from the first request to the bucket's yes.
        result_seconds: from there to the first answer of the API that has the result.
        state: the state that it ended in.
        outputs: bytes of each output by its key, from the result.
        retries: answers that made the client try again (a status, or `connection`).
        error: why it was given up.
    """

    kind: Kind
    bytes: int
    expected: State
    key: str | None = None
    sent: int = 0
    accepted_seconds: float | None = None
    result_seconds: float | None = None
    state: str | None = None
    outputs: dict[str, int] = field(default_factory=dict)
    retries: Counter[str] = field(default_factory=Counter)
    error: str | None = None


class Driver:
    """Makes uploads through one API."""

    def __init__(
        self,
        client: Client,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the client, which several threads may use, and how long to wait for a result."""
        self._client = client
        self._patience = patience
        self._sleep = sleep
        self._clock = clock

    def upload(self, sample: Sample) -> Record:
        """Upload a file and wait for its result; return a record of it, also of a failure."""
        record = Record(sample.kind, sample.bytes, sample.expected)
        try:
            self._upload(sample, record)
        except (ApiError, httpx.HTTPError) as error:
            record.error = f"{type(error).__name__}: {error}"
        return record

    def _upload(self, sample: Sample, record: Record) -> None:
        started = self._clock()
        form = self._patiently(record, lambda: self._client.start(sample.path.name))
        record.key = str(form["key"])

        def send() -> None:
            record.sent += 1
            self._client.send(form, sample.path)

        self._patiently(record, send)
        accepted = self._clock()
        record.accepted_seconds = accepted - started
        pause = _FIRST_POLL
        while True:
            found = self._patiently(record, lambda: self._client.file(str(record.key)))
            waited = self._clock() - accepted
            if found["state"] != "pending":
                record.result_seconds = waited
                record.state = found["state"]
                record.outputs = {o["key"]: o["bytes"] for o in found["result"]["outputs"]}
                return
            if waited > self._patience:
                record.error = f"no result after {waited:.0f} seconds"
                return
            self._sleep(pause)
            pause = min(pause * _POLL_GROWTH, _LAST_POLL)

    def _patiently[T](self, record: Record, request: Callable[[], T]) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return request()
            except httpx.TransportError:
                reason = "connection"
                if attempt == _ATTEMPTS:
                    raise
            except ApiError as error:
                reason = str(error.status)
                if error.status not in _BUSY or attempt == _ATTEMPTS:
                    raise
            record.retries[reason] += 1
            longest = min(_LONGEST_WAIT, 0.1 * 2**attempt)
            self._sleep(random.uniform(longest / 2, longest))  # noqa: S311 - spreads clients


def run(
    upload: Callable[[Sample], Record],
    samples: Sequence[Sample],
    clients: int,
    pace: Pace | None,
    progress: Callable[[], Any],
) -> list[Record]:
    """Upload all samples, by so many clients at once, each with one upload at a time.

    Args:
        upload: uploads one, see `Driver.upload`.
        samples: the files.
        clients: how many work at once.
        pace: the most uploads a second that are begun, or None: as many as the clients manage.
        progress: called when an upload is done.
    """
    turn = threading.Lock()

    def one(sample: Sample) -> Record:
        if pace:
            with turn:
                pace.wait()
        return upload(sample)

    with ThreadPoolExecutor(clients) as pool:
        pending = [pool.submit(one, sample) for sample in samples]
        try:
            for _ in as_completed(pending):
                progress()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in pending]
