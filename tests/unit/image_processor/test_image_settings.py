from __future__ import annotations

import pytest

from image_processor.settings import Settings, SettingsError

ALL = {
    "THUMBNAIL_SIZES": "100, 300",
    "THUMBNAIL_FORMAT": "AVIF",
    "THUMBNAIL_QUALITY": "60",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
    "MAX_FILE_MB": "5",
    "MAX_PIXELS": "1000",
    "MAX_METADATA_KB": "7",
    "MAX_JPEG_SCANS": "9",
    "ALLOW_TRUNCATED": "true",
    "RECORD_LOCATION": "True",
}


def test_unset_and_empty_variables_mean_the_defaults() -> None:
    assert Settings.from_environment({"THUMBNAIL_SIZES": ""}) == Settings()


def test_every_variable_is_read() -> None:
    settings = Settings.from_environment(ALL)
    assert settings == Settings(
        thumbnail_sizes=(300, 100),
        thumbnail_format="avif",
        thumbnail_quality=60,
        memory_mb=1024,
        max_file_mb=5,
        max_pixels=1000,
        max_metadata_kb=7,
        max_jpeg_scans=9,
        allow_truncated=True,
        record_location=True,
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("THUMBNAIL_SIZES", "160,big", "from 16 to 4096"),
        ("THUMBNAIL_SIZES", "8", "from 16 to 4096"),
        ("THUMBNAIL_FORMAT", "heic", "webp, jpeg, png, avif"),
        ("THUMBNAIL_QUALITY", "101", "from 1 to 100"),
        ("ALLOW_TRUNCATED", "perhaps", "true or false"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_and_what_is_allowed(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(SettingsError, match=f"{name} is .*{allowed}"):
        Settings.from_environment({name: value})
