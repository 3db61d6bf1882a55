"""The places in an entry that a pattern names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str | int, ...]

EACH = "*"
"""Stands in a pattern for every key of a mapping, and every item of a list."""


def matches(value: Any, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield (place, value) of all that a pattern names, and that is there."""
    if not pattern:
        yield path, value
        return
    step, rest = pattern[0], pattern[1:]
    if step == EACH:
        for key, item in _items(value):
            yield from matches(item, rest, (*path, key))
    elif isinstance(value, dict) and step in value:
        yield from matches(value[step], rest, (*path, step))


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()
