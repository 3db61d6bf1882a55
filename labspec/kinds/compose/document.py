"""Compose files made of a lab: the one that docker compose executes, and the one for people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from labspec.core.resource import SECRETS_LABEL, Lab, Resource
from labspec.kinds.compose.schema import is_extension
from labspec.kinds.compose.values import optional_mapping
from labspec.kinds.objects import ownership

_PARTS = ("secrets", "configs")


def projects(lab: Lab) -> list[str]:
    """Return the names of the lab's compose projects, sorted."""
    return sorted({resource.project for resource in lab.resources if resource.kind == "service"})


def execution_document(lab: Lab, project: str) -> dict[str, Any]:
    """Return the compose file that `docker compose up` makes a project's containers of.

    Networks and volumes are there already, so they are external; nothing in it is a variable.
    """
    members = _members(lab, project)
    services = {}
    for resource in _of_kind(members, "service"):
        entry = dict(resource.options["compose"])
        secret = resource.options["secret_env"]
        own = {SECRETS_LABEL: ",".join(secret)} if secret else {}
        entry["labels"] = {**resource.desired.get("labels", {}), **own, **ownership(lab.name, resource)}
        entry.pop("label_file", None)  # its labels are among those
        services[resource.options["key"]] = entry
    document: dict[str, Any] = {"name": project, "services": services}
    for kind in ("network", "volume"):
        external = {item.options["key"]: {"name": item.name, "external": True} for item in _of_kind(members, kind)}
        if external:
            document[f"{kind}s"] = external
    literal: dict[str, Any] = _literal({**document, **_parts(_of_kind(members, "service"))})
    return literal


def rendered_document(
    lab: Lab, project: str, image_builds: Mapping[str, Mapping[str, Any]], *, folder: str | None = None
) -> dict[str, Any]:
    """Return a project as a compose file for people, without what is labspec's own.

    Values that are never shown come, by name, from the environment of who runs it. `image_builds` has the `build`
    section of the entries of `images`, by address. With `folder`, where the file is going to be, paths into the lab's
    folder are relative to it.
    """
    members = _members(lab, project)
    services = {}
    for resource in _of_kind(members, "service"):
        entry = _without_secrets(resource.options["compose"], set(resource.options["secret_env"]))
        services[resource.options["key"]] = _for_people(entry, resource, image_builds)
    document: dict[str, Any] = {"name": project, "services": services}
    for kind in ("network", "volume"):
        whole = {item.options["key"]: dict(item.options["compose"]) for item in _of_kind(members, kind)}
        if whole:
            document[f"{kind}s"] = whole
    used = {item.options["image_address"] for item in _of_kind(members, "service")}
    built = (item for item in lab.resources if item.kind == "image" and item.address in used)
    document |= _parts([*_of_kind(members, "service"), *built])
    if project == lab.name:
        document |= {key: value for key, value in lab.parts.items() if is_extension(key)}
    literal: dict[str, Any] = _literal(document)
    return literal if folder is None else _with_relative_paths(literal, lab.root, folder)


def _for_people(
    entry: dict[str, Any], resource: Resource, image_builds: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return an entry with what compose shall do itself where there is no labspec: build, pull, watch."""
    written = resource.options.get("written", {})
    if "image" in written:
        entry = {
            key: value
            for key, value in {**entry, "image": written["image"]}.items()
            if value is not None or key != "image"
        }
    if "build" in written:
        return {"build": dict(written["build"]), **entry, **_rest(written)}
    build = image_builds.get(resource.options["image_address"])
    policy = resource.options["pull_policy"]
    if build:
        return {
            "build": dict(build),
            **entry,
            **{key: value for key, value in _rest(written).items() if key != "pull_policy"},
        }
    return {**entry, **_rest(written), **({"pull_policy": policy} if policy and "pull_policy" not in written else {})}


def _rest(written: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in written.items() if key not in ("image", "build")}


def _without_secrets(compose: Mapping[str, Any], secret: set[str]) -> dict[str, Any]:
    entry = dict(compose)
    environment = optional_mapping(entry.get("environment"))
    if not secret.isdisjoint(environment):
        entry["environment"] = {name: None if name in secret else value for name, value in environment.items()}
    return entry


def _members(lab: Lab, project: str) -> list[Resource]:
    found = lab.by_project.get(project, ())
    return sorted(found, key=lambda resource: str(resource.options.get("key", resource.name)))


def _of_kind(members: list[Resource], kind: str) -> Iterator[Resource]:
    return (resource for resource in members if resource.kind == kind)


def _parts(users: Iterable[Resource]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for resource in users:
        for section, definitions in resource.options.get("parts", {}).items():
            found.setdefault(section, {}).update(definitions)
    return {section: dict(sorted(found[section].items())) for section in _PARTS if section in found}


def _literal(value: Any) -> Any:
    """Return a value in which compose finds no variables: every `$` of a text, not of a key, is doubled."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_literal(item) for item in value]
    return value


def _with_relative_paths(document: dict[str, Any], root: str, folder: str) -> dict[str, Any]:
    def relative(path: Any) -> Any:
        if not isinstance(path, str) or not (path == root or path.startswith(f"{root}/")):
            return path
        return "./" + os.path.relpath(path, folder)

    for entry in document["services"].values():
        _relate_service(entry, relative)
    for section in _PARTS:
        for definition in document.get(section, {}).values():
            if "file" in definition:
                definition["file"] = relative(definition["file"])
    return document


def _relate_service(entry: dict[str, Any], relative: Any) -> None:
    if "build" in entry:
        entry["build"] = _related_build(entry["build"], relative)
    if "develop" in entry and entry["develop"].get("watch"):
        watch = [{**item, "path": relative(item["path"])} for item in entry["develop"]["watch"]]
        entry["develop"] = {**entry["develop"], "watch": watch}
    if "volumes" in entry:
        entry["volumes"] = [_related_volume(item, relative) for item in entry["volumes"]]
    if "env_file" in entry:
        entry["env_file"] = [
            {**item, "path": relative(item["path"])} if isinstance(item, dict) else relative(item)
            for item in entry["env_file"]
        ]
    if "label_file" in entry:
        entry["label_file"] = [relative(item) for item in entry["label_file"]]
    if "security_opt" in entry:
        entry["security_opt"] = [_related_option(item, relative) for item in entry["security_opt"]]


def _related_build(build: dict[str, Any], relative: Any) -> dict[str, Any]:
    found = {**build, "context": relative(build["context"])}
    if "additional_contexts" in build:
        found["additional_contexts"] = {name: relative(path) for name, path in build["additional_contexts"].items()}
    return found


def _related_volume(item: Any, relative: Any) -> Any:
    if isinstance(item, dict):
        return {**item, "source": relative(item["source"])} if item.get("type") == "bind" else item
    source, separator, rest = item.partition(":")
    return f"{relative(source)}{separator}{rest}"


def _related_option(item: str, relative: Any) -> str:
    name, separator, value = item.partition(":")
    return f"{name}{separator}{relative(value)}"
