"""Sections of the spec whose entries are checked by a pydantic model, with mistakes told in plain words."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ValidationError, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema

from labspec.core.resource import Resource
from labspec.kinds.mistakes import mistakes
from labspec.kinds.naming import NAME_PATTERN, USUAL_NAMES
from labspec.kinds.provider import Naming, Scope

SIZE_PATTERN = r"^[0-9]+ ?([bB]|[kKmMgGtT][bB]?)?$"
_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LONGEST_NAME = 255


class ModelSection(ABC):
    """A section whose entries have the form of `model`: a pydantic model, closed with `extra="forbid"`.

    The model only checks, without converting anything: `resources` gets the entry as it is written. Its schema has
    a description for every key: the text below it in the model.
    """

    name: str
    kind: str
    model: type[BaseModel]
    naming: Naming = USUAL_NAMES

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry, and return whether there was none."""
        return check_model(self.model, entry, (self.name, name), f"{self.kind} '{name}'", scope)

    @abstractmethod
    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return what one entry of good form asks for; mistakes of meaning go to `scope.error`."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one entry, references to its own `$defs` included."""
        return model_schema(self.model)


def goes_with_external(
    entry: Mapping[str, Any], keys: Iterable[str], path: Sequence[str | int], kind: str, scope: Scope
) -> bool:
    """Report the first of `keys` that an external object is given, and return whether there was none."""
    key = next((key for key in keys if entry.get(key)), None) if entry.get("external") else None
    if key is None:
        return True
    hint = f"labspec never changes an external {kind}: remove this key, or 'external'"
    scope.error((*path, key), f"{kind} '{path[-1]}' is external and has {key}", hint, key=True)
    return False


def check_model(model: type[BaseModel], value: Any, path: Sequence[str | int], what: str, scope: Scope) -> bool:
    """Report to `scope` every mistake of form in the value at `path`, and return whether there was none.

    `what` names the value in messages: "volume 'foo'".
    """
    try:
        model.model_validate(value, strict=True)
    except ValidationError as error:
        for mistake in mistakes(error, model, value, what):
            scope.error((*path, *mistake.path), mistake.message, mistake.hint, key=mistake.key)
        return False
    return True


def check_languages(words: Any, path: Sequence[str | int], scope: Scope) -> None:
    """Report the languages of the lab that a translated text at `path` lacks."""
    if isinstance(words, Mapping):
        lacking = [language for language in scope.languages if language not in words]
        if lacking:
            hint = "add it, or write one text for all languages; 'lab.languages' names them"
            scope.error(path, f"the text is not there in {' and '.join(lacking)}", hint)


def model_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a model, without the titles and defaults that repeat the names."""
    return model.model_json_schema(schema_generator=_Schema)


class _Schema(GenerateJsonSchema):
    """The generator of pydantic, less what an editor would show for no use."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  pydantic's signature
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        made = super().default_schema(schema)
        if made.get("default", ...) is None:
            del made["default"]
        return made

    def model_schema(self, schema: Any) -> dict[str, Any]:
        from labspec.kinds.descriptions import descriptions

        made = super().model_schema(schema)
        made.pop("title", None)
        fields, said = schema["cls"].model_fields, descriptions(schema["cls"])
        keys = {fields[name].alias or name: text for name, text in said.items() if name in fields}
        for key, value in made.get("properties", {}).items():
            if key in keys and "description" not in value:
                made["properties"][key] = {**value, "description": keys[key]}
        return made


def size_bytes(value: int | str) -> int:
    """Return a size as a number of bytes: 1024, "1024", "100m", "1gb", with units of 1024 as Docker has them.

    Raises ValueError for anything else.
    """
    if isinstance(value, int):
        if value < 0:
            raise ValueError(f"{value} is not a size: it is negative")
        return value
    if not re.fullmatch(SIZE_PATTERN, value) or len(value) > 24:
        raise ValueError(f"'{value}' is not a size: write a number of bytes, or a number with k, m or g such as 100m")
    number = value.rstrip("bBkKmMgGtT ")
    return int(number) * _UNITS[value[len(number) :].strip().lower()[:1]]


def _name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise ValueError(
            f"{value!r} is not a name: use letters, digits, '_', '.' and '-', and begin with a letter or digit"
        )
    if len(value) > _LONGEST_NAME:
        raise ValueError(f"the name is too long: {len(value)} characters, of at most {_LONGEST_NAME}")
    return value


def _text(value: str) -> str:
    return _without_controls(value, "\n\t")


def _line(value: str) -> str:
    return _without_controls(value, "")


def _without_controls(value: str, allowed: str) -> str:
    if value.isprintable():
        return value
    for char in value:
        if char not in allowed and (char < " " or "\x7f" <= char <= "\x9f" or char in "\u2028\u2029"):
            raise ValueError(f"control character {char!r} in the text: remove it")
    return value


def _size(value: int | str) -> int | str:
    size_bytes(value)
    return value


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": NAME_PATTERN})]
"""The name of an object on the host; it can be neither an option nor a path."""
Text = Annotated[str, AfterValidator(_text), WithJsonSchema({"type": "string"})]
"""Text without control characters; it may have several lines."""
Line = Annotated[str, AfterValidator(_line), WithJsonSchema({"type": "string"})]
"""One line of text without control characters."""
Translated = Text | dict[Literal["en", "fr"], Text]
"""Text for people: the same in every language of the lab, or {en: ..., fr: ...}; `check_languages` compares."""
Size = Annotated[
    int | str,
    AfterValidator(_size),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": SIZE_PATTERN}]}),
]
"""A number of bytes, or text such as 100m; `size_bytes` reads it."""
