"""The kinds of object that a lab is made of.

A kind is a folder with two files: `model.py`, what a spec may say (pydantic; loaded only to validate), and `live.py`,
how it is read from the host and what steps a change takes. `REGISTRY` names the folders, each kind before those that
use it; to add a kind, add a folder and a line here.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labspec.kinds.provider import Live, Section

REGISTRY = ("image", "network", "volume", "service", "stack")


@cache
def sections() -> tuple[Section, ...]:
    """Return what the spec may say of each kind, in registry order."""
    return tuple(import_module(f"labspec.kinds.{name}.model").SECTION for name in REGISTRY)


@cache
def lives() -> tuple[Live, ...]:
    """Return the live side of each kind, in registry order. A kind that is only a namespace (stack) has none."""
    modules = (import_module(f"labspec.kinds.{name}") for name in REGISTRY)
    return tuple(import_module(f"{module.__name__}.live").LIVE for module in modules if module.HAS_LIVE)
