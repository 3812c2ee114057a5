"""Settings of a function: attributes of a dataclass, read from environment variables.

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Settings(FromEnvironment):
        max_pages: Annotated[int, Setting("pages that are read", at_least=1, at_most=99)] = 10

    settings = Settings.from_environment(os.environ)  # MAX_PAGES=20

This declaration is the one place of a setting. The inputs of `modules/serverless_stack` and the
tables of docs/ are written from it, see `scripts/docs/settings.py`.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import MISSING, dataclass, fields
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    Self,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_SWITCH: Final = {"true": True, "false": False}


class SettingError(ValueError):
    """An environment variable is missing, or has a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Description and limits of a setting.

    Attributes:
        description: a phrase for operators.
        at_least: lowest number that is allowed.
        at_most: highest number that is allowed.
        variable: name of the environment variable; by default the attribute's, in capitals.
        members: names, for a text that is empty or a JSON object with some of them.
        pattern: regular expression that a text must match as a whole.
        example: of a text that matches.
    """

    description: str
    at_least: float = 0
    at_most: float = math.inf
    variable: str | None = None
    members: tuple[str, ...] = ()
    pattern: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A setting as its class declares it.

    Attributes:
        name: of the attribute.
        type: int, float, bool, str, a `Literal` of words, a tuple of one of these, or a dict,
            which is given as JSON.
        default: value where the variable is unset or empty; `MISSING` when it must be set.
        about: the rest.
    """

    name: str
    type: Any
    default: Any
    about: Setting

    @property
    def variable(self) -> str:
        """Name of the environment variable."""
        return self.about.variable or self.name.upper()

    @property
    def is_list(self) -> bool:
        """Return whether the value is a tuple, given with commas."""
        return get_origin(self.type) is tuple

    @property
    def item_type(self) -> Any:  # noqa: ANN401 - a type, or a form of typing
        """Type of the value, or of each value of a tuple."""
        return get_args(self.type)[0] if self.is_list else self.type

    @property
    def words(self) -> tuple[str, ...]:
        """The words of which a value is one; empty when it is no `Literal`."""
        return get_args(self.item_type) if get_origin(self.item_type) is Literal else ()

    @property
    def allowed(self) -> str:
        """Phrase that says what a value may be."""
        if self.words:
            return f"{'some' if self.is_list else 'one'} of {', '.join(self.words)}"
        if self.item_type in {int, float}:
            kind = "whole number" if self.item_type is int else "number"
            limits = f"from {self.about.at_least} to {self.about.at_most}"
            return f"{kind}s {limits}" if self.is_list else f"a {kind} {limits}"
        if self.about.pattern:
            return f"{'texts' if self.is_list else 'a text'} such as {self.about.example}"
        if self.about.members:
            return f"a JSON object of some of {', '.join(self.about.members)}"
        return {bool: "true or false", str: "a text"}.get(self.item_type, "a JSON object")

    def parse(self, text: str) -> Any:  # noqa: ANN401 - any of the types above
        """Return the value that a text stands for.

        Raises:
            SettingError: the text stands for none.
        """
        try:
            if not self.is_list:
                return self._item(text)
            parts = (part.strip() for part in text.split(","))
            return tuple(dict.fromkeys(self._item(part) for part in parts if part))
        except (KeyError, ValueError):
            raise SettingError(f"{self.variable} is {text!r}: give {self.allowed}") from None

    def _item(self, text: str) -> Any:  # noqa: ANN401 - as above
        if self.words:
            return self.words[self.words.index(text.lower())]
        if self.item_type is bool:
            return _SWITCH[text.lower()]
        if self.item_type is str:
            if self.about.pattern and not re.fullmatch(self.about.pattern, text):
                raise ValueError(text)
            return text
        if self.item_type in {int, float}:
            number = self.item_type(text)
            if not self.about.at_least <= number <= self.about.at_most:
                raise ValueError(text)
            return number
        return json.loads(text)


def declared(kind: type[Any]) -> tuple[Declared, ...]:
    """Return the settings of a class, in their order."""
    types = get_type_hints(kind, include_extras=True)
    found = []
    for attribute in fields(kind):
        form, about = get_args(types[attribute.name])
        found.append(Declared(attribute.name, form, attribute.default, about))
    return tuple(found)


class FromEnvironment:
    """Base of a settings class."""

    __slots__ = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the settings that environment variables give.

        Raises:
            SettingError: a value cannot be used, or one that has no default is missing.
        """
        values = {}
        for one in declared(cls):
            text = environment.get(one.variable)
            if text:
                values[one.name] = one.parse(text)
            elif one.default is MISSING:
                raise SettingError(f"{one.variable} is not set: give {one.about.description}")
        return cls(**values)
