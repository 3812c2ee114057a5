"""What S3 does with a form that the emulator does not: check the checksum, and store the tags."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from xml.sax.saxutils import unescape

from scripts.emulator.aws_rules import Refusal, read_body, receiving, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.emulator.aws_rules import Application

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)')
_NAME: Final = re.compile(rb'name="([^"]*)"')
_TAG: Final = re.compile(r"<Key>([^<]*)</Key>\s*<Value>([^<]*)</Value>")
_CHECKSUM: Final = "x-amz-checksum-sha256"


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A form that stores an object: its bucket, its fields, and the object's content."""

    bucket: str
    fields: Mapping[str, str]
    content: bytes

    @staticmethod
    def is_in(scope: Mapping[str, Any]) -> bool:
        """Return whether a request has a form as its body."""
        content_type = dict(scope["headers"]).get(b"content-type", b"")
        is_form: bool = content_type.startswith(b"multipart/form-data")
        return is_form and scope["method"] == "POST"

    @classmethod
    def parse(cls, scope: Mapping[str, Any], body: bytes) -> Self:
        """Read the form of a request."""
        content_type = dict(scope["headers"])[b"content-type"].decode("latin-1")
        boundary = _BOUNDARY.search(content_type)
        parts = body.split(b"\r\n--" + boundary[1].encode()) if boundary else []
        fields: dict[str, str] = {}
        content = b""
        for part in parts:
            head, _, value = part.partition(b"\r\n\r\n")
            name = _NAME.search(head)
            if name and name[1] == b"file":
                content = value
            elif name:
                fields[name[1].decode().lower()] = value.decode()
        return cls(scope["path"].strip("/"), fields, content)

    def refusal(self) -> Refusal | None:
        """Return with what S3 refuses the form; None when nothing is wrong with it.

        "Checking object integrity in Amazon S3", S3 User Guide; that forms have a checksum is what
        aws-s3-presigned-post tests against S3 (dyegosutil/aws-s3-presigned-post, pull request 31).
        """
        checksum = self.fields.get(_CHECKSUM)
        found = base64.b64encode(hashlib.sha256(self.content).digest()).decode()
        if checksum in {None, found}:
            return None
        return Refusal(
            "BadDigest", "The SHA256 you specified did not match the calculated checksum."
        )

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the object (S3: POST Object, the field `tagging`)."""
        found = _TAG.findall(self.fields.get("tagging", ""))
        return {unescape(name): unescape(text) for name, text in found}


class Tagger(Protocol):
    """What stores the tags of an object."""

    def tag(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        """Tag an object."""


def with_forms(app: Application, account: Tagger) -> Application:
    """Return an application that treats forms as S3 does."""

    async def served(scope: dict[str, Any], receive: Any, send: Any, *others: object) -> None:  # noqa: ANN401 - ASGI's callables
        if scope["type"] != "http" or not UploadForm.is_in(scope):
            await app(scope, receive, send, *others)
            return
        body = await read_body(receive)
        form = await asyncio.to_thread(UploadForm.parse, scope, body)
        refusal = await asyncio.to_thread(form.refusal)
        if refusal:
            await refuse(send, "s3", scope, refusal)
            return

        async def answered(message: dict[str, Any]) -> None:
            if form.tags and message.get("status", 400) < 300:
                await asyncio.to_thread(account.tag, form.bucket, form.fields["key"], form.tags)
            await send(message)

        await app(scope, receiving(body), answered, *others)

    return served
