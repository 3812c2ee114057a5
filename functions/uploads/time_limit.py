"""Time limit of an invocation: work is stopped while there is time left to report it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext

# Time reserved for removing temporary files, logging and answering.
_RESERVED_SECONDS: Final = 10.0
_RESERVED_SHARE: Final = 0.25
_AGAIN_SECONDS: Final = 1.0

# A function of so much memory has one processor; one of less has that share of it.
# Source: "Configure Lambda function memory", Lambda developer guide.
_MB_OF_A_PROCESSOR: Final = 1769


class OutOfTimeError(Exception):
    """The work was stopped because the time limit of the invocation was near.

    Attributes:
        seconds: that the work had.
        computed: whether it computed for most of them, and did not wait for something.
    """

    def __init__(self, seconds: float, limit: float, *, computed: bool) -> None:
        super().__init__(
            f"the work was stopped after {seconds:.1f} s, because Lambda ends the function "
            f"{limit:.1f} s after its beginning: give the function more time, or more memory and "
            "so a faster processor"
        )
        self.seconds = seconds
        self.computed = computed


class _Alarm(BaseException):
    """The alarm rang. An AWS client would take an error for one of the network, and try again."""


@contextmanager
def stop_in_time(context: LambdaContext) -> Iterator[None]:
    """Stop the work of a block shortly before Lambda would end the process in the middle of it.

    The alarm is heard between two Python instructions, and by DuckDB while a query runs. It works
    in the main thread only, where Lambda calls handlers.

    Raises:
        OutOfTimeError: the block was stopped, or too little time was left to begin with.
    """
    left = context.get_remaining_time_in_millis() / 1000
    budget = left - min(_RESERVED_SECONDS, left * _RESERVED_SHARE)
    if budget <= 0:
        raise OutOfTimeError(budget, left, computed=False)
    memory_mb = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", _MB_OF_A_PROCESSOR))
    share = min(1, memory_mb / _MB_OF_A_PROCESSOR)
    began = time.process_time()
    rang, inside = False, True

    def error() -> OutOfTimeError:
        computed = time.process_time() - began > budget * share / 2
        return OutOfTimeError(budget, left, computed=computed)

    def ring(*_: object) -> None:
        nonlocal rang
        rang = True
        if inside:
            raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    # Repeated, because a library can swallow an alarm, for example in a destructor.
    signal.setitimer(signal.ITIMER_REAL, budget, _AGAIN_SECONDS)
    try:
        yield
    except BaseException as fault:
        inside = False
        # A library may convert the alarm into another error.
        if rang:
            raise error() from fault
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rang:
        raise error()
