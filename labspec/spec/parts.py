"""What a spec says beside its objects: a part is a key at its top, with a model in a layer of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from labspec.core.resource import Resource

if TYPE_CHECKING:
    from labspec.kinds.provider import Part, Scope

REGISTRY: Mapping[str, str] = {"checks": "checks", "handout": "sheet", "adopt": "kinds.adoption"}
"""The key of each, and the package that has it, behind those whose part it refers to."""


def part(name: str) -> Part:
    """Return a part of the spec by its key."""
    found: Part = import_module(f"labspec.{REGISTRY[name]}.model").PART
    return found


def read(values: Mapping[str, Any], scope: Scope, resources: Sequence[Resource]) -> dict[str, Any]:
    """Return by key what each part of the spec says; mistakes go to `scope.error`."""
    found: dict[str, Any] = {}
    for name in REGISTRY:
        if values.get(name) is not None:
            found[name] = part(name).read(values[name], scope, resources, found)
    return found
