"""An image as a folder that `docker build` takes: its Dockerfile, and just the files that it copies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.image.context import context_files, select
from labspec.kinds.image.parse import Source

DOCKERFILE = "Dockerfile"
SPARE_DOCKERFILE = "Dockerfile.labspec"
"""Its name where the context has another file named Dockerfile."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file to write: `content` (text, or the bytes of a copied file), or the target of a symlink, or a folder."""

    path: str
    """Relative to the output folder."""
    content: bytes | None = None
    link: str | None = None
    executable: bool = False


def image_folder(resource: Resource) -> str:
    """Return the image's folder below the output: images/nagini, or images/portainer.web for a stack's."""
    return f"images/{resource.address.replace('image.', '').removeprefix('stack.')}"


def dockerfile_name(resource: Resource) -> str:
    """Return the name of the Dockerfile in the image's folder."""
    files = dict(context_files(resource))
    own = files.get(DOCKERFILE)
    same = own is None or Path(own).read_bytes() == resource.desired["dockerfile"].encode()
    return DOCKERFILE if same else SPARE_DOCKERFILE


def image_artifacts(resource: Resource) -> Iterator[Artifact]:
    """Yield the files of a built image: its context as it is now, and its Dockerfile."""
    folder = image_folder(resource)
    for relative, absolute in context_files(resource):
        yield copied(f"{folder}/{relative}", absolute)
    yield Artifact(f"{folder}/{dockerfile_name(resource)}", resource.desired["dockerfile"].encode())
    for name, place in resource.options.get("contexts", {}).items():
        if place.startswith("/"):
            for relative, absolute in select(place, [Source(0, ".")]).files:
                yield copied(f"{context_folder(resource, name)}/{relative}", absolute)


def build_section(resource: Resource, back: str) -> dict[str, Any]:
    """Return compose's `build` for a rendered image; `back` leads from the compose file to the output folder."""
    desired = resource.desired
    section: dict[str, Any] = {"context": f"{back}{image_folder(resource)}"}
    if dockerfile_name(resource) != DOCKERFILE:
        section["dockerfile"] = SPARE_DOCKERFILE
    if desired.get("build_args"):
        section["args"] = dict(desired["build_args"])
    if desired.get("target"):
        section["target"] = desired["target"]
    if desired.get("labels"):
        section["labels"] = dict(desired["labels"])
    if desired.get("platform"):
        section["platforms"] = [desired["platform"]]
    options, further = resource.options, desired.get("build", {})
    section |= {name: further[name] for name in ("network", "extra_hosts", "shm_size", "ulimits") if name in further}
    section |= {name: options[name] for name in ("no_cache", "pull", "cache_from", "cache_to") if options.get(name)}
    if desired.get("tags"):
        section["tags"] = list(desired["tags"])
    if options.get("secrets"):
        section["secrets"] = [{"source": given["source"], "target": given["id"]} for given in options["secrets"]]
    if options.get("ssh"):
        section["ssh"] = [f"{name}={key}" if key else name for name, key in options["ssh"].items()]
    if options.get("allow"):
        section["entitlements"] = list(options["allow"])
    contexts = options.get("contexts", {})
    if contexts:
        section["additional_contexts"] = {
            name: f"{back}{context_folder(resource, name)}" if place.startswith("/") else place
            for name, place in contexts.items()
        }
    return section


def context_folder(resource: Resource, name: str) -> str:
    """Return the folder, below the output, of a further context of an image."""
    return f"{image_folder(resource)}.{name}"


def copied(path: str, absolute: str) -> Artifact:
    """Return the file, symlink or (path ending in '/') empty folder at `absolute` as an artifact."""
    if path.endswith("/"):
        return Artifact(path)
    if os.path.islink(absolute):  # noqa: PTH114  beside readlink
        return Artifact(path, link=os.readlink(absolute))  # noqa: PTH115  exactly as it is written
    source = Path(absolute)
    return Artifact(path, source.read_bytes(), executable=bool(source.stat().st_mode & 0o100))
