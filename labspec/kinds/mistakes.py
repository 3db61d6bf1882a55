"""What pydantic finds wrong with a value, in plain words: one mistake for each place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from labspec.core.diagnostic import did_you_mean
from labspec.kinds.mistake import Mistake, Path, shown

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}
_LIMITS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    "string_too_short": "at least {min_length} character(s)",
    "string_too_long": "at most {max_length} character(s)",
    "too_short": "at least {min_length} item(s)",
    "too_long": "at most {max_length} item(s)",
    "string_pattern_mismatch": "text of the form {pattern}",
}


@dataclass(frozen=True, slots=True)
class _Error:
    """An error of pydantic whose location is told apart into keys of the value and names of union branches."""

    places: tuple[tuple[str | int, bool], ...]
    """(element, whether it is a key or index of the value)"""
    type: str
    value: Any
    context: Mapping[str, Any]
    text: str
    expected: tuple[str, ...] = ()
    on_key: bool = False

    @property
    def path(self) -> Path:
        return tuple(element for element, real in self.places if real)

    def mismatch_at(self, depth: int) -> bool:
        """Return whether the value at this depth is of another type altogether."""
        return self.type in _EXPECTED and not any(real for _, real in self.places[depth:])


def mistakes(error: ValidationError, model: type[BaseModel], value: Any, what: str) -> Iterator[Mistake]:
    """Yield the mistakes in `value`, named `what` in messages; of a union only the branch that was meant."""
    found = [_placed(item, value) for item in error.errors(include_url=False)]
    for item in _pruned(found, 0):
        yield _mistake(item, model, what)


def _placed(item: Any, value: Any) -> _Error:
    location: tuple[str | int, ...] = item["loc"]
    on_key = bool(location) and location[-1] == "[key]"
    if on_key:
        location = location[:-1]
    missing: tuple[tuple[str | int, bool], ...] = ()
    target = item["input"]
    if item["type"] == "missing":
        missing = ((location[-1], True),)
        location = location[:-1]
    places = next(_readings(location, value, None if on_key else target), None)
    if places is None:
        places = next(_readings(location, value, None), tuple((element, False) for element in location))
    context = item.get("ctx", {})
    return _Error((*places, *missing), item["type"], target, context, item["msg"], on_key=on_key)


def _readings(
    location: Sequence[str | int], value: Any, target: Any, done: tuple[tuple[str | int, bool], ...] = ()
) -> Iterator[tuple[tuple[str | int, bool], ...]]:
    """Yield the ways to read a location as keys of the value and names of union branches, that end at `target`.

    pydantic names a branch as if it were a key, so only the object at the end tells which reading is right.
    """
    if not location:
        if target is None or value is target:
            yield done
        return
    element, *rest = location
    inside = isinstance(value, Mapping) and element in value
    if inside or (isinstance(value, list) and isinstance(element, int) and element < len(value)):
        yield from _readings(rest, value[element], target, (*done, (element, True)))
    if isinstance(element, str):
        yield from _readings(rest, value, target, (*done, (element, False)))


def _pruned(errors: Sequence[_Error], depth: int) -> Iterator[_Error]:
    """Yield the errors that matter: where a union starts at this depth, those of the branch that was meant."""
    yield from (error for error in errors if len(error.places) == depth)
    deeper = [error for error in errors if len(error.places) > depth]
    for element, group in _grouped(deeper, depth).items():
        if element is not None:
            yield from _pruned(group, depth + 1)
        else:
            yield from _of_union(group, depth)


def _grouped(errors: Iterable[_Error], depth: int) -> dict[str | int | None, list[_Error]]:
    """Group errors by their key at a depth; None for those of the branches of a union."""
    groups: dict[str | int | None, list[_Error]] = {}
    for error in errors:
        element, real = error.places[depth]
        groups.setdefault(element if real else None, []).append(error)
    return groups


def _of_union(errors: Sequence[_Error], depth: int) -> Iterator[_Error]:
    branches = [list(group) for _, group in groupby(errors, key=lambda error: error.places[depth][0])]
    meant = [branch for branch in branches if not any(error.mismatch_at(depth) for error in branch)]
    if meant:
        yield from _pruned(min(meant, key=len), depth + 1)
        return
    expected = tuple(dict.fromkeys(_EXPECTED[error.type] for error in errors if error.mismatch_at(depth)))
    first = errors[0]
    yield _Error(first.places[:depth], first.type, first.value, first.context, first.text, expected)


def _mistake(error: _Error, model: type[BaseModel], what: str) -> Mistake:
    path = error.path
    match error.type:
        case "extra_forbidden":
            known = sorted(_known_keys(model, path[:-1]))
            hint = did_you_mean(str(path[-1]), known) or f"known keys: {', '.join(known)}"
            return Mistake(path, f"unknown key '{path[-1]}' in {_inside(path[:-1], what)}", hint, key=True)
        case "missing":
            return Mistake(path[:-1], f"{_inside(path[:-1], what)} lacks the key '{path[-1]}'", key=True)
        case "literal_error" | "enum":
            return _not_a_choice(path, error)
        case "value_error" | "assertion_error":
            return Mistake(path, str(error.context.get("error", error.text)), key=error.on_key)
    if error.type in _EXPECTED:
        expected = list(error.expected or (_EXPECTED[error.type],))
        if "a number" in expected and "a whole number" in expected:
            expected.remove("a whole number")
        quotes = "put it in quotes" if expected == ["text"] and isinstance(error.value, int | float) else None
        wanted = _listed(expected, "or")
        return Mistake(path, f"expected {wanted}, found {shown(error.value)}", quotes, key=error.on_key)
    if error.type in _LIMITS:
        limit = _LIMITS[error.type].format(**error.context)
        return Mistake(path, f"expected {limit}, found {shown(error.value)}", key=error.on_key)
    plain = re.sub(r"^(Input|Value|String) should (be|have)( a valid)?", "expected", error.text)
    return Mistake(path, f"{plain}, found {shown(error.value)}", key=error.on_key)


def _not_a_choice(path: Path, error: _Error) -> Mistake:
    choices = re.findall(r"'([^']*)'|(\w+)(?=,|$| or )", str(error.context.get("expected", "")))
    words = [quoted or bare for quoted, bare in choices]
    hint = did_you_mean(error.value, words) if isinstance(error.value, str) else None
    return Mistake(path, f"expected {_listed(words, 'or')}, found {shown(error.value)}", hint, key=error.on_key)


def _listed(words: Sequence[str], link: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {link} {words[-1]}"


def _inside(path: Path, what: str) -> str:
    keys = [key for key in path if isinstance(key, str)]
    return f"'{'.'.join(keys)}' of {what}" if keys else what


def _known_keys(model: type[BaseModel], path: Path) -> set[str]:
    """Return the keys that the models allow at a path."""
    models: set[type[BaseModel]] = {model}
    for element in path:
        inner: set[type[BaseModel]] = set()
        for candidate in models:
            for keys, annotation in _fields(candidate):
                if element in keys:
                    inner |= _models_in(annotation)
        models = inner or models
    return {key for candidate in models for keys, _ in _fields(candidate) for key in keys}


def _fields(model: type[BaseModel]) -> Iterator[tuple[set[str], Any]]:
    by_name = model.model_config.get("populate_by_name") or model.model_config.get("validate_by_name")
    for name, field in model.model_fields.items():
        alias = field.validation_alias or field.alias
        keys = {alias} if isinstance(alias, str) else {name}
        yield keys | ({name} if by_name else set()), field.annotation


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for argument in get_args(annotation) for model in _models_in(argument)}
