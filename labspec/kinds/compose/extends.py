"""Services that extend others: the base's keys with the service's own above them, merged by compose's rules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labspec.kinds.compose.check import check_service
from labspec.kinds.compose.form import form_mistakes
from labspec.kinds.compose.meaning import meaning_mistakes
from labspec.kinds.compose.mounts import Mount
from labspec.kinds.compose.project import Path, Project
from labspec.kinds.compose.values import optional_mapping, texts
from labspec.kinds.provider import Scope

Entry = Mapping[str, Any]

_REPLACED = {("command",), ("entrypoint",), ("healthcheck", "test"), ("network_mode",)}
_PAIRS = {
    ("annotations",),
    ("build", "args"),
    ("build", "additional_contexts"),
    ("build", "labels"),
    ("deploy", "labels"),
    ("environment",),
    ("labels",),
    ("sysctls",),
}
"""What may be a mapping or a list of NAME=VALUE."""
_TEXTS = {("dns",), ("dns_search",), ("tmpfs",), ("env_file",), ("label_file",)}
"""What may be one text or a list."""
_NAMES: Mapping[tuple[str, ...], Any] = {("networks",): None, ("depends_on",): {"condition": "service_started"}}
"""What may be a list of names, or a mapping: what stands for a name alone."""
_LONGEST_CHAIN = 20


def extended(project: Project) -> Project:
    """Return the project with every service that extends another completed; mistakes are reported."""
    services = project.sections["services"]
    if not any("extends" in entry for entry in services.values()):
        return project
    whole = {name: _whole(name, services, project, ()) for name in services}
    return replace(project, sections={**project.sections, "services": whole})


def _whole(name: str, services: Mapping[str, Entry], project: Project, chain: tuple[str, ...]) -> Entry:
    """Return a service with what it extends; without that where it is not to be had."""
    entry = services[name]
    if "extends" not in entry:
        return entry
    own = {key: value for key, value in entry.items() if key != "extends"}
    wanted = entry["extends"]
    given = {"service": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(given, Mapping) or not isinstance(given.get("service"), str):
        return own
    path = project.at(name, "extends") if isinstance(wanted, str) else project.at(name, "extends", "service")
    base = given["service"]
    if given.get("file"):
        found = _from_file(project.at(name, "extends", "file"), str(given["file"]), base, path, project)
        return own if found is None or not _is_good(own) else merge(found, own)
    if not project.known("services", base, path):
        return own
    if base == name or base in chain or len(chain) > _LONGEST_CHAIN:
        project.error(path, f"service '{name}' extends itself: {' -> '.join((*chain, name, base))}")
        return own
    if not _is_good(services[base]) or not _is_good(own):
        return own  # what is wrong is told where that service is checked
    whole: Entry = merge(_whole(base, services, project, (*chain, name)), own)
    return whole


def _is_good(entry: Entry) -> bool:
    return not any(form_mistakes(entry, "", "service")) and not any(meaning_mistakes({**entry, "extends": ""}, ""))


def _from_file(at: Path, file: str, base: str, path: Path, project: Project) -> Entry | None:
    """Return a service of another compose file of the lab, its paths as seen from this one."""
    found = project.scope.document(at, file)
    if found is None:
        return None
    document, scope = found
    services = document.get("services") if isinstance(document, Mapping) else None
    entry = services.get(base) if isinstance(services, Mapping) else None
    if entry is None:
        project.error(path, f"there is no service '{base}' in {file}")
        return None
    entry = project.interpolated(entry, scope, ("services", base))
    if not check_service(entry, ("services", base), f"service '{base}'", scope):
        return None
    if "extends" in entry:
        project.error(path, f"service '{base}' in {file} extends another one", "extend that one instead")
        return None
    return _moved(entry, scope, project.scope)


def _moved(entry: Entry, of: Scope, to: Scope) -> Entry:
    """Return an entry whose relative paths start at another folder."""

    def path(value: str) -> str:
        if value.startswith(("/", "~")) or "://" in value:
            return value
        return "./" + os.path.relpath(os.path.join(of.root, value), to.root)  # noqa: PTH118  text, not files

    found = dict(entry)
    if entry.get("env_file"):
        given = entry["env_file"]
        found["env_file"] = [
            path(item) if isinstance(item, str) else {**item, "path": path(item["path"])}
            for item in ([given] if isinstance(given, str) else given)
        ]
    if entry.get("label_file"):
        found["label_file"] = [path(item) for item in texts(entry["label_file"])]
    if entry.get("build") is not None:
        build = entry["build"]
        section = {"context": build} if isinstance(build, str) else build
        found["build"] = {**section, "context": path(section.get("context") or ".")}
    if entry.get("volumes"):
        found["volumes"] = [_moved_volume(item, path) for item in entry["volumes"]]
    return found


def _moved_volume(item: Any, path: Any) -> Any:
    mount = Mount.parse(item)
    if mount.type != "bind":
        return item
    source = path(mount.source)
    return {**item, "source": source} if isinstance(item, Mapping) else f"{source}:{item.split(':', 1)[1]}"


def merge(base: Any, own: Any, path: tuple[str, ...] = ()) -> Any:
    """Return what compose makes of a value and the one above it."""
    if own is None and path:
        return base
    if base is None or path in _REPLACED:
        return own
    if path in _PAIRS:
        return {**optional_mapping(base), **optional_mapping(own)}
    if path in _TEXTS:
        return [*_listed(base), *(item for item in _listed(own) if item not in _listed(base))]
    if path in _NAMES and not (isinstance(base, Mapping) and isinstance(own, Mapping)):
        return merge(_named(base, path), _named(own, path), path)
    if path == ("build",):
        base, own = ({"context": item} if isinstance(item, str) else item for item in (base, own))
    if path == ("volumes",):
        return _by_target(base, own)
    if path == ("logging",) and own.get("driver") and base.get("driver") not in (None, own["driver"]):
        return own
    if isinstance(base, Mapping) and isinstance(own, Mapping):
        merged = {key: merge(base[key], own[key], (*path, key)) if key in base else own[key] for key in own}
        return {**base, **merged}
    if isinstance(base, list) and isinstance(own, list):
        return [*base, *(item for item in own if item not in base)]
    return own


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _named(value: Any, path: tuple[str, ...]) -> Any:
    return value if isinstance(value, Mapping) else dict.fromkeys(value, _NAMES[path])


def _by_target(base: list[Any], own: list[Any]) -> list[Any]:
    found = {Mount.parse(item).target: item for item in base}
    found |= {Mount.parse(item).target: item for item in own}
    return list(found.values())
