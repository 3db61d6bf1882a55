"""The addresses of networks: no two networks of an engine can have the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change
from labspec.core.diagnostic import Diagnostic
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.network.live import observed
from labspec.kinds.network.steps import RemoveNetwork

if TYPE_CHECKING:
    from labspec.host.host import Host

Subnet = IPv4Network | IPv6Network


def overlap(desired: Resource, there: Observed) -> bool:
    """Return whether a network to be made wants addresses that one on the host has."""
    return common(subnets(desired.desired.get("pools", ())), subnets(there.state["pools"])) is not None


def subnets(pools: Iterable[Mapping[str, Any]]) -> list[Subnet]:
    """Return the subnets of a network's pools."""
    return [ip_network(pool["subnet"], strict=False) for pool in pools if pool.get("subnet")]


def common(wanted: Sequence[Subnet], there: Sequence[Subnet]) -> tuple[Subnet, Subnet] | None:
    """Return the first two subnets that have addresses in common, or None."""
    return next(((one, two) for one in wanted for two in there if _overlap(one, two)), None)


def overlaps(changes: Sequence[Change], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    """Yield a problem for each network to be made that wants addresses of another one, which stays or is made too."""
    made = [
        lab.by_address[change.address]
        for change in changes
        if change.action in (Action.CREATE, Action.REPLACE) and change.kind == "network"
    ]
    made = [resource for resource in made if resource.desired.get("pools")]
    if not made:
        return
    going = {step.id for change in changes for step in change.remove if isinstance(step, RemoveNetwork)}
    there = [
        (f"network {network['Name']} of this host", subnets(observed(network).state["pools"]))
        for network in host.docker.get("/networks")
        if network["Id"] not in going and network.get("Scope") == "local"
    ]
    for resource in made:
        wanted = subnets(resource.desired["pools"])
        for other, its in there:
            found = common(wanted, its)
            if found:
                yield Diagnostic(
                    f"{resource.address}: its subnet {found[0]} overlaps {found[1]}, which {other} has",
                    at=resource.at,
                    hint="choose another subnet; 'docker network ls' and 'ip route' show those in use",
                )
        there.append((resource.address, wanted))


def _overlap(one: Subnet, two: Subnet) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(two, IPv4Network) and one.overlaps(two)
    return isinstance(two, IPv6Network) and one.overlaps(two)
