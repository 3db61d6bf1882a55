"""An image as the engine answers it: one of the lab's, one that it adopts or has adopted, one that is external."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labspec.core.diff import digest, digests
from labspec.core.resource import ADDRESS_LABEL, Lab, Observed, Resource
from labspec.host.docker import image_path
from labspec.kinds.adoption.objects import taken_over
from labspec.kinds.adoption.record import ADOPTING, NOTE
from labspec.kinds.image.names import TAGS_LABEL
from labspec.kinds.objects import applied_fields, resources_of
from labspec.kinds.provider import Reading


def found_image(image: Mapping[str, Any]) -> Observed:
    """Return one image of GET /images/json (API 1.41); its name is the tag that labspec gave it, "" without."""
    labels = image.get("Labels") or {}
    applied = applied_fields(labels)
    tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
    own = next((tag for tag in tags if digest(tag) == applied.get("tag")), "")
    further = [tag for tag in labels.get(TAGS_LABEL, "").split() if tag in tags]
    return Observed(
        address=labels.get(ADDRESS_LABEL, ""),
        kind="image",
        id=image["Id"],
        name=own,
        state={**({"tag": own} if own else {}), **({"tags": further} if further else {})},
        applied=applied,
        facts={"kept": bool(tags) and not own},
    )


def foreign_images(reading: Reading, there: Collection[str]) -> Iterator[Observed]:
    """Yield the images that the lab has adopted, adopts, or names as external; `there` are addresses of its own."""

    def found(answer: Mapping[str, Any]) -> Observed:
        labels = answer["Labels"]
        resource = reading.lab.by_address.get(labels[ADDRESS_LABEL])
        named = resource.desired.get("tags", ()) if resource else ()
        image = found_image({**answer, "Labels": {**labels, TAGS_LABEL: " ".join(named)}})
        return image._replace(facts={})

    for image in taken_over(reading, "image", "/images/{}/json", found, there):
        yield _as_made(image, reading.lab) if image.facts.get(ADOPTING) else image
    named = [resource for resource in resources_of(reading.lab, "image") if resource.options.get("external")]
    answers = reading.docker.find_all([image_path(resource.name) for resource in named]) if named else []
    for resource, answer in zip(named, answers, strict=True):
        if answer is not None:
            yield Observed(resource.address, "image", answer["Id"], resource.name, owned=False)


def with_base(desired: Resource, lab: Lab) -> Resource:
    """Return the resource with digests of the lab's images that it is made from, so that it follows them."""
    if not desired.needs:
        return desired
    images = (resource for resource in resources_of(lab, "image") if not resource.options.get("external"))
    needed = [resource for resource in images if resource.address in desired.needs]
    base = {resource.address: digest(with_base(resource, lab).desired) for resource in needed}
    return desired._replace(desired={**desired.desired, "base": base}) if base else desired


def _as_made(image: Observed, lab: Lab) -> Observed:
    """Return an image that the spec adopts as what the spec makes: no engine tells what an image was built from."""
    desired = with_base(lab.by_address[image.address], lab).desired
    note = "labspec cannot see what it was made of, and takes it for what the spec says; --replace makes it anew"
    state = {"tag": desired["tag"], **image.state}
    return image._replace(name=desired["tag"], state=state, applied=digests(desired), facts={**image.facts, NOTE: note})
