"""Reading the host: every kind once, each in as few requests as it can."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.core.resource import LAB_LABEL, Lab, Observed
from labspec.host.docker import filters
from labspec.host.host import Host
from labspec.kinds import REGISTRY, lives
from labspec.kinds.provider import Reading

_LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "image": ("/images/json", {}),
    "network": ("/networks", {}),
    "volume": ("/volumes", {}),
    "service": ("/containers/json", {"all": 1}),
}
"""What each kind begins with, filtered by the lab's label: the engine looks for all of it at once."""


def observe(lab: Lab, host: Host, only: Collection[str] | None = None) -> dict[str, Observed]:
    """Return what the host has of a lab, by address; with `only`, of these kinds.

    Raises LabError where the host cannot be read.
    """
    reading = Reading(lab, host, host.state.applied(lab.name), host.journal(lab.name).entries())
    kinds = {kind.name for kind in REGISTRY if kind.labelled}
    kinds.update(resource.kind for resource in lab.resources)
    kinds.update(str(entry.get("kind")) for entry in reading.journal.values())
    if only is not None:
        kinds &= set(only)
    elif _engine_is_off(reading):
        kinds -= {kind.name for kind in REGISTRY if kind.labelled}
    chosen = [live for live in lives() if live.kind in kinds]
    label = filters(label=[f"{LAB_LABEL}={lab.name}"])
    lists = (_LISTS[live.kind] for live in chosen if live.kind in _LISTS)
    host.docker.foresee((path, {**query, **label}) for path, query in lists)
    return {found.address: found for live in chosen for found in live.observe(reading)}


def _engine_is_off(reading: Reading) -> bool:
    """Return whether the engine does not answer because the lab has stopped it: then it has nothing of the lab."""
    if "state" not in reading.journal.get("daemon.service", {}).get("applied", {}):
        return False
    try:
        reading.docker.get("/version")
    except LabError:
        return True
    return False
