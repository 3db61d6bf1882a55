"""Arguments of the kernel's command line: those of the next boot are compared, those of this one told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.journalled import Record, known, needs_root, observed, restoration, update
from labspec.kinds.kernel_arg.loader import configured, key_of, running, uses_grubby
from labspec.kinds.kernel_arg.steps import SetArgument
from labspec.kinds.objects import creation
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (Field("argument", Settle.UPDATE),)
AT_BOOT = "takes effect at next boot"


class KernelArgLive:
    """The live side of kernel arguments."""

    kind = "kernel_arg"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the arguments that the next boot will have, and those that labspec has changed."""
        things = known(reading, self.kind)
        if not things:
            return
        by_key = {key_of(argument): argument for argument in configured(reading.lab.name, reading.host)}
        now = running()
        for thing in things:
            argument = by_key.get(key_of(thing.name))
            if argument is not None:
                detail = "active" if argument in now else f"pending: {AT_BOOT}"
                yield observed(thing, self.kind, {"argument": argument}, detail=detail)
            elif thing.owned:
                yield observed(thing, self.kind, {})

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what adds an argument, or takes it out again."""
        if desired is None:
            return _restored(observed, lab).warned(AT_BOOT) if observed and observed.owned else None
        step = SetArgument(lab.name, desired.name)
        if observed is None or not observed.state:
            return creation(desired, (Record.of(lab.name, desired, {}), step)).warned(AT_BOOT)
        diffs = compare(FIELDS, desired.desired, observed)
        before = observed.facts["before"] if observed.owned else observed.state
        change = update(desired, observed, diffs, preview, (Record.of(lab.name, desired, before), step))
        return change.warned(AT_BOOT) if change else None

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem where the user may not change the boot loader's files."""
        return needs_root(changes, lab, "the kernel's command line")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: nobody waits for the next boot."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return a danger for every argument: it changes the kernel for all that runs on the host."""
        yield Danger("kernel", resource.address, f"starts the host's kernel with {resource.name} from the next boot on")


def _restored(observed: Observed, lab: Lab) -> Change:
    before = observed.facts["before"]
    if before and uses_grubby():
        return restoration(observed, lab, (SetArgument(lab.name, before["argument"]),), before)
    return restoration(observed, lab, (SetArgument(lab.name, observed.name, away=True),), before)


LIVE = KernelArgLive()
