"""The networks that a `docker run` command line joins."""

from __future__ import annotations

import csv
import re
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.imports.run_words import CommandLine

_MODES = ("bridge", "host", "none", "default")
_KEYS = {"ip": "ipv4_address", "ip6": "ipv6_address", "mac-address": "mac_address"}


def networks(line: CommandLine, service: dict[str, Any], sections: dict[str, Any]) -> None:
    """Say in a service how it is connected; networks that have a name are there already, and so external."""
    given = line.flags.get("network", ("bridge",))
    first = given[0]
    if first in _MODES or first.startswith("container:"):
        if len(given) > 1:
            raise LabError(f"--network {first} goes with no other network")
        service["network_mode"] = "bridge" if first == "default" else first
        return
    found: dict[str, Any] = {}
    for item in given:
        name, options = _network(item)
        key = re.sub(r"[^a-zA-Z0-9_.-]", "-", name)
        found[key] = options or None
        sections.setdefault("networks", {})[key] = {"external": True, **({"name": name} if key != name else {})}
    own = _own(line)
    if own:
        key = next(iter(found))
        found[key] = {**(found[key] or {}), **own}
    service["networks"] = found if any(found.values()) else list(found)


def _own(line: CommandLine) -> dict[str, Any]:
    """Return what flags of their own say of the first network."""
    found: dict[str, Any] = {}
    if "network-alias" in line.flags:
        found["aliases"] = list(line.flags["network-alias"])
    for flag in ("ip", "ip6"):
        value = line.value(flag)
        if value is not None:
            found[_KEYS[flag]] = value
    if "link-local-ip" in line.flags:
        found["link_local_ips"] = list(line.flags["link-local-ip"])
    return found


def _network(item: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of one network: NAME, or name=NAME,alias=...,ip=..."""
    if "=" not in item:
        return item, {}
    name = ""
    found: dict[str, Any] = {}
    for part in next(csv.reader([item])):
        key, _, value = part.partition("=")
        if key == "name":
            name = value
        elif key == "alias":
            found.setdefault("aliases", []).append(value)
        elif key == "link-local-ip":
            found.setdefault("link_local_ips", []).append(value)
        elif key == "driver-opt":
            option, _, content = value.partition("=")
            found.setdefault("driver_opts", {})[option] = content
        elif key in _KEYS:
            found[_KEYS[key]] = value
        else:
            raise LabError(f"--network {item}: {key} is not known")
    if not name:
        raise LabError(f"--network {item}: it names no network", hint="write name=NETWORK,...")
    return name, found
