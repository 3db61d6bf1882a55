"""The way back of the host's settings: what they were as an apply began, and putting them there again.

Settings are what settings.py says. What the last apply made them, or the first was about to
make them, is kept in the lab's state folder; with what was edited by hand since, that is the state before an apply. To
go back is to apply it, for what an apply that failed has begun to change, and nothing else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from labspec.core.change import Plan
from labspec.core.diff import digests
from labspec.core.resource import Lab, Resource
from labspec.engine.observe import observe
from labspec.engine.planner import covers, plan
from labspec.engine.settings import SETTINGS
from labspec.host.host import Host
from labspec.kinds import lives
from labspec.kinds.journalled import as_found

if TYPE_CHECKING:
    from labspec.engine.executor import Event, Outcome

LASTING = frozenset({"package"})
"""Kinds of the host that stay as far as an apply came: taking them back could take more with them."""
FILE = "settings.json"


def standing(host: Host, lab: str, made: Plan) -> list[dict[str, Any]]:
    """Return the settings as last applied, those that a plan changes as the host has them: edited by hand, perhaps.

    One that an apply which was cut off has left is among them; one that is not there, or not the lab's, is not.
    """
    items = {item["address"]: item for item in recorded(host, lab)}
    kinds = {live.kind: live for live in lives()}
    owned = host.journal(lab).entries()
    for change in made.changes:
        if change.kind not in SETTINGS:
            continue
        item, entry = items.pop(change.address, None), owned.get(change.address)
        if item is not None and entry is not None and change.before:
            own = getattr(kinds[change.kind], "as_found", None)
            resource = _resource(item)
            found = own(resource, change.before, host) if own else as_found(resource, change.before, entry)
            if found is not None:
                items[change.address] = _item(found)
    return list(items.values())


def settings_of(lab: Lab) -> list[dict[str, Any]]:
    """Return the settings that a lab wants, as JSON values."""
    return [_item(item) for item in lab.resources if item.kind in SETTINGS]


def recorded(host: Host, lab: str) -> list[dict[str, Any]]:
    """Return the settings as last applied; none where there is no record, or none that can be read."""
    try:
        found = json.loads((host.state.root / lab / FILE).read_bytes())
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def record(host: Host, lab: str, settings: Collection[Mapping[str, Any]]) -> None:
    """Keep settings as those last applied."""
    if settings or recorded(host, lab):
        host.state.write(lab, FILE, json.dumps(list(settings), sort_keys=True).encode())


def begin(host: Host, lab: Lab, addresses: Collection[str]) -> None:
    """Note what the lab wants at those addresses of which nothing is noted: all that is known if it is cut off."""
    old = recorded(host, lab.name)
    new = set(addresses) - {item["address"] for item in old}
    if new:
        record(host, lab.name, merged(old, lab, new))


def keep(host: Host, lab: Lab, addresses: Collection[str]) -> None:
    """Note that the settings at some addresses are now as the lab wants them."""
    record(host, lab.name, merged(recorded(host, lab.name), lab, addresses))


def merged(old: Collection[Mapping[str, Any]], lab: Lab, addresses: Collection[str]) -> list[Mapping[str, Any]]:
    """Return the old settings with those at some addresses as the lab wants them, or gone where it does not."""
    kept = [item for item in old if item["address"] not in addresses]
    return kept + [item for item in settings_of(lab) if item["address"] in addresses]


def possible(outcome: Outcome) -> bool:
    """Return whether settings can go back after a failure: not once there are new containers, made on top of them."""
    standing = {change.address for change in outcome.plan.changes if change.kind not in (*SETTINGS, *LASTING, "image")}
    return outcome.started.isdisjoint(standing)


def put_back(
    lab: Lab,
    host: Host,
    settings: Collection[Mapping[str, Any]],
    addresses: Collection[str],
    on_event: Callable[[Event], None],
) -> Outcome:
    """Make the settings at some addresses what they are among `settings`, or what they were before the lab.

    The lab's lock is to be held. Return what came of it.
    """
    from labspec.engine.executor import execute

    before = lab._replace(resources=tuple(_resource(item) for item in settings if item["address"] in addresses))
    found = {
        address: item
        for address, item in observe(before, host, SETTINGS).items()
        if any(covers(wanted, address) for wanted in addresses)
    }
    outcome = execute(plan(before, found), host, on_event, threading.Event())
    stuck = {address for address, _ in outcome.failed}
    applied = {item["address"]: item["desired"] for item in recorded(host, lab.name) if item["address"] in addresses}
    # What cannot go back is as the lab has made it.
    applied |= {address: lab.by_address[address].desired for address in stuck if address in lab.by_address}
    _remember(host, lab.name, applied)
    return outcome


def _remember(host: Host, lab: str, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Have the journal say of settings, by address, what was last applied: what a hand has edited is not labspec's."""
    journal = host.journal(lab)
    entries = journal.entries()
    for address, desired in settings.items():
        entry, applied = entries.get(address), digests(desired)
        if entry is not None and entry.get("applied", applied) != applied:
            journal.record(address, {**entry, "applied": applied})


def _resource(item: Mapping[str, Any]) -> Resource:
    return Resource(**{**item, "needs": tuple(item["needs"]), "at": None})


def _item(resource: Resource) -> dict[str, Any]:
    return resource._replace(at=None)._asdict()
