"""What the kinds of Docker object have in common: ownership by labels, names already taken, a change without twists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Cause, Diff, Field, Settle, compare, digest, digests
from labspec.core.resource import ADDRESS_LABEL, FIELDS_LABEL, HASH_LABEL, LAB_LABEL, Lab, Observed, Resource
from labspec.host.docker import segment

if TYPE_CHECKING:
    from labspec.host.host import Host
    from labspec.kinds.provider import Reading

TOOL_LABELS = ("io.labspec.", "com.docker.compose.")


def resources_of(lab: Lab, kind: str) -> Iterator[Resource]:
    """Yield the lab's resources of one kind."""
    return iter(lab.by_kind.get(kind, ()))


def external(reading: Reading, kind: str, path: str, identity: str) -> Iterator[Observed]:
    """Yield the external objects of a kind that the lab names and the host has; `identity` is the key of their id."""
    named = [resource for resource in resources_of(reading.lab, kind) if resource.options["external"]]
    answers = reading.docker.find_all([path + segment(resource.name) for resource in named])
    for resource, answer in zip(named, answers, strict=True):
        if answer is not None:
            yield Observed(resource.address, kind, answer[identity], answer["Name"], owned=False)


def at_their_resources(found: Iterable[Observed], reading: Reading, kind: str) -> Iterator[Observed]:
    """Yield the lab's objects of a kind, each at the address of the resource that it stands for.

    Their names come first: what has another key in the spec now is the same object, though its label, which Docker
    cannot change, has the old one. Then their labels count; one that says the address of a resource which has another
    object already is of no resource any more.
    """
    objects = list(found)
    known = reading.lab.by_address
    names = {resource.name: resource.address for resource in resources_of(reading.lab, kind)}
    held = {names[item.name] for item in objects if item.name in names}
    for item in objects:
        address = names.get(item.name) or item.address
        if item.name not in names and address in held:
            address = f"{kind}.{item.name}"
            while address in known or address in held:
                address += "_"
        held.add(address)
        yield item._replace(address=address)


def ownership(lab: str, resource: Resource) -> dict[str, str]:
    """Return the labels that make an object the lab's: whose it is, and digests of what was asked for."""
    return {
        LAB_LABEL: lab,
        ADDRESS_LABEL: resource.address,
        HASH_LABEL: digest(resource.desired),
        FIELDS_LABEL: json.dumps(digests(resource.desired), separators=(",", ":")),
    }


def foreign_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that neither labspec nor compose put there."""
    return {name: value for name, value in labels.items() if not name.startswith(TOOL_LABELS)}


def applied_fields(labels: Mapping[str, str]) -> dict[str, str]:
    """Return field -> digest as the object's label records it; empty where it is missing or unreadable."""
    try:
        record = json.loads(labels.get(FIELDS_LABEL, "{}"))
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in record.items()} if isinstance(record, dict) else {}


def as_it_should_be(
    fields: Iterable[Field],
    desired: Resource | None,
    observed: Observed | None,
    preview: Preview,
    folded: Mapping[str, Any] | None = None,
) -> bool:
    """Return whether `plain_change` has nothing to change, so that no step need be made, nor imported."""
    if desired is None or desired.options.get("external"):
        return desired is not None
    if observed is None or desired.address in preview.replace:
        return False
    return not differences(fields, desired, observed, folded)


def differences(
    fields: Iterable[Field], desired: Resource, observed: Observed, folded: Mapping[str, Any] | None = None
) -> tuple[Diff, ...]:
    """Return the differences of an object whose name is its own, the name's first: `compare` has the arguments."""
    found = compare(fields, desired.desired, observed, folded)
    if observed.name == desired.name:
        return found
    return (Diff("name", observed.name, desired.name, Cause.SPEC, Settle.REPLACE), *found)


def plain_change(
    fields: Iterable[Field],
    desired: Resource | None,
    observed: Observed | None,
    preview: Preview,
    *,
    remove: tuple[Step, ...],
    make: tuple[Step, ...],
    folded: Mapping[str, Any] | None = None,
) -> Change | None:
    """Return the change of an object that cannot be altered in place: made, replaced or removed."""
    if desired is None:
        return removal(observed, remove) if observed and observed.owned else None
    if desired.options.get("external"):
        return None
    if observed is None:
        return creation(desired, make)._replace(remove=remove)
    diffs = differences(fields, desired, observed, folded)
    asked = desired.address in preview.replace
    if not diffs and not asked:
        return None
    reason = reason_for(diffs) if diffs else "asked for by --replace"
    return replacement(desired, observed, diffs, reason, remove=remove, make=make)


def replacement(
    desired: Resource,
    observed: Observed,
    diffs: tuple[Diff, ...],
    reason: str,
    *,
    prepare: tuple[Step, ...] = (),
    remove: tuple[Step, ...] = (),
    make: tuple[Step, ...] = (),
    finish: tuple[Step, ...] = (),
) -> Change:
    """Return the change that makes an object anew."""
    return Change(
        address=desired.address,
        kind=desired.kind,
        action=Action.REPLACE,
        reason=reason,
        before=observed.state,
        after=desired.desired,
        diffs=diffs,
        prepare=prepare,
        remove=remove,
        make=make,
        finish=finish,
    )


def creation(desired: Resource, make: tuple[Step, ...], prepare: tuple[Step, ...] = ()) -> Change:
    """Return the change that makes a missing object."""
    return Change(
        desired.address,
        desired.kind,
        Action.CREATE,
        "not on this host",
        after=desired.desired,
        prepare=prepare,
        make=make,
    )


def plain_update(desired: Resource, observed: Observed, diffs: tuple[Diff, ...], make: tuple[Step, ...]) -> Change:
    """Return the change of an object in place."""
    address, kind, reason = desired.address, desired.kind, reason_for(diffs)
    return Change(address, kind, Action.UPDATE, reason, observed.state, desired.desired, diffs, make=make)


def removal(observed: Observed, remove: tuple[Step, ...], reason: str = "no longer in the spec") -> Change:
    """Return the change that removes an object."""
    return Change(observed.address, observed.kind, Action.DELETE, reason, before=observed.state, remove=remove)


def reason_for(diffs: Sequence[Diff]) -> str:
    """Return why fields differ, in words: '`driver` changed in the spec; `options` changed on the host'."""
    said = {Cause.SPEC: "changed in the spec", Cause.DROPPED: "left the spec", Cause.DRIFT: "changed on the host"}
    parts = []
    for cause in Cause:
        names = list(dict.fromkeys(diff.path for diff in diffs if diff.cause is cause))
        if names:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            parts.append(f"{shown} {said[cause]}")
    return "; ".join(parts)


def taken(kind: str, path: str, changes: Sequence[Change], lab: Lab, host: Host) -> Iterator[Diagnostic]:
    """Yield a problem for each object to be made whose name another object already has."""
    resources = lab.by_address
    made = [
        change
        for change in changes
        if change.address in resources
        and (change.action is Action.CREATE or any(diff.field == "name" for diff in change.diffs))
    ]
    names = [resources[change.address].name for change in made]
    found = host.docker.find_all([path + segment(name) for name in names])
    for change, name, other in zip(made, names, found, strict=True):
        if other is None:
            continue
        labels = other.get("Labels") or {}
        owner = labels.get(LAB_LABEL)
        if owner == lab.name and labels.get(ADDRESS_LABEL) in {change.address, *_removed(changes)}:
            continue
        whose = f"belongs to lab '{owner}'" if owner else "was not made by labspec"
        yield Diagnostic(
            f"{change.address}: the name {name} is taken by a {kind} that {whose}",
            at=resources[change.address].at,
            hint=f"give the {kind} another 'name', mark it 'external: true', or remove the other one",
        )


def _removed(changes: Sequence[Change]) -> set[str]:
    return {change.address for change in changes if change.action is Action.DELETE}
