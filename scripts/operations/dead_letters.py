"""A dead-letter queue, and the events in it."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

BATCH: Final = 10  # the most that SQS takes in one request
HOLD_SECONDS: Final = 120
_POLL_SECONDS: Final = 1
_CLASS_CHARACTERS: Final = 100


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter queue.

    Attributes:
        message_id: SQS's identifier.
        receipt: what deletes or releases it.
        sent_at: when the function's last attempt had failed.
        event: the event that failed, None when the message is not JSON.
        error: the error message, if the message has one.
        error_class: the same without what differs from case to case.
        request_id: of the failed invocation, if the message has it.
        keys: objects that the event is about.
    """

    message_id: str
    receipt: str
    sent_at: datetime
    event: Any
    error: str
    error_class: str
    request_id: str | None
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Approximate size of a queue, and the queue's clock.

    Attributes:
        waiting: messages that can be received.
        in_flight: messages that were received and not deleted yet.
        now: SQS's own time.
    """

    waiting: int
    in_flight: int
    now: datetime


class Queue:
    """One dead-letter queue. Received messages are hidden for a while and then reappear."""

    def __init__(self, sqs: SQSClient, url: str, hold_seconds: int = HOLD_SECONDS) -> None:
        """Bind to a queue; `hold_seconds` is how long a received message is hidden."""
        self._sqs = sqs
        self._url = url
        self._hold_seconds = hold_seconds

    def level(self) -> Level:
        """Return how full the queue is."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )
        counts = answer["Attributes"]
        return Level(
            int(counts["ApproximateNumberOfMessages"]),
            int(counts["ApproximateNumberOfMessagesNotVisible"]),
            parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]),
        )

    def receive(self, count: int = BATCH) -> list[Letter]:
        """Return some messages, none when the queue is empty (a long poll queries all servers)."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=self._hold_seconds,
            WaitTimeSeconds=_POLL_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["All"],
        )
        return [read(message) for message in answer.get("Messages", [])]

    def delete(self, letter: Letter) -> None:
        """Remove a message for good."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def release(self, letters: Iterable[Letter]) -> None:
        """Make received messages visible again, as far as possible."""
        waiting = list(letters)
        # Whatever goes wrong here only lets them come back later, by themselves.
        with contextlib.suppress(BotoCoreError, ClientError):
            for start in range(0, len(waiting), BATCH):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(index),
                            "ReceiptHandle": letter.receipt,
                            "VisibilityTimeout": 0,
                        }
                        for index, letter in enumerate(waiting[start : start + BATCH])
                    ],
                )


def read(message: MessageTypeDef) -> Letter:
    """Return a message as Lambda or EventBridge puts it into a dead-letter queue.

    It is the event. Its attributes are RequestID, ErrorCode and ErrorMessage (AWS Lambda Developer
    Guide, "Adding a dead-letter queue"), or ERROR_CODE and ERROR_MESSAGE (EventBridge user guide,
    "Using dead-letter queues").
    """
    try:
        event = json.loads(message["Body"])
    except ValueError:
        event = None
    attributes = {
        name: str(value.get("StringValue", ""))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    names = ("ErrorMessage", "ErrorCode", "ERROR_MESSAGE", "ERROR_CODE")
    error = next(filter(None, map(attributes.get, names)), "")
    sent_at = int(message.get("Attributes", {}).get("SentTimestamp", "0"))
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        sent_at=datetime.fromtimestamp(sent_at / 1000, UTC),
        event=event,
        error=error,
        error_class=classify(error),
        request_id=attributes.get("RequestID"),
        keys=tuple(_keys(event)),
    )


def classify(error: str) -> str:
    """Return an error message without words that differ from case to case (those with digits)."""
    lines = error.strip().splitlines()
    if not lines:
        return "unknown"
    return re.sub(r"\S*\d\S*", "#", lines[0])[:_CLASS_CHARACTERS]


def _keys(event: object) -> Sequence[str]:
    """Return the object keys of an S3 event or of an event of a result; others have none."""
    try:
        if "detail" in event:  # type: ignore[operator]  # tried out
            return [event["detail"]["key"]]  # type: ignore[index]  # tried out
        records: Sequence[Mapping[str, Any]] = event["Records"]  # type: ignore[index]  # tried out
        return [unquote_plus(record["s3"]["object"]["key"]) for record in records]
    except (AttributeError, KeyError, TypeError):
        return []
