"""The steps that install and remove packages: all of a plan in one go, since the manager lets one at a time in."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from labspec.core.change import Step
from labspec.core.diagnostic import LabError, did_you_mean
from labspec.kinds.package.managers import Manager, manager

if TYPE_CHECKING:
    from labspec.host.host import Host

SECONDS = 1800.0
_LOCK = threading.Lock()


@dataclass(frozen=True)
class InstallPackage(Step):
    """Install a package, and note in the journal what came with it."""

    lab: str
    address: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        return f"install package {self.name}" + (f" in version {self.version}" if self.version else "")

    @property
    def batch(self) -> Hashable:
        """All packages go into one call."""
        return "packages"

    def run(self, host: Host) -> None:
        """Install it."""
        self.run_batch([self], host)

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Install all of them."""
        with _LOCK:
            tool = manager()
            before = installed(tool, host)
            _check_known(tool, sorted(step.name for step in steps), host)
            host.system.run(tool.install({step.name: step.version for step in steps}), seconds=SECONDS)
            came = sorted(installed(tool, host).keys() - before.keys() - {step.name for step in steps})
        for step in steps:
            journal = host.journal(step.lab)
            entry = journal.entries().get(step.address)
            if entry is not None:
                journal.record(step.address, {**entry, "came": sorted({*entry.get("came", ()), *came})})
        return ()


@dataclass(frozen=True)
class RemovePackage(Step):
    """Remove a package, and of what `came` with it what is needed no more."""

    name: str
    came: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"remove package {self.name}" + (", and what came with it and is needed no more" if self.came else "")

    @property
    def batch(self) -> Hashable:
        """All packages go into one call."""
        return "packages"

    def run(self, host: Host) -> None:
        """Remove it."""
        self.run_batch([self], host)

    @classmethod
    def run_batch(cls, steps: Sequence[Self], host: Host) -> Iterable[Self]:
        """Remove all of them; those that are gone already are fine."""
        with _LOCK:
            tool = manager()
            there = installed(tool, host)
            names = sorted(step.name for step in steps if step.name in there)
            if names:
                host.system.run(tool.remove(names), seconds=SECONDS)
            came = {name for step in steps for name in step.came}
            unneeded = tool.listed_unneeded(host.system.run(tool.unneeded()).stdout) if came else set()
            rest = sorted(unneeded & came)
            if rest:
                host.system.run(tool.remove(rest), seconds=SECONDS)
        return ()


def installed(tool: Manager, host: Host) -> Mapping[str, str]:
    """Return the installed packages, name -> version."""
    return tool.installed(host.system.run(tool.query).stdout)


def _check_known(tool: Manager, names: Sequence[str], host: Host) -> None:
    """Fetch the lists of packages where a name is not in them. Raises LabError for a name that is in none."""
    missing = _missing(tool, names, host)
    if missing:
        host.system.run(tool.refresh, seconds=SECONDS)
        missing = _missing(tool, names, host)
    if missing:
        near = did_you_mean(missing[0], installed(tool, host))
        raise LabError(f"{tool.name} has no package {', '.join(missing)}", hint=near or "look at how it is spelt")


def _missing(tool: Manager, names: Sequence[str], host: Host) -> list[str]:
    answer = host.system.run(tool.exists(names), accepted=range(256)).stdout
    known = tool.described(answer)
    return [name for name in names if name.partition(":")[0] not in known]
