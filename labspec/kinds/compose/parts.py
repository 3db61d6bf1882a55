"""The sections `secrets` and `configs`: what services are given as files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.compose.check import check_definition
from labspec.kinds.compose.schema import definition_schema
from labspec.kinds.provider import Scope


class PartSection:
    """A section whose entries no object of the host stands for: services take them over."""

    def __init__(self, name: str, kind: str, sources: tuple[str, ...]) -> None:
        self.name = name
        self.kind = kind
        self._sources = sources
        """The keys that say what is in it; an entry has one of them."""

    def check(self, name: str, entry: Any, scope: Scope) -> bool:
        """Report every mistake of form in one entry, and return whether there was none."""
        path, what = (self.name, name), f"{self.kind} '{name}'"
        return check_definition(self.kind, entry, path, what, scope) and check_part(entry, path, what, self, scope)

    @property
    def sources(self) -> tuple[str, ...]:
        """The keys that say what is in it."""
        return self._sources

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return nothing, but report a file of the lab that is missing."""
        file = entry.get("file")
        if file and not posixpath.isabs(file) and not file.startswith("~"):
            scope.file((self.name, name, "file"), file)
        return ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of one entry."""
        return definition_schema(self.kind)


def check_part(
    entry: Mapping[str, Any], path: tuple[str | int, ...], what: str, section: PartSection, scope: Scope
) -> bool:
    """Report where an entry does not say once what is in it, and return whether it does."""
    given = [key for key in section.sources if entry.get(key) is not None]
    if len(given) == 1 or (entry.get("external") and not given):
        return True
    known = f"{', '.join(section.sources[:-1])} or {section.sources[-1]}"
    if given:
        scope.error((*path, given[1]), f"{what} has both {given[0]} and {given[1]}", "keep one of them", key=True)
    else:
        scope.error(path, f"{what} does not say what is in it", f"give it one of {known}", key=True)
    return False


SECRETS = PartSection("secrets", "secret", ("file", "environment"))
CONFIGS = PartSection("configs", "config", ("file", "content", "environment"))
