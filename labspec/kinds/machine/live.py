"""Machines of systemd-nspawn on the host: their marker, their .nspawn file, and whether their unit is active."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Cause, Diff, Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.host.docker import image_path
from labspec.kinds.journalled import ForgetMade
from labspec.kinds.machine.settings import settings_file, settings_text
from labspec.kinds.machine.steps import (
    MachineStep,
    MakeMachine,
    RemoveMachine,
    RunMachine,
    StopMachine,
    WriteSettings,
    marker,
    root_of,
)
from labspec.kinds.objects import creation, reason_for, removal, replacement, resources_of
from labspec.kinds.provider import Reading
from labspec.kinds.service.compose_steps import PullImage
from labspec.kinds.service.dangers import mount_dangers

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("image"),
    Field("settings", Settle.UPDATE),
    Field("command", Settle.UPDATE, live=False),
    Field("env", Settle.UPDATE, live=False),
    Field("state", Settle.UPDATE),
)
SYSTEMD = "/run/systemd/system"
"""There where systemd is the host's init, sd_booted(3)."""


class MachineLive:
    """The live side of machines."""

    kind = "machine"
    fields = FIELDS

    def units(self, reading: Reading) -> Iterable[str]:
        """Return the units that the lab's machines run in."""
        wanted = [str(resource.options["unit"]) for resource in resources_of(reading.lab, self.kind)]
        known = [str(entry["unit"]) for entry in reading.journal.values() if entry.get("kind") == self.kind]
        return (f"{unit}.service" for unit in (*wanted, *known)) if Path(SYSTEMD).is_dir() else ()

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's machines, of the spec and of the journal."""
        known = {
            resource.address: (resource.name, resource.options["unit"], resource.desired["image"])
            for resource in resources_of(reading.lab, self.kind)
        }
        recorded = {
            address: (str(entry["name"]), str(entry["unit"]))
            for address, entry in reading.journal.items()
            if entry.get("kind") == self.kind
        }
        places = {address: place[:2] for address, place in known.items()} | recorded
        if not places:
            return
        active = _active([unit for _, unit in places.values()], reading.host)
        images = sorted({image for _, _, image in known.values()})
        found = reading.docker.find_all([image_path(image) for image in images])
        ids = {image: str(answer["Id"]) for image, answer in zip(images, found, strict=True) if answer is not None}
        for address, (machine, unit) in sorted(places.items()):
            own = marker(machine, reading.lab.name, address)
            if own is not None or address in recorded:
                image = known[address][2] if address in known else ""
                yield _observed(address, machine, unit, own, unit in active, ids.get(image, ""))

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, changes, runs, stops or removes one machine."""
        if desired is None:
            return removal(observed, _removals(observed, lab)) if observed else None
        if observed is None or observed.facts["gone"]:
            return creation(desired, _makings(desired, lab), _prepare(desired))
        diffs = compare(FIELDS, desired.desired, observed)
        reasons = list(_replacing(desired, observed, diffs, preview))
        if reasons:
            return replacement(
                desired,
                observed,
                diffs,
                "; ".join(reasons),
                prepare=_prepare(desired),
                remove=_removals(observed, lab)[:-1],
                make=_makings(desired, lab),
            ).warned("what was written into the machine is lost")
        return _in_place(desired, observed, diffs, lab) if diffs else None

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return what the host lacks to have machines, and names that somebody else has."""
        resources = lab.by_address
        made = [resources[change.address] for change in changes if change.address in resources]
        if os.geteuid() != 0:
            at = made[0].at if made else None
            yield Diagnostic(f"{changes[0].address}: only root can make machines", at=at, hint="run labspec as root")
            return
        said = self.missing(host)
        for resource in made:
            running = resource.desired["state"] == "running"
            if said is not None and running:
                hint = f"{said.hint}; or go on without it: --allow-missing"
                yield Diagnostic(f"{resource.address}: {said.message}", at=resource.at, hint=hint)
            elif running and not Path(SYSTEMD).is_dir():
                hint = "run it in a sandbox: labspec sandbox up"
                message = f"{resource.address}: a machine runs under systemd, and it is not this host's init"
                yield Diagnostic(message, at=resource.at, hint=hint)
            if marker(resource.name, lab.name, resource.address) is None:
                for path in (str(root_of(resource.name)), settings_file(resource.name)):
                    if os.path.lexists(path):
                        message = f"{resource.address}: {path} is there and is not this lab's"
                        yield Diagnostic(message, at=resource.at, hint="rename the lab or the machine")

    def missing(self, host: Host) -> Diagnostic | None:  # noqa: ARG002  the contract's argument
        """Return what this host lacks to run machines, or None."""
        if shutil.which("systemd-nspawn"):
            return None
        return Diagnostic("systemd-nspawn is not installed on this host", hint="apt-get install systemd-container")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: the unit is active once the machine runs."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return what the machine may do to the host."""
        for source in resource.options["binds"]:
            yield from mount_dangers(source, resource.address)
        if resource.options["network"] == "host":
            yield Danger("host-network", resource.address, "uses the host's network, and all that listens on it")


def _active(units: Sequence[str], host: Host) -> set[str]:
    if not Path(SYSTEMD).is_dir():
        return set()
    found = host.system.unit_properties([f"{unit}.service" for unit in units], ["ActiveState"])
    return {unit for unit in units if found[f"{unit}.service"].get("ActiveState") in ("active", "activating")}


def _observed(
    address: str, machine: str, unit: str, own: dict[str, Any] | None, active: bool, image_id: str
) -> Observed:
    gone = own is None or not root_of(machine).is_dir()
    facts = {
        "gone": gone,
        "unit": unit,
        "active": active,
        "moved": bool(own and image_id and own.get("image_id") != image_id),
        "detail": "running" if active else "prepared",
    }
    if own is None or gone:
        return Observed(address, "machine", "", machine, facts=facts)
    seen = {
        "image": own.get("image", ""),
        "settings": _read_settings(machine),
        "state": "running" if active else "prepared",
    }
    return Observed(address, "machine", machine, machine, seen, dict(own.get("applied") or {}), facts=facts)


def _read_settings(machine: str) -> list[str]:
    """Return the lines of a .nspawn file less labspec's own first one; none where it is gone."""
    try:
        lines = Path(settings_file(machine)).read_text(errors="replace").splitlines()
    except OSError:
        return []
    first = settings_text([]).splitlines()[0]
    return lines[1:] if lines[:1] == [first] else lines


def _replacing(desired: Resource, observed: Observed, diffs: Sequence[Diff], preview: Preview) -> Iterator[str]:
    """Yield why the machine must be made anew; nothing if its files can stay."""
    if desired.address in preview.replace:
        yield "asked for by --replace"
    deep = [diff for diff in diffs if diff.settle is Settle.REPLACE]
    if deep:
        yield reason_for(deep)
    for change in preview.disturbing(desired.needs):
        yield f"{change.address} is {'created' if change.action is Action.CREATE else 'replaced'}"
    if observed.facts["moved"] and not deep:
        yield f"{desired.desired['image']} is another image now"


def _in_place(desired: Resource, observed: Observed, diffs: tuple[Diff, ...], lab: Lab) -> Change:
    running = desired.desired["state"] == "running"
    rewritten = any(diff.field == "settings" or diff.cause is not Cause.DRIFT for diff in diffs)
    steps: tuple[Step, ...] = (WriteSettings.of(lab.name, desired),) if rewritten or not running else ()
    if running:
        steps = (*steps, RunMachine.of(lab.name, desired))
    elif observed.facts["active"]:
        place = (lab.name, desired.address, desired.name, desired.options["unit"])
        steps = (StopMachine(*place), *steps)
    start = running and not rewritten
    return Change(
        desired.address,
        desired.kind,
        Action.START if start else Action.UPDATE,
        "it does not run" if start else reason_for(diffs),
        observed.state,
        desired.desired,
        diffs=diffs,
        make=steps,
    )


def _prepare(desired: Resource) -> tuple[Step, ...]:
    return () if desired.options["image_address"] else (PullImage(desired.desired["image"]),)


def _makings(desired: Resource, lab: Lab) -> tuple[Step, ...]:
    run = (RunMachine.of(lab.name, desired),) if desired.desired["state"] == "running" else ()
    return (MakeMachine.of(lab.name, desired), *run)


def _removals(observed: Observed, lab: Lab) -> tuple[Step, ...]:
    place = (lab.name, observed.address, observed.name, observed.facts["unit"])
    stop: tuple[MachineStep, ...] = (StopMachine(*place),) if observed.facts["active"] else ()
    return (*stop, RemoveMachine(*place), ForgetMade(lab.name, observed.address))


LIVE = MachineLive()
