"""Whom a check connects to, and from where: names of services stand for their addresses on the network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from labspec.checks.inside import in_network_of
from labspec.checks.keys import HOST
from labspec.checks.kind import NotThereError

if TYPE_CHECKING:
    from labspec.checks.view import View
    from labspec.core.resource import Resource

LOOPBACK = ("localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]")  # noqa: S104  compared with, not listened on
Result = TypeVar("Result")


def host_of(url: str) -> str:
    """Return the host that a URL names, spelt as it is there: addresses of the lab keep their case."""
    name = urlsplit(url).netloc.rpartition("@")[2]
    return name.partition("]")[0][1:] if name.startswith("[") else name.partition(":")[0]


def port_of(url: str) -> int:
    """Return the port that a URL names, or the usual one; 0 where a lookup in it could not be replaced."""
    parts = urlsplit(url)
    try:
        return parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return 0


def is_address(host: str) -> bool:
    """Return whether the host of a URL is meant as an address of the lab."""
    return host.startswith(("service.", "stack."))


def dialled(host: str, place: str, view: View) -> str:
    """Return the address to connect to: for a service its own, on a network of `place` where there is such a one."""
    if not is_address(host):
        return host
    there = view.networks(host)
    if not there:
        raise NotThereError(host, "an address on a network", "none")
    near = view.networks(place) if place.startswith(("service.", "stack.")) else {}
    shared = [address for network, address in there.items() if network in near]
    return next(iter(shared or there.values()))


def connected(host: str, port: int, seconds: float) -> socket.socket:
    """Return a connection. Raises OSError: TimeoutError where nobody answers in time."""
    # Of text Python would first see to it that it is right in every script of the world.
    name: Any = host.encode("ascii") if host.isascii() else host
    return socket.create_connection((name, port), timeout=seconds)


def from_there(place: str, view: View, call: Callable[[], Result]) -> Result:
    """Return what a function returns in the network of `place`."""
    return call() if place == HOST else in_network_of(view.pid(place), call)


def publishers(host: str, port: int, place: str, resources: Iterable[Resource]) -> Iterator[str]:
    """Yield the services that publish a port of this host."""
    if place == HOST and host in LOOPBACK:
        for resource in resources:
            if resource.kind == "service" and any(_is_at(text, port) for text in resource.desired.get("ports") or ()):
                yield resource.address


def _is_at(published: str, port: int) -> bool:
    """Return whether a port as a service publishes it ("127.0.0.1:8000-8002:80/tcp") is this one of the host."""
    outer = published.rpartition("/")[0].rpartition(":")[0].rpartition(":")[2]
    first, _, last = outer.partition("-")
    return first.isdecimal() and int(first) <= port <= int(last or first)
