"""What a service refers to: each must be there, and is made before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.project import DEFAULT_NETWORK, Project, service_networks
from labspec.kinds.compose.values import boolean
from labspec.kinds.service.desired_links import OTHERS, depended, depended_path, joined, linked
from labspec.kinds.service.desired_mounts import grants

Entry = Mapping[str, Any]


def needs(key: str, entry: Entry, project: Project) -> Iterator[str]:
    """Yield the addresses of what a service of good form needs, but for its image; what is missing is reported."""
    yield from _volumes(key, entry, project)
    yield from _networks(key, entry, project)
    if not OTHERS.isdisjoint(entry):
        yield from _others(key, entry, project)
    for section in ("secrets", "configs"):
        for index, source, options in grants(entry, section):
            path = (section, index, "source") if options else (section, index)
            if _granted(key, section, source, path, project):
                _copied(key, section, source, project)


def _others(key: str, entry: Entry, project: Project) -> Iterator[str]:
    """Yield the addresses of other services; where a service names itself, that is reported."""
    named = ((name, depended_path(entry, name)) for name in depended(entry))
    for name, path in (*named, *joined(entry), *linked(entry)):
        if name == key:
            project.error(project.at(key, *path), f"service '{key}' needs itself", "name another service, or remove it")
    yield from waits(key, entry, project, report=True)
    yield from joins(key, entry, project, report=True)
    for name, path in linked(entry):
        if project.running(name, project.at(key, *path)):
            yield project.address("service", name)


def waits(key: str, entry: Entry, project: Project, *, report: bool = False) -> dict[str, str]:
    """Return address -> condition for each service that must have come so far first."""
    found = {}
    for name, options in depended(entry).items():
        optional = not boolean(options.get("required", True))
        if name in project.sections["services"] and project.active(name):
            found[project.address("service", name)] = str(options.get("condition") or "service_started")
        elif report:
            path = project.at(key, *depended_path(entry, name))
            if optional:
                project.known("services", name, path)
            else:
                project.running(name, path)
    return found


def joins(key: str, entry: Entry, project: Project, *, report: bool = False) -> list[str]:
    """Return the addresses of the services whose namespaces or volumes a service uses."""
    found = []
    for name, path in joined(entry):
        if report:
            project.running(name, project.at(key, *path))
        if name in project.sections["services"] and project.active(name):
            found.append(project.address("service", name))
    return sorted(set(found))


def restarts_with(entry: Entry, project: Project) -> list[str]:
    """Return the addresses of the services after whose restart a service is restarted too."""
    return [
        project.address("service", name)
        for name, options in sorted(depended(entry).items())
        if boolean(options.get("restart") or False) and name in project.sections["services"] and project.active(name)
    ]


def _volumes(key: str, entry: Entry, project: Project) -> Iterator[str]:
    for index, item in enumerate(entry.get("volumes") or ()):
        mount = Mount.parse(item)
        if mount.type != "volume" or not mount.source:
            continue
        path = project.at(key, "volumes", index)
        if isinstance(item, Mapping):
            path = (*path, "source")
        if project.known("volumes", mount.source, path):
            yield project.address("volume", mount.source)


def _networks(key: str, entry: Entry, project: Project) -> Iterator[str]:
    given = entry.get("networks")
    for index, name in enumerate(service_networks(entry)):
        mapping = isinstance(given, Mapping)
        path = project.at(key, "networks", name if mapping else index)
        if name == DEFAULT_NETWORK or project.known("networks", name, path, key=mapping):
            yield project.address("network", name)


def _granted(key: str, section: str, source: str, path: tuple[str | int, ...], project: Project) -> bool:
    if not source:
        project.error(project.at(key, *path[:2]), "the key 'source' is lacking")
        return False
    if not project.known(section, source, project.at(key, *path)):
        return False
    if project.sections[section][source].get("external"):
        one = section.removesuffix("s")
        message = f"the {one} '{source}' is external, and no Swarm is there to give it"
        project.error(project.at(key, *path), message, f"give the {one} a 'file' or an 'environment'")
        return False
    return True


def _copied(key: str, section: str, source: str, project: Project) -> None:
    """Report a secret or config without file in a read-only container: compose cannot copy it in."""
    entry = project.sections["services"][key]
    if not boolean(entry.get("read_only") or False) or project.sections[section][source].get("file"):
        return
    one = section.removesuffix("s")
    message = f"the {one} '{source}' cannot be copied into a container that is read_only"
    project.error(project.at(key, "read_only"), message, f"give the {one} a 'file'")
