"""What a service sees of volumes, of the host, and of secrets and configs that are files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.project import Path, Project
from labspec.kinds.compose.values import boolean
from labspec.kinds.service import canonical

Entry = Mapping[str, Any]

_FOLDERS = {"secrets": "/run/secrets/", "configs": "/"}
"""Where compose puts those whose target is no absolute path."""
_MOUNTED = frozenset(("volumes", *_FOLDERS))


def mounts(key: str, entry: Entry, project: Project) -> list[dict[str, Any]]:
    """Return the field `mounts`, sorted by target; sources are names of volumes, and paths, on the host."""
    if _MOUNTED.isdisjoint(entry):
        return []
    found = {item["target"]: item for item in (*_parts(entry, project), *_volumes(key, entry, project))}
    return [found[target] for target in sorted(found)]


def _volumes(key: str, entry: Entry, project: Project) -> Iterator[dict[str, Any]]:
    for index, item in enumerate(entry.get("volumes") or ()):
        mount = Mount.parse(item)
        source = host_source(mount, project.at(key, "volumes", index), project)
        if source is None:
            continue
        yield canonical.mount(
            mount.type,
            mount.target,
            source,
            read_only=mount.read_only,
            propagation=mount.propagation,
            selinux=mount.selinux if _is_bind_string(item) else "",
            nocopy=mount.nocopy,
            subpath=mount.subpath,
            tmpfs_size=mount.tmpfs_size,
            tmpfs_mode=mount.tmpfs_mode,
        )


def _is_bind_string(item: Any) -> bool:
    """Return whether compose hands a mount on in the engine's older form, the only one that has SELinux labels."""
    return isinstance(item, str) or boolean((item.get("bind") or {}).get("create_host_path") or False)


def host_source(mount: Mount, path: Path, project: Project) -> str | None:
    """Return what a mount's source is on the host; None, and a report at `path`, where there is no such thing."""
    if mount.type == "bind":
        return project.source(path, mount.source, made=mount.made)
    if mount.type != "volume" or not mount.source:
        return mount.source
    return project.volume(mount.source) if mount.source in project.sections["volumes"] else None


def grants(entry: Entry, section: str) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    """Yield (index, source, options) for each secret or config that a service is given."""
    for index, item in enumerate(entry.get(section) or ()):
        yield (index, item, {}) if isinstance(item, str) else (index, item.get("source") or "", item)


def _parts(entry: Entry, project: Project) -> Iterator[dict[str, Any]]:
    """Yield the mounts that compose makes of secrets and configs with a file; it copies the others in."""
    for section, folder in _FOLDERS.items():
        for _, source, options in grants(entry, section):
            file = part_file(section, source, project)
            if file is None:
                continue
            target = posixpath.join(folder, str(options.get("target") or source))
            yield canonical.mount("bind", target, file, read_only=True)


def part_file(section: str, name: str, project: Project) -> str | None:
    """Return the absolute path of the file that a secret or config is made of; None where it is made of none."""
    definition = project.sections[section].get(name) or {}
    if not definition.get("file") or not isinstance(definition["file"], str):
        return None
    return project.source((*project.path, section, name, "file"), definition["file"])
