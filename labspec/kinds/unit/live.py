"""Units on the host: file by file, with one request to systemd for all, compared setting by setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.objects import resources_of
from labspec.kinds.provider import Reading
from labspec.kinds.unit.changes import creation, leaving, moved, order_diff, takeover, update
from labspec.kinds.unit.dangers import unit_dangers
from labspec.kinds.unit.names import is_template, owner_of
from labspec.kinds.unit.problems import unit_problems
from labspec.kinds.unit.reading import (
    booted,
    content_of,
    enabled,
    exists,
    links,
    properties,
    settings_in,
    state_of,
)
from labspec.kinds.unit.unitfile import values_of

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("path", Settle.REPLACE),
    Field("sections", Settle.UPDATE, keyed=True),
    Field("state", Settle.UPDATE),
    Field("enabled", Settle.UPDATE),
)


class UnitLive:
    """The live side of units. Whose a unit is stands in the journal."""

    kind = "unit"
    fields = FIELDS

    def units(self, reading: Reading) -> Iterable[str]:
        """Return the units of the lab, but for templates."""
        names = set(_names(reading).values()) if booted() else ()
        return (name for name in names if not is_template(name))

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the units of the lab, and those of the host whose names it uses."""
        names = _names(reading)
        if not names:
            return
        resources, entries = reading.lab.by_address, reading.journal
        system = reading.host.system
        shown = properties(system, sorted(set(names.values())))
        linked = links()
        for address, unit in names.items():
            entry = entries.get(address)
            path = resources[address].options["path"] if entry is None else entry.get("path")
            content = content_of(system, path) if path else None
            ours = owner_of(content or "") == reading.lab.name
            if entry is None and not ours and not _is_there(path, shown.get(unit, {})):
                continue
            yield observed(unit, address, path, content, shown.get(unit, {}), linked, entry, ours=ours)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, changes, or puts back one unit."""
        if desired is None:
            return leaving(observed, lab) if observed and observed.owned else None
        if observed is None:
            return creation(desired, lab)
        diffs = compare(FIELDS, desired.desired, observed) or order_diff(desired, observed)
        asked = desired.address in preview.replace
        old = observed.facts["unfinished"] and observed.state["state"] == "started"
        waiting = observed.owned and (old or observed.facts["unread"])
        if not diffs and not asked and not waiting and not observed.facts["labs"]:
            return None
        if not observed.owned and desired.options["path"]:
            return takeover(desired, observed, lab)
        if any(diff.settle is Settle.REPLACE for diff in diffs):
            return moved(desired, observed, diffs, lab)
        return update(desired, observed, diffs, lab, asked=asked)

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return a problem for each unit that systemd would not take, or that this host cannot have."""
        return unit_problems(changes, lab, host)

    def as_found(self, resource: Resource, before: Mapping[str, Any], host: Host) -> Resource | None:
        """Return a unit of the lab as it is on the host, its file byte for byte; one that has failed, as it ran.

        None where its file is gone.
        """
        path = resource.options["path"]
        text = content_of(host.system, path) if path else None
        if path and text is None:
            return None
        kept = {key: value for key, value in before.items() if key == "enabled" or value in ("started", "stopped")}
        return resource._replace(
            desired={
                **resource.desired,
                **{key: value for key, value in kept.items() if key in resource.desired},
                **({"sections": values_of(settings_in(text))} if text else {}),
            },
            options={**resource.options, **({"text": text} if text else {})},
        )

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: that it runs is seen when it is started."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a unit in the place of a package's, and for a command that no User= restrains."""
        return unit_dangers(resource)


def _names(reading: Reading) -> dict[str, str]:
    """Return address -> name of the units of the spec, and of the journal."""
    wanted = {resource.address: resource.name for resource in resources_of(reading.lab, "unit")}
    known = {
        address: str(entry.get("name"))
        for address, entry in reading.journal.items()
        if entry.get("kind") == "unit" and address not in wanted
    }
    return wanted | known


def observed(
    unit: str,
    address: str,
    path: str | None,
    content: str | None,
    shown: Mapping[str, str],
    linked: Mapping[str, str],
    entry: Mapping[str, Any] | None,
    *,
    ours: bool = False,
) -> Observed:
    """Return the canonical form of one unit: its file, what systemd says of it, and its entry of the journal."""
    settings = settings_in(content)
    there = path is not None and (content is not None or Path(path).is_symlink())
    before = (entry or {}).get("before") or {}
    applied = (entry or {}).get("applied") or {}
    return Observed(
        address=address,
        kind="unit",
        id=unit,
        name=unit,
        state={
            **({"path": path} if there else {}),
            "sections": values_of(settings),
            "state": state_of(shown),
            "enabled": enabled(unit, linked),
        },
        applied=applied,
        defaults={field: value for field, value in _state_before(unit, before).items() if field in applied},
        owned=entry is not None or ours,
        facts={
            "path": path,
            "labs": entry is None and not ours and owner_of(content or "") is not None,
            "fragment": shown.get("FragmentPath", ""),
            "order": [[setting.section, setting.key] for setting in settings],
            "unfinished": bool((entry or {}).get("unfinished")),
            "unread": shown.get("NeedDaemonReload") == "yes",
            "family": list((entry or {}).get("family") or [unit]),
            "had": bool(before.get("file") or before.get("link")),
            "ran": bool(before.get("active")),
            "detail": f"{shown.get('ActiveState', 'unknown')} ({shown.get('SubState', '')})" if shown else "",
        },
    )


def _state_before(unit: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state that a unit had before the lab: what it goes back to once the spec says nothing of it."""
    if not before:
        return {}
    running = "started" if before.get("active") else "stopped"
    return {"state": running, "enabled": enabled(unit, before.get("links", {}))}


def _is_there(path: str | None, shown: Mapping[str, str]) -> bool:
    """Return whether the host has a unit, or a file in its place."""
    return exists(shown) or (path is not None and (Path(path).exists() or Path(path).is_symlink()))


LIVE = UnitLive()
