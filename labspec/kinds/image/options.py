"""Options of a build beside its Dockerfile: an entry of `images` writes them as compose's `build` does.

The keys are those of https://docs.docker.com/reference/compose-file/build/, and mean what docker compose makes of them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from labspec.core.diagnostic import did_you_mean
from labspec.kinds.compose import values
from labspec.kinds.compose.project import Path, Project
from labspec.kinds.image.names import normal_tag, valid_tag
from labspec.kinds.service.desired_mounts import grants, part_file

ENTITLEMENTS = ("network.host", "security.insecure")
"""What a build may be allowed to do, as `docker buildx build --allow` names it."""
DECIDING = ("network", "extra_hosts", "additional_contexts", "shm_size", "ulimits")
"""Keys that decide what comes out of a build."""
_REMOTE = ("docker-image://", "https://", "http://", "git://", "git@")


class Options(NamedTuple):
    """What a section says beside its Dockerfile."""

    deciding: Mapping[str, Any] = {}
    """What decides what comes out of the build, by key; `additional_contexts` are `contexts`."""
    passed: Mapping[str, Any] = {}
    """What does not: no_cache, pull, cache_from, cache_to, ssh, secrets, and `writes`, folders of the host."""
    allow: tuple[str, ...] = ()
    """Entitlements, sorted."""
    tags: tuple[str, ...] = ()
    """Further names of the image, as the engine lists them, sorted."""
    parts: Mapping[str, Any] = {}
    """Definitions of the secrets that are used, by name, with whole paths."""


NOTHING_FURTHER = Options()


def build_options(section: Mapping[str, Any], project: Project, path: Path) -> Options | None:
    """Return the options of a section at `path`; None where one is wrong, which is reported."""
    found: dict[str, Any] = {}
    for key, read in _READERS.items():
        if section.get(key):
            try:
                found[key] = read(section[key], project, (*path, key))
            except ValueError as error:
                project.error((*path, key), str(error))
                found[key] = None
    if None in found.values():
        return None
    deciding = {key: found[key] for key in DECIDING if found.get(key)}
    if "additional_contexts" in deciding:
        deciding["contexts"] = deciding.pop("additional_contexts")
    allow = {*found.get("entitlements", ()), *(["security.insecure"] if found.get("privileged") else ())}
    secrets = found.get("secrets", {})
    passed = {key: found[key] for key in ("no_cache", "pull", "cache_from", "ssh") if found.get(key)}
    if "cache_to" in found:
        passed["cache_to"], passed["writes"] = found["cache_to"]
    if secrets:
        passed["secrets"] = [given for given, _ in secrets.values()]
    return Options(
        deciding,
        passed,
        tuple(sorted(allow)),
        tuple(found.get("tags", ())),
        {given["source"]: definition for given, definition in secrets.values()},
    )


def _contexts(written: Mapping[str, str] | Sequence[str], project: Project, path: Path) -> dict[str, str] | None:
    contexts: dict[str, str] = {}
    for index, (name, place) in enumerate(values.mapping(written).items()):
        if place.startswith(_REMOTE):
            contexts[name] = place
            continue
        where = (*path, name if isinstance(written, Mapping) else index)
        folder = project.scope.file(where, place, folder=True)
        if folder is None:
            return None
        contexts[name] = folder
    return contexts


def _secrets(written: Sequence[Any], project: Project, path: Path) -> dict[str, Any] | None:
    """Return id -> (how the build gets it, its definition); the value itself is read when the image is built."""
    found: dict[str, Any] = {}
    for index, source, options in grants({"secrets": written}, "secrets"):
        where = (*path, index) if not options else (*path, index, "source")
        if not project.known("secrets", source, where):
            return None
        definition = project.sections["secrets"][source]
        file, variable = part_file("secrets", source, project), definition.get("environment")
        if not file and not variable:
            message = f"a build cannot be given secret '{source}': it is not a file or a variable of the environment"
            project.error(where, message)
            return None
        name = str(options.get("target") or source)
        origin = {"file": file} if file else {"environment": str(variable)}
        found[name] = ({"id": name, "source": source, **origin}, origin)
    return found


def _ssh(written: Mapping[str, Any] | Sequence[str], project: Project, path: Path) -> dict[str, str] | None:
    """Return id -> the key's path, "" for the agent of whoever builds."""
    found: dict[str, str] = {}
    for index, (name, key) in enumerate(values.optional_mapping(written).items()):
        where = (*path, name if isinstance(written, Mapping) else index)
        place = project.source(where, key) if key else ""
        if place is None:
            return None
        found[name] = place
    return found


def _tags(written: Sequence[str], project: Project, path: Path) -> list[str] | None:
    for index, tag in enumerate(written):
        if not valid_tag(tag):
            project.error((*path, index), f"'{tag}' is not a tag: write NAME or NAME:TAG, the name in small letters")
            return None
    return sorted({normal_tag(tag) for tag in written})


def _entitlements(written: Sequence[str], project: Project, path: Path) -> list[str] | None:
    for index, name in enumerate(written):
        if name not in ENTITLEMENTS:
            hint = did_you_mean(name, ENTITLEMENTS) or f"there are {' and '.join(ENTITLEMENTS)}"
            project.error((*path, index), f"a build cannot be allowed '{name}'", hint)
            return None
    return list(written)


def _cache_to(written: Sequence[str], project: Project, _path: Path) -> tuple[list[str], list[str]]:
    """Return the places for the cache, and those of them that are folders of the host outside of the lab's."""
    places, outside = [], []
    for place in written:
        options = dict(pair.partition("=")[::2] for pair in place.split(","))
        if options.get("type") != "local":
            places.append(place)
            continue
        folder = posixpath.normpath(posixpath.join(project.lab.root, options.get("dest", "")))
        places.append(",".join(f"{name}={value}" for name, value in {**options, "dest": folder}.items()))
        if not folder.startswith(f"{project.lab.root}/"):
            outside.append(folder)
    return places, outside


_Reader = Callable[[Any, Project, Path], Any]
_READERS: Mapping[str, _Reader] = {
    "additional_contexts": _contexts,
    "cache_from": lambda written, _project, _path: values.texts(written),
    "cache_to": _cache_to,
    "entitlements": _entitlements,
    "extra_hosts": lambda written, _project, _path: values.extra_hosts(written),
    "isolation": lambda written, _project, _path: written,  # only engines on Windows have a choice
    "network": lambda written, _project, _path: written,
    "no_cache": lambda written, _project, _path: values.boolean(written),
    "privileged": lambda written, _project, _path: values.boolean(written),
    "pull": lambda written, _project, _path: values.boolean(written),
    "secrets": _secrets,
    "shm_size": lambda written, _project, _path: values.size(written),
    "ssh": _ssh,
    "tags": _tags,
    "ulimits": lambda written, _project, _path: {name: values.ulimit(given) for name, given in written.items()},
}
"""Key -> what reads its value: it reports a mistake and returns None, or raises ValueError."""
KEYS = tuple(_READERS)
"""The keys that `build_options` reads."""
