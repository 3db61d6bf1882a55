"""Whether the containers of a service stand as they should, which is all that most plans ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labspec.core.change import Preview
from labspec.core.resource import Observed, Resource

RUNNING = ("running", "restarting")


def stands(desired: Resource, observed: Observed, preview: Preview) -> bool:
    """Return whether containers without differences can stay as they are: nothing needs them changed or started."""
    options = desired.options
    around = (*desired.needs, *options.get("joins", ()), *options.get("restarts_with", ()))
    if desired.address in preview.replace or moved(desired, observed) or observed.facts.get("surplus"):
        return False
    if loses_its_unit(desired, preview) or any(map(left_its_network, observed.facts["replicas"])):
        return False
    if preview.changes and not preview.changes.keys().isdisjoint(around):
        return False
    return all(
        item["name"] == item["expected"] and (item["state"] in RUNNING or ended_well(item, desired))
        for item in observed.facts["replicas"]
    )


def moved(desired: Resource, observed: Observed) -> bool:
    """Return whether the containers are in another compose project, or another service of it."""
    facts = observed.facts
    return bool((facts["project"], facts["service"]) != (desired.project, desired.options["key"]))


def loses_its_unit(desired: Resource, preview: Preview) -> bool:
    """Return whether the unit of a service's stack leaves: it stops the containers, which stay."""
    unit = f"{desired.address.rpartition('.service.')[0]}.unit"
    return any(found.address == unit for found in preview.leaving.get("unit", ()))


def left_its_network(item: Mapping[str, Any]) -> bool:
    """Return whether a container is not on the network any more that it was made on: it may be gone, or go now."""
    return item["made_on"] is None or item["made_on"] not in ("", *item["networks"])


def ended_well(item: Mapping[str, Any], desired: Resource) -> bool:
    """Return whether a container did what it was for: it ends by itself, and is never restarted."""
    return item["state"] == "exited" and not item["exit_code"] and desired.desired.get("restart", "no") == "no"
