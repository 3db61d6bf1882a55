"""A network of a spec or of a compose file as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.compose.object import compose_object
from labspec.kinds.compose.values import mapping


def network_resource(address: str, project: str, key: str, entry: Mapping[str, Any]) -> Resource:
    """Return the resource for one valid entry of a `networks` section, of a spec or of a compose file."""
    compose = {name: value for name, value in entry.items() if name != "subnets" and value is not None}
    if entry.get("subnets"):
        compose["ipam"] = {"config": [{"subnet": subnet} for subnet in entry["subnets"]]}
    return compose_object("network", address, project, key, compose, _desired)


def _desired(compose: Mapping[str, Any]) -> dict[str, Any]:
    desired: dict[str, Any] = {}
    for key, field in (("driver", "driver"), ("internal", "internal"), ("attachable", "attachable")):
        if compose.get(key) is not None:
            desired[field] = compose[key]
    for key, field in (("enable_ipv4", "ipv4"), ("enable_ipv6", "ipv6")):
        if compose.get(key) is not None:
            desired[field] = compose[key]
    if compose.get("driver_opts"):
        desired["options"] = {name: str(value) for name, value in compose["driver_opts"].items()}
    if compose.get("labels"):
        desired["labels"] = mapping(compose["labels"])
    ipam = compose.get("ipam") or {}
    if ipam.get("driver"):
        desired["ipam_driver"] = ipam["driver"]
    if ipam.get("options"):
        desired["ipam_options"] = dict(ipam["options"])
    if ipam.get("config"):
        desired["pools"] = [_pool(pool) for pool in ipam["config"]]
    return desired


def _pool(pool: Mapping[str, Any]) -> dict[str, Any]:
    from ipaddress import ip_network

    kept = {name: pool[name] for name in ("subnet", "ip_range", "gateway", "aux_addresses") if pool.get(name)}
    for name in ("subnet", "ip_range"):
        if name in kept:
            kept[name] = str(ip_network(kept[name], strict=False))
    return kept
