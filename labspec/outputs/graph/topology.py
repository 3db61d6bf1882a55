"""What a lab is made of, as nodes and edges: the same for every form of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import category

from labspec.core.resource import Lab, Resource

FORMAT = 1
PORT = "port"
HOST_KINDS = ("package", "user", "group", "file", "sysctl", "kernel_arg", "daemon")
"""Kinds that are settings of the host."""
RUNTIMES = ("rkt", "bundle", "machine")
MOST_DETAILS = 3

USES, ORDER, SHARES = "uses", "order", "shares"


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the lab. Every text is printable."""

    id: str
    """Its address; of a published port: port.HOST-PART/CONTAINER-PART of a service."""
    kind: str
    name: str
    details: tuple[str, ...] = ()
    stack: str = ""

    @property
    def family(self) -> str:
        """What it is drawn as: its kind, `host` for settings of the host, `runtime` for what Docker does not run."""
        if self.kind in HOST_KINDS:
            return "host"
        return "runtime" if self.kind in RUNTIMES else self.kind


@dataclass(frozen=True, slots=True)
class Edge:
    """From what uses to what is used."""

    source: str
    target: str
    sort: str
    """USES; ORDER where one only starts after the other; SHARES a namespace."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Topology:
    """A lab as a graph, without circles; nodes and edges in the order of the lab."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the graph as a JSON object; docs/json.md has its fields."""
        nodes = [
            {"id": node.id, "kind": node.kind, "name": node.name, "details": list(node.details), "stack": node.stack}
            for node in self.nodes
        ]
        edges = [
            {"from": edge.source, "to": edge.target, "sort": edge.sort, "label": edge.label} for edge in self.edges
        ]
        return {"format": FORMAT, "lab": self.name, "nodes": nodes, "edges": edges}


def topology(lab: Lab) -> Topology:
    """Return the graph of a lab: its objects, the ports that it publishes, and what refers to what."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    known = lab.by_address
    volumes = {resource.name: resource.address for resource in lab.resources if resource.kind == "volume"}
    for resource in lab.resources:
        for host, inner in _ports(resource):
            identity = f"{PORT}.{resource.address}/{host}/{inner}"
            nodes.append(Node(identity, PORT, host or "*", (f"→ {inner}",) if inner != host else ()))
            edges.append(Edge(identity, resource.address, USES))
        nodes.append(_node(resource))
        places = _places(resource, volumes)
        shared = [each for each in resource.options.get("joins") or () if each in known]
        edges += [
            Edge(resource.address, address, _sort(resource, known[address], shared), places.get(address, ""))
            for address in dict.fromkeys((*resource.needs, *shared))
            if address in known and address != resource.address
        ]
    return Topology(plain(lab.name), tuple(nodes), tuple(_without_circles(edges)))


def plain(text: str) -> str:
    """Return a text with what cannot be seen spelled as an escape: a lab may come from a stranger."""
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    seen = char.isprintable() or category(char) == "Zs"  # the spaces that no line is broken at are among these
    return char if seen else char.encode("unicode_escape").decode()


def _node(resource: Resource) -> Node:
    parts = resource.address.split(".")
    stack = parts[1] if parts[0] == "stack" and len(parts) > 2 else ""
    name = ".".join(parts[3:] if stack else parts[1:]) or ".".join(parts[2:])
    details = tuple(plain(one) for one in _details(resource) if one)[:MOST_DETAILS]
    return Node(resource.address, resource.kind, plain(name), details, plain(stack))


def _details(resource: Resource) -> Iterator[str]:
    desired, options = resource.desired, resource.options
    if resource.kind in ("service", *RUNTIMES) and not options.get("image_address"):
        yield str(desired.get("image") or "")
    if resource.kind == "service":
        if (options.get("replicas") or 1) != 1:
            yield f"{options['replicas']} containers"
        yield from sorted(
            f"⇄ {mount.get('source')}" for mount in desired.get("mounts") or () if mount.get("type") == "bind"
        )
    elif resource.kind == "volume":
        yield _volume(desired)
    elif resource.kind == "network":
        yield "internal" if desired.get("internal") else ""
    elif resource.kind == "group":
        yield ", ".join(map(str, desired.get("members") or ()))
    elif resource.address == "daemon.settings":
        yield from sorted(map(str, desired.get("settings") or ()))
    if options.get("external"):
        yield "external"


def _volume(desired: Mapping[str, Any]) -> str:
    options = desired.get("options") or {}
    return f"{options.get('type')} {options.get('o', '')}".strip() if options.get("type") else ""


def _ports(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield (address and port of the host, port of the container) of what a service publishes."""
    if resource.kind == "service":
        for port in resource.desired.get("ports") or ():
            outer, _, inner = plain(str(port)).rpartition(":")
            yield outer, inner.removesuffix("/tcp")


def _places(resource: Resource, volumes: Mapping[str, str]) -> dict[str, str]:
    """Return address of a volume -> where a service mounts it."""
    found: dict[str, str] = {}
    for mount in resource.desired.get("mounts") or () if resource.kind == "service" else ():
        address = volumes.get(str(mount.get("source") or ""))
        if address and mount.get("type") == "volume":
            place = plain(str(mount.get("target") or ""))
            found[address] = f"{found[address]}, {place}" if address in found else place
    return found


def _sort(user: Resource, used: Resource, shared: Iterable[str]) -> str:
    if used.address in shared:
        return SHARES
    return ORDER if used.kind == user.kind == "service" else USES


def _without_circles(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Yield the edges less those that would close a circle, which a valid lab does not have."""
    behind: dict[str, set[str]] = {}
    for edge in edges:
        waiting, met = [edge.target], set()
        while waiting:
            at = waiting.pop()
            if at not in met:
                met.add(at)
                waiting.extend(behind.get(at, ()))
        if edge.source not in met:
            behind.setdefault(edge.source, set()).add(edge.target)
            yield edge
