"""Settings of the API, read from the environment once per process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides; the defaults are those of the Terraform modules.

    Attributes:
        bucket: name of the bucket.
        environment: suffix of the deployment's names.
        version: SHA-256 of the deployed zip (base64), told by `GET /status`.
        cors_allowed_origins: origins whose pages may read the answers; `*` for any.
        max_upload_bytes: largest upload in bytes.
        accepted_extensions: lower-case file name endings, each with its dot.
        upload_url_ttl_seconds: how long an upload form is good for.
        download_url_ttl_seconds: how long a download link is good for.
        enable_delete: whether clients may delete files.
        reprocess_functions: Lambda function by extension; empty when clients may not ask for
            files to be processed again.
    """

    bucket: str
    environment: str = "unknown"
    version: str = "unknown"
    cors_allowed_origins: frozenset[str] = frozenset({"*"})
    max_upload_bytes: int = 100 * _MEBIBYTE
    accepted_extensions: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".json", ".csv")
    upload_url_ttl_seconds: int = 900
    download_url_ttl_seconds: int = 300
    enable_delete: bool = False
    reprocess_functions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings from environment variables; see the attributes for their meaning.

        `REPROCESS_FUNCTIONS` is a JSON object, extension to function name, and counts only where
        `ENABLE_REPROCESS` is `true`.

        Raises:
            KeyError: `BUCKET` is missing.
            ValueError: a number or `REPROCESS_FUNCTIONS` cannot be read.
        """
        default = cls(bucket="")
        reprocess = environment.get("ENABLE_REPROCESS") == "true"
        return cls(
            bucket=environment["BUCKET"],
            environment=environment.get("ENVIRONMENT", default.environment),
            version=environment.get("CODE_SHA256", default.version),
            cors_allowed_origins=frozenset(_words(environment, "CORS_ALLOWED_ORIGINS") or {"*"}),
            max_upload_bytes=int(environment.get("MAX_UPLOAD_BYTES", default.max_upload_bytes)),
            accepted_extensions=tuple(
                extension.lower() for extension in _words(environment, "ACCEPTED_EXTENSIONS")
            )
            or default.accepted_extensions,
            upload_url_ttl_seconds=int(
                environment.get("UPLOAD_URL_TTL_SECONDS", default.upload_url_ttl_seconds)
            ),
            download_url_ttl_seconds=int(
                environment.get("DOWNLOAD_URL_TTL_SECONDS", default.download_url_ttl_seconds)
            ),
            enable_delete=environment.get("ENABLE_DELETE") == "true",
            reprocess_functions=(
                json.loads(environment.get("REPROCESS_FUNCTIONS", "{}")) if reprocess else {}
            ),
        )


def _words(environment: Mapping[str, str], name: str) -> list[str]:
    """Return the comma-separated parts of a variable, without blanks and empty parts."""
    return [word.strip() for word in environment.get(name, "").split(",") if word.strip()]
