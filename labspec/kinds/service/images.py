"""The images that containers have and should have, as the engine tells of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from labspec.core.resource import Resource
from labspec.host.docker import Docker, image_path
from labspec.kinds.service.defaults import of_image


class Images(NamedTuple):
    """What is known of the images that the containers have and should have."""

    by_reference: Mapping[str, Any] = {}
    """Reference -> inspect answer; without those that the host does not have."""
    by_id: Mapping[str, Any] = {}
    brought: Mapping[str, Mapping[str, Any]] = {}
    """Id -> what containers of that image have from it."""

    @classmethod
    def of(cls, by_reference: Mapping[str, Any], by_id: Mapping[str, Any]) -> Self:
        """Return what these inspect answers tell."""
        return cls(by_reference, by_id, {identity: of_image(image) for identity, image in by_id.items()})


def images_of(docker: Docker, inspects: Sequence[Mapping[str, Any]], wanted: Iterable[Resource]) -> Images:
    """Return what the host has of the images that containers have, and of those that their services want."""
    references = sorted({resource.options["image"] for resource in wanted})
    answers = docker.find_all([image_path(reference) for reference in references])
    by_reference = {name: image for name, image in zip(references, answers, strict=True) if image is not None}
    by_id = {image["Id"]: image for image in by_reference.values()}
    older = sorted({inspect["Image"] for inspect in inspects} - set(by_id))
    found = docker.find_all([image_path(identity) for identity in older])
    by_id |= {name: image for name, image in zip(older, found, strict=True) if image}
    return Images.of(by_reference, by_id)
