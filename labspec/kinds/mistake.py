"""One mistake in an entry, and a wrong value in plain words."""

from collections.abc import Mapping
from typing import Any, NamedTuple

Path = tuple[str | int, ...]

_SHOWN = 40
"""How many characters of a wrong value a message repeats."""


class Mistake(NamedTuple):
    """One mistake at a path below the checked value, on the value there or (`key`) on its key."""

    path: Path
    message: str
    hint: str | None = None
    key: bool = False


def shown(value: Any) -> str:
    """Return a value as a message names it: "text 'abc'", "a list", "12"."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            short = value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
            return f"text {short!r}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"
