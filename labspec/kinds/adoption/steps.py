"""Adopting what is on the host: the change that a plan shows, and the step that writes it down."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labspec.core.change import Action, Change, Step
from labspec.core.diff import digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.adoption.record import IDS, NOTE

if TYPE_CHECKING:
    from labspec.host.host import Host

_RECORD = threading.Lock()


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
