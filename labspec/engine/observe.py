"""Reading the host: every kind once, each in as few requests as it can."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager, nullcontext

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab, Observed
from labspec.engine.ahead import IN_ENGINE, lists
from labspec.host.host import Host
from labspec.kinds import REGISTRY, lives
from labspec.kinds.provider import Live, Reading


def observe(lab: Lab, host: Host, only: Collection[str] | None = None, *, leaving: bool = False) -> dict[str, Observed]:
    """Return what the host has of a lab, by address; with `only`, of these kinds; `leaving`, to remove it.

    Raises LabError where the host cannot be read.
    """
    reading = Reading(lab, host, host.state.applied(lab.name), host.journal(lab.name).entries(), leaving=leaving)
    kinds = {kind.name for kind in REGISTRY if kind.labelled}
    kinds.update(resource.kind for resource in lab.resources)
    kinds.update(str(entry.get("kind")) for entry in reading.journal.values())
    if only is not None:
        kinds &= set(only)
    with host.docker.reading():
        if not _foreseen(kinds, reading):
            kinds -= {kind.name for kind in REGISTRY if kind.labelled}
        chosen = [live for live in lives() if live.kind in kinds]
        with _units_known(chosen, reading):
            return {found.address: found for live in chosen for found in live.observe(reading)}


def _foreseen(kinds: Collection[str], reading: Reading) -> bool:
    """Have the engine look for all that the lab has there; return whether it answers.

    It may be off where the lab has stopped it, and then it has nothing of the lab; or not be there at all, where the
    lab wants nothing of it. Raises LabError where it should answer.
    """
    try:
        reading.docker.foresee(lists(reading.lab.name, IN_ENGINE.intersection(kinds)))
    except LabError as error:
        stopped = "state" in reading.journal.get("daemon.service", {}).get("applied", {})
        nobody = isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError)
        if stopped or (nobody and not any(resource.kind in IN_ENGINE for resource in reading.lab.resources)):
            return False
        raise
    return True


def _units_known(chosen: Iterable[Live], reading: Reading) -> AbstractContextManager[None]:
    """Have the host's units that some kinds will ask for read in one go."""
    units = [unit for live in chosen if hasattr(live, "units") for unit in live.units(reading)]
    return reading.host.system.knowing_units(units) if len(units) > 1 else nullcontext()
