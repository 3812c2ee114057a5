"""Settings of the API, read from the environment once per process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        content_types: what a client may call such a file; the first one is stored.
        function: name of the Lambda function that processes it.
    """

    content_types: tuple[str, ...]
    function: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides; the defaults are those of the Terraform modules.

    Attributes:
        bucket: name of the bucket.
        kinds: what is accepted, by the ending of the file's name in lower case (`.csv`).
        environment: suffix of the deployment's names.
        version: SHA-256 of the deployed zip (base64), told by `GET /status`.
        cors_allowed_origins: origins whose pages may read the answers; `*` for any.
        max_upload_bytes: largest upload in bytes.
        upload_url_ttl_seconds: how long an upload form is good for.
        download_url_ttl_seconds: how long a download link is good for.
        enable_delete: whether clients may delete files.
        enable_reprocess: whether clients may have files processed again.
    """

    bucket: str
    kinds: Mapping[str, Kind]
    environment: str = "unknown"
    version: str = "unknown"
    cors_allowed_origins: frozenset[str] = frozenset({"*"})
    max_upload_bytes: int = 100 * _MEBIBYTE
    upload_url_ttl_seconds: int = 900
    download_url_ttl_seconds: int = 300
    enable_delete: bool = False
    enable_reprocess: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables; see the attributes for their meaning.

        `KINDS` is a JSON object, {".csv": {"content_types": ["text/csv"], "function": "name"}}.

        Raises:
            KeyError: `BUCKET_NAME` or `KINDS` is missing.
            ValueError: a number or `KINDS` cannot be read.
        """
        default = cls(bucket="", kinds={})
        return cls(
            bucket=environment["BUCKET_NAME"],
            kinds={
                ending: Kind(tuple(kind["content_types"]), kind["function"])
                for ending, kind in json.loads(environment["KINDS"]).items()
            },
            environment=environment.get("ENVIRONMENT", default.environment),
            version=environment.get("CODE_SHA256", default.version),
            cors_allowed_origins=frozenset(_words(environment, "CORS_ALLOWED_ORIGINS") or {"*"}),
            max_upload_bytes=int(environment.get("MAX_UPLOAD_BYTES", default.max_upload_bytes)),
            upload_url_ttl_seconds=int(
                environment.get("UPLOAD_URL_TTL_SECONDS", default.upload_url_ttl_seconds)
            ),
            download_url_ttl_seconds=int(
                environment.get("DOWNLOAD_URL_TTL_SECONDS", default.download_url_ttl_seconds)
            ),
            enable_delete=environment.get("ENABLE_DELETE") == "true",
            enable_reprocess=environment.get("ENABLE_REPROCESS") == "true",
        )


def _words(environment: Mapping[str, str], name: str) -> list[str]:
    """Return the comma-separated parts of a variable, without blanks and empty parts."""
    return [word.strip() for word in environment.get(name, "").split(",") if word.strip()]
