"""Driving one kind without labels: look, decide, run the steps, on a host whose journal is the test's own."""

from __future__ import annotations

from typing import Any

from labspec.core.change import Change, Preview
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.host import Host
from labspec.kinds.provider import Live, Reading


def lab_of(*resources: Resource) -> Lab:
    return Lab("tp", "/lab", "/lab/lab.yaml", resources)


def look(live: Live, lab: Lab, host: Host) -> dict[str, Observed]:
    """Return what the kind finds, by address."""
    reading = Reading(lab, host, journal=host.journal(lab.name).entries())
    return {found.address: found for found in live.observe(reading)}


def decide(live: Live, lab: Lab, host: Host, *, destroy: bool = False) -> list[Change]:
    """Return the changes of one kind, as the planner asks for them."""
    found = look(live, lab, host)
    wanted = {} if destroy else lab.by_address
    changes = [live.change(resource, found.get(address), Preview(), lab) for address, resource in wanted.items()]
    changes += [live.change(None, left, Preview(), lab) for address, left in found.items() if address not in wanted]
    return [change for change in changes if change]


def settle(live: Live, lab: Lab, host: Host, *, destroy: bool = False) -> list[Change]:
    """Run the changes of one kind, and return them."""
    changes = decide(live, lab, host, destroy=destroy)
    for change in changes:
        for step in change.steps:
            step.run(host)
    return changes


def told(change: Change | None) -> list[str]:
    """Return a decision as text: action, reason, differences, steps, warnings."""
    if change is None:
        return ["nothing"]
    lines = [f"{change.action.value} {change.reason}"]
    lines += [f"{diff.path}: {diff.before!r} -> {diff.after!r} ({diff.cause.value})" for diff in change.diffs]
    lines += [f"- {step}" for step in change.steps]
    return lines + [f"! {warning}" for warning in change.warnings]


def seen(resource: Resource | None, address: str, state: dict[str, Any], **facts: Any) -> Observed:
    """Return a thing that labspec has not changed."""
    kind, _, name = address.partition(".")
    return Observed(address, kind, "", resource.name if resource else name, state, owned=False, facts=facts)
