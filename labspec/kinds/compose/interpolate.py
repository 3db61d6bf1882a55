"""Variables in a compose file: $NAME, ${NAME}, ${NAME:-default}, ${NAME:?message}, ${NAME:+other}, and $$ for a $.

The Compose specification's interpolation; a variable without value and default is a mistake here, where compose warns
and takes an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labspec.core.diagnostic import did_you_mean

Path = tuple[str | int, ...]
Lookup = Callable[[str], str | None]
Reporter = Callable[[Path, str, str | None], None]
"""Takes a place, what is wrong there, and what to try."""

_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATORS = (":-", "-", ":?", "?", ":+", "+")
_DEEPEST = 20


class InterpolationError(Exception):
    """A variable cannot be replaced; the message says why."""

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.name = name
        """The variable that has no value."""


def interpolate(value: Any, variables: Mapping[str, str], report: Reporter, path: Path = ()) -> Any:
    """Return a value with the variables in its texts (not in its keys) replaced; mistakes are reported below `path`."""
    if isinstance(value, Mapping):
        return {key: interpolate(item, variables, report, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, variables, report, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    try:
        return substitute(value, variables.get)
    except InterpolationError as error:
        hint = _unset_hint(error.name, variables) if error.name else "write $$ for a plain $"
        report(path, str(error), hint)
        return value


def variables_in(text: str) -> set[str]:
    """Return the names of the variables that a text has, as far as it can be read."""
    found: set[str] = set()

    def noted(name: str) -> str:
        found.add(name)
        return name

    try:
        substitute(text, noted, strict=False)
        substitute(text, lambda name: found.add(name), strict=False)
    except InterpolationError:
        pass
    return found


def _unset_hint(name: str, known: Iterable[str]) -> str:
    near = did_you_mean(name, known)
    return near or f"set it in the stack's 'env', name it in 'env_from', or give it a default: ${{{name}:-value}}"


def substitute(text: str, lookup: Lookup, *, strict: bool = True, depth: int = 0) -> str:
    """Return a text with its variables replaced. Raises InterpolationError.

    Unless `strict`, a variable without value is an empty text, and a `$` that begins nothing stays.
    """
    if depth > _DEEPEST:
        raise InterpolationError("variables are nested too deeply")
    parts: list[str] = []
    index = 0
    while (start := text.find("$", index)) >= 0:
        parts.append(text[index:start])
        following = text[start + 1 : start + 2]
        name = _NAME.match(text, start + 1)
        if following == "$":
            parts.append("$")
            index = start + 2
        elif name:
            parts.append(_value(name[0], lookup, strict))
            index = name.end()
        elif following == "{":
            end = _closing(text, start + 2)
            parts.append(_braced(text[start + 2 : end], lookup, strict, depth))
            index = end + 1
        elif strict:
            raise InterpolationError(f"'{text[start : start + 12]}' is no variable")
        else:
            parts.append("$")
            index = start + 1
    return "".join([*parts, text[index:]])


def _closing(text: str, start: int) -> int:
    """Return where the brace that was opened before `start` is closed."""
    depth = 1
    index = start
    while index < len(text):
        if text.startswith("${", index):
            depth += 1
            index += 2
            continue
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        index += 1
    raise InterpolationError("a ${ is not closed")


def _braced(inner: str, lookup: Lookup, strict: bool, depth: int) -> str:
    name = _NAME.match(inner)
    if not name:
        raise InterpolationError(f"'${{{inner[:20]}}}' is no variable")
    rest = inner[name.end() :]
    operator = next((operator for operator in _OPERATORS if rest.startswith(operator)), "")
    if not operator:
        if rest:
            raise InterpolationError(f"'${{{inner[:20]}}}' is no variable")
        return _value(name[0], lookup, strict)
    value = lookup(name[0])
    there = bool(value) if operator.startswith(":") else value is not None
    argument = rest[len(operator) :]
    if operator.endswith("+"):
        return substitute(argument, lookup, strict=strict, depth=depth + 1) if there else ""
    if there:
        return value or ""
    said = substitute(argument, lookup, strict=strict, depth=depth + 1)
    if operator.endswith("-"):
        return said
    raise InterpolationError(f"the variable {name[0]} has no value" + (f": {said}" if said else ""), name[0])


def _value(name: str, lookup: Lookup, strict: bool) -> str:
    value = lookup(name)
    if value is None and strict:
        raise InterpolationError(f"the variable {name} has no value", name)
    return value or ""
