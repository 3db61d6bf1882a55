"""What stands in the way of new containers: names, ports and images that this host cannot give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change
from labspec.core.diagnostic import Diagnostic
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL, Lab, Resource
from labspec.host.docker import image_path
from labspec.host.ports import bindable, taken_ports
from labspec.kinds.service.claims import Port, awaited_ends, doubled, misplaced, published
from labspec.kinds.service.given import lacking
from labspec.kinds.service.steps import ContainerStep

if TYPE_CHECKING:
    from labspec.host.host import Host


def clashes(changes: Sequence[Change], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    """Yield a problem for each name, port or image that the containers to be made cannot have."""
    resources = lab.by_address
    made = [
        resources[change.address]
        for change in changes
        if change.action in (Action.CREATE, Action.REPLACE) and change.address in resources
    ]
    renamed = [resources[change.address] for change in changes if any(diff.field == "name" for diff in change.diffs)]
    moved = [
        resources[change.address]
        for change in changes
        if any(diff.field in ("replicas", "networks") for diff in change.diffs)
    ]
    if not made and not renamed and not moved:
        return
    claiming = list({resource.address: resource for resource in (*made, *moved)}.values())
    yield from doubled(claiming, awaited_ends(lab.resources))
    yield from misplaced(claiming, lab.by_kind.get("network", ()))
    containers = host.docker.get("/containers/json", {"all": 1})
    leaving = {change.address for change in changes if change.action in (Action.DELETE, Action.REPLACE)}
    # What was adopted has no labels, and is known by its id.
    leaving |= {step.id for change in changes for step in change.remove if isinstance(step, ContainerStep)}
    named = {resource.address: resource for resource in (*made, *renamed)}
    yield from _names(list(named.values()), containers, leaving, lab)
    yield from _ports(made, containers, leaving, lab, host)
    yield from _images(made, host)
    yield from lacking(made, host)


def _names(
    made: Sequence[Resource], containers: Sequence[Mapping[str, Any]], leaving: set[str], lab: Lab
) -> Iterator[Diagnostic]:
    holders = {name.removeprefix("/"): item for item in containers for name in item.get("Names") or ()}
    for resource in made:
        holder = holders.get(resource.name)
        if holder is None or _is_own(holder, lab, {resource.address, *leaving}):
            continue
        yield Diagnostic(
            f"{resource.address}: the name {resource.name} is taken by a container that {_whose(holder, lab)}",
            at=resource.at,
            hint="give the service another 'container_name', or remove the other container "
            f"(docker rm -f {resource.name})",
        )


def _ports(
    made: Sequence[Resource], containers: Sequence[Mapping[str, Any]], leaving: set[str], lab: Lab, host: Host
) -> Iterator[Diagnostic]:
    holders: dict[tuple[int, str], list[Mapping[str, Any]]] = {}
    for item in containers:
        for port in item.get("Ports") or ():
            if port.get("PublicPort"):
                holders.setdefault((port["PublicPort"], port.get("Type", "tcp")), []).append(item)
    listening: dict[str, set[int]] = {}
    for resource in made:
        for port in (port for port in published(resource.desired) if port.certain):
            mine = {resource.address, *leaving}
            held = [item for item in holders.get((port.first, port.protocol), ()) if item["State"] == "running"]
            foreign = [item for item in held if not _is_own(item, lab, mine) and _meet(port, item)]
            if foreign:
                yield _taken(resource, port, f"container {_name(foreign[0])} publishes it")
            elif not held and host.local:
                if port.protocol not in listening:
                    listening[port.protocol] = taken_ports(port.protocol)
                if port.first in listening[port.protocol] and not bindable(port.host_ip, port.first, port.protocol):
                    yield _taken(resource, port, "a program on this host listens on it")


def _taken(resource: Resource, port: Port, why: str) -> Diagnostic:
    return Diagnostic(
        f"{resource.address}: port {port} is taken: {why}",
        at=resource.at,
        hint=f"publish another port, or stop what has it ('ss -lnp sport = :{port.first}' shows it)",
    )


def _meet(port: Port, item: Mapping[str, Any]) -> bool:
    """Whether a container publishes the port on an address that the wanted one has too."""
    everywhere = ("", "0.0.0.0", "::")  # noqa: S104  compared, not listened on
    addresses = {
        found.get("IP", "")
        for found in item["Ports"]
        if found.get("PublicPort") == port.first and found.get("Type") == port.protocol
    }
    return port.host_ip in everywhere or port.host_ip in addresses or not addresses.isdisjoint(everywhere)


def _images(made: Sequence[Resource], host: Host) -> Iterator[Diagnostic]:
    wanted = [
        resource
        for resource in made
        if not resource.options.get("image_address") and resource.options.get("pull_policy") == "never"
    ]
    paths = [image_path(resource.options["image"]) for resource in wanted]
    for resource, found in zip(wanted, host.docker.find_all(paths), strict=True):
        if found is None:
            yield Diagnostic(
                f"{resource.address}: this host has no image {resource.options['image']}, and it may not be pulled",
                at=resource.at,
                hint="drop 'pull_policy: never', or have the image made by an entry in 'images'",
            )


def _is_own(item: Mapping[str, Any], lab: Lab, known: set[str]) -> bool:
    """Return whether a container is the lab's at one of the addresses, or one of the ids, that are `known`."""
    labels = item.get("Labels") or {}
    return item["Id"] in known or (labels.get(LAB_LABEL) == lab.name and labels.get(ADDRESS_LABEL) in known)


def _whose(item: Mapping[str, Any], lab: Lab) -> str:
    labels = item.get("Labels") or {}
    owner = labels.get(LAB_LABEL)
    if owner == lab.name:
        return f"is {labels.get(ADDRESS_LABEL)} of this lab"
    return f"belongs to lab '{owner}'" if owner else "was not made by labspec"


def _name(item: Mapping[str, Any]) -> str:
    return str((item.get("Names") or [item["Id"][:12]])[0]).removeprefix("/")
