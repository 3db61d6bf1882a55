"""What the kinds without labels have in common: ownership by the journal, and the way back that it keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Diff, digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.objects import reason_for, resources_of
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True, slots=True)
class Known:
    """A thing that is looked at: one that the spec names, one that labspec has changed, or both."""

    address: str
    name: str
    desired: Resource | None
    entry: Mapping[str, Any] | None

    @property
    def owned(self) -> bool:
        """Whether labspec has changed it."""
        return self.entry is not None

    @property
    def before(self) -> Mapping[str, Any]:
        """What it was before labspec changed it; empty where it has not."""
        found: Mapping[str, Any] = (self.entry or {}).get("before") or {}
        return found

    @property
    def applied(self) -> dict[str, str]:
        """Field -> digest of what labspec last applied."""
        return dict((self.entry or {}).get("applied") or {})


def known(reading: Reading, kind: str) -> list[Known]:
    """Return what there is to look at of one kind; nothing needs to be read where this is empty."""
    resources = {resource.address: resource for resource in resources_of(reading.lab, kind)}
    entries = {address: entry for address, entry in reading.journal.items() if entry.get("kind") == kind}
    found = []
    for address in dict.fromkeys((*resources, *entries)):
        desired, entry = resources.get(address), entries.get(address)
        name = desired.name if desired else str((entry or {}).get("name", ""))
        found.append(Known(address, name, desired, entry))
    return found


def observed(
    thing: Known, kind: str, state: Mapping[str, Any], fresh: Mapping[str, Any] | None = None, **facts: Any
) -> Observed:
    """Return a thing as it was found.

    Once the spec drops a field, its default is what it was before; for a thing that was not there, what a `fresh` one
    has.
    """
    was = thing.before or fresh or {}
    defaults = {field: value for field, value in was.items() if field in thing.applied}
    return Observed(
        address=thing.address,
        kind=kind,
        id="",
        name=thing.name,
        state=state,
        applied=thing.applied,
        defaults=defaults,
        owned=thing.owned,
        facts={"before": dict(thing.before), **facts},
    )


@dataclass(frozen=True)
class Record(Step):
    """Write into the journal what a thing was, before it is touched. `entry` is JSON text."""

    lab: str
    address: str
    entry: str

    @classmethod
    def of(cls, lab: str, resource: Resource, before: Mapping[str, Any], **more: Any) -> Record:
        """Return the step for a resource that is about to be applied; `more` is kept beside what it was before."""
        return cls(lab, resource.address, json.dumps(journal_entry(resource, before, **more), sort_keys=True))

    def __str__(self) -> str:
        return f"remember what {self.address} was, to put it back later"

    @property
    def batch(self) -> Hashable:
        """One batch, so that what is recorded together goes on together."""
        return self.lab

    def run(self, host: Host) -> None:
        """Record it; what it was at first stays in the journal."""
        host.journal(self.lab).record(self.address, json.loads(self.entry))


@dataclass(frozen=True)
class Forget(Step):
    """Remove a thing from the journal, once it is as it was before."""

    lab: str
    address: str

    def __str__(self) -> str:
        return f"forget {self.address}: it is as it was before"

    def run(self, host: Host) -> None:
        """Forget it."""
        host.journal(self.lab).forget(self.address)


@dataclass(frozen=True)
class ForgetMade(Forget):
    """Remove a thing that labspec made from the journal, once it is gone."""

    def __str__(self) -> str:
        return f"forget {self.address}"


def journal_entry(resource: Resource, before: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the journal's entry for a resource that is about to be applied."""
    return {
        "kind": resource.kind,
        "name": resource.name,
        "applied": digests(resource.desired),
        "before": dict(before),
        **more,
    }


def update(
    desired: Resource, observed: Observed, diffs: Sequence[Diff], preview: Preview, steps: tuple[Step, ...]
) -> Change | None:
    """Return the change that makes a thing that is there as it should be; None where it is, and --replace is silent."""
    if not diffs and desired.address not in preview.replace:
        return None
    said = reason_for(diffs) if observed.owned else "differs from the spec"
    return Change(
        desired.address,
        desired.kind,
        Action.UPDATE,
        said if diffs else "asked for by --replace",
        before=observed.state,
        after=desired.desired,
        diffs=tuple(diffs),
        make=steps,
    )


def restoration(observed: Observed, lab: Lab, steps: tuple[Step, ...], after: Mapping[str, Any]) -> Change:
    """Return the change that puts a thing back; `after` is what it was, empty where there was nothing."""
    return Change(
        observed.address,
        observed.kind,
        Action.DELETE,
        "no longer in the spec",
        before=observed.state,
        after=after or None,
        remove=(*steps, Forget(lab.name, observed.address)),
    )


def as_found(resource: Resource, before: Mapping[str, Any], entry: Mapping[str, Any]) -> Resource:
    """Return a resource with its fields as the host has them: to put that back, whatever somebody has edited by hand.

    Of a list only what is the lab's counts, as does a key of a mapping; the journal's entry has what was added to it.
    """
    added = entry.get("added") or ()
    return resource._replace(
        desired={key: _common(value, before[key], added) for key, value in resource.desired.items() if key in before}
    )


def _common(ours: Any, found: Any, added: Sequence[Any]) -> Any:
    if isinstance(ours, list) and isinstance(found, list):
        return [item for item in (*ours, *(other for other in added if other not in ours)) if item in found]
    if isinstance(ours, Mapping) and isinstance(found, Mapping):
        return {key: found[key] for key in ours if key in found}
    return found


def needs_root(changes: Sequence[Change], lab: Lab, what: str) -> Iterator[Diagnostic]:
    """Yield a problem for a user who may not change this, at the first thing to be changed."""
    if changes and os.geteuid() != 0:
        resource = lab.by_address.get(changes[0].address)
        yield Diagnostic(
            f"{changes[0].address}: only root can change {what}",
            at=resource.at if resource else None,
            hint="run labspec as root: sudo labspec ...",
        )


def installs(lab: Lab) -> bool:
    """Return whether the lab installs packages: they may bring accounts and folders that are missing until then."""
    return any(resource.desired.get("state") == "present" for resource in resources_of(lab, "package"))
