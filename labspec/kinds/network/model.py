"""What a spec may say of a network: the Compose specification's keys, and `subnets` for addresses in one line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

from labspec.core.resource import Resource
from labspec.kinds.network.resource import network_resource
from labspec.kinds.provider import Scope
from labspec.kinds.section import ModelSection, Name, Text, goes_with_external


def _subnet(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError(f"not a subnet: {error}") from None


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise ValueError(f"not an address: {error}") from None


Subnet = Annotated[str, AfterValidator(_subnet)]
Address = Annotated[str, AfterValidator(_address)]

_CONFIG = ConfigDict(extra="forbid")


class Pool(BaseModel):
    """One range of addresses."""

    model_config = _CONFIG

    subnet: Subnet | None = None
    """The subnet, such as 172.28.0.0/16."""
    ip_range: Subnet | None = None
    """The part of the subnet that containers get their addresses from."""
    gateway: Address | None = None
    """The host's own address in the subnet; its first one where it is not given."""
    aux_addresses: dict[str, Address] | None = None
    """Addresses that no container gets."""


class Ipam(BaseModel):
    """How addresses are given out."""

    model_config = _CONFIG

    driver: Name | None = None
    """The IPAM driver; `default` where it is not given."""
    config: list[Pool] | None = None
    """The ranges of addresses."""
    options: dict[str, Text] | None = None
    """Options for the IPAM driver."""


class Network(BaseModel):
    """A network, in the Compose specification's vocabulary."""

    model_config = _CONFIG

    name: Name | None = None
    """The network's name on the host; `<lab>_<key>` where it is not given."""
    driver: Name | None = None
    """The network driver; `bridge` where it is not given."""
    driver_opts: dict[str, Text | int | float] | None = None
    """Options for the driver, such as com.docker.network.bridge.name."""
    subnets: list[Subnet] | None = None
    """The network's subnets: short for `ipam` with a `config` of just these."""
    ipam: Ipam | None = None
    """How addresses are given out."""
    internal: bool | None = None
    """Containers on the network cannot reach beyond it."""
    attachable: bool | None = None
    """Containers outside the project may join."""
    enable_ipv4: bool | None = None
    """Whether containers get IPv4 addresses (Docker 28 and later can say no)."""
    enable_ipv6: bool | None = None
    """Whether containers get IPv6 addresses."""
    external: bool | None = None
    """The network is somebody else's: it must be there, and labspec never makes, changes or removes it."""
    labels: dict[str, Text | int | float | bool | None] | list[Text] | None = None
    """Labels to put on the network."""


class NetworkSection(ModelSection):
    """The section `networks`."""

    name = "networks"
    kind = "network"
    model = Network

    def resources(self, name: str, entry: Any, scope: Scope) -> Iterable[Resource]:
        """Return the network, with `subnets` written out as `ipam`."""
        path = ("networks", name)
        if entry.get("subnets") and entry.get("ipam"):
            scope.error((*path, "subnets"), f"network '{name}' has both subnets and ipam", "keep one of them", key=True)
            return
        if not goes_with_external(entry, sorted(set(entry) - {"external", "name"}), path, self.kind, scope):
            return
        yield network_resource(f"network.{name}", scope.lab, name, entry)


SECTION = NetworkSection()
