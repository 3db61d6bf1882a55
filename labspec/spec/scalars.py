"""Plain scalars as the core schema of YAML 1.2 reads them: `no`, `12:30:45` and `1_000` are text."""

from __future__ import annotations

import math
import re
from typing import Any

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INFINITIES = {
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **{"-" + word: -math.inf for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FIRST = frozenset("0123456789+-.~nNtTfF")
"""What a plain scalar that is no text begins with."""
_LONGEST = 30
"""More digits than any number that fits 64 bits has."""


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar. Raises ValueError for a number that does not fit 64 bits."""
    if text and text[0] not in _FIRST:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text, text, 10)
    if _BASED.fullmatch(text):
        return _integer(text, text[2:], 8 if text[1] == "o" else 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise ValueError(_too_large(text))
        return number
    return _INFINITIES.get(text, text)


def _integer(text: str, digits: str, base: int) -> int:
    short = digits.lstrip("+-").lstrip("0")
    number = int(digits, base) if len(short) <= _LONGEST else 2**64
    if not -(2**63) <= number < 2**64:
        raise ValueError(_too_large(text))
    return number


def _too_large(text: str) -> str:
    return f"the number {text if len(text) <= _LONGEST else text[:_LONGEST] + '...'} is too large"


def words(value: Any) -> str:
    """Return what a value is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def as_text(value: Scalar) -> str:
    """Return a scalar as YAML writes it."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if math.isinf(value) or math.isnan(value):
            return f"{'-' if value < 0 else ''}.{str(abs(value))[:3]}"
        case _:
            return str(value)
