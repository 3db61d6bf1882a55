"""Images on the host, read by one list request; what an image was made of is told by the digests in its labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.diff import Cause, Field, Settle, compare
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL, Lab, Observed, Resource
from labspec.host.docker import filters, image_path
from labspec.kinds.adoption.record import ADOPTED
from labspec.kinds.image.reading import foreign_images, found_image, with_base
from labspec.kinds.objects import creation, plain_update, reason_for, removal, replacement, resources_of
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

# Nobody can change an image, only put its tag on another one: so all but the tag is compared with what was recorded.
FIELDS = (
    Field("tag"),
    Field("tags"),
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
        tagged, leftover = _sorted_out([found_image(image) for image in answer if not image.get("ParentId")], wanted)
        yield from tagged
        yield from foreign_images(reading, {image.address for image in tagged})
        if leftover:
            yield from _unused(leftover, reading)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, replaces or removes one image."""
        if desired is None:
            return _removal(observed) if observed else None
        if desired.options.get("external"):
            return None
        whole = with_base(desired, lab)
        diffs = compare(FIELDS, whole.desired, observed) if observed else ()
        reason = reason_for(diffs) if diffs else _outer_reason(desired, preview)
        if observed and not reason:
            return None
        from labspec.kinds.image.steps import RemoveImage, TagImage, make_image

        if observed and diffs and all(diff.field == "tags" and diff.cause is Cause.DRIFT for diff in diffs):
            missing = sorted({*desired.desired["tags"]} - {*observed.state.get("tags", ())})
            make = tuple(TagImage(observed.id, tag, lab.name) for tag in missing)
            return plain_update(whole, observed, tuple(diff._replace(settle=Settle.UPDATE) for diff in diffs), make)
        over = observed.id if observed and observed.facts.get(ADOPTED) else ""
        prepare = (make_image(lab.name, whole, over),)
        if observed is None:
            return creation(whole, (), prepare)
        moved = observed.name != desired.name
        gone = tuple(sorted({*observed.state.get("tags", ())} - {*desired.desired.get("tags", ())}))
        return replacement(
            whole,
            observed,
            diffs,
            reason,
            prepare=prepare,
            # Containers move to the new image before the old one goes; one that is somebody else's may keep it.
            finish=(RemoveImage(observed.id, observed.name if moved else "", must_go=False, further=gone),),
        )

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Yield a problem for each tag that is somebody else's, and for what cannot be made on this host."""
        resources = lab.by_address
        made = [(change, resources[change.address]) for change in changes if change.address in resources]
        yield from _taken([resource for change, resource in made if _wants_tag(change)], lab, host)
        for change, resource in made:
            if change.action in (Action.CREATE, Action.REPLACE):
                yield from unmakeable(resource)

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: it is ready once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Yield a danger for each entitlement that the build asks for, and for what it gets of the host."""
        options, address = resource.options, resource.address
        if options.get("secrets"):
            from labspec.kinds.service.dangers import mount_dangers

            for file in (given["file"] for given in options["secrets"] if "file" in given):
                for found in mount_dangers(file, address):
                    yield found._replace(message=f"a build step may read {file} of the host")
        for name in options.get("allow", ()):
            danger, message = _DANGERS[name]
            yield Danger(danger, address, message)
        for key in options.get("ssh", {}).values():
            yield Danger("ssh", address, f"a build step may use {f'the SSH key {key}' if key else 'your SSH agent'}")
        for folder in options.get("writes", ()):
            yield Danger("host-mount", address, f"a build writes its cache to {folder} of the host")


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
    further = tuple(observed.state.get("tags", ()))
    step = RemoveImage(observed.id, observed.name, must_go=not leftover, further=further)
    return removal(observed, (step,), "left from an earlier build" if leftover else "no longer in the spec")


def _outer_reason(desired: Resource, preview: Preview) -> str:
    if desired.address in preview.replace:
        return "asked for by --replace"
    replaced = [change.address for change in preview.disturbing(desired.needs) if change.action is Action.REPLACE]
    return f"{', '.join(replaced)} is replaced" if replaced else ""


def _wants_tag(change: Change) -> bool:
    return change.action is Action.CREATE or any(diff.field in ("tag", "tags") for diff in change.diffs)


def _taken(resources: Sequence[Resource], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    from labspec.kinds.image.steps import foreign_owner

    named = [(resource, tag) for resource in resources for tag in (resource.name, *resource.desired.get("tags", ()))]
    found = host.docker.find_all([image_path(tag) for _, tag in named])
    for (resource, tag), image in zip(named, found, strict=True):
        whose = foreign_owner(image, lab.name) if image else None
        if whose:
            yield Diagnostic(
                f"{resource.address}: the tag {tag} is taken by an image that {whose}",
                at=resource.at,
                hint="give the lab's image another tag, name it under 'adopt', or remove the other one (docker rmi)",
            )


def unmakeable(resource: Resource) -> Iterator[Diagnostic]:
    """Yield what this host lacks to make an image."""
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
    for said, hint in _not_given(resource.options):
        yield Diagnostic(f"{resource.address}: {said}", at=resource.at, hint=hint)


def _not_given(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a build is to be given and is not here, and what to do about it."""
    import os

    from labspec.kinds.secret.lack import lack

    for given in options.get("secrets", ()):
        found = lack(given)
        if found:
            yield f"secret '{given['source']}' of its build: {found[0]}", found[1]
    for key in options.get("ssh", {}).values():
        if key and not os.access(key, os.R_OK):
            yield f"there is no SSH key {key} that you may read", "correct its path"
        if not key and "SSH_AUTH_SOCK" not in os.environ:
            yield (
                "its build uses the SSH agent, and there is none",
                "start it, or give a key: default=PATH",
            )


LIVE = ImageLive()
