from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_long_uploads_with_the_same_beginning_have_different_prefixes() -> None:
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


@pytest.mark.parametrize(
    ("identity", "folder"),
    [
        ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
        ("ada@example.com", "ada.40example.2Ecom"),
        ("..", ".2E.2E"),
        ("../bob", ".2E.2E.2Fbob"),
        ("ada/", "ada.2F"),
        ("ada.2F", "ada.2E2F"),
        ("José", "Jos.C3.A9"),
        ("Jose\u0301", "Jose.CC.81"),
        ("\ud800", ".ED.A0.80"),
        (
            "arn:aws:sts::123456789012:assumed-role/App/ada",
            "arn.3Aaws.3Asts.3A.3A123456789012.3Aassumed-role.2FApp.2Fada",
        ),
        ("0192f0c1-2d3e-7a4b-8c5d-6e7f80910213", ".30192f0c1-2d3e-7a4b-8c5d-6e7f80910213"),
    ],
)
def test_each_identity_has_a_folder_of_its_own(identity: str, folder: str) -> None:
    assert keys.owner_folder(identity) == folder


def test_a_long_identity_is_cut_and_stays_unique() -> None:
    one, other, cut = (keys.owner_folder("x" * n) for n in (1000, 1001, 128))
    assert len(one) == len(other) == len(cut) == 128
    assert len({one, other, cut}) == 3
    # An identity cannot be written like the folder of another one.
    assert keys.owner_folder(one) != one


def test_the_owner_of_an_upload_stands_in_its_key() -> None:
    upload = f"{keys.time_ordered_id()}/beach.jpg"
    assert keys.owner_of(f"uploads/ada/{upload}") == "ada"
    for ownerless in (f"uploads/{upload}", "uploads/2026/01/beach.jpg", "uploads/beach.jpg"):
        assert keys.owner_of(ownerless) is None


@given(st.text(), st.text())
def test_no_identity_reaches_the_folder_of_another_one(one: str, other: str) -> None:
    folders = {identity: keys.owner_folder(identity) for identity in (one, other)}
    assert len(set(folders.values())) == len(folders)
    for folder in folders.values():
        assert "/" not in folder
        assert ".." not in folder
        assert keys.owner_of(f"uploads/{folder}/x.jpg") is None


def test_each_owner_has_own_notes_of_contents() -> None:
    assert keys.note_key(None, "5f") == "processed/.sha256/.shared/5f"
    assert keys.note_key("ada", "5f") == "processed/.sha256/ada/5f"
    for name in (".sha256", ".shared"):
        assert keys.owner_folder(name) != name
