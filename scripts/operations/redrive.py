"""Shows a dead-letter queue and replays its messages.

The queue is that of a function, which gets the events again, or of an event target. Events of a
target are sent to the event bus again, so that every receiver may get them once more; receivers
drop what they have seen by its `id`.

Each message is deleted only after AWS accepted its event. A redrive that ends early, however it
ends, loses nothing: messages that it did not delete reappear after two minutes at the most,
and the same command continues. An event that was replayed and not deleted is replayed again; the
processing functions do the work of an event once.

Events that fail again come back to the queue as new messages. A redrive leaves alone what arrived
after it began, so that it ends.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from scripts.operations.dead_letters import BATCH, HOLD_SECONDS, Queue
from scripts.operations.options import positive
from scripts.operations.progress import Pace, age, plain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from datetime import datetime

    from types_boto3_events.client import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from types_boto3_lambda.client import LambdaClient

    from scripts.operations.dead_letters import Letter
    from scripts.operations.environment import Environment
    from scripts.operations.progress import Screen

_SAMPLE: Final = 5

# The event itself is at fault: the next one may well be accepted.
_FAULTS_OF_EVENT: Final = frozenset({"InvalidRequestContentException", "RequestTooLargeException"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages to replay; an empty attribute selects all.

    Attributes:
        errors: parts of the error's class or message, any of them.
        key_prefix: start of an object key of the event.
        message_ids: SQS's identifiers.
    """

    errors: tuple[str, ...] = ()
    key_prefix: str = ""
    message_ids: tuple[str, ...] = ()

    def has(self, letter: Letter) -> bool:
        """Return whether a message is selected."""
        error = f"{letter.error_class}\n{letter.error}"
        return (
            (not self.errors or any(part in error for part in self.errors))
            and (not self.key_prefix or any(k.startswith(self.key_prefix) for k in letter.keys))
            and (not self.message_ids or letter.message_id in self.message_ids)
        )


@dataclass(slots=True)
class Summary:
    """The counts of a run.

    Attributes:
        waiting, in_flight: the queue's own counts at the beginning, roughly.
        now: SQS's time at the beginning.
        seen: messages looked at.
        selected: of those, the ones selected.
        replayed: of those, the ones that the function accepted and that were deleted.
        unreadable: ids of messages that hold no event.
        refused: reasons by the id of a message whose event Lambda refused.
        errors: messages looked at by their error's class.
        oldest, newest: when the first and the last of them were sent.
        sample: some of them.
    """

    waiting: int
    in_flight: int
    now: datetime
    seen: int = 0
    selected: int = 0
    replayed: int = 0
    unreadable: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    newest: datetime | None = None
    sample: list[Letter] = field(default_factory=list)

    def add(self, letter: Letter) -> None:
        """Count a message that is looked at."""
        self.seen += 1
        self.errors[letter.error_class] += 1
        self.oldest = min(self.oldest or letter.sent_at, letter.sent_at)
        self.newest = max(self.newest or letter.sent_at, letter.sent_at)
        if len(self.sample) < _SAMPLE:
            self.sample.append(letter)

    def seconds_since(self, moment: datetime) -> int:
        """Return the age of a message that was sent at `moment`."""
        return max(0, round((self.now - moment).total_seconds()))


def replay(
    queue: Queue,
    accept: Callable[[bytes], None],
    selection: Selection,
    summary: Summary,
    *,
    pace: Pace | None,
    limit: int | None = None,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Go through a queue once.

    Args:
        queue: the queue.
        accept: hands an event to the function; raises ClientError when it is refused.
        selection: what to replay.
        summary: made from the queue's level at the beginning; updated for each message.
        pace: how fast to replay; None only looks.
        limit: most messages to replay (to look at, without `pace`).
        progress: called for every message.

    Raises:
        ClientError: the function takes no event at all; the messages stay in the queue.
    """
    # SQS reports times in whole seconds.
    begun = summary.now + timedelta(seconds=1)
    kept: dict[str, Letter] = {}
    gone: set[str] = set()
    # No more than ten seconds' work, which is far below the time that messages stay hidden.
    batch = BATCH if pace is None else max(1, min(BATCH, round(pace.rate * 10)))
    idle = 0
    try:
        # Who waits long enough receives what was kept again; a round of that without news ends it.
        while idle <= len(kept) / batch + 1:
            letters = queue.receive(batch)
            if not letters:
                break
            idle += 1
            # Until its turn comes, a message is one to be released.
            new = [x for x in letters if x.message_id not in kept.keys() | gone]
            kept |= {letter.message_id: letter for letter in letters}
            for letter in letters:
                if letter.message_id in gone:  # SQS delivers at least once, deleted ones too
                    queue.delete(letter)
                    del kept[letter.message_id]
            for letter in new:
                if letter.sent_at > begun:
                    continue
                idle = 0
                summary.add(letter)
                progress()
                if selection.has(letter):
                    summary.selected += 1
                    if letter.event is None:
                        summary.unreadable.append(letter.message_id)
                    elif pace and _replay_one(queue, accept, letter, summary, pace):
                        del kept[letter.message_id]
                        gone.add(letter.message_id)
                if limit and limit <= (summary.replayed if pace else summary.seen):
                    return
    finally:
        queue.release(kept.values())


def _replay_one(
    queue: Queue, accept: Callable[[bytes], None], letter: Letter, summary: Summary, pace: Pace
) -> bool:
    """Return whether the function took the event and the message is gone."""
    pace.wait()
    try:
        accept(json.dumps(letter.event).encode())
    except ClientError as error:
        if error.response["Error"]["Code"] not in _FAULTS_OF_EVENT:
            raise
        summary.refused[letter.message_id] = str(error)
        return False
    queue.delete(letter)
    summary.replayed += 1
    return True


def acceptor(functions: LambdaClient, name: str) -> Callable[[bytes], None]:
    """Return what hands an event to a function as S3 does: asynchronously, with its retries."""

    def accept(event: bytes) -> None:
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=event)

    return accept


def sender(events: EventBridgeClient, bus: str) -> Callable[[bytes], None]:
    """Return what sends an event to the event bus again."""

    def accept(event: bytes) -> None:
        content = json.loads(event)
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": bus,
            "Source": content["source"],
            "DetailType": content["detail-type"],
            "Detail": json.dumps(content["detail"]),
        }
        [answer] = events.put_events(Entries=[entry])["Entries"]
        if "ErrorCode" in answer:
            message = answer.get("ErrorMessage", "")
            raise ClientError(
                {"Error": {"Code": answer["ErrorCode"], "Message": message}}, "PutEvents"
            )

    return accept


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "function",
        help="function or event target that has the dead-letter queue, such as image_processor",
    )
    parser.add_argument(
        "--error",
        action="append",
        default=[],
        metavar="TEXT",
        help="only events whose error's class or message holds this text (repeatable: any of them)",
    )
    parser.add_argument(
        "--key-prefix", default="", metavar="PREFIX", help="only events of objects below this key"
    )
    parser.add_argument(
        "--message-id",
        action="append",
        default=[],
        metavar="ID",
        help="only this message (repeatable)",
    )
    parser.add_argument(
        "--rate", type=positive(float), default=10.0, help="events a second (default: 10)"
    )
    parser.add_argument("--limit", type=positive(int), help="stop after so many events")
    parser.add_argument(
        "--hold",
        type=positive(int),
        default=HOLD_SECONDS,
        metavar="SECONDS",
        help="how long a received message is hidden from others, which is how long it takes to "
        f"come back after a redrive was killed (default: {HOLD_SECONDS})",
    )
    parser.add_argument("--dry-run", action="store_true", help="look only")


def run(options: argparse.Namespace, environment: Environment, screen: Screen) -> int:
    """Run the command; return its exit status."""
    queue = Queue(environment.sqs, environment.queue_url(options.function), options.hold)
    selection = Selection(tuple(options.error), options.key_prefix, tuple(options.message_id))
    level = queue.level()
    summary = Summary(level.waiting, level.in_flight, level.now)
    what = "Looking" if options.dry_run else "Replaying"
    if options.function in environment.event_targets:
        accept = sender(environment.events, environment.outputs["event_bus"]["name"])
    else:
        accept = acceptor(environment.functions, environment.function_name(options.function))
    try:
        with screen.progress(f"{what} …", level.waiting) as progress:
            replay(
                queue,
                accept,
                selection,
                summary,
                pace=None if options.dry_run else Pace(options.rate),
                limit=options.limit,
                progress=progress,
            )
    finally:  # an interrupted run prints its summary, too
        _show(screen, options, summary)
        screen.result(_json(options, summary))
    return 1 if summary.unreadable or summary.refused else 0


def _show(screen: Screen, options: argparse.Namespace, summary: Summary) -> None:
    screen.say(
        f"{options.function}'s dead-letter queue: {summary.waiting} waiting, "
        f"{summary.in_flight} in flight; {summary.seen} looked at."
    )
    if summary.in_flight and not summary.seen:
        screen.say("Those in flight come back within two minutes, unless another redrive has them.")
    if summary.oldest and summary.newest:
        screen.say(
            f"Age: {age(summary.seconds_since(summary.newest))} to "
            f"{age(summary.seconds_since(summary.oldest))}."
        )
        screen.table(
            ["Events", "Error"],
            [[str(count), plain(error)] for error, count in summary.errors.most_common()],
        )
        screen.table(
            ["Sample: message", "Age", "Object and request", "Error"],
            [
                [
                    letter.message_id,
                    age(summary.seconds_since(letter.sent_at)),
                    plain("\n".join([*letter.keys, letter.request_id or ""])),
                    plain(letter.error),
                ]
                for letter in summary.sample
            ],
        )
    for message in summary.unreadable:
        screen.say(f"{message} holds no event and stays: read and delete it in the console of SQS.")
    for message, reason in summary.refused.items():
        screen.say(f"{message} was refused and stays: {reason}")
    if options.dry_run:
        screen.say(f"{summary.selected} selected; a dry run replays none.")
        return
    screen.say(f"{summary.selected} selected, {summary.replayed} replayed and deleted.")
    if summary.replayed:
        screen.say("One that fails again is back within minutes: look again then.")


def _json(options: argparse.Namespace, summary: Summary) -> dict[str, Any]:
    return {
        "function": options.function,
        "dry_run": options.dry_run,
        "waiting": summary.waiting,
        "in_flight": summary.in_flight,
        "looked_at": summary.seen,
        "selected": summary.selected,
        "replayed": summary.replayed,
        "unreadable": summary.unreadable,
        "refused": summary.refused,
        "errors": dict(summary.errors.most_common()),
        "oldest": summary.oldest and summary.oldest.isoformat(),
        "newest": summary.newest and summary.newest.isoformat(),
        "sample": [
            {
                "message_id": letter.message_id,
                "sent_at": letter.sent_at.isoformat(),
                "request_id": letter.request_id,
                "keys": list(letter.keys),
                "error_class": letter.error_class,
                "error": letter.error,
                "event": letter.event,
            }
            for letter in summary.sample
        ],
    }
