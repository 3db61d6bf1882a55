"""Telling an address that a spec does not have from one that is there, with a mistake in it that has been told."""

from __future__ import annotations

from collections.abc import Collection

from labspec.kinds import sections
from labspec.kinds.provider import Scope


def is_refused(address: str, known: Collection[str], scope: Scope) -> bool:
    """Return whether the spec has an entry of an address that is not `known`: it became no object for a mistake."""
    kind, _, rest = address.partition(".")
    if kind == "stack":
        rest = rest.partition(".")[0]
        if any(other.startswith(f"stack.{rest}.") for other in known):
            return False
    found = [section.name for section in sections() if section.kind == kind]
    return any(scope.entry(section, rest) is not None for section in found)
