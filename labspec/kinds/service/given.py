"""Whether the secrets and configs that containers are to be given are on this host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import Diagnostic, Position
from labspec.core.resource import Resource
from labspec.kinds.compose.project import Project
from labspec.kinds.secret.lack import lack
from labspec.kinds.service.desired_mounts import grants

if TYPE_CHECKING:
    from labspec.host.host import Host

_KEYS = ("file", "environment")


def places(entry: Mapping[str, Any], project: Project) -> dict[str, list[Any]]:
    """Return "section.name" -> where a spec says which file or variable it is, of each that a service is given."""
    found: dict[str, list[Any]] = {}
    for section in ("secrets", "configs"):
        for _, source, _ in grants(entry, section):
            definition = project.sections[section].get(source) or {}
            key = next((key for key in _KEYS if definition.get(key)), None)
            at = project.scope.position((*project.path, section, source, key)) if key else None
            if at is not None:
                found[f"{section}.{source}"] = list(at)
    return found


def lacking(made: Iterable[Resource], host: Host) -> Iterator[Diagnostic]:
    """Yield a problem for each file or variable that containers to be made need and that is not here."""
    told: set[str] = set()
    for resource in made:
        for section, definitions in resource.options["parts"].items():
            for name, definition in definitions.items():
                # A file is bound to where the engine is, which need not be here.
                found = lack(definition, files=host.docker.socket_path is not None)
                at = resource.options["given_at"].get(f"{section}.{name}")
                where = f"{section}.{name} {at}"
                if found and where not in told:
                    told.add(where)
                    message = f"{resource.address}: {section.removesuffix('s')} '{name}': {found[0]}"
                    yield Diagnostic(message, at=Position(*at) if at else resource.at, hint=found[1])
