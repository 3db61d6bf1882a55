"""Networks and volumes of a compose file, in the form that the sections of a spec have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from labspec.core.resource import Resource
from labspec.kinds.compose.project import Path, Project
from labspec.kinds.compose.schema import is_extension
from labspec.kinds.compose.values import boolean
from labspec.kinds.network.model import Network
from labspec.kinds.network.resource import network_resource
from labspec.kinds.provider import Scope
from labspec.kinds.section import check_model
from labspec.kinds.volume.model import Volume
from labspec.kinds.volume.resource import volume_resource

Entry = Mapping[str, Any]

_SWITCHES = ("external", "internal", "attachable", "enable_ipv4", "enable_ipv6")
_MODELS: Mapping[str, type[BaseModel]] = {"networks": Network, "volumes": Volume}
_RESOURCES = {"networks": network_resource, "volumes": volume_resource}


def plain_objects(document: Entry) -> dict[str, Any]:
    """Return a compose file of good form whose networks and volumes are written as in a spec."""
    plain = {
        section: {name: _plain(entry or {}) for name, entry in (document.get(section) or {}).items()}
        for section in _MODELS
    }
    return {**document, **{section: entries for section, entries in plain.items() if entries}}


def _plain(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = _without_extensions(entry)
    if isinstance(found.get("external"), Mapping):
        found = {**found, **found["external"], "external": True}
    for name in _SWITCHES:
        if isinstance(found.get(name), str):
            found[name] = boolean(found[name])
    return found


def _without_extensions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_extensions(item) for key, item in value.items() if not is_extension(key)}
    return value


def check_objects(document: Entry, path: Path, scope: Scope) -> bool:
    """Report every mistake in the networks and volumes of a document at `path`; return whether there was none."""
    good = True
    for section, model in _MODELS.items():
        for name, entry in (document.get(section) or {}).items():
            where, what = (*path, section, name), f"{section.removesuffix('s')} '{name}'"
            good &= check_model(model, entry or {}, where, what, scope)
            if isinstance(entry, Mapping):
                good &= _check_external(entry, where, what, scope)
    return good


def _check_external(entry: Entry, path: Path, what: str, scope: Scope) -> bool:
    if not entry.get("external"):
        return True
    for key in sorted(set(entry) - {"external", "name"}):
        if entry[key]:
            hint = "labspec never changes an external one: remove this key, or 'external'"
            scope.error((*path, key), f"{what} is external and has {key}", hint, key=True)
            return False
    return True


def object_resources(project: Project, needed: set[str]) -> Iterator[Resource]:
    """Yield the networks and volumes of a project whose addresses are needed."""
    for section, make in _RESOURCES.items():
        for name, entry in sorted(project.sections[section].items()):
            address = project.address(section.removesuffix("s"), name)
            if address in needed:
                yield make(address, project.name, name, entry)
