"""The kinds of check: one file each, and one line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labspec.checks.kind import Kind

REGISTRY: tuple[str, ...] = (
    "http",
    "tcp",
    "command",
    "file",
    "container",
    "unit",
    "group",
    "mount",
    "namespace",
    "cgroup",
    "api",
    "process",
)


@cache
def kind(name: str) -> Kind:
    """Return the kind of a name; only that one is imported."""
    found: Kind = import_module(f"labspec.checks.kinds.{name}").KIND
    return found
