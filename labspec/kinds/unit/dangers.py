"""What a unit may do to the host beyond running something.

Names for `--allow`: unit-takeover (a unit in the place of one that a package brought), root-unit (a command whose
prefix lifts what User= and the sandboxing keys restrain), tcp-daemon (Docker's API for whoever reaches a port).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from labspec.core.change import Danger
from labspec.core.resource import Resource
from labspec.kinds.unit.names import VENDOR_FOLDERS

_PREFIX = re.compile(r"^[@\-:|]*([+!])")
_TCP = re.compile(r"tcp://[^\s'\",]*")
_VERIFIED = re.compile(r"--tlsverify(?!=(0|f|false)\b)", re.IGNORECASE)
_RELAY = re.compile(r"docker\.sock\b.*tcp\d?-l|tcp\d?-l.*docker\.sock\b|socket-proxyd.*docker\.sock\b", re.IGNORECASE)
_OF_DOCKER = re.compile(r"^docker([@.-]|$)")


def unit_dangers(resource: Resource) -> Iterator[Danger]:
    """Yield the dangers of one unit."""
    path = resource.options["path"]
    if path and not resource.options["dropin"]:
        places = [f"{folder}/{resource.name}" for folder in VENDOR_FOLDERS]
        vendor = next((place for place in places if Path(place).exists()), None)
        if vendor:
            yield Danger("unit-takeover", resource.address, f"takes the place of {vendor}, which a package brought")
    for key, values in sorted(resource.desired.get("sections", {}).items()):
        if not key.startswith("Service.Exec") and not re.match(r"(Socket|Mount|Swap)\.Exec", key):
            continue
        for value in values:
            found = _PREFIX.match(value)
            if found:
                said = f"{key.partition('.')[2]} begins with '{found[1]}': it runs as root, whatever User= says"
                yield Danger("root-unit", resource.address, said)
    for place in dict.fromkeys(_open_to_the_network(resource.name, resource.desired.get("sections", {}))):
        said = f"whoever reaches {place} is root on this host: Docker asks for no certificate there"
        yield Danger("tcp-daemon", resource.address, said)


def _open_to_the_network(name: str, sections: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield where Docker's API is to listen for anybody: of a daemon, of a socket that starts it, of a relay."""
    service = [value for key, values in sections.items() if key.startswith("Service.") for value in values]
    relays = [value for value in service if _RELAY.search(value)]
    if relays:
        yield "its port"
    # Options may come in by Environment= too, and --tlsverify by another setting than -H.
    of_docker = _OF_DOCKER.match(name) or any("dockerd" in value for value in service)
    if of_docker and not any(_VERIFIED.search(value) for value in service):
        yield from (place for value in service for place in _TCP.findall(value))
    if _OF_DOCKER.match(sections.get("Socket.Service", [name])[-1]):
        listens = sections.get("Socket.ListenStream", [])
        yield from (place for place in listens if place and not place.startswith(("/", "@", "%t/")))
