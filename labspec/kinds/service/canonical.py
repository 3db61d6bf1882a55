"""The canonical spelling of what a spec and an engine write differently: durations, ports, capabilities, options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from labspec.core.diff import digest

_UNITS = (("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000))

_OWN_PROPAGATION = ("rprivate", "")
"""Spellings of the mount propagation that Docker gives by itself."""


def duration(nanoseconds: int) -> str:
    """Return a duration in Go's form without zero parts: "1m30s", "500ms", "0s"."""
    parts = []
    rest = nanoseconds
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{rest}ns")
    return "".join(parts) or "0s"


def port(host_ip: str, published: str, target: str, protocol: str = "tcp") -> str:
    """Return "[HOST_IP:]PUBLISHED:TARGET/PROTOCOL": "8080:80/tcp", "127.0.0.1:53:53/udp", "[::1]:80:80/tcp", ":80/tcp".

    `published` is empty for a port that the engine chooses, or a range "8000-8010" for one that it chooses from.
    """
    address = host_ip.strip("[]")
    if ":" in address:
        address = f"[{address}]"
    return f"{address}:{published}:{target}/{protocol}" if address else f"{published}:{target}/{protocol}"


def capability(name: str) -> str:
    """Return a capability in upper case and without CAP_."""
    return name.upper().removeprefix("CAP_")


def security_option(option: str) -> str:
    """Return a security option as "NAME=VALUE".

    `no-new-privileges` alone means true. A seccomp profile given as JSON text is "seccomp=(profile DIGEST)", so that
    spec and engine may lay the same profile out differently.
    """
    separators = [index for index in (option.find("="), option.find(":")) if index >= 0]
    if not separators:
        return f"{option}=true" if option == "no-new-privileges" else option
    name, value = option[: min(separators)], option[min(separators) + 1 :]
    if name == "seccomp" and value.lstrip().startswith("{"):
        try:
            return f"seccomp=(profile {digest(json.loads(value))})"
        except ValueError:
            return f"{name}={value}"
    return f"{name}={value}"


def mount(
    kind: str,
    target: str,
    source: str = "",
    *,
    read_only: bool = False,
    propagation: str = "",
    selinux: str = "",
    nocopy: bool = False,
    subpath: str = "",
    tmpfs_size: int = 0,
    tmpfs_mode: int = 0,
) -> dict[str, Any]:
    """Return a mount with the keys that say something: type, target, and those of the others that are not empty.

    `source` is a path of the host, or a volume's name on the host; empty for an anonymous volume and a tmpfs. Whether
    a missing path is made first is nothing that the container shows, so it is not here.
    """
    options: Mapping[str, Any] = {
        "source": source,
        "read_only": read_only,
        "propagation": "" if propagation in _OWN_PROPAGATION else propagation,
        "selinux": selinux,
        "nocopy": nocopy,
        "subpath": subpath,
        "tmpfs_size": tmpfs_size,
        "tmpfs_mode": tmpfs_mode,
    }
    return {"type": kind, "target": target, **{name: value for name, value in options.items() if value}}
