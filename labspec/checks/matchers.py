"""Matchers: what a value that was seen is held against; each a mapping from operators to what they take."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

LONGEST_SEEN = 200_000
"""Characters of a text that a pattern is held against."""

Matcher = Mapping[str, Any]
"""In canonical form: every operator that is in it must hold."""


class Operator(NamedTuple):
    """What one key of a matcher means."""

    holds: Callable[[Any, Any], bool]
    """(seen, operand) -> whether it is so."""
    words: Callable[[Any], str]
    about: str


def canonical(value: Any, convert: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """Return a matcher as mappings of operators, whatever short form it is written in; a plain value means equals.

    `convert` is applied to every value that what was seen is compared with; what it raises passes through.
    """
    if not is_matcher(value):
        return {"equals": _each(value, convert)}
    made: dict[str, Any] = {}
    for name, operand in value.items():
        if name == "not":
            made[name] = canonical(operand, convert)
        elif name in ("all", "any"):
            made[name] = [canonical(item, convert) for item in operand]
        else:
            made[name] = operand if name == "matches" else _each(operand, convert)
    return made


def is_matcher(value: Any) -> bool:
    """Return whether a value is written as a mapping of operators."""
    return isinstance(value, Mapping) and bool(value) and all(name in OPERATORS for name in value)


def holds(matcher: Matcher, seen: Any) -> bool:
    """Return whether a value is as the matcher wants it."""
    return all(OPERATORS[name].holds(seen, operand) for name, operand in matcher.items())


def words(matcher: Matcher) -> str:
    """Return what a matcher wants, as a message says it."""
    return " and ".join(OPERATORS[name].words(operand) for name, operand in matcher.items())


def shown(value: Any) -> str:
    """Return a value as a message shows it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def pattern_mistake(pattern: str) -> str | None:
    """Return what is wrong with a pattern, or None."""
    try:
        _compiled(pattern)
    except Exception as error:  # what the engine of patterns raises has no class of its own
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return lines[-1].removeprefix("error: ") if lines else "it cannot be read"
    return None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    """Return a validator of texts with a match. Rust's engine takes time in proportion to the text, never more."""
    from pydantic_core import SchemaValidator, core_schema

    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex", strict=True))


def _each(value: Any, convert: Callable[[Any], Any]) -> Any:
    return [convert(item) for item in value] if isinstance(value, list) else convert(value)


def _equals(seen: Any, wanted: Any) -> bool:
    if isinstance(seen, str):
        if isinstance(wanted, str):
            return seen.rstrip("\n") == wanted.rstrip("\n")
        if isinstance(wanted, bool):
            return seen.strip().lower() in (("true", "yes") if wanted else ("false", "no"))
        if isinstance(wanted, int | float):
            return _number(seen) == wanted
    if isinstance(seen, bool) != isinstance(wanted, bool):
        return False
    return bool(seen == wanted)


def _contains(seen: Any, wanted: Any) -> bool:
    parts = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(seen, str):
        return all(str(part) in seen for part in parts)
    if isinstance(seen, Mapping):
        return all(part in seen for part in parts)
    if isinstance(seen, Sequence):
        return all(any(_equals(item, part) for item in seen) for part in parts)
    return False


def _matches(seen: Any, pattern: str) -> bool:
    if isinstance(seen, list):
        return any(_matches(item, pattern) for item in seen)
    text = seen if isinstance(seen, str) else shown(seen)
    return bool(_compiled(pattern).isinstance_python(text[:LONGEST_SEEN]))


def _number(seen: Any) -> float | None:
    if isinstance(seen, bool) or seen is None:
        return None
    try:
        return float(seen)
    except (TypeError, ValueError):
        return None


def _less(seen: Any, limit: Any) -> bool:
    number = _number(seen)
    return number is not None and number < limit


def _greater(seen: Any, limit: Any) -> bool:
    number = _number(seen)
    return number is not None and number > limit


OPERATORS: Mapping[str, Operator] = {
    "equals": Operator(_equals, shown, "is this value"),
    "contains": Operator(
        _contains, lambda operand: f"contains {shown(operand)}", "has this in it, or each of a list: text, item or key"
    ),
    "matches": Operator(_matches, lambda operand: f"matches {operand}", "has a match for this regular expression"),
    "one_of": Operator(
        lambda seen, operand: any(_equals(seen, item) for item in operand),
        lambda operand: f"one of {', '.join(map(shown, operand))}",
        "is one of these values",
    ),
    "less": Operator(_less, lambda operand: f"less than {operand}", "is a number below this one"),
    "greater": Operator(_greater, lambda operand: f"greater than {operand}", "is a number above this one"),
    "not": Operator(
        lambda seen, operand: not holds(operand, seen),
        lambda operand: f"not ({words(operand)})" if len(operand) > 1 else f"not {words(operand)}",
        "is not as this matcher says",
    ),
    "all": Operator(
        lambda seen, operand: all(holds(item, seen) for item in operand),
        lambda operand: " and ".join(map(words, operand)),
        "is as each of these matchers says",
    ),
    "any": Operator(
        lambda seen, operand: any(holds(item, seen) for item in operand),
        lambda operand: f"({' or '.join(map(words, operand))})",
        "is as one of these matchers says",
    ),
}
