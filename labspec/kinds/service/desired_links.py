"""What a service shares with others: networks, and the namespaces and volumes of other containers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.kinds.compose import values
from labspec.kinds.compose.project import DEFAULT_NETWORK, Path, Project, service_networks

Entry = Mapping[str, Any]


def networks(key: str, name: str, entry: Entry, project: Project) -> dict[str, Any]:
    """Return the field `networks`: host name -> how the container is on it, without its own names as aliases."""
    if entry.get("network_mode"):
        return {}
    found = {}
    for network, options in service_networks(entry).items():
        if network in project.sections["networks"] or network == DEFAULT_NETWORK:
            found[project.network(network)] = dict(_endpoint(options, {key, name}))
    return {"networks": found}


def _endpoint(options: Entry, own: set[str]) -> Iterator[tuple[str, Any]]:
    aliases = sorted(set(options.get("aliases") or ()) - own)
    if aliases:
        yield "aliases", aliases
    for given, field in (("ipv4_address", "ipv4"), ("ipv6_address", "ipv6")):
        if options.get(given):
            yield field, options[given]
    if options.get("link_local_ips"):
        yield "link_local", sorted(options["link_local_ips"])
    if options.get("mac_address"):
        yield "mac", options["mac_address"].lower().replace("-", ":")
    if options.get("driver_opts"):
        yield "driver_opts", {name: values.text(given) for name, given in options["driver_opts"].items()}


def shared(key: str, entry: Entry, project: Project) -> dict[str, Any]:  # noqa: ARG001  one signature for all parts
    """Return the fields that name other containers, or the host, to share something with."""
    found: dict[str, Any] = {
        field: entry[field] for field in ("network_mode", "pid", "ipc") if entry.get(field) is not None
    }
    if entry.get("volumes_from"):
        found["volumes_from"] = sorted(map(_volumes_from, entry["volumes_from"]))
    return found


def _volumes_from(item: str) -> str:
    kind, rest = ("container", item.removeprefix("container:")) if item.startswith("container:") else ("service", item)
    return f"{kind}:{rest.removesuffix(':rw')}"


OTHERS = frozenset(("depends_on", "links", "network_mode", "pid", "ipc", "volumes_from"))
"""The keys by which a service may name others."""


def joined(entry: Entry) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield (service, place in the entry) for each service whose namespaces or volumes a service uses."""
    for field in ("network_mode", "pid", "ipc"):
        mode = entry.get(field) or ""
        if mode.startswith("service:"):
            yield mode.removeprefix("service:"), (field,)
    for index, item in enumerate(entry.get("volumes_from") or ()):
        if not item.startswith("container:"):
            yield item.partition(":")[0], ("volumes_from", index)


def linked(entry: Entry) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Yield (service, place in the entry) for each service that a service links to."""
    for index, item in enumerate(entry.get("links") or ()):
        yield item.partition(":")[0], ("links", index)


def depended(entry: Entry) -> dict[str, Mapping[str, Any]]:
    """Return service -> condition, restart and required of `depends_on`."""
    given = entry.get("depends_on")
    if isinstance(given, Mapping):
        return {name: options or {} for name, options in given.items()}
    return {name: {} for name in given or ()}


def depended_path(entry: Entry, name: str) -> Path:
    """Return where in an entry a dependency is named."""
    given = entry.get("depends_on")
    return ("depends_on", name) if isinstance(given, Mapping) else ("depends_on", list(given or ()).index(name))
