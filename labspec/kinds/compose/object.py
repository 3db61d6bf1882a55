"""What networks and volumes of a compose file have in common: their names on the host, and their resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labspec.core.resource import Resource


def host_name(project: str, key: str, entry: Mapping[str, Any]) -> str:
    """Return the name on the host of an entry of `networks` or `volumes`."""
    return str(entry.get("name") or (key if entry.get("external") else f"{project}_{key}"))


def compose_object(
    kind: str,
    address: str,
    project: str,
    key: str,
    compose: Mapping[str, Any],
    desired: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> Resource:
    """Return the resource of an entry in compose's vocabulary; of an external one nothing is desired."""
    external = bool(compose.get("external"))
    named = {**compose, "name": host_name(project, key, compose)}
    return Resource(
        address=address,
        kind=kind,
        name=named["name"],
        desired={} if external else desired(named),
        options={"key": key, "compose": named, "external": external},
        project=project,
    )
