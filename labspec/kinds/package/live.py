"""Packages on the host, read by one query of the package manager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from labspec.core.change import Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.journalled import Record, known, needs_root, observed, restoration, update
from labspec.kinds.objects import creation
from labspec.kinds.package.managers import manager
from labspec.kinds.package.steps import InstallPackage, RemovePackage, installed
from labspec.kinds.provider import Reading

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (Field("state", Settle.UPDATE), Field("version", Settle.UPDATE))


class PackageLive:
    """The live side of packages."""

    kind = "package"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the packages that are there, and those whose absence is wanted or is labspec's doing."""
        things = known(reading, self.kind)
        if not things:
            return
        found = installed(manager(), reading.host)
        for thing in things:
            came = tuple((thing.entry or {}).get("came") or ())
            version = found.get(thing.name)
            if version is not None:
                yield observed(thing, self.kind, {"state": "present", "version": version}, came=came)
            elif thing.owned or (thing.desired and thing.desired.desired["state"] == "absent"):
                yield observed(thing, self.kind, {"state": "absent"}, came=came)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what installs or removes a package, or takes that back."""
        if desired is None:
            return _restored(observed, lab) if observed and observed.owned else None
        install = InstallPackage(lab.name, desired.address, desired.name, desired.desired.get("version"))
        if observed is None:
            return creation(desired, (Record.of(lab.name, desired, {"state": "absent"}), install))
        diffs = compare(FIELDS, desired.desired, observed)
        before = observed.facts["before"] if observed.owned else observed.state
        step = install if desired.desired["state"] == "present" else RemovePackage(desired.name, observed.facts["came"])
        record = Record.of(lab.name, desired, before, came=list(observed.facts["came"]))
        change = update(desired, observed, diffs, preview, (record, step))
        if change and desired.desired["state"] == "absent":
            return change.warned(f"the settings and data of package {desired.name} are lost")
        return change

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:  # noqa: ARG002
        """Return a problem where the user may not install anything."""
        return needs_root(changes, lab, "packages")

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a package is there once it is installed."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:  # noqa: ARG002  the contract's argument
        """Return nothing: the package sources are the host's own."""
        return ()


def _restored(observed: Observed, lab: Lab) -> Change:
    before = observed.facts["before"]
    if before["state"] == "absent":
        steps: tuple[Step, ...] = (RemovePackage(observed.name, observed.facts["came"]),)
        change = restoration(observed, lab, steps, {})
        return change.warned(f"its settings and data go with package {observed.name}")
    if observed.state.get("version") == before["version"]:
        return restoration(observed, lab, (), before)
    steps = (InstallPackage(lab.name, observed.address, observed.name, before["version"]),)
    return restoration(observed, lab, steps, before)


LIVE = PackageLive()
