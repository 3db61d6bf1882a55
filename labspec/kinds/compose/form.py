"""What the Compose specification's schema finds wrong with a value, in plain words: one mistake for each place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import did_you_mean
from labspec.kinds.compose.schema import is_extension, known_keys, name_patterns, validator
from labspec.kinds.mistake import Mistake, shown

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Path = tuple[str | int, ...]

_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_ORDER = tuple(_WORDS)
_CHOICES = re.compile(r"\^\(([a-z_|]+)(?:\|[^)]*\(.*)?\)\$")
"""A pattern that is a list of words, perhaps with something else at its end."""


def form_mistakes(value: Any, what: str, definition: str | None = None) -> Iterator[Mistake]:
    """Yield what is wrong with a compose file, or a part of one (`definition`), named `what` in messages."""
    found: dict[tuple[Path, bool], Mistake] = {}
    for mistake in _mistakes(validator(definition).iter_errors(value), value, what):
        found.setdefault((mistake.path, mistake.key), mistake)
    unknown = {mistake.path[:-1] for mistake in found.values() if mistake.message.startswith("unknown key")}
    for mistake in found.values():
        if "lacks the key" in mistake.message and mistake.path in unknown:
            continue  # the unknown key is likely the one that is lacking
        yield mistake


def _mistakes(errors: Iterable[ValidationError], value: Any, what: str) -> Iterator[Mistake]:
    for error in errors:
        path = _path(error, value)
        kind: Any = error.kind
        match kind.name:
            case "unevaluatedProperties" | "additionalProperties":
                yield from _unknown_keys(path, kind.unexpected, list(error.schema_path), what)
            case "oneOf" | "anyOf":
                yield from _of_branches(path, [list(branch) for branch in getattr(kind, "context", ())], value, what)
            case _:
                yield _mistake(path, error, value, what)


def _unknown_keys(path: Path, names: Sequence[str], schema_path: list[str | int], what: str) -> Iterator[Mistake]:
    known = known_keys(schema_path)
    patterns = name_patterns(schema_path)
    for name in names:
        if name in known or is_extension(name):
            continue  # a key whose value is wrong counts as unevaluated: that mistake is told by itself
        if patterns and not known:
            yield Mistake((*path, name), f"{name!r} is not a name", "use letters, digits, '_', '.' and '-'", key=True)
            continue
        hint = did_you_mean(name, known) or f"known keys: {', '.join(known)}"
        yield Mistake((*path, name), f"unknown key '{name}' in {_inside(path, what)}", hint, key=True)


def _of_branches(path: Path, branches: Sequence[list[ValidationError]], value: Any, what: str) -> Iterator[Mistake]:
    """Yield the mistakes of the branch that was meant: of those that fit the value's type, the one with the fewest."""
    meant: list[list[ValidationError]] = [
        branch for branch in branches if branch and not any(_is_mismatch(error, path, value) for error in branch)
    ]
    if meant:
        yield from _mistakes(sorted(meant, key=len)[0], value, what)
        return
    types = {name for branch in branches for error in branch for name in _types(error)}
    found = _value_at(value, path)
    yield Mistake(path, f"expected {_either(types)}, found {shown(found)}", _quote_hint(types, found))


def _is_mismatch(error: ValidationError, path: Path, value: Any) -> bool:
    return error.kind.name == "type" and _path(error, value) == path


def _path(error: ValidationError, value: Any) -> Path:
    """Return where an error is: the validator takes a key of digits for an index."""
    found: list[str | int] = []
    for step in error.instance_path:
        if isinstance(value, Mapping) and step not in value:
            step = next(key for key in value if key.isdecimal() and int(key) == step)
        found.append(step)
        value = value[step]
    return tuple(found)


def _types(error: ValidationError) -> Sequence[str]:
    kind: Any = error.kind
    return [str(name) for name in kind.types] if kind.name == "type" else ()


def _either(types: Iterable[str]) -> str:
    names = sorted(types, key=_ORDER.index)
    if "number" in names and "integer" in names:
        names.remove("integer")
    words = [_WORDS[name] for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _quote_hint(types: Iterable[str], found: Any) -> str | None:
    return "put it in quotes" if "string" in types and isinstance(found, int | float) else None


def _mistake(path: Path, error: ValidationError, value: Any, what: str) -> Mistake:
    kind: Any = error.kind
    found = _value_at(value, path)
    match kind.name:
        case "type":
            types = _types(error)
            return Mistake(path, f"expected {_either(types)}, found {shown(found)}", _quote_hint(types, found))
        case "enum":
            return _choice(path, [str(option) for option in kind.options], found)
        case "required":
            return Mistake(path, f"{_inside(path, what)} lacks the key '{kind.property}'", key=True)
        case "pattern":
            words = _CHOICES.fullmatch(kind.pattern)
            if words:
                return _choice(path, words[1].rstrip("|").split("|"), found)
            return Mistake(path, f"expected text of the form {kind.pattern}, found {shown(found)}")
        case "uniqueItems":
            return _twice(path, found)
        case "minimum":
            return Mistake(path, f"expected at least {kind.limit}, found {shown(found)}")
        case "maximum":
            return Mistake(path, f"expected at most {kind.limit}, found {shown(found)}")
        case _:
            return Mistake(path, f"{shown(found)} does not fit here: {error.message}")


def _choice(path: Path, words: Sequence[str], found: Any) -> Mistake:
    hint = did_you_mean(found, words) if isinstance(found, str) else None
    listed = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    return Mistake(path, f"expected {listed}, found {shown(found)}", hint)


def _twice(path: Path, found: Any) -> Mistake:
    seen: list[Any] = []
    for index, item in enumerate(found):
        if item in seen:
            return Mistake((*path, index), f"{shown(item)} is here twice", "remove one of them")
        seen.append(item)
    return Mistake(path, "an item of the list is here twice", "remove one of them")


def _value_at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _inside(path: Path, what: str) -> str:
    keys = [key for key in path if isinstance(key, str)]
    return f"'{'.'.join(keys)}' of {what}" if keys else what
