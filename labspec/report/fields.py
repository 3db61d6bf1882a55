"""How the fields of a kind are to be shown: not at all, or as sizes."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labspec.core.diff import Field


def secret_fields(kind: str) -> frozenset[str]:
    """Return the names of a kind's fields whose values must never be shown."""
    return frozenset(field.name for field in _fields(kind) if field.secret)


def size_fields(kind: str) -> frozenset[str]:
    """Return the names of a kind's fields whose values are numbers of bytes."""
    return frozenset(field.name for field in _fields(kind) if field.size)


@cache
def _fields(kind: str) -> tuple[Field, ...]:
    found: tuple[Field, ...] = import_module(f"labspec.kinds.{kind}.live").LIVE.fields
    return found
