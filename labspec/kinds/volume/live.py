"""Volumes on the host, read by one list request and compared by driver, options and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field
from labspec.core.resource import LAB_LABEL, Lab, Observed, Resource
from labspec.host.docker import filters
from labspec.kinds.adoption.objects import taken_over
from labspec.kinds.objects import (
    applied_fields,
    as_it_should_be,
    at_their_resources,
    external,
    foreign_labels,
    plain_change,
    taken,
)
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("driver", default="local"),
    Field("options", default={}, keyed=True),
    Field("labels", default={}, keyed=True),
)


class VolumeLive:
    """The live side of volumes. Docker cannot change a volume, so every difference replaces it."""

    kind = "volume"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's volumes, and the external ones that it names and the host has."""
        answer = reading.docker.get("/volumes", filters(label=[f"{LAB_LABEL}={reading.lab.name}"]))
        own = list(at_their_resources(map(observed, answer.get("Volumes") or ()), reading, "volume"))
        yield from own
        yield from taken_over(reading, "volume", "/volumes/{}", observed, {found.address for found in own})
        yield from external(reading, "volume", "/volumes/", "Name")

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, replaces or removes one volume."""
        if as_it_should_be(FIELDS, desired, observed, preview):
            return None
        from labspec.kinds.volume.steps import CreateVolume, RemoveVolume

        remove = (RemoveVolume(observed.name),) if observed else ()
        make = (CreateVolume.of(lab.name, desired),) if desired else ()
        change = plain_change(FIELDS, desired, observed, preview, remove=remove, make=make)
        if change and change.action in (Action.REPLACE, Action.DELETE) and observed and _keeps_data(observed):
            return change.warned("what the volume holds is lost")
        return change

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return a problem for each volume to be made whose name is taken by one that labspec did not make."""
        return taken("volume", "/volumes/", changes, lab, host)

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: it is ready once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a local volume that binds a folder of the host."""
        options = resource.desired.get("options", {})
        if "bind" in str(options.get("o", "")).split(",") and options.get("device"):
            yield Danger("host-mount", resource.address, f"gives containers {options['device']} of the host")


def observed(volume: Mapping[str, Any]) -> Observed:
    """Return the canonical form of one volume of GET /volumes (API 1.41)."""
    labels = volume.get("Labels") or {}
    return Observed(
        address=labels.get("io.labspec.address", ""),
        kind="volume",
        id=volume["Name"],
        name=volume["Name"],
        state={
            "driver": volume["Driver"],
            "options": volume.get("Options") or {},
            "labels": foreign_labels(labels),
        },
        applied=applied_fields(labels),
        facts={"created": volume.get("CreatedAt", "")},
    )


def _keeps_data(volume: Observed) -> bool:
    return bool(volume.state["options"].get("type") != "tmpfs")


LIVE = VolumeLive()
