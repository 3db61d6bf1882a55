"""What services claim and there is once only: ports of the host, addresses on a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any, NamedTuple

from labspec.core.diagnostic import Diagnostic
from labspec.core.resource import Resource
from labspec.kinds.network.pools import subnets


class Port(NamedTuple):
    """A port of the host, or (`last` > `first`) a range of them that the engine chooses one from."""

    host_ip: str
    """"" for all addresses, of IPv4 and IPv6."""
    first: int
    last: int
    protocol: str

    def __str__(self) -> str:
        number = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{number}/{self.protocol}"

    @property
    def certain(self) -> bool:
        """Whether it is one certain port."""
        return self.first == self.last

    def meets(self, other: Port) -> bool:
        """Return whether two containers cannot both publish these: one certain port on an address of both."""
        same = self.certain and other.certain and (self.first, self.protocol) == (other.first, other.protocol)
        return same and (_covers(self.host_ip, other.host_ip) or _covers(other.host_ip, self.host_ip))


class Claims:
    """Which of several services claims what."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._ports: defaultdict[int, list[tuple[Port, Resource]]] = defaultdict(list)
        self._addresses: dict[tuple[str, str], Resource] = {}
        for resource in resources:
            for port in published(resource.desired):
                self.add_port(port, resource)
            for place in addresses(resource.desired):
                self.add_address(place, resource)

    def add_port(self, port: Port, resource: Resource) -> None:
        """Note that a service claims a port."""
        self._ports[port.first].append((port, resource))

    def port_of(self, port: Port) -> Resource | None:
        """Return the first service that claims a port, or None."""
        return next((resource for other, resource in self._ports.get(port.first, ()) if port.meets(other)), None)

    def add_address(self, place: tuple[str, str], resource: Resource) -> None:
        """Note that a service claims an address on a network, unless another one has."""
        self._addresses.setdefault(place, resource)

    def address_of(self, place: tuple[str, str]) -> Resource | None:
        """Return the first service that claims an address on a network, or None."""
        return self._addresses.get(place)

    def want_of(self, fields: Mapping[str, Any], owner: str) -> bool:
        """Return whether another service than the `owner` claims something of what the owner's containers have."""
        holders = [*map(self.port_of, published(fields)), *map(self.address_of, addresses(fields))]
        return any(holder is not None and holder.address != owner for holder in holders)


def published(fields: Mapping[str, Any]) -> Iterator[Port]:
    """Yield the ports of the host that a service names: not those that the engine is free to choose."""
    for text in fields.get("ports", ()):
        address, _, target = text.rpartition(":")
        host_ip, _, numbers = address.rpartition(":")
        first, _, last = numbers.partition("-")
        if first and int(first):
            yield Port(host_ip.strip("[]"), int(first), int(last or first), target.rpartition("/")[2])


def doubled(made: Sequence[Resource], jobs: Collection[str]) -> Iterator[Diagnostic]:
    """Yield a problem for each thing that two of the containers to be made claim, if both run at once.

    `jobs` are the addresses of services that others await the end of: what they have is free again then.
    """
    for resource in made:
        yield from _among_replicas(resource)
    lasting = [resource for resource in made if resource.address not in jobs]
    claims = Claims()
    for resource in lasting:
        for port in published(resource.desired):
            first = claims.port_of(port)
            if first is not None:
                yield _twice(resource, f"publishes port {port}", first, "publish another port of the host")
            claims.add_port(port, resource)
    for resource in lasting:
        for network, address in addresses(resource.desired):
            first = claims.address_of((network, address))
            if first is not None:
                does = f"has the address {address} on network {network}"
                yield _twice(resource, does, first, "give it another address of the network, or none")
            claims.add_address((network, address), resource)


def misplaced(made: Sequence[Resource], networks: Sequence[Resource]) -> Iterator[Diagnostic]:
    """Yield a problem for each address that the network which it is on does not have."""
    by_name = {network.name: network for network in networks if not network.options["external"]}
    for resource in made:
        for name, address in addresses(resource.desired):
            network = by_name.get(name)
            if network is None or network.desired.get("ipam_driver"):
                continue
            its = subnets(network.desired.get("pools", ()))
            if not any(ip_address(address) in subnet for subnet in its):
                listed = ", ".join(map(str, its))
                yield Diagnostic(
                    f"{resource.address}: {network.address} does not have the address {address}",
                    at=resource.at,
                    hint=f"its subnets: {listed}" if its else "give the network a subnet that has it, by 'subnets'",
                )


def awaited_ends(resources: Sequence[Resource]) -> set[str]:
    """Return the addresses of the services whose end another one awaits."""
    waits = [resource.options.get("waits", {}) for resource in resources]
    return {address for each in waits for address, when in each.items() if when == "service_completed_successfully"}


def _among_replicas(resource: Resource) -> Iterator[Diagnostic]:
    replicas = resource.options.get("replicas", 1)
    if replicas == 1:
        return
    for port in published(resource.desired):
        if port.last - port.first + 1 < replicas:
            free = f"{port.first}-{port.first + replicas - 1}"
            yield Diagnostic(
                f"{resource.address}: its {replicas} containers cannot all publish port {port}",
                at=resource.at,
                hint=f"give them a range of ports, as in '{free}:80', or the port of the container only",
            )
    for network, address in addresses(resource.desired):
        yield Diagnostic(
            f"{resource.address}: its {replicas} containers cannot all have the address {address} on {network}",
            at=resource.at,
            hint="let the engine choose their addresses, or write a service for each",
        )


def addresses(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the networks on which a service names addresses of its own, each with the address."""
    networks: Mapping[str, Mapping[str, Any]] = fields.get("networks") or {}
    for network, endpoint in networks.items():
        yield from ((network, endpoint[version]) for version in ("ipv4", "ipv6") if endpoint.get(version))


def _twice(resource: Resource, does: str, first: Resource, hint: str) -> Diagnostic:
    if first is resource:
        return Diagnostic(f"{resource.address}: it {does} twice", at=resource.at, hint="drop one of them")
    return Diagnostic(f"{resource.address}: it {does}, and so does {first.address}", at=resource.at, hint=hint)


def _covers(address: str, other: str) -> bool:
    """Return whether a port on the first address is one on the second too."""
    if address == "0.0.0.0":  # noqa: S104  compared, not listened on
        return ":" not in other
    return address in ("", other) or (address == "::" and ":" in other)
