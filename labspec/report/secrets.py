"""Which fields of a kind must never be shown."""

from __future__ import annotations

from functools import cache
from importlib import import_module


@cache
def secret_fields(kind: str) -> frozenset[str]:
    """Return the names of a kind's fields that are declared secret, by its live side."""
    live = import_module(f"labspec.kinds.{kind}.live").LIVE
    return frozenset(field.name for field in live.fields if field.secret)
