"""Kernel parameters on the host, read from /proc/sys and the lab's own file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.journalled import Record, known, needs_root, observed, restoration, update
from labspec.kinds.objects import creation
from labspec.kinds.provider import Reading
from labspec.kinds.sysctl.dangers import dangers
from labspec.kinds.sysctl.parameters import read_boot, read_live
from labspec.kinds.sysctl.steps import SetParameter

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (Field("value", Settle.UPDATE), Field("at_boot", Settle.UPDATE))


class SysctlLive:
    """The live side of kernel parameters."""

    kind = "sysctl"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the parameters that the kernel has, and those that labspec has changed."""
        things = known(reading, self.kind)
        if not things:
            return
        boot = read_boot(reading.lab.name, reading.host)
        for thing in things:
            value = read_live(thing.name)
            state = {
                key: found for key, found in (("value", value), ("at_boot", boot.get(thing.name))) if found is not None
            }
            if value is not None or thing.owned:
                yield observed(thing, self.kind, state)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what sets a parameter, or gives it the value that it had."""
        if desired is None:
            return _restored(observed, lab) if observed and observed.owned else None
        step = SetParameter(lab.name, desired.name, desired.desired["value"], desired.desired["at_boot"])
        if observed is None or "value" not in observed.state:
            return creation(desired, (Record.of(lab.name, desired, {}), step))
        diffs = compare(FIELDS, desired.desired, observed)
        before = observed.facts["before"] if observed.owned else {"value": observed.state["value"]}
        return update(desired, observed, diffs, preview, (Record.of(lab.name, desired, before), step))

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem for each parameter that the kernel does not have."""
        yield from needs_root(changes, lab, "kernel parameters")
        resources = lab.by_address
        for change in changes:
            resource = resources.get(change.address)
            if resource is not None and change.action is Action.CREATE:
                message = f"{resource.address}: this host's kernel has no parameter {resource.name}"
                yield Diagnostic(message, resource.at, "'sysctl -a' lists those that it has")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a parameter holds once it is set."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for a parameter that decides how safe the host is."""
        return dangers(resource)


def _restored(observed: Observed, lab: Lab) -> Change:
    value = observed.facts["before"].get("value") if "value" in observed.state else None
    step = SetParameter(lab.name, observed.name, value, None)
    return restoration(observed, lab, (step,), observed.facts["before"])


LIVE = SysctlLive()
