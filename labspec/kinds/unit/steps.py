"""The steps that make units what a lab wants: files written whole, links by systemctl, started and seen to run.

Each that changes something first records what was there, so that `destroy` can put it back whatever happens next.
"""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.host.system import FileState
from labspec.kinds.unit.names import type_of
from labspec.kinds.unit.reading import properties, snapshot, state_of

if TYPE_CHECKING:
    from labspec.host.host import Host

START_SECONDS = 180.0
"""systemd itself gives a service 90 s to start."""
SETTLE_SECONDS = 0.3
"""A program that cannot run ends at once, and systemd has called it started by then."""
_LINES = 6


@dataclass(frozen=True)
class Target:
    """The unit that steps change, and what the journal says of it."""

    lab: str
    address: str
    unit: str
    path: str | None = None
    """Its file; None where only its state is the lab's."""
    family: tuple[str, ...] = ()
    applied: str = "{}"
    """Field -> digest, as JSON text."""

    def record(self, host: Host, *, unfinished: bool = False) -> None:
        """Write the journal's entry; what was there before is looked at only the first time."""
        journal = host.journal(self.lab)
        old = journal.entries().get(self.address)
        entry: dict[str, Any] = {
            "kind": "unit",
            "name": self.unit,
            "path": self.path,
            "family": sorted({*self.family, *(old or {}).get("family", ())}),
            "applied": json.loads(self.applied),
            "unfinished": unfinished,
        }
        if old is None:
            entry["before"] = snapshot(host.system, self.unit, self.path)
        if old is None or any(old.get(key) != value for key, value in entry.items()):
            journal.record(self.address, entry)


@dataclass(frozen=True)
class UnitStep(Step):
    """A step for one unit."""

    target: Target


@dataclass(frozen=True)
class WriteUnit(UnitStep):
    """Put a unit file in place, and make or remove the links to it.

    The units of a lab are written in one batch: systemd then reads them once, and finds those that belong together.
    """

    text: str
    unfinished: bool = False
    """Whether the unit is yet to be restarted after it."""
    link: str | None = None
    """enable, reenable or disable."""

    def __str__(self) -> str:
        written = f"write {self.target.path}"
        return f"{written}, systemctl {self.link} {self.target.unit}" if self.link else written

    @property
    def batch(self) -> Hashable:
        """One batch a lab."""
        return self.target.lab

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Write all the files, then make the links, since one unit may name another."""
        for step in steps:
            step.write(host)
        for step in steps:
            step.make_links(host)
        return ()

    def run(self, host: Host) -> None:
        """Write it."""
        self.run_batch([self], host)

    def write(self, host: Host) -> None:
        """Put the file in place."""
        path = self.target.path
        if path is None:
            raise ValueError(f"{self.target.unit} has no file")
        self.target.record(host, unfinished=self.unfinished)
        make_folder(path)
        host.system.write(path, FileState(self.text.encode(), "0644", 0, 0))

    def make_links(self, host: Host) -> None:
        """Have systemctl make the links; systemd reads its files again in a later step."""
        if self.link:
            host.system.run(["systemctl", "--no-reload", self.link, "--", self.target.unit])


@dataclass(frozen=True)
class DaemonReload(Step):
    """Have systemd read its files again, for this unit and all others that wait for it."""

    unit: str

    def __str__(self) -> str:
        return "systemctl daemon-reload"

    @property
    def batch(self) -> Hashable:
        """One batch: once is enough."""
        return "daemon-reload"

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Reload once for all."""
        steps[0].run(host)
        return ()

    def run(self, host: Host) -> None:
        """Reload."""
        host.system.run(["systemctl", "daemon-reload"])


@dataclass(frozen=True)
class LinkUnit(UnitStep):
    """Make or remove the links by which a unit starts with the host: enable, reenable or disable."""

    verb: str

    def __str__(self) -> str:
        return f"systemctl {self.verb} {self.target.unit}"

    def run(self, host: Host) -> None:
        """Do it; systemd reads its files again in a later step."""
        self.target.record(host, unfinished=_unfinished(self.target, host))
        host.system.run(["systemctl", "--no-reload", self.verb, "--", self.target.unit])


@dataclass(frozen=True)
class RunUnit(UnitStep):
    """Start or restart a unit and see that it runs: start, restart, try-restart or reload-or-restart."""

    verb: str

    def __str__(self) -> str:
        return f"systemctl {self.verb} {self.target.unit}"

    def run(self, host: Host) -> None:
        """Do it. Raises LabError, with the last lines of its log, for a unit that does not run then."""
        self.target.record(host, unfinished=True)
        stopped = _free_socket(self.target.unit, host) if "restart" in self.verb else []
        run_unit(self.target.unit, self.verb, host)
        for service in stopped:
            run_unit(service, "start", host)
        self.target.record(host)


@dataclass(frozen=True)
class StopUnit(UnitStep):
    """Stop a unit; `leaving` where it goes away, so that it is not recorded again."""

    leaving: bool = False

    def __str__(self) -> str:
        return f"systemctl stop {self.target.unit}"

    @property
    def batch(self) -> Hashable:
        """One batch: a service is then not started again by its socket, which is stopped with it."""
        return self.target.lab

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Stop all of them; that one had failed is forgotten too."""
        for step in steps:
            if not step.leaving:
                step.target.record(host)
        units = [step.target.unit for step in steps]
        host.system.run(["systemctl", "stop", "--", *units], seconds=START_SECONDS, accepted=(0, 5))
        host.system.run(["systemctl", "reset-failed", "--", *units], accepted=(0, 1))
        return ()

    def run(self, host: Host) -> None:
        """Stop it."""
        self.run_batch([self], host)


def run_unit(unit: str, verb: str, host: Host) -> None:
    """Start or restart a unit and see that it runs. Raises LabError, with the last lines of its log, if it does not."""
    try:
        host.system.run(["systemctl", verb, "--", unit], seconds=START_SECONDS)
    except LabError as error:
        raise LabError(f"{unit} does not start: {_first(error)}", hint=_log(unit, host)) from error
    time.sleep(SETTLE_SECONDS)
    shown = properties(host.system, [unit]).get(unit, {})
    state = state_of(shown)
    if state == "failed" or (state == "stopped" and verb in ("start", "restart")):
        said = f"{shown.get('ActiveState')} ({shown.get('SubState')}, {shown.get('Result')})"
        raise LabError(f"{unit} was started and does not run: {said}", hint=_log(unit, host))


def _free_socket(unit: str, host: Host) -> list[str]:
    """Stop the running services of a socket that is to be restarted, which systemd refuses while they run."""
    if type_of(unit) != "socket":
        return []
    services = host.system.unit_properties([unit], ["Triggers"])[unit].get("Triggers", "").split()
    shown = properties(host.system, services)
    running = [service for service in services if shown.get(service, {}).get("ActiveState") == "active"]
    for service in running:
        host.system.run(["systemctl", "stop", "--", service], seconds=START_SECONDS)
    return running


def _unfinished(target: Target, host: Host) -> bool:
    return bool(host.journal(target.lab).entries().get(target.address, {}).get("unfinished"))


def _first(error: LabError) -> str:
    return error.diagnostics[0].message


def _log(unit: str, host: Host) -> str | None:
    with suppress(LabError):
        said = host.system.run(["journalctl", "--unit", unit, "--lines", str(_LINES), "--output", "cat", "--no-pager"])
        lines = [line for line in said.stdout.splitlines() if line.strip() and line != "-- No entries --"]
        if lines:
            return "\n        ".join([f"journalctl -u {unit} says:", *lines])
    return f"look at 'systemctl status {unit}'"


def make_folder(path: str) -> None:
    """Make the folder that a file of systemd is put in. Raises LabError where it cannot be made."""
    folder = Path(path).parent
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot make {folder}: {error.strerror}") from error
