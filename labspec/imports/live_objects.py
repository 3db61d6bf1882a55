"""Networks and volumes on the host as entries of a spec."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from labspec.kinds.network.live import observed as observed_network
from labspec.kinds.volume.live import observed as observed_volume

_ENGINES = (("172.16.0.0/12", 16), ("192.168.0.0/16", 20))
"""Where the engine takes subnets from by itself, and how large they are."""


def network_entry(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a network of GET /networks; a subnet that the engine chose is its own affair."""
    state = observed_network(answer).state
    found: dict[str, Any] = {}
    if state["driver"] != "bridge":
        found["driver"] = state["driver"]
    for name, key in (("internal", "internal"), ("attachable", "attachable"), ("ipv6", "enable_ipv6")):
        if state[name]:
            found[key] = True
    if state["options"]:
        found["driver_opts"] = dict(state["options"])
    ipam: dict[str, Any] = {}
    if state["ipam_driver"] != "default":
        ipam["driver"] = state["ipam_driver"]
    if state["ipam_options"]:
        ipam["options"] = dict(state["ipam_options"])
    pools = [pool for pool in state["pools"] if not _is_the_engines(pool)]
    if pools:
        ipam["config"] = pools
    if ipam:
        found["ipam"] = ipam
    if state["labels"]:
        found["labels"] = dict(state["labels"])
    return found


def _is_the_engines(pool: Mapping[str, Any]) -> bool:
    if set(pool) - {"subnet", "gateway"} or "subnet" not in pool:
        return False
    subnet = ipaddress.ip_network(pool["subnet"])
    return any(
        subnet.version == 4 and subnet.prefixlen == size and subnet.subnet_of(ipaddress.IPv4Network(around))
        for around, size in _ENGINES
    )


def volume_entry(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a volume of GET /volumes."""
    state = observed_volume(answer).state
    found: dict[str, Any] = {}
    if state["driver"] != "local":
        found["driver"] = state["driver"]
    if state["options"]:
        found["driver_opts"] = dict(state["options"])
    if state["labels"]:
        found["labels"] = dict(state["labels"])
    return found
