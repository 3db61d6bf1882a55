"""A volume of a spec or of a compose file as a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labspec.core.resource import Resource
from labspec.kinds.compose.object import compose_object
from labspec.kinds.compose.values import mapping, text


def volume_resource(address: str, project: str, key: str, entry: Mapping[str, Any]) -> Resource:
    """Return the resource for one valid entry of a `volumes` section, of a spec or of a compose file."""
    compose = {name: value for name, value in entry.items() if name != "tmpfs" and value is not None}
    tmpfs = entry.get("tmpfs")
    if tmpfs is not None:
        pairs = [f"{name}={tmpfs[name]}" for name in ("size", "uid", "gid", "mode") if tmpfs.get(name) is not None]
        compose |= {"driver": "local", "driver_opts": {"type": "tmpfs", "device": "tmpfs"}}
        if pairs:
            compose["driver_opts"]["o"] = ",".join(pairs)
    return compose_object("volume", address, project, key, compose, _desired)


def _desired(compose: Mapping[str, Any]) -> dict[str, Any]:
    desired: dict[str, Any] = {}
    if compose.get("driver"):
        desired["driver"] = compose["driver"]
    if compose.get("driver_opts"):
        desired["options"] = {name: text(value) for name, value in compose["driver_opts"].items()}
    if compose.get("labels"):
        desired["labels"] = mapping(compose["labels"])
    return desired
