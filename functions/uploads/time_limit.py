"""The time that an invocation may take: work is stopped while there is time left to say so."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext

# What is kept for stopping: to remove temporary files, to log, to answer.
_RESERVED_SECONDS: Final = 10.0
_RESERVED_SHARE: Final = 0.25


class OutOfTimeError(Exception):
    """The work was stopped because the time limit of the invocation was near."""


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
    error = OutOfTimeError(
        f"the work was stopped after {budget:.1f} s, because Lambda ends the function {left:.1f} s "
        "after its beginning: give the function more time, or more memory and so a faster processor"
    )
    if budget <= 0:
        raise error
    rang = False

    def ring(*_: object) -> None:
        nonlocal rang
        rang = True
        raise _Alarm

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, budget)
    try:
        yield
    except BaseException as fault:
        # A library may answer the alarm with an error of its own.
        if rang:
            raise error from fault
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if rang:
        raise error
