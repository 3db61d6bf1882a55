"""The record of what a lab has adopted, and the labels that it stands in for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Step
from labspec.core.diff import digests
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

_RECORD = threading.Lock()


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


def adopting(change: Change | None, desired: Resource, observed: Observed, lab: Lab) -> Change:
    """Return the change by which an object becomes the lab's, with what else it needs; a new one needs no record."""
    if change is not None and change.action in (Action.REPLACE, Action.CREATE):
        return change.warned("it was not made by labspec, and the spec adopts it")
    ids = observed.facts.get(IDS) or (observed.id,)
    fields = json.dumps(dict(observed.applied) or digests(desired.desired))
    step = RecordAdopted(lab.name, desired.address, desired.kind, tuple(ids), fields)
    if change is not None:
        reason = f"the spec adopts it; {change.reason}"
        return change._replace(reason=reason, make=(step, *change.make))
    reason = "is on this host, and the spec adopts it"
    notes = (observed.facts[NOTE],) if NOTE in observed.facts else ()
    return Change(
        desired.address,
        desired.kind,
        Action.ADOPT,
        reason,
        observed.state,
        desired.desired,
        make=(step,),
        warnings=notes,
    )


def marked(observed: Observed, *, new: bool) -> Observed:
    """Return an object as adopted, or (`new`) about to be."""
    more: dict[str, Any] = {ADOPTED: True, **({ADOPTING: True} if new else {})}
    return observed._replace(facts={**observed.facts, **more})


@dataclass(frozen=True)
class RecordAdopted(Step):
    """Remember that objects are the lab's: their labels cannot be changed. `fields` is JSON text."""

    lab: str
    address: str
    kind: str
    ids: tuple[str, ...]
    fields: str

    def __str__(self) -> str:
        return f"record that {self.address} is this lab's"

    def run(self, host: Host) -> None:
        """Record it."""
        entry = {"kind": self.kind, "address": self.address, "fields": json.loads(self.fields)}
        with _RECORD:
            host.state.record_adopted(self.lab, dict.fromkeys(self.ids, entry))
