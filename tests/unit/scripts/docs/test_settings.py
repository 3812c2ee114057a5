"""Settings as Terraform and the documents show them."""

from scripts.docs import settings


def test_a_setting_is_a_row_with_its_default_and_what_is_allowed() -> None:
    row = (
        "| `thumbnail_quality` | `80` | quality of WebP, JPEG and AVIF thumbnails "
        "| a whole number from 1 to 100 |"
    )
    assert row in settings.table("image_processor")


def test_what_lambda_tells_is_no_setting_of_an_operator() -> None:
    assert "memory_mb`" not in settings.table("image_processor")


def test_a_setting_is_an_optional_attribute() -> None:
    attributes = settings.settings("data_transformer").splitlines()
    words = [" ".join(line.split()) for line in attributes]
    assert (
        'output_formats = optional(list(string), ["parquet"]) # Files that are made of a table.'
        in words
    )
    assert len({line.index("#") for line in attributes}) == 1


def test_what_has_no_limits_has_no_validation() -> None:
    validations = settings.validations("image_processor")
    assert "image_processor.thumbnail_format must be one of webp, jpeg, png, avif" in validations
    assert "record_location" not in validations
