from __future__ import annotations

import pytest

from api_handler.settings import Kind, Settings


def test_all_but_the_bucket_and_the_kinds_has_a_default() -> None:
    assert Settings.from_environment({"BUCKET_NAME": "b", "KINDS": "{}"}) == Settings("b", {})


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "BUCKET_NAME": "b",
            "KINDS": '{".jpg": {"content_types": ["image/jpeg"], "function": "f"}}',
            "ENVIRONMENT": "dev",
            "CODE_SHA256": "1.2.3",
            "CORS_ALLOWED_ORIGINS": "https://a.example, https://b.example,",
            "MAX_UPLOAD_BYTES": "10",
            "UPLOAD_URL_TTL_SECONDS": "60",
            "DOWNLOAD_URL_TTL_SECONDS": "30",
            "ENABLE_DELETE": "true",
            "ENABLE_REPROCESS": "true",
        }
    )
    assert settings == Settings(
        bucket="b",
        kinds={".jpg": Kind(("image/jpeg",), "f")},
        environment="dev",
        version="1.2.3",
        cors_allowed_origins=frozenset({"https://a.example", "https://b.example"}),
        max_upload_bytes=10,
        upload_url_ttl_seconds=60,
        download_url_ttl_seconds=30,
        enable_delete=True,
        enable_reprocess=True,
    )


def test_a_function_without_a_bucket_does_not_start() -> None:
    with pytest.raises(KeyError, match="BUCKET_NAME"):
        Settings.from_environment({})
