"""Reading the host: every kind once, each in as few requests as it can."""

from __future__ import annotations

from labspec.core.resource import Lab, Observed
from labspec.host.host import Host
from labspec.kinds import lives
from labspec.kinds.provider import Reading


def observe(lab: Lab, host: Host) -> dict[str, Observed]:
    """Return what the host has of a lab, by address. Raises LabError where the host cannot be read."""
    reading = Reading(lab, host, host.state.applied(lab.name), host.journal(lab.name).entries())
    return {found.address: found for live in lives() for found in live.observe(reading)}
