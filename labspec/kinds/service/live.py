"""The live side of services: what makes the containers on the host into what the spec says.

What a change takes is imported only where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Diff
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.provider import Reading
from labspec.kinds.service import reading as hosts
from labspec.kinds.service.fields import FIELDS
from labspec.kinds.service.standing import stands

if TYPE_CHECKING:
    from labspec.host.host import Host


class ServiceLive:
    """The live side of services."""

    kind = "service"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Return the lab's services that have containers."""
        return hosts.observe(reading)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what makes, updates, starts, replaces or removes the containers of one service."""
        diffs: tuple[Diff, ...] = ()
        if desired and observed and observed.facts["replicas"]:
            diffs = hosts.differences(desired, observed)
            if not diffs and stands(desired, observed, preview):
                return None
        from labspec.kinds.service.changes import change

        return change(desired, observed, diffs, preview, lab)

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return names and ports that somebody else has, and images that are not to be had."""
        from labspec.kinds.service.clashes import clashes

        return clashes(changes, lab, host)

    def waits(self, resource: Resource) -> Iterable[Step]:
        """Return the step that ends once the containers are healthy, or run where they have no health check."""
        from labspec.kinds.service.steps import READY, WaitFor

        yield WaitFor(resource.address, resource.project, resource.options["key"], READY)

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return what the containers may do to the host."""
        from labspec.kinds.service.dangers import dangers

        return dangers(resource)


LIVE = ServiceLive()
