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


@pytest.mark.parametrize("name", ["x" * 1016, "ü" * 508, "x" + "漢" * 338])
def test_derived_keys_of_the_longest_upload_fit_into_s3(name: str) -> None:
    key = keys.output_key(f"uploads/{name}", "0123456789abcdef", "thumbnail-1600.webp")
    assert len(key.encode()) <= 1024
    assert key.startswith(f"processed/{name[:290]}")
    assert key.encode().decode() == key


def test_long_uploads_with_the_same_beginning_are_told_apart() -> None:
    one, other = (keys.derived_prefix(f"uploads/{'x' * 1000}{end}") for end in "ab")
    assert one != other
    assert len(keys.derived_prefix("uploads/" + "x" * 900)) == len("processed/") + 901
    # The shortened name of one is no short name of another.
    assert keys.derived_prefix("uploads/" + one[10:-1]) != one


@pytest.mark.parametrize(
    ("key", "kind", "starts"),
    [
        ("uploads/1/t.csv", ".csv", True),
        ("uploads/1/T.CSV", ".csv", True),
        ("uploads/1/t.Csv", ".csv", True),
        ("uploads/1/t.cSv", ".csv", False),
        ("uploads/1/t.csv.gz", ".csv.gz", True),
        ("uploads/1/t.CSV.GZ", ".csv.gz", True),
        ("uploads/1/t.csv.GZ", ".csv.gz", False),
        ("uploads/1.csv/t.txt", None, False),
        ("uploads/1/csv", None, False),
    ],
)
def test_the_kind_of_a_file_and_whether_s3_starts_its_function(
    key: str, kind: str | None, *, starts: bool
) -> None:
    kinds = (".csv", ".csv.gz")
    assert keys.kind_of(key, kinds) == kind
    assert keys.starts_function(key, kinds) is starts
