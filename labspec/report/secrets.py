"""Which fields of a kind must never be shown."""

from __future__ import annotations

from functools import cache
from importlib import import_module


@cache
def secret_fields(kind: str) -> frozenset[str]:
    """Return the names of a kind's fields that are declared secret, by the `FIELDS` of its live side."""
    fields = import_module(f"labspec.kinds.{kind}.live").FIELDS
    return frozenset(field.name for field in fields if field.secret)
