"""Images on the host, read by one list request; what an image was made of is told by the digests in its labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.diff import Field, compare, digest
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL, Lab, Observed, Resource
from labspec.host.docker import Docker, filters, segment
from labspec.kinds.objects import applied_fields, creation, reason_for, removal, replacement, resources_of
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

# Nobody can change an image, only put its tag on another one: so all but the tag is compared with what was recorded.
FIELDS = (
    Field("tag"),
    Field("dockerfile", live=False),
    Field("build_args", live=False),
    Field("target", live=False),
    Field("platform", live=False),
    Field("build", live=False),
    Field("context", live=False),
    Field("archive", live=False),
    Field("rootfs", live=False),
    Field("base", live=False),
    Field("labels", live=False),
)
_DANGERS = {
    "network.host": ("host-network", "a build step has the host's network"),
    "security.insecure": ("privileged", "a build step has all privileges on the host"),
}


class ImageLive:
    """The live side of images. An image is never changed: another one is made, and takes over the tag."""

    kind = "image"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's images at their tags, and those without one that earlier builds left."""
        answer = reading.docker.get("/images/json", filters(label=[f"{LAB_LABEL}={reading.lab.name}"]))
        wanted = {resource.address: resource.name for resource in resources_of(reading.lab, "image")}
        tagged, leftover = _sorted_out([_found(image) for image in answer if not image.get("ParentId")], wanted)
        yield from tagged
        if leftover:
            yield from _unused(leftover, reading)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, replaces or removes one image."""
        if desired is None:
            return _removal(observed) if observed else None
        whole = _with_base(desired, lab)
        diffs = compare(FIELDS, whole.desired, observed) if observed else ()
        reason = reason_for(diffs) if diffs else _outer_reason(desired, preview)
        if observed and not reason:
            return None
        from labspec.kinds.image.steps import RemoveImage, make_image

        prepare = (make_image(lab.name, whole),)
        if observed is None:
            return creation(whole, (), prepare)
        moved = observed.name != desired.name
        return replacement(
            whole,
            observed,
            diffs,
            reason,
            prepare=prepare,
            # Containers move to the new image before the old one goes; one that is somebody else's may keep it.
            finish=(RemoveImage(observed.id, observed.name if moved else "", must_go=False),),
        )

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Yield a problem for each tag that is somebody else's, and for what cannot be made on this host."""
        resources = lab.by_address
        made = [(change, resources[change.address]) for change in changes if change.address in resources]
        yield from _taken([resource for change, resource in made if _wants_tag(change)], lab, host)
        for _, resource in made:
            yield from _unmakeable(resource)

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: it is ready once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Yield a danger for each entitlement that the build asks for."""
        for name in resource.options.get("allow", ()):
            danger, message = _DANGERS[name]
            yield Danger(danger, resource.address, message)


def _found(image: Mapping[str, Any]) -> Observed:
    """Return one image of GET /images/json (API 1.41); its name is the tag that labspec gave it, "" without."""
    labels = image.get("Labels") or {}
    applied = applied_fields(labels)
    tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
    own = next((tag for tag in tags if digest(tag) == applied.get("tag")), "")
    return Observed(
        address=labels.get(ADDRESS_LABEL, ""),
        kind="image",
        id=image["Id"],
        name=own,
        state={"tag": own} if own else {},
        applied=applied,
        facts={"kept": bool(tags) and not own},
    )


def _sorted_out(images: Iterable[Observed], wanted: Mapping[str, str]) -> tuple[list[Observed], list[Observed]]:
    """Return (one image an address at its tag, what earlier builds left).

    What only has the tags of others is in neither: somebody keeps it under another name, or built upon one of ours.
    """
    tagged: dict[str, Observed] = {}
    leftover: list[Observed] = []
    for image in sorted(images, key=lambda image: (image.name != wanted.get(image.address), image.id)):
        if image.facts["kept"]:
            continue
        if image.name and image.address not in tagged:
            tagged[image.address] = image._replace(facts={})
        else:
            address = f"{image.address}@{image.id.removeprefix('sha256:')[:12]}"
            leftover.append(image._replace(address=address, facts={"leftover": True}))
    return list(tagged.values()), leftover


def _unused(leftover: Sequence[Observed], reading: Reading) -> Iterator[Observed]:
    """Yield the images that no foreign container uses; those of the lab move to the new image first."""
    query = {"all": "1", **filters(ancestor=[image.id for image in leftover])}
    users = reading.docker.get("/containers/json", query)
    images = {image.address.rpartition("@")[0] for image in leftover}
    foreign = {user["ImageID"] for user in users if not _own_container(user, reading.lab.name, images)}
    yield from (image for image in leftover if image.id not in foreign)


def _own_container(container: Mapping[str, Any], lab: str, images: Set[str]) -> bool:
    """Return whether labspec made a container: whoever runs an image gets its labels, the image's address too."""
    labels = container.get("Labels") or {}
    return labels.get(LAB_LABEL) == lab and labels.get(ADDRESS_LABEL) not in images


def _removal(observed: Observed) -> Change:
    from labspec.kinds.image.steps import RemoveImage

    leftover = observed.facts.get("leftover", False)
    step = RemoveImage(observed.id, observed.name, must_go=not leftover)
    return removal(observed, (step,), "left from an earlier build" if leftover else "no longer in the spec")


def _with_base(desired: Resource, lab: Lab) -> Resource:
    """Return the resource with digests of the lab's images that it is made from, so that it follows them."""
    if not desired.needs:
        return desired
    needed = [resource for resource in resources_of(lab, "image") if resource.address in desired.needs]
    base = {resource.address: digest(_with_base(resource, lab).desired) for resource in needed}
    return desired._replace(desired={**desired.desired, "base": base})


def _outer_reason(desired: Resource, preview: Preview) -> str:
    if desired.address in preview.replace:
        return "asked for by --replace"
    replaced = [change.address for change in preview.disturbing(desired.needs) if change.action is Action.REPLACE]
    return f"{', '.join(replaced)} is replaced" if replaced else ""


def _wants_tag(change: Change) -> bool:
    return change.action is Action.CREATE or any(diff.field == "tag" for diff in change.diffs)


def _taken(resources: Sequence[Resource], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    from labspec.kinds.image.steps import foreign_owner

    docker: Docker = host.docker
    found = docker.find_all([f"/images/{segment(resource.name)}/json" for resource in resources])
    for resource, image in zip(resources, found, strict=True):
        whose = foreign_owner(image, lab.name) if image else None
        if whose:
            yield Diagnostic(
                f"{resource.address}: the tag {resource.name} is taken by an image that {whose}",
                at=resource.at,
                hint="give the lab's image another 'tag', or remove the other one (docker rmi)",
            )


def _unmakeable(resource: Resource) -> Iterator[Diagnostic]:
    from shutil import which

    if resource.options["source"] == "rootfs" and not which("mmdebstrap"):
        yield Diagnostic(
            f"{resource.address}: mmdebstrap is not installed on this host",
            at=resource.at,
            hint="install it (sudo apt-get install mmdebstrap)",
        )
    if resource.options["source"] == "archive":
        from labspec.kinds.image.archive import checked

        try:
            checked(resource.options["archive"])
        except LabError as error:
            yield from (found._replace(at=resource.at) for found in error.diagnostics)


LIVE = ImageLive()
