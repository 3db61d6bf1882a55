"""What a spec says beside its objects: a part is a key at its top, with a model in a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labspec.core.resource import Resource

if TYPE_CHECKING:
    from labspec.kinds.provider import Part, Scope

REGISTRY: tuple[str, ...] = ("checks", "sheet", "kinds.adoption")
"""The packages that have one, each behind those whose part it refers to."""


@cache
def parts() -> tuple[Part, ...]:
    """Return the parts of a spec."""
    return tuple(import_module(f"labspec.{package}.model").PART for package in REGISTRY)


def read(values: Mapping[str, Any], scope: Scope, resources: Sequence[Resource]) -> dict[str, Any]:
    """Return by key what each part of the spec says; mistakes go to `scope.error`."""
    found: dict[str, Any] = {}
    for part in parts():
        if values.get(part.name) is not None:
            found[part.name] = part.read(values[part.name], scope, resources, found)
    return found
