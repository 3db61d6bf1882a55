"""Networks on the host, read by one list request and compared field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field
from labspec.core.resource import LAB_LABEL, Lab, Observed, Resource
from labspec.host.docker import filters
from labspec.kinds.adoption.objects import taken_over
from labspec.kinds.objects import (
    applied_fields,
    as_it_should_be,
    at_their_resources,
    differences,
    external,
    foreign_labels,
    plain_change,
    replacement,
    taken,
)
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("driver", default="bridge"),
    Field("internal", default=False),
    Field("attachable", default=False),
    Field("ipv4", default=True),
    Field("ipv6", default=False),
    Field("options", default={}, keyed=True),
    Field("ipam_driver", default="default"),
    Field("ipam_options", default={}, keyed=True),
    Field("pools"),
    Field("labels", default={}, keyed=True),
)


class NetworkLive:
    """The live side of networks. Docker cannot change a network, so every difference replaces it."""

    kind = "network"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's networks, and the external ones that it names and the host has."""
        groups: dict[str, list[Observed]] = {}
        listed = reading.docker.get("/networks", filters(label=[f"{LAB_LABEL}={reading.lab.name}"]))
        for found in at_their_resources(map(observed, listed), reading, "network"):
            groups.setdefault(found.address, []).append(found)
        for found in taken_over(reading, "network", "/networks/{}", observed, set(groups)):
            groups.setdefault(found.address, []).append(found)
        # Engines before 25 make two of one name where two ask at once.
        for first, *others in groups.values():
            more = [[other.id, other.name] for other in others]
            yield first._replace(facts={**first.facts, "others": more}) if more else first
        yield from external(reading, "network", "/networks/", "Id")

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, replaces or removes one network."""
        folded = _fold(desired.desired, observed.state) if desired and observed else None
        others = observed.facts.get("others", ()) if observed else ()
        if not others and as_it_should_be(FIELDS, desired, observed, preview, folded):
            return None
        from labspec.kinds.network.steps import CreateNetwork, RemoveNetwork

        remove: tuple[Step, ...] = (RemoveNetwork(observed.id, observed.name),) if observed else ()
        remove += tuple(RemoveNetwork(identity, name) for identity, name in others)
        if desired and "pools" in desired.desired:
            # Two networks cannot have the same addresses, not even until the old one goes.
            from labspec.kinds.network.pools import overlap

            former = [found for found in preview.leaving.get("network", ()) if overlap(desired, found)]
            remove += tuple(RemoveNetwork(found.id, found.name) for found in former)
        make = (CreateNetwork.of(lab.name, desired),) if desired else ()
        if desired and observed and others:
            diffs = differences(FIELDS, desired, observed, folded)
            return replacement(desired, observed, diffs, "there are several of its name", remove=remove, make=make)
        return plain_change(FIELDS, desired, observed, preview, remove=remove, make=make, folded=folded)

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Yield a problem for each network to be made whose name or addresses another one has."""
        yield from taken("network", "/networks/", changes, lab, host)
        from labspec.kinds.network.pools import overlaps

        yield from overlaps(changes, lab, host)

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: it is ready once it is made."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:  # noqa: ARG002  the contract's argument
        """Return nothing: a network of its own gives nothing of the host away."""
        return ()


def observed(network: Mapping[str, Any]) -> Observed:
    """Return the canonical form of one network of GET /networks (API 1.41)."""
    labels = network.get("Labels") or {}
    ipam = network.get("IPAM") or {}
    options = network.get("Options") or {}
    return Observed(
        address=labels.get("io.labspec.address", ""),
        kind="network",
        id=network["Id"],
        name=network["Name"],
        state={
            "driver": network["Driver"],
            "internal": bool(network.get("Internal")),
            "attachable": bool(network.get("Attachable")),
            "ipv4": bool(network.get("EnableIPv4", True)),
            "ipv6": bool(network.get("EnableIPv6")),
            "options": {name: value for name, value in options.items() if name not in _ENGINE_OPTIONS},
            "ipam_driver": ipam.get("Driver") or "default",
            "ipam_options": ipam.get("Options") or {},
            "pools": [_pool(pool) for pool in ipam.get("Config") or ()],
            "labels": foreign_labels(labels),
        },
        applied=applied_fields(labels),
    )


_ENGINE_OPTIONS = ("com.docker.network.enable_ipv4", "com.docker.network.enable_ipv6")
"""Options that the engine adds by itself to say what it says elsewhere too."""

_POOL_KEYS = {"Subnet": "subnet", "IPRange": "ip_range", "Gateway": "gateway", "AuxiliaryAddresses": "aux_addresses"}


def _pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: pool[theirs] for theirs, ours in _POOL_KEYS.items() if pool.get(theirs)}


def _fold(desired: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """Complete the wanted pools by what the engine chose itself: a gateway, or a second family's subnet."""
    if "pools" not in desired:
        return {}
    found = {pool.get("subnet"): pool for pool in state["pools"]}
    wanted = [{**found.get(pool.get("subnet"), {}), **pool} for pool in desired["pools"]]
    known = {pool.get("subnet") for pool in wanted}
    asked_families = {":" in str(pool.get("subnet")) for pool in desired["pools"]}
    chosen = [pool for pool in state["pools"] if pool.get("subnet") not in known]
    added = [pool for pool in chosen if (":" in str(pool.get("subnet"))) not in asked_families]
    order = [pool.get("subnet") for pool in state["pools"]]
    full = wanted + added
    return {"pools": sorted(full, key=lambda pool: order.index(pool["subnet"]) if pool.get("subnet") in order else 99)}


LIVE = NetworkLive()
