"""A service's entry as compose is to get it: literal, with the image on the host, and paths that hold anywhere."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from labspec.kinds.compose.environment import env_files
from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.project import Path, Project, service_networks
from labspec.kinds.compose.schema import is_extension
from labspec.kinds.compose.values import boolean, optional_mapping
from labspec.kinds.service.desired import seccomp_file
from labspec.kinds.service.desired_links import depended
from labspec.kinds.service.desired_mounts import grants, host_source, part_file

Entry = Mapping[str, Any]

_LEFT_OUT = ("build", "develop", "extends", "profiles", "pull_policy", "pull_refresh_after")


def executed_entry(key: str, entry: Entry, image: str, project: Project) -> dict[str, Any]:
    """Return the entry of a service of good form, in compose's vocabulary, without what labspec does itself."""
    found = {name: value for name, value in entry.items() if name not in _LEFT_OUT and not is_extension(name)}
    found["image"] = image
    if entry.get("volumes"):
        found["volumes"] = [
            _volume(item, project.at(key, "volumes", index), project) for index, item in enumerate(entry["volumes"])
        ]
    if entry.get("env_file"):
        found["env_file"] = [
            {"path": path, "format": "raw"} if raw else path for path, _, raw in env_files(key, entry, project)
        ]
    if entry.get("label_file"):
        found["label_file"] = label_files(key, entry, project)
    if entry.get("security_opt"):
        found["security_opt"] = [
            _security(key, index, item, project) for index, item in enumerate(entry["security_opt"])
        ]
    if entry.get("mac_address") and not entry.get("network_mode"):
        # Compose loses the address where the network that gets it has no mapping of options.
        found["networks"] = {name: dict(options) for name, options in service_networks(entry).items()}
    if entry.get("depends_on"):
        found["depends_on"] = _depends_on(entry, project)
    return found


def written_entry(key: str, entry: Entry, project: Project, *, own_image: bool) -> dict[str, Any]:
    """Return what a compose file for people says of a service besides `executed_entry`, or in its place.

    Its `image` is None where the service names none, and not there where it is one of the lab's (`own_image`).
    """
    found: dict[str, Any] = {name: entry[name] for name in ("profiles", "pull_policy") if entry.get(name) is not None}
    if not own_image:
        found["image"] = entry.get("image")
    if entry.get("build") is not None:
        found["build"] = _build(entry["build"], project)
    if any(_is_untidy(item) for item in entry.get("volumes") or ()):
        found["volumes"] = [
            item if _is_untidy(item) else _volume(item, project.at(key, "volumes", index), project)
            for index, item in enumerate(entry["volumes"])
        ]
    if entry.get("develop"):
        found["develop"] = _develop(entry["develop"], project)
    return found


def label_files(key: str, entry: Entry, project: Project) -> list[str]:
    """Return the absolute paths of the files of `label_file`."""
    given = entry.get("label_file")
    if isinstance(given, str):
        found = [project.file(project.at(key, "label_file"), given)]
    else:
        found = [project.file(project.at(key, "label_file", index), item) for index, item in enumerate(given or ())]
    return [path for path in found if path is not None]


def parts(entry: Entry, project: Project) -> dict[str, dict[str, Any]]:
    """Return section -> name -> definition of the secrets and configs that a service is given, paths absolute."""
    found: dict[str, dict[str, Any]] = {}
    for section in ("secrets", "configs"):
        for _, source, _ in grants(entry, section):
            definition = project.sections[section].get(source)
            if definition is None:
                continue
            file = part_file(section, source, project)
            literal = {name: value for name, value in definition.items() if not is_extension(name)}
            found.setdefault(section, {})[source] = literal | ({"file": file} if file else {})
    return found


def _volume(item: Any, path: Path, project: Project) -> Any:
    mount = Mount.parse(item)
    if mount.type == "volume" and isinstance(item, str) and len(mount.source) == 1:
        # Compose takes one letter before a colon for a drive of Windows.
        named: dict[str, Any] = {"type": "volume", "source": mount.source, "target": mount.target}
        return {**named, "read_only": mount.read_only, "volume": {"nocopy": mount.nocopy}}
    if mount.type != "bind":
        return item
    source = host_source(mount, path, project) or mount.source
    if isinstance(item, Mapping):
        return {**item, "source": source}
    rest = item.split(":", 1)[1]
    if ":" not in source:
        return f"{source}:{rest}"
    long: dict[str, Any] = {"type": "bind", "source": source, "target": mount.target, "read_only": mount.read_only}
    bind = {"propagation": mount.propagation, "selinux": mount.selinux}
    return {**long, "bind": {name: value for name, value in bind.items() if value}}


def _build(build: str | Mapping[str, Any], project: Project) -> dict[str, Any]:
    section: dict[str, Any] = {"context": build} if isinstance(build, str) else dict(build)
    section = {name: value for name, value in section.items() if not is_extension(name)}
    section["context"] = _inside(section.get("context") or ".", project)
    contexts = section.get("additional_contexts")
    if contexts:
        section["additional_contexts"] = {
            name: _inside(path or "", project) for name, path in optional_mapping(contexts).items()
        }
    if section.get("ssh"):
        keys = optional_mapping(section["ssh"])
        section["ssh"] = [f"{name}={_inside(key, project)}" if key else name for name, key in keys.items()]
    return section


def _develop(develop: Mapping[str, Any], project: Project) -> dict[str, Any]:
    watch = [{**item, "path": _inside(item["path"], project)} for item in develop.get("watch") or ()]
    return {**develop, "watch": watch} if watch else dict(develop)


def _inside(path: str, project: Project) -> str:
    """Return the absolute path of what is named relative to the project; an address stays as it is."""
    return (
        path
        if "://" in path or path.startswith("git@")
        else posixpath.normpath(posixpath.join(project.scope.root, path))
    )


def _is_untidy(item: Any) -> bool:
    """Return whether a mount's source is a whole path that compose leaves as it is, such as one that ends in '/'."""
    source = Mount.parse(item).source
    return source.startswith("/") and posixpath.normpath(source) != source


def _security(key: str, index: int, option: str, project: Project) -> str:
    file = seccomp_file(key, index, option, project)
    return f"seccomp:{file}" if file else option


def _depends_on(entry: Entry, project: Project) -> dict[str, Any]:
    """Return the dependencies that take part, in the long form."""
    return {
        name: {
            "condition": options.get("condition") or "service_started",
            **({"restart": True} if boolean(options.get("restart") or False) else {}),
            **({} if boolean(options.get("required", True)) else {"required": False}),
        }
        for name, options in depended(entry).items()
        if name in project.sections["services"] and project.active(name)
    }
