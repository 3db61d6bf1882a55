"""Images on the host as entries of a spec: used as they are, or adopted as what a Dockerfile makes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import LAB_LABEL
from labspec.host.docker import filters, image_path
from labspec.kinds.image.names import normal_tag

if TYPE_CHECKING:
    from labspec.host.host import Host

Answer = Mapping[str, Any]


class Found(NamedTuple):
    """What an import has found of images."""

    entries: dict[str, dict[str, Any]]
    """Under `images`, by key."""
    adopt: list[str]
    """Addresses."""


def import_images(
    host: Host, named: Sequence[str], labels: Sequence[str], containers: Iterable[Answer], folder: Path
) -> Found:
    """Return entries for images: those that are named, those with a label, and those that containers use.

    No engine tells what an image was built from. So an image is external, used as it is and never changed or removed,
    unless it is named as NAME=DOCKERFILE: then it is adopted as what that makes. Raises LabError for an image that is
    not there, has no name, or is a lab's; and for a Dockerfile that is not in `folder`, where the spec is going to be.
    """
    tags: dict[str, str | None] = {}
    for word in named:
        reference, _, built_from = word.partition("=")
        tags[_tag(host, reference)] = _inside(built_from, folder) if built_from else None
    for tag in [*_labelled(host, labels), *_used(host, containers)]:
        tags.setdefault(tag, None)
    found = Found({}, [])
    for tag, dockerfile in sorted(tags.items()):
        key = _key(tag, found.entries)
        named_so = {} if normal_tag(key) == tag and dockerfile is None else {"tag": tag}
        source = {"external": True} if dockerfile is None else {"dockerfile": dockerfile}
        found.entries[key] = {**source, **named_so}
        if dockerfile is not None:
            found.adopt.append(f"image.{key}")
    return found


def _tag(host: Host, reference: str) -> str:
    image = host.docker.find(image_path(reference))
    if image is None:
        known = [tag for item in host.docker.get("/images/json") for tag in item.get("RepoTags") or ()]
        hint = did_you_mean(normal_tag(reference), known) or "'docker image ls' lists them"
        raise LabError(f"there is no image {reference}", hint=hint)
    owner = _owner(image["Config"])
    if owner:
        raise LabError(f"image {reference} is lab '{owner}''s already")
    tags = image.get("RepoTags") or ()
    if not tags:
        raise LabError(f"image {reference} has no name", hint="give it one: docker tag ID NAME")
    return normal_tag(reference) if normal_tag(reference) in tags else str(tags[0])


def _labelled(host: Host, labels: Sequence[str]) -> Iterator[str]:
    for label in labels:
        for image in host.docker.get("/images/json", filters(label=[label])):
            if not _owner(image):
                yield from (image.get("RepoTags") or ())[:1]


def _used(host: Host, containers: Iterable[Answer]) -> Iterator[str]:
    """Yield the names by which containers have their images, where an image still has it, and no lab made it."""
    wanted = sorted({normal_tag(item["Config"]["Image"]) for item in containers})
    answers = host.docker.find_all([image_path(tag) for tag in wanted])
    for tag, image in zip(wanted, answers, strict=True):
        if image is not None and tag in (image.get("RepoTags") or ()) and not _owner(image["Config"]):
            yield tag


def _owner(labelled: Answer) -> str | None:
    return (labelled.get("Labels") or {}).get(LAB_LABEL)


def _key(tag: str, taken: Mapping[str, Any]) -> str:
    repository, _, version = tag.rpartition(":")
    short = repository.rpartition("/")[2]
    for key in (short, f"{short}-{version}", re.sub(r"[^a-zA-Z0-9_.-]", "-", tag)):
        if key not in taken:
            return key
    raise LabError(f"too many images are named like {tag}", hint="choose fewer of them")


def _inside(dockerfile: str, folder: Path) -> str:
    path = Path(dockerfile, "Dockerfile") if Path(dockerfile).is_dir() else Path(dockerfile)
    if not path.is_file():
        raise LabError(f"there is no Dockerfile at {dockerfile}")
    relative = os.path.relpath(path.resolve(), folder.resolve())
    if relative.startswith(".."):
        raise LabError(
            f"{dockerfile} is outside of the lab's folder {folder}", hint="write the spec above it: -o FOLDER/lab.yaml"
        )
    return relative
