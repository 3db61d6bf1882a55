"""Published and exposed ports, in the short and the long form of a compose file."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labspec.kinds.compose.values import text
from labspec.kinds.service.canonical import port

PROTOCOLS = ("tcp", "udp", "sctp")
_LAST = 65535


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a container made reachable: `published` is empty, a number, or a range to choose from."""

    host_ip: str
    published: str
    target: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return port(self.host_ip, self.published, str(self.target), self.protocol)

    @property
    def fixed(self) -> bool:
        """Whether it takes one certain port of the host."""
        return self.published.isdigit() and int(self.published) > 0


def parse_ports(entry: Any) -> list[Port]:
    """Return the ports that one entry of `ports` stands for. Raises ValueError."""
    if isinstance(entry, Mapping):
        return [_long(entry)]
    return list(_short(text(entry)))


def parse_expose(entry: Any) -> list[str]:
    """Return the ports that one entry of `expose` stands for, as "80/tcp". Raises ValueError."""
    range_text, _, protocol = text(entry).partition("/")
    first, last = _range(range_text, "a port")
    return [f"{number}/{_protocol(protocol)}" for number in range(first, last + 1)]


def _long(entry: Mapping[str, Any]) -> Port:
    if "target" not in entry:
        raise ValueError("a port lacks the key 'target'")
    target, last = _range(text(entry["target"]), "'target'")
    if last != target:
        raise ValueError("'target' is one port: write the short form for ranges")
    published = text(entry.get("published"))
    if published:
        first, last = _range(published, "'published'", zero=True)
        published = str(first) if first == last else f"{first}-{last}"
    return Port(_address(text(entry.get("host_ip"))), published, target, _protocol(text(entry.get("protocol"))))


def _short(entry: str) -> Iterator[Port]:
    rest, _, protocol = entry.partition("/")
    host, _, container = rest.rpartition(":")
    if ":" not in rest:
        container = rest
    address, separator, published = host.rpartition(":")
    if not separator:
        address, published = "", host
    first, last = _range(container, f"the target in '{entry}'")
    host_ip = _address(address)
    name = _protocol(protocol)
    if not published:
        yield from (Port(host_ip, "", number, name) for number in range(first, last + 1))
        return
    start, end = _range(published, f"the published port in '{entry}'", zero=True)
    if end - start == last - first:
        yield from (Port(host_ip, str(start + number - first), number, name) for number in range(first, last + 1))
    elif first == last:
        yield Port(host_ip, f"{start}-{end}", first, name)
    else:
        raise ValueError(f"the ranges {published} and {container} differ in length")


def _range(value: str, what: str, *, zero: bool = False) -> tuple[int, int]:
    if not re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?", value):
        raise ValueError(f"{what} is not a port number: {value!r}" if value else f"{what} is missing")
    first, _, last = value.partition("-")
    start, end = int(first), int(last or first)
    if max(start, end) > _LAST or (start == 0 and not zero):
        raise ValueError(f"{what} is not a port number: {value} (they go from 1 to {_LAST})")
    if end < start:
        raise ValueError(f"{what} is a range that ends before it begins: {value}")
    return start, end


def _protocol(value: str) -> str:
    name = value.lower() or "tcp"
    if name not in PROTOCOLS:
        raise ValueError(f"'{value}' is no protocol: one of tcp, udp, sctp")
    return name


def _address(value: str) -> str:
    if not value:
        return ""
    try:
        return str(ipaddress.ip_address(value.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise ValueError(f"'{value}' is not an IP address") from None
