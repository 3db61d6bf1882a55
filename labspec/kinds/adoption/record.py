"""The record of what a lab has adopted, and the labels that it stands in for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from labspec.core.resource import ADDRESS_LABEL, FIELDS_LABEL, LAB_LABEL, Lab, Observed, Resource

if TYPE_CHECKING:
    from labspec.host.host import Host
    from labspec.kinds.provider import Reading

ADOPTING = "adopting"
"""Fact of an object that the lab is about to adopt."""
ADOPTED = "adopted"
"""Fact of an object that the lab has adopted, or is about to."""
IDS = "ids"
"""Fact of an object that stands for several on the host: the ids of all of them."""
NOTE = "note"
"""Fact of an object that the lab is about to adopt: what is to be said of that."""


def adopted(reading: Reading, kind: str) -> dict[str, dict[str, str]]:
    """Return id -> the labels that it would have, of each object of a kind that the lab has adopted."""
    return labels_of(reading.host, reading.lab, kind)


def labels_of(host: Host, lab: Lab, kind: str) -> dict[str, dict[str, str]]:
    """Return as `adopted`, for a lab on a host."""
    return {
        identity: stand_in(lab, entry["address"], entry.get("fields"))
        for identity, entry in host.state.adopted(lab.name).items()
        if entry.get("kind") == kind
    }


def stand_in(lab: Lab, address: str, fields: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the labels of an object at an address, were it made by labspec, and compose's."""
    found = {LAB_LABEL: lab.name, ADDRESS_LABEL: address}
    if fields is not None:
        found[FIELDS_LABEL] = json.dumps(fields)
    resource = lab.by_address.get(address)
    if resource is not None and resource.kind == "service":
        found |= {
            "com.docker.compose.project": resource.project,
            "com.docker.compose.service": str(resource.options["key"]),
        }
    return found


def wanted(reading: Reading, kind: str, there: Iterable[str]) -> list[Resource]:
    """Return the resources of a kind that the spec adopts, and that are not the lab's yet."""
    known = set(there)
    resources = reading.lab.by_address
    return [
        resources[address]
        for address in reading.lab.parts.get("adopt") or ()
        if address not in known and address in resources and resources[address].kind == kind
    ]


def marked(observed: Observed, *, new: bool) -> Observed:
    """Return an object as adopted, or (`new`) about to be."""
    more: dict[str, Any] = {ADOPTED: True, **({ADOPTING: True} if new else {})}
    return observed._replace(facts={**observed.facts, **more})
