"""Where a container is on the network, and with which others it shares: as the engine reports it, in canonical form."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

from labspec.core.resource import Resource
from labspec.host.docker import Docker, inspect_path
from labspec.kinds.service import canonical

OWN_MODES = ("none", "host", "bridge", "default")
"""Network modes that are no network's name."""


class Peer(NamedTuple):
    """Another container, as the namespaces and volumes that a container shares are told by."""

    project: str
    service: str
    name: str


def exposed(ports: Mapping[str, Any] | None) -> set[str]:
    """Return exposed ports as "80/tcp"."""
    return {port if "/" in port else f"{port}/tcp" for port in ports or ()}


def ports(bindings: Mapping[str, Any] | None) -> list[str]:
    """Return the ports that a container is configured to publish, sorted."""
    found = []
    for target, hosts in (bindings or {}).items():
        number, _, protocol = target.partition("/")
        each: Sequence[Mapping[str, Any]] = hosts or ({},)
        found += [
            canonical.port(host.get("HostIp") or "", host.get("HostPort") or "", number, protocol or "tcp")
            for host in each
        ]
    return sorted(found)


def joined(inspect: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return network -> endpoint of the networks that a container is on.

    The engine also lists one that it could not connect a running container to: as one without an endpoint.
    """
    found = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    if inspect["State"].get("Status") != "running":
        return found
    return {name: endpoint for name, endpoint in found.items() if endpoint.get("EndpointID") != ""}


def made_on(inspect: Mapping[str, Any]) -> str | None:
    """Return the network that a container was made on, which the engine wants to see whenever it starts it.

    "" stands for one of the engine's own networks, None for one that the container has left.
    """
    mode = str(inspect["HostConfig"].get("NetworkMode") or "default")
    if mode in OWN_MODES or mode.startswith("container:"):
        return ""
    return next((name for name, end in joined(inspect).items() if mode in (name, end.get("NetworkID"))), None)


def endpoint(
    name: str, found: Mapping[str, Any], inspect: Mapping[str, Any], wanted: Resource | None
) -> dict[str, Any]:
    """Return how a container is on one network, with what the engine and compose chose left out."""
    ipam = found.get("IPAMConfig") or {}
    asked = (wanted.desired.get("networks", {}).get(name) or {}) if wanted else {}
    state = {
        "aliases": aliases(found.get("Aliases") or (), inspect, wanted),
        "ipv4": ipam.get("IPv4Address"),
        "ipv6": ipam.get("IPv6Address"),
        "link_local": sorted(ipam.get("LinkLocalIPs") or ()),
        # The engine tells the address it chose as it tells one that was asked for, and none while stopped.
        "mac": (found.get("MacAddress") or asked.get("mac")) if asked.get("mac") else None,
        "driver_opts": found.get("DriverOpts"),
    }
    return {key: value for key, value in state.items() if value}


def aliases(found: Any, inspect: Mapping[str, Any], wanted: Resource | None) -> list[str]:
    """Return the aliases of an endpoint beside those that every container of the service has.

    Compose begins the list with the container's name when it was made, then has the service's name.
    """
    labels = inspect["Config"].get("Labels") or {}
    service = labels.get("com.docker.compose.service", "")
    listed = list(found)
    if listed[1:2] == [service]:
        listed = listed[1:]
    own = {service, inspect["Name"].removeprefix("/"), inspect["Id"][:12], wanted.name if wanted else service}
    return sorted(set(listed) - own)


class Sharing:
    """Names the containers whose namespaces and volumes a container shares."""

    def __init__(self, inspect: Mapping[str, Any], peers: Mapping[str, Peer]) -> None:
        self._project = (inspect["Config"].get("Labels") or {}).get("com.docker.compose.project")
        self._peers = peers

    def name(self, mode: str) -> str:
        """Return "container:ID" as "service:NAME" within the project, else as "container:NAME"."""
        kind, _, identity = mode.partition(":")
        if kind != "container":
            return mode
        identity, colon, access = identity.partition(":")
        suffix = ":ro" if colon and access.startswith("ro") else ""
        peer = self._peers.get(identity)
        if peer is None:
            return f"container:{identity}{suffix}"
        if peer.service and peer.project == self._project:
            return f"service:{peer.service}{suffix}"
        return f"container:{peer.name}{suffix}"


def shared_ids(inspect: Mapping[str, Any]) -> set[str]:
    """Return the ids of the containers whose namespaces or volumes a container shares."""
    limits = inspect["HostConfig"]
    modes = [str(limits.get(key) or "") for key in ("NetworkMode", "PidMode", "IpcMode")]
    named = [mode.removeprefix("container:") for mode in modes if mode.startswith("container:")]
    return {*named, *(str(entry).partition(":")[0] for entry in limits.get("VolumesFrom") or ())}


def peers_of(docker: Docker, inspects: Sequence[Mapping[str, Any]], early: Container[str]) -> dict[str, Peer]:
    """Return by id the containers that others share with; those read `early` share with none. The foreign are read."""
    shared = {identity for inspect in inspects if inspect["Id"] not in early for identity in shared_ids(inspect)}
    known = {inspect["Id"]: inspect for inspect in inspects if inspect["Id"] in shared}
    foreign = sorted(shared - set(known))
    found = docker.find_all([inspect_path(identity) for identity in foreign])
    known |= {identity: inspect for identity, inspect in zip(foreign, found, strict=True) if inspect}
    return {identity: _peer(inspect) for identity, inspect in known.items()}


def _peer(inspect: Mapping[str, Any]) -> Peer:
    labels = inspect["Config"].get("Labels") or {}
    project, name = labels.get("com.docker.compose.project", ""), labels.get("com.docker.compose.service", "")
    return Peer(project, name, str(inspect["Name"]).removeprefix("/"))


def network_mode(mode: str, share: Sharing) -> str | None:
    """Return a network mode that is no network, or None."""
    if mode == "default":
        return "bridge"
    return share.name(mode) if mode in OWN_MODES or mode.startswith("container:") else None


def mac_address(config: Mapping[str, Any], inspect: Mapping[str, Any], mode: str, asked: bool) -> str | None:
    """Return the MAC address that a container was asked to have, or None; `asked` is whether it was.

    Few engines tell it while the container is stopped, and compose hands none on for the engine's own networks.
    """
    if config.get("MacAddress"):
        return str(config["MacAddress"])
    networks = (inspect.get("NetworkSettings") or {}).get("Networks") or {}
    found = {
        endpoint.get("MacAddress")
        for name, endpoint in networks.items()
        if endpoint.get("MacAddress") and (len(networks) == 1 or mode in (name, endpoint.get("NetworkID")))
    }
    return found.pop() if asked and found and mode not in OWN_MODES else None
