"""Settings are read from environment variables as their class declares them."""

from dataclasses import MISSING, dataclass, replace
from typing import Annotated, Any, Literal

import pytest

from api_handler.settings import Settings as ApiSettings
from data_transformer.settings import Settings as TableSettings
from image_processor.settings import Settings as ImageSettings
from uploads.settings import FromEnvironment, Setting, SettingError, declared


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(FromEnvironment):
    name: Annotated[str, Setting("what it is called")]
    pages: Annotated[int, Setting("pages that are read", at_least=1, at_most=99)] = 10
    share: Annotated[float, Setting("share of bad lines", at_least=0, at_most=1)] = 0.5
    strict: Annotated[bool, Setting("refuse bad lines")] = False
    form: Annotated[Literal["text", "html"], Setting("form of the output")] = "text"
    forms: Annotated[tuple[Literal["a", "b"], ...], Setting("forms")] = ("a",)
    sizes: Annotated[tuple[int, ...], Setting("sizes", at_least=1, at_most=9)] = (1, 2)
    places: Annotated[tuple[str, ...], Setting("places")] = ()
    shape: Annotated[str, Setting("shape", pattern="[0-9]x[0-9]", example="3x4")] = "1x1"
    shapes: Annotated[tuple[str, ...], Setting("shapes", pattern="[0-9]", example="3")] = ()
    kinds: Annotated[dict[str, str] | None, Setting("kinds")] = None
    memory: Annotated[int, Setting("MB", at_least=1, at_most=9999, variable="MEMORY_SIZE")] = 128


NAMED = Settings(name="n")


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("PAGES", "7", {"pages": 7}),
        ("PAGES", "", {}),
        ("SHARE", "0.25", {"share": 0.25}),
        ("SHARE", "1", {"share": 1}),
        ("STRICT", "True", {"strict": True}),
        ("STRICT", "false", {}),
        ("FORM", "HTML", {"form": "html"}),
        ("FORMS", "b, a", {"forms": ("b", "a")}),
        ("SIZES", "3,1,3,", {"sizes": (3, 1)}),
        ("PLACES", "x, y", {"places": ("x", "y")}),
        ("SHAPE", "3x4", {"shape": "3x4"}),
        ("SHAPES", "3,4", {"shapes": ("3", "4")}),
        ("KINDS", '{"a": "b"}', {"kinds": {"a": "b"}}),
        ("MEMORY_SIZE", "256", {"memory": 256}),
        ("MEMORY", "256", {}),
    ],
)
def test_a_variable_sets_its_attribute(variable: str, text: str, expected: dict[str, Any]) -> None:
    assert Settings.from_environment({"NAME": "n", variable: text}) == replace(NAMED, **expected)


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("PAGES", "0", "a whole number from 1 to 99"),
        ("PAGES", "1.5", "a whole number from 1 to 99"),
        ("PAGES", "many", "a whole number from 1 to 99"),
        ("SHARE", "nan", "a number from 0 to 1"),
        ("SHAPE", "3x4x5", "a text such as 3x4"),
        ("SHAPES", "3,10", "texts such as 3"),
        ("STRICT", "perhaps", "true or false"),
        ("FORM", "pdf", "one of text, html"),
        ("FORMS", "a,c", "some of a, b"),
        ("SIZES", "1,10", "whole numbers from 1 to 9"),
        ("KINDS", "{", "a JSON object"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(variable: str, text: str, allowed: str) -> None:
    with pytest.raises(SettingError) as refusal:
        Settings.from_environment({"NAME": "n", variable: text})
    assert str(refusal.value) == f"{variable} is {text!r}: give {allowed}"


def test_a_setting_without_default_must_be_given() -> None:
    with pytest.raises(SettingError, match="NAME is not set: give what it is called"):
        Settings.from_environment({"NAME": ""})


def test_a_text_is_described() -> None:
    assert declared(Settings)[0].allowed == "a text"


@pytest.mark.parametrize("settings", [ApiSettings, ImageSettings, TableSettings])
def test_every_default_is_allowed(settings: type[Any]) -> None:
    for one in declared(settings):
        if one.default not in {MISSING, None}:
            values = one.default if one.is_list else [one.default]
            text = ",".join(str(value) for value in values)
            assert one.parse(text) == one.default


def test_the_api_reads_what_the_stack_gives() -> None:
    settings = ApiSettings.from_environment(
        {
            "BUCKET_NAME": "b",
            "KINDS": '{"f": {".jpg": ["image/jpeg"]}}',
            "CODE_SHA256": "abc",
        },
    )
    assert settings == ApiSettings("b", {"f": {".jpg": ["image/jpeg"]}}, version="abc")
    assert settings.kinds == {".jpg": (["image/jpeg"], "f")}
