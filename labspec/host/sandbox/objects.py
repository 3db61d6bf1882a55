"""What a sandbox is on the outer engine: one container and one volume, known by their labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.host.docker import Docker, filters, segment

LABEL = "io.labspec.sandbox"
"""On a container and a volume: the sandbox's name. On an image: IMAGE."""
ENGINE_LABEL = "io.labspec.sandbox.engine"
RUN_LABEL = "io.labspec.sandbox.run"
"""On a container: which call made it."""
IMAGE = "image"
ENGINES = ("trixie", "distro")
"""Docker of Debian 13, and Docker of the sandbox's own Debian."""
DEFAULT_NAME = "lab"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the outer host that leads to one of the sandbox."""

    address: str
    outer: int
    inner: int
    protocol: str

    def __str__(self) -> str:
        return f"{self.address}:{self.outer}->{self.inner}/{self.protocol}"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox as the outer engine lists it."""

    name: str
    id: str
    state: str
    """Docker's word: running, exited, created, ..."""
    engine: str
    ip: str
    """Its address on the bridge, '' while it does not run."""
    ports: tuple[Port, ...]
    created: int
    """Seconds since 1970."""

    @property
    def running(self) -> bool:
        """Whether commands can run in it."""
        return self.state == "running"


def check_name(name: str) -> str:
    """Return a sandbox's name. Raises LabError for one that cannot be."""
    if _NAME.fullmatch(name):
        return name
    raise LabError(
        f"{name!r} cannot be the name of a sandbox",
        hint="use up to 31 small letters, digits, '-' and '_', beginning with a letter or digit",
    )


def container_name(name: str) -> str:
    """Return the name of a sandbox's container."""
    return f"labspec-sandbox-{name}"


def volume_name(name: str) -> str:
    """Return the name of the volume at a sandbox's /var/lib/docker."""
    return f"labspec-sandbox-{name}-docker"


def sandboxes(docker: Docker) -> list[Sandbox]:
    """Return every sandbox of an engine, by name."""
    listed = docker.get("/containers/json", {"all": "1", **filters(label=[LABEL])})
    return sorted((_sandbox(entry) for entry in listed), key=lambda sandbox: sandbox.name)


def find(docker: Docker, name: str) -> Sandbox | None:
    """Return a sandbox, or None where there is none of that name.

    Raises LabError where something that is no sandbox has the name of its container or volume.
    """
    listed = docker.get("/containers/json", {"all": "1", **filters(label=[f"{LABEL}={check_name(name)}"])})
    for kind, path, taken in (
        ("container", "containers", container_name(name)),
        ("volume", "volumes", volume_name(name)),
    ):
        found = docker.find(f"/{path}/{segment(taken)}" + ("/json" if kind == "container" else ""))
        labels = found and (found["Config"] if kind == "container" else found).get("Labels")
        if found and (labels or {}).get(LABEL) != name:
            raise LabError(
                f"there is a {kind} '{taken}' that is not a sandbox of labspec's, so it stays as it is",
                hint="choose another name for the sandbox",
            )
    return _sandbox(listed[0]) if listed else None


def running(docker: Docker, name: str) -> Sandbox:
    """Return a sandbox that runs. Raises LabError where there is none, with what to do."""
    found = find(docker, name)
    if found is None:
        near = did_you_mean(name, [sandbox.name for sandbox in sandboxes(docker)])
        raise LabError(f"there is no sandbox '{name}'", hint=near or f"make it: labspec sandbox up {name}")
    if not found.running:
        raise LabError(f"sandbox '{name}' does not run: {found.state}", hint=f"start it: labspec sandbox up {name}")
    return found


def _sandbox(entry: Mapping[str, Any]) -> Sandbox:
    networks = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    ports = {
        Port(port.get("IP", ""), port["PublicPort"], port["PrivatePort"], port["Type"])
        for port in entry.get("Ports") or ()
        if "PublicPort" in port
    }
    return Sandbox(
        name=entry["Labels"][LABEL],
        id=entry["Id"],
        state=entry["State"],
        engine=entry["Labels"].get(ENGINE_LABEL, ""),
        ip=next((network["IPAddress"] for network in networks.values() if network.get("IPAddress")), ""),
        ports=tuple(sorted(ports, key=lambda port: (port.inner, port.protocol, port.address))),
        created=entry["Created"],
    )
