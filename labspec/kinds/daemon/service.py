"""The daemon's service: whether docker.service runs, and whether it starts with the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Step
from labspec.core.diff import Field, Settle, compare, digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.daemon.running import BOOTED, SOCKET_UNIT, UNIT
from labspec.kinds.objects import reason_for

if TYPE_CHECKING:
    from labspec.host.host import Host

ADDRESS = "daemon.service"
SERVICE = (Field("state", Settle.UPDATE), Field("enabled", Settle.UPDATE))
UNITS = (UNIT, SOCKET_UNIT)
SECONDS = 150


@dataclass(frozen=True)
class SetService(Step):
    """Start or stop Docker, have it start with the host or not; `state` and `enabled` are None for what stays.

    Its socket goes along: it would start Docker again at the next request.
    """

    lab: str
    state: str | None
    enabled: bool | None
    applied: tuple[tuple[str, str], ...] = ()
    """What to note as applied; none: the service is as it was before, and the journal forgets it."""
    before: tuple[tuple[str, Any], ...] = ()
    """What the service was before labspec changed it for the first time."""

    def __str__(self) -> str:
        parts = [] if self.state is None else ["start Docker" if self.state == "started" else "stop Docker"]
        if self.enabled is not None:
            parts.append("have it start with the host" if self.enabled else "have it not start with the host")
        return " and ".join(parts) if parts else "leave Docker's service as it is"

    def run(self, host: Host) -> None:
        """Do it. Raises LabError where systemd refuses."""
        journal = host.journal(self.lab)
        if self.applied:
            journal.record(ADDRESS, {"kind": "daemon", "applied": dict(self.applied), "before": dict(self.before)})
        if self.enabled is not None:
            host.system.run(["systemctl", "enable" if self.enabled else "disable", "--quiet", *UNITS])
        if self.state == "started":
            host.system.run(["systemctl", "reset-failed", *UNITS], accepted=range(256))
            host.system.run(["systemctl", "start", *reversed(UNITS)], seconds=SECONDS)
        elif self.state == "stopped":
            host.system.run(["systemctl", "stop", *reversed(UNITS)], seconds=SECONDS)
            host.docker.close()
        if not self.applied:
            journal.forget(ADDRESS)


def observe_service(entry: Mapping[str, Any] | None, host: Host) -> Observed:
    """Return docker.service as it is."""
    known = entry or {}
    state: dict[str, Any] = {}
    if BOOTED.is_dir():
        found = host.system.unit_properties([UNIT], ["LoadState", "ActiveState", "UnitFileState"])[UNIT]
        if found.get("LoadState") == "loaded":
            active = found.get("ActiveState") in ("active", "activating", "reloading")
            state["state"] = "started" if active else "stopped"
            state["enabled"] = found.get("UnitFileState", "").startswith("enabled")
    before = known.get("before", {})
    return Observed(ADDRESS, "daemon", "", UNIT, state, known.get("applied", {}), before, owned=entry is not None)


def service_change(desired: Resource | None, found: Observed, lab: Lab) -> Change | None:
    """Return what makes the service what the spec says, or what it was before; None where it is so."""
    before = found.defaults
    wanted = desired.desired if desired else {}
    diffs = compare(SERVICE, wanted, found)
    if desired is None:
        if not found.owned:
            return None
        step = _step(lab, {diff.field: diff.after for diff in diffs}, {}, {})
        return Change(
            ADDRESS, found.kind, Action.DELETE, "no longer in the spec", found.state, None, diffs, remove=(step,)
        )
    if not diffs:
        return None
    step = _step(
        lab,
        {diff.field: diff.after for diff in diffs},
        digests(wanted),
        {**{field: found.state.get(field) for field in wanted}, **before},
    )
    return Change(
        address=ADDRESS,
        kind=found.kind,
        action=Action.UPDATE,
        reason=reason_for(diffs),
        before=found.state,
        after=wanted,
        diffs=diffs,
        make=(step,),
        warnings=_warnings(wanted),
    )


def _step(lab: Lab, values: Mapping[str, Any], applied: Mapping[str, str], before: Mapping[str, Any]) -> SetService:
    return SetService(
        lab.name,
        values.get("state"),
        values.get("enabled"),
        tuple(sorted(applied.items())),
        tuple(sorted(before.items())),
    )


def _warnings(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    if wanted.get("state") == "stopped":
        return ("all containers of this host stop with Docker",)
    return ()
