"""Pods of rkt on the host, read by one `rkt list`: a pod is never changed, so every difference makes a new one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labspec.core.change import Action, Change, Danger, Preview, Step
from labspec.core.diagnostic import Diagnostic
from labspec.core.diff import Field, compare, digest
from labspec.core.resource import Lab, Observed, Resource
from labspec.host import rkt
from labspec.kinds.journalled import ForgetMade
from labspec.kinds.objects import creation, reason_for, removal, resources_of
from labspec.kinds.provider import Reading
from labspec.kinds.rkt.command import HASH_ANNOTATION, ID_LABEL, fetch_command
from labspec.kinds.rkt.dangers import dangers, warnings
from labspec.kinds.rkt.steps import FetchImage, FetchStage1, RemovePod, RunPod, is_own_unit

if TYPE_CHECKING:
    from labspec.host.host import Host

FIELDS = (
    Field("image"),
    Field("stage1"),
    Field("insecure_options"),
    Field("exec"),
    Field("args"),
    Field("name"),
    Field("unit"),
    Field("net"),
    Field("hostname"),
    Field("dns"),
    Field("dns_search"),
    Field("dns_domain"),
    Field("dns_opt"),
    Field("hosts_entry"),
    Field("ports"),
    Field("set_env", keyed=True),
    Field("set_env_file"),
    Field("volumes", keyed=True),
    Field("mounts"),
    Field("environment", keyed=True),
    Field("user"),
    Field("group"),
    Field("working_dir"),
    Field("supplementary_gids"),
    Field("annotations", keyed=True),
    Field("caps_retain"),
    Field("caps_remove"),
    Field("cpu"),
    Field("memory"),
    Field("cpu_shares"),
    Field("oom_score_adj"),
    Field("readonly_rootfs"),
)


class RktLive:
    """The live side of rkt's pods."""

    kind = "rkt"
    fields = FIELDS

    def observe(self, reading: Reading) -> Iterable[Observed]:
        """Yield the lab's pods: those that bear its label."""
        wanted = any(resources_of(reading.lab, self.kind)) or any(
            entry.get("kind") == self.kind for entry in reading.journal.values()
        )
        if rkt.installed() and (wanted or os.geteuid() == 0):
            yield from observed(rkt.pods(reading.host.system), reading.lab, reading.journal)

    def change(self, desired: Resource | None, observed: Observed | None, preview: Preview, lab: Lab) -> Change | None:
        """Return what starts, replaces or removes one pod."""
        if desired is None:
            return (
                removal(observed, (*_removals(observed, lab), ForgetMade(lab.name, observed.address)))
                if observed
                else None
            )
        make = (RunPod.of(lab.name, desired),)
        if observed is None or observed.facts["gone"]:
            return creation(desired, make, _prepare(desired)).warned(*warnings(desired.desired))
        same = observed.facts["hash"] == digest(desired.desired)
        diffs = () if same else compare(FIELDS, desired.desired, observed)
        ended = not observed.facts["running"] and not desired.options["once"]
        if same and not ended and desired.address not in preview.replace:
            return _surplus(desired, observed, lab)
        if not same:
            action, reason = Action.REPLACE, reason_for(diffs) or "it was made from another spec"
        elif desired.address in preview.replace:
            action, reason = Action.REPLACE, "asked for by --replace"
        else:
            action, reason = Action.START, "the pod has ended, and rkt starts no pod twice: a new one"
        return Change(
            desired.address,
            self.kind,
            action,
            reason,
            before=observed.state,
            after=desired.desired,
            diffs=diffs,
            prepare=_prepare(desired),
            remove=_removals(observed, lab),
            make=make,
            warnings=warnings(desired.desired),
        )

    def problems(self, changes: Sequence[Change], lab: Lab, host: Host) -> Iterable[Diagnostic]:
        """Return that there is no rkt, that labspec may not use it, or units whose name somebody else has."""
        resources = lab.by_address
        made = [resources[change.address] for change in changes if change.address in resources]
        said = self.missing(host)
        if said is not None:
            for resource in made:
                hint = f"{said.hint}; or go on without it: --allow-missing"
                yield Diagnostic(f"{resource.address}: {said.message}", at=resource.at, hint=hint)
            return
        if os.geteuid() != 0:
            at = made[0].at if made else None
            yield Diagnostic(f"{changes[0].address}: only root can run pods of rkt", at=at, hint="run labspec as root")
            return
        new = [resources[change.address] for change in changes if change.action is Action.CREATE]
        names = [f"{resource.name}.service" for resource in new]
        found = host.system.unit_properties(names, ["LoadState", "Transient", "ExecStart"])
        for resource, name in zip(new, names, strict=True):
            if found[name].get("LoadState") != "not-found" and not is_own_unit(found[name], lab.name, resource.name):
                message = f"{resource.address}: this host has a unit {name} that is not this lab's"
                yield Diagnostic(message, at=resource.at, hint="give the pod another 'unit'")

    def missing(self, host: Host) -> Diagnostic | None:  # noqa: ARG002  the contract's argument
        """Return what this host lacks to have pods of rkt at all, or None."""
        if rkt.installed():
            return None
        return Diagnostic(
            "rkt is not installed on this host",
            hint="rkt is retired and in no distribution: install the package of its last release (rkt 1.30.0), or use "
            "the Quadlet file for podman that 'labspec render' writes",
        )

    def waits(self, resource: Resource) -> Iterable[Step]:  # noqa: ARG002  the contract's argument
        """Return nothing: a pod is there once it is started."""
        return ()

    def dangers(self, resource: Resource) -> Iterable[Danger]:
        """Return what the pod may do to the host."""
        return dangers(resource)


def observed(found: Sequence[rkt.Pod], lab: Lab, journal: Mapping[str, Mapping[str, Any]]) -> Iterator[Observed]:
    """Yield the pods of a lab among all pods of the host, one for each address: the one that runs, else the newest."""
    own: dict[str, list[rkt.Pod]] = {}
    for pod in found:
        owner, _, address = pod.labels.get(ID_LABEL, "").partition("/")
        if owner == lab.name and address.startswith("rkt."):
            own.setdefault(address, []).append(pod)
    resources = lab.by_address
    for address in sorted(set(journal) - set(own)):
        if journal[address].get("kind") == "rkt":
            name = str(journal[address].get("name"))
            yield Observed(address, "rkt", "", name, facts={"gone": True, "surplus": [], "detail": "gone"})
    for address, pods in sorted(own.items()):
        pods.sort(key=lambda pod: (not pod.running, -pod.created, pod.uuid))
        first = pods[0]
        recorded = first.annotations.get(HASH_ANNOTATION, "")
        entry = journal.get(address, {})
        spec = entry.get("spec")
        known = isinstance(spec, dict) and digest(spec) == recorded
        resource = resources.get(address)
        unit = entry.get("name") or (
            resource.name if resource else f"labspec-{lab.name}-{address[4:]}".replace(".", "-")
        )
        yield Observed(
            address=address,
            kind="rkt",
            id=first.uuid,
            name=unit,
            state=spec if known and isinstance(spec, dict) else {},
            applied=entry.get("applied") or {} if known else {},
            facts={
                "gone": False,
                "hash": recorded,
                "running": first.running,
                "surplus": [pod.uuid for pod in pods[1:]],
                "detail": "running" if first.running else "ended",
            },
        )


def _prepare(desired: Resource) -> tuple[Step, ...]:
    stage1 = desired.desired.get("stage1")
    fetches: tuple[Step, ...] = (FetchStage1(stage1),) if stage1 else ()
    return (*fetches, FetchImage(tuple(fetch_command(desired.desired))))


def _removals(observed: Observed, lab: Lab) -> tuple[Step, ...]:
    if observed.facts["gone"]:
        return ()
    first = RemovePod(lab.name, observed.name, observed.id)
    return (first, *(RemovePod(lab.name, "", uuid) for uuid in observed.facts["surplus"]))


def _surplus(desired: Resource, observed: Observed, lab: Lab) -> Change | None:
    """Return the change that removes pods beside the one that is wanted."""
    extra = tuple(RemovePod(lab.name, "", uuid) for uuid in observed.facts["surplus"])
    if not extra:
        return None
    reason = f"{len(extra)} more {'pods have' if len(extra) > 1 else 'pod has'} its label"
    return Change(desired.address, desired.kind, Action.UPDATE, reason, observed.state, desired.desired, remove=extra)


LIVE = RktLive()
