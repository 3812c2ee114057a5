from __future__ import annotations

import pytest

from api_handler.settings import Settings


def test_all_but_the_bucket_has_a_default() -> None:
    assert Settings.from_environment({"BUCKET": "b"}) == Settings(bucket="b")


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "BUCKET": "b",
            "ENVIRONMENT": "dev",
            "CODE_SHA256": "1.2.3",
            "CORS_ALLOWED_ORIGINS": "https://a.example, https://b.example,",
            "MAX_UPLOAD_BYTES": "10",
            "ACCEPTED_EXTENSIONS": ".JPG, .csv",
            "UPLOAD_URL_TTL_SECONDS": "60",
            "DOWNLOAD_URL_TTL_SECONDS": "30",
            "ENABLE_DELETE": "true",
            "ENABLE_REPROCESS": "true",
            "REPROCESS_FUNCTIONS": '{".jpg": "image-processor-dev"}',
        }
    )
    assert settings == Settings(
        bucket="b",
        environment="dev",
        version="1.2.3",
        cors_allowed_origins=frozenset({"https://a.example", "https://b.example"}),
        max_upload_bytes=10,
        accepted_extensions=(".jpg", ".csv"),
        upload_url_ttl_seconds=60,
        download_url_ttl_seconds=30,
        enable_delete=True,
        reprocess_functions={".jpg": "image-processor-dev"},
    )


def test_reprocessing_is_off_unless_enabled() -> None:
    settings = Settings.from_environment({"BUCKET": "b", "REPROCESS_FUNCTIONS": '{".jpg": "f"}'})
    assert settings.reprocess_functions == {}


def test_a_function_without_a_bucket_does_not_start() -> None:
    with pytest.raises(KeyError, match="BUCKET"):
        Settings.from_environment({})
