from __future__ import annotations

import pytest

from uploads import keys


def test_everything_derived_lies_below_the_name_of_the_upload() -> None:
    assert keys.derived_prefix("uploads/a/b c.jpg") == "processed/a/b c.jpg/"
    assert keys.result_key("uploads/a.jpg") == "processed/a.jpg/result.json"
    assert keys.output_key("uploads/a.jpg", "r1", "t.webp") == "processed/a.jpg/r1/t.webp"


@pytest.mark.parametrize("key", ["", "uploads/", "processed/a.jpg", "a/uploads/b", "Uploads/a"])
def test_other_keys_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="must start with 'uploads/'"):
        keys.derived_prefix(key)
