"""The changes that services need: containers made, made anew, changed as they stand, started, removed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache

from labspec.core.change import Action, Change, Preview, Step
from labspec.core.diff import Diff, Settle
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.compose.document import execution_document
from labspec.kinds.network.steps import RemoveNetwork
from labspec.kinds.objects import creation, reason_for, removal, replacement
from labspec.kinds.service.claims import Claims
from labspec.kinds.service.compose_steps import CreateContainers, PullImage, RecreateContainers, WriteComposeFile
from labspec.kinds.service.standing import RUNNING, ended_well, loses_its_unit, moved
from labspec.kinds.service.steps import DisconnectNetwork, RemoveContainer, RestartContainer, StartContainer, WaitFor
from labspec.kinds.service.update import settled, update_steps
from labspec.kinds.volume.steps import RemoveVolume

_WAITED = ("service_healthy", "service_completed_successfully")


def change(
    desired: Resource | None, observed: Observed | None, found: Sequence[Diff], preview: Preview, lab: Lab
) -> Change | None:
    """Return what makes, updates, starts, replaces or removes the containers of one service, whose fields differ so."""
    if desired is None:
        return removal(observed, _removals(observed, "replicas", "surplus", "once")) if observed else None
    if observed is None or not observed.facts["replicas"]:
        return creation(desired, (*_waits(desired, lab), _make(desired, lab)), _prepare(desired, lab))
    diffs = settled(found)
    reasons = [*_replacing(desired, observed, diffs, preview, lab)]
    if reasons:
        return _replacement(desired, observed, diffs, reasons, preview, lab)
    return _in_place(desired, observed, diffs, preview, lab)


def _replacing(
    desired: Resource, observed: Observed, diffs: Sequence[Diff], preview: Preview, lab: Lab
) -> Iterator[str]:
    """Yield why the containers must be made anew; nothing if they can stay."""
    if desired.address in preview.replace:
        yield "asked for by --replace"
    if any(diff.settle is Settle.REPLACE for diff in diffs):
        yield reason_for(diffs)
    for change in _disturbing(desired, observed, preview, lab):
        yield f"{change.address} is {'created' if change.action is Action.CREATE else 'replaced'}"
    if moved(desired, observed):
        yield f"moves from project {observed.facts['project']} to {desired.project}"
    if any(item["state"] == "dead" for item in observed.facts["replicas"]):
        yield "a container is dead"
    made_on = [item["made_on"] for item in observed.facts["replicas"]]
    if None in made_on:
        yield "the network that it was made on is gone, without which it would not start again"
    elif any(found.name in made_on for found in preview.leaving.get("network", ())):
        yield "the network that it was made on leaves, without which it would not start again"


def _disturbing(desired: Resource, observed: Observed, preview: Preview, lab: Lab) -> Iterator[Change]:
    """Yield the changes to what the containers are made of: images, and what they are attached to."""
    attached = {str(mount.get("source")) for mount in observed.state.get("mounts", ())}
    attached.update(observed.state.get("networks", ()))
    attached.update(item["made_on"] for item in observed.facts["replicas"] if item["made_on"])
    # What the spec has detached them from goes too, and cannot while they are on it.
    held = [
        resource.address
        for kind in ("network", "volume")
        for resource in lab.by_kind.get(kind, ())
        if (change := preview.changes.get(resource.address)) and not attached.isdisjoint(_names(resource, change))
    ]
    for change in preview.disturbing(tuple(dict.fromkeys((*desired.needs, *desired.options.get("joins", ()), *held)))):
        if change.kind == "service" and change.address not in desired.options.get("joins", ()):
            continue
        if change.kind in ("network", "volume") and change.address not in held:
            continue
        yield change


def _names(resource: Resource, change: Change) -> set[str]:
    """Return the name of a network or volume, and those that go for it."""
    return {resource.name, *(step.name for step in change.remove if isinstance(step, RemoveNetwork | RemoveVolume))}


def _replacement(
    desired: Resource, observed: Observed, diffs: tuple[Diff, ...], reasons: Sequence[str], preview: Preview, lab: Lab
) -> Change:
    disturbing = list(_disturbing(desired, observed, preview, lab))
    # Compose does not know one that was made by 'docker run', and would find its name taken.
    first = bool(observed.facts.get("adopted")) or moved(desired, observed)
    first = first or any(change.kind in ("network", "volume") for change in disturbing)
    first = first or _passes_on(desired, observed, diffs, lab) or _gives_up_a_volume(desired, observed)
    listed = ("replicas", "surplus") if first else ("surplus",)
    make = _make(desired, lab) if first else _make(desired, lab, anew=True)
    # Left to compose, any of them could go, and the rest keep their numbers.
    extra = () if first else observed.facts["replicas"][int(desired.desired.get("replicas", 1)) :]
    fewer = tuple(RemoveContainer(item["id"], item["name"], item["grace"]) for item in extra)
    return replacement(
        desired,
        observed,
        diffs,
        "; ".join(reasons),
        prepare=_prepare(desired, lab),
        remove=(*_removals(observed, *listed), *fewer),
        make=(*_waits(desired, lab), make),
    ).warned(*_losses(observed, diffs, first))


def _gives_up_a_volume(desired: Resource, observed: Observed) -> bool:
    """Return whether a place has no volume of a name any more: compose would hand it on as if it had none."""
    named = [mount for mount in observed.state.get("mounts", ()) if mount["type"] == "volume" and mount.get("source")]
    wanted = {mount["target"] for mount in desired.desired.get("mounts", ()) if mount.get("source")}
    return any(mount["target"] not in wanted for mount in named)


def _losses(observed: Observed, diffs: Sequence[Diff], removed_first: bool) -> Iterator[str]:
    """Yield what the user may miss once the containers are new."""
    state = observed.state
    ran = any(item["state"] != "created" for item in observed.facts["replicas"])
    if ran and not state.get("read_only"):
        yield "what was written inside the container, outside its volumes, is lost"
    if removed_first and observed.facts["anonymous"]:
        yield f"the anonymous volume at {', '.join(observed.facts['anonymous'])} is lost"
    for diff in diffs:
        if diff.field == "ports":
            gone = sorted(set(diff.before or ()) - set(diff.after or ()))
            if gone:
                yield f"no longer published: {', '.join(gone)}"


def _in_place(
    desired: Resource, observed: Observed, diffs: tuple[Diff, ...], preview: Preview, lab: Lab
) -> Change | None:
    """Return what the containers need as they stand: changes, a start, a restart; None for nothing."""
    kept = observed.facts["replicas"][: int(desired.desired.get("replicas", 1))]
    passes_on = _passes_on(desired, observed, diffs, lab)
    misnamed = any(item["name"] != item["expected"] for item in kept)
    changed = update_steps(lab.name, desired, observed, diffs) if diffs or misnamed else ()
    down = [item for item in kept if item["state"] not in RUNNING and not ended_well(item, desired)]
    up = [item for item in kept if item["state"] in RUNNING]
    stopping = up if loses_its_unit(desired, preview) else []
    starts = tuple(StartContainer(item["id"], item["name"], item["state"] == "paused") for item in (*down, *stopping))
    because = list(_restarting(desired, preview))
    restarts = tuple(RestartContainer(item["id"], item["name"], item["grace"]) for item in up) if because else ()
    surplus = _removals(observed, "surplus")
    if not (changed or starts or restarts or surplus):
        return None
    reasons = [reason_for(diffs)] if diffs else []
    reasons += sorted({_stopped(item) for item in down})
    reasons += ["the unit that leaves stops it"] if stopping else []
    reasons += because if restarts else []
    reasons += ["left over from an apply that was cut off"] if surplus else []
    only_start = starts and not (changed or restarts or surplus)
    return Change(
        address=desired.address,
        kind=desired.kind,
        action=Action.START if only_start else Action.UPDATE,
        reason="; ".join(reasons) or "name differs",
        before=observed.state,
        after=desired.desired,
        diffs=diffs,
        prepare=_prepare(desired, lab) if any(isinstance(step, CreateContainers) for step in changed) else (),
        remove=(*surplus, *(step for step in changed if passes_on and isinstance(step, DisconnectNetwork))),
        make=(*changed, *(_waits(desired, lab) if starts else ()), *starts, *restarts),
    )


def _passes_on(desired: Resource, observed: Observed, diffs: Sequence[Diff], lab: Lab) -> bool:
    """Return whether another service gets a port or an address that this one has: it must let go of it first."""
    if not any(diff.field in ("ports", "networks") for diff in diffs):
        return False
    return _claims(_Same(lab)).want_of(observed.state, desired.address)


@lru_cache(maxsize=1)
def _claims(of: _Same) -> Claims:
    return Claims(of.lab.by_kind.get("service", ()))


def _stopped(item: dict[str, object]) -> str:
    if item["state"] == "created":
        return "was never started"
    return "paused" if item["state"] == "paused" else f"stopped (exit code {item['exit_code']})"


def _restarting(desired: Resource, preview: Preview) -> Iterator[str]:
    """Yield why running containers must be restarted: what they share or asked to follow starts anew."""
    for address in desired.options.get("restarts_with", ()):
        change = preview.changes.get(address)
        if change and change.action is Action.REPLACE:
            yield f"follows {address}, which is replaced"
    for address in desired.options.get("joins", ()):
        change = preview.changes.get(address)
        if change and any(isinstance(step, StartContainer | RestartContainer) for step in change.make):
            yield f"shares with {address}, which is started anew"


def _removals(observed: Observed, *groups: str) -> tuple[Step, ...]:
    return tuple(
        RemoveContainer(item["id"], item["name"], item["grace"])
        for group in groups
        for item in observed.facts.get(group, ())
    )


def _prepare(desired: Resource, lab: Lab) -> tuple[Step, ...]:
    """Return the steps that put in place what compose needs; they touch nothing that exists."""
    written = WriteComposeFile(lab.name, desired.project, _document(_Same(lab), desired.project))
    policy = desired.options.get("pull_policy") or "missing"
    if desired.options.get("image_address") or policy == "never":
        return (written,)
    return (PullImage(desired.options["image"], always=policy == "always"), written)


class _Same:
    """A lab as a key: the same one, not an equal one."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def __hash__(self) -> int:
        return id(self.lab)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.lab is self.lab


@lru_cache(maxsize=16)
def _document(of: _Same, project: str) -> str:
    """Return the compose file of a project; it is long, and every service that is made asks for it."""
    return json.dumps(execution_document(of.lab, project), separators=(",", ":"), sort_keys=True)


def _make(desired: Resource, lab: Lab, *, anew: bool = False) -> Step:
    make = RecreateContainers if anew else CreateContainers
    replicas = int(desired.desired.get("replicas", 1))
    container = desired.name if replicas == 1 else ""
    return make(lab.name, desired.project, desired.options["key"], desired.address, replicas, container)


def _waits(desired: Resource, lab: Lab) -> tuple[Step, ...]:
    resources = lab.by_address
    return tuple(
        WaitFor(address, resources[address].project, resources[address].options["key"], condition)
        for address, condition in sorted((desired.options.get("waits") or {}).items())
        if condition in _WAITED and address in resources
    )
