"""Deciding what to do: desired and observed in, a plan out, without touching the host."""

import json
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from hashlib import sha256
from typing import NamedTuple

from labspec.core.change import Change, Danger, Plan, Preview
from labspec.core.diagnostic import Diagnostic, LabError, did_you_mean
from labspec.core.resource import Lab, Observed, Resource
from labspec.engine.graph import arrange
from labspec.kinds import REGISTRY, lives


class Wishes(NamedTuple):
    """What the user asked of a plan besides the spec."""

    targets: tuple[str, ...] = ()
    """Only these addresses, and what they need (when removing: what needs them)."""
    replace: tuple[str, ...] = ()
    """Make these anew even where nothing differs."""
    destroy: bool = False
    """Remove everything that the lab has on the host."""


NO_WISHES = Wishes()


def plan(lab: Lab, observed: Mapping[str, Observed], wishes: Wishes = NO_WISHES, *, fingerprint: bool = True) -> Plan:
    """Return the plan that makes the host what the lab says. Pure: equal arguments give an equal plan.

    Without `fingerprint` it has none, for one that is only shown.

    Raises LabError for a wish that names no address.
    """
    resources = {} if wishes.destroy else lab.by_address
    anew = frozenset(_resolve(wishes.replace, resources, "--replace"))
    known = {**lab.by_address, **dict.fromkeys(observed)}
    chosen = _chosen(_resolve(wishes.targets, known, "--target"), lab, wishes) if wishes.targets else None
    by_kind = {live.kind: live for live in lives()}
    ground = {kind.name for kind in REGISTRY if kind.ground}
    in_engine = {kind.name for kind in REGISTRY if kind.labelled}
    leaving = [found for address, found in sorted(observed.items()) if address not in resources and found.owned]
    leaving_by_kind: dict[str, list[Observed]] = {}
    for found in leaving:
        leaving_by_kind.setdefault(found.kind, []).append(found)
    changes: dict[str, Change] = {}
    emptied = False
    unchanged = 0
    for resource in sorted(in_order(resources.values()), key=lambda resource: resource.kind not in ground):
        if chosen is not None and resource.address not in chosen:
            continue
        preview = Preview(changes, anew, leaving_by_kind)
        hidden = emptied and resource.kind in in_engine
        there = None if hidden else observed.get(resource.address)
        change = by_kind[resource.kind].change(resource, there, preview, lab)
        if there is not None and there.facts.get("adopting"):
            from labspec.kinds.adoption.steps import adopting

            change = adopting(change, resource, there, lab)
        if change and hidden and resource.address in observed:
            change = change._replace(reason="Docker's data moves, and it is not at the new place")
        if change:
            changes[resource.address] = change
            emptied = emptied or emptying([change])
        else:
            unchanged += 1
    for found in leaving:
        if emptied and found.kind in in_engine:
            continue
        if chosen is not None and found.address not in chosen:
            continue
        change = by_kind[found.kind].change(None, found, Preview(changes), lab)
        if change and found.facts.get("adopted"):
            change = change.warned("labspec did not make it, but adopted it")
        if change:
            changes[found.address] = change._replace(reason="the lab is removed") if wishes.destroy else change
    ordered = tuple(changes.values())
    return Plan(
        lab=lab.name,
        changes=ordered,
        nodes=arrange(ordered, lab),
        problems=tuple(_missing_external(resources.values(), observed)),
        dangers=tuple(_dangers(resources.values(), changes)),
        fingerprint=_fingerprint(lab, observed, wishes) if fingerprint else "",
        unchanged=unchanged,
    )


def emptying(changes: Iterable[Change]) -> bool:
    """Return whether one of these changes leaves the engine without its objects."""
    return any(change.empties for change in changes)


def in_order(resources: Iterable[Resource]) -> list[Resource]:
    """Return resources so that each stands behind all that it needs; otherwise as they came."""
    by_address = {resource.address: resource for resource in resources}
    sorter = TopologicalSorter(dict.fromkeys(by_address, ()))
    for address, resource in by_address.items():
        sorter.add(address, *(need for need in resource.needs if need in by_address))
    return [by_address[address] for address in sorter.static_order()]


def covers(target: str, address: str) -> bool:
    """Return whether a target names an address: itself, or a namespace that it is in (stack.portainer)."""
    return address == target or address.startswith(f"{target}.")


def _resolve(wanted: Sequence[str], known: Mapping[str, object], option: str) -> set[str]:
    found: set[str] = set()
    for target in wanted:
        hits = [address for address in known if covers(target, address)]
        if not hits:
            hint = did_you_mean(target, known) or "'labspec status' lists the addresses"
            raise LabError(f"{option} {target}: the lab has no such address", hint=hint)
        found.update(hits)
    return found


def _chosen(targets: set[str], lab: Lab, wishes: Wishes) -> set[str]:
    """Close the targets: over what they need to be made, or over what needs them to be removed."""
    forward = {resource.address: set(resource.needs) for resource in lab.resources}
    if wishes.destroy:
        backward: dict[str, set[str]] = {}
        for address, needs in forward.items():
            for need in needs:
                backward.setdefault(need, set()).add(address)
        forward = backward
    chosen: set[str] = set()
    todo = list(targets)
    while todo:
        address = todo.pop()
        if address not in chosen:
            chosen.add(address)
            todo.extend(forward.get(address, ()))
    return chosen


def _missing_external(resources: Iterable[Resource], observed: Mapping[str, Observed]) -> Iterable[Diagnostic]:
    for resource in resources:
        if resource.options.get("external") and resource.address not in observed:
            yield Diagnostic(
                f"{resource.address}: this host has no {resource.kind} named {resource.name}, and it is external",
                at=resource.at,
                hint=f"{_how_to_have(resource)}, or drop 'external'",
            )


def _how_to_have(resource: Resource) -> str:
    if resource.kind == "image":
        return f"build or load it, or pull it (docker pull {resource.name})"
    return f"create it (docker {resource.kind} create {resource.name})"


def _dangers(resources: Iterable[Resource], changes: Mapping[str, Change]) -> Iterable[Danger]:
    by_kind = {live.kind: live for live in lives()}
    for resource in resources:
        if resource.address in changes:
            yield from by_kind[resource.kind].dangers(resource)


def _fingerprint(lab: Lab, observed: Mapping[str, Observed], wishes: Wishes) -> str:
    wanted = [[resource.address, resource.desired, resource.options] for resource in lab.resources]
    found = [
        [item.address, item.id, item.state, _lasting(item.facts), dict(item.applied)]
        for _, item in sorted(observed.items())
    ]
    asked = [wishes.targets, wishes.replace, wishes.destroy]
    text = json.dumps([lab.name, dict(lab.files), wanted, found, asked], sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()


def _lasting(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts less those that change by themselves, as health does, and decide nothing."""
    return {name: value for name, value in facts.items() if name not in ("health", "detail")}
