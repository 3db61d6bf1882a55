"""What the commands ask of the engine: a plan, an apply, a status; each reads the host once."""

import gc
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labspec.core.change import Action, Change, Node, Plan
from labspec.core.diagnostic import Diagnostic, LabError
from labspec.core.resource import Lab, Observed, Resource
from labspec.engine.observe import observe
from labspec.engine.planner import Wishes, emptying, plan
from labspec.engine.settings import settings_in
from labspec.host.host import Host
from labspec.host.state import COPIES, PENDING
from labspec.kinds import REGISTRY, lives

if TYPE_CHECKING:
    from labspec.engine.executor import Event, Outcome


class Row(NamedTuple):
    """How one object does: `state` is ok, drifted, stopped, missing, unhealthy or orphaned."""

    address: str
    kind: str
    state: str
    id: str
    detail: str


def make_plan(
    lab: Lab,
    host: Host,
    *,
    targets: Sequence[str] = (),
    replace: Sequence[str] = (),
    destroy: bool = False,
    allow_missing: bool = False,
    fingerprint: bool = True,
) -> Plan:
    """Return what would make the host match the lab, with what stands in the way. Changes nothing.

    With `allow_missing`, what needs a program that the host does not have is left out.

    Raises LabError where the host cannot be read or a wish names no address.
    """
    wishes = Wishes(tuple(targets), tuple(replace), destroy)
    lab, left_out = _possible(lab, host) if allow_missing else (lab, ())
    made = _checked(plan(lab, observe(lab, host, leaving=destroy), wishes, fingerprint=fingerprint), lab, host)
    return made._replace(left_out=left_out)


def apply(
    lab: Lab,
    host: Host,
    *,
    targets: Sequence[str] = (),
    replace: Sequence[str] = (),
    destroy: bool = False,
    allow: frozenset[str] = frozenset(),
    confirm: Callable[[Plan], bool] = lambda _plan: True,
    on_event: "Callable[[Event], None]" = lambda _event: None,
    stop: threading.Event | None = None,
    wait: bool = False,
    expected: str | None = None,
    allow_missing: bool = False,
    confirm_within: int = 0,
) -> "Outcome":
    """Plan, ask `confirm`, and run the plan, all under the lab's lock.

    `expected` is the fingerprint that the plan must have, `wait` also waits until everything is healthy. With
    `confirm_within`, the host's settings go back by themselves so many seconds later (pending.py). After a failure
    they are put back at once, unless containers have been made on them. Raises LockedError while another process
    changes the lab, and LabError, with nothing changed, where something stands in the way, a danger is not allowed, or
    the plan is not the expected one.
    """
    from labspec.engine.executor import Outcome, execute

    stop = stop or threading.Event()
    with host.state.lock(lab.name):
        _await_the_last(lab.name, host)
        made = make_plan(lab, host, targets=targets, replace=replace, destroy=destroy, allow_missing=allow_missing)
        if expected is not None and made.fingerprint != expected:
            raise LabError(
                "the spec, its files or the host have changed since the plan was made",
                hint="make the plan again with 'labspec plan -o FILE', and look at it",
            )
        made = _with_waits(made, lab) if wait and not destroy else made
        if made.problems:
            raise LabError(made.problems)
        _refuse_dangers(made, allow)
        if any(change.kind in ("image", "service") and (change.prepare or change.make) for change in made.changes):
            host.whales.get_ready()
        if not confirm(made) or not made.nodes:
            host.whales.give_up()
            if destroy and not targets and made.empty:
                host.state.forget(lab.name)  # which one that was killed has left
            return Outcome(made, 0, (), 0, False, 0.0, False)
        gc.enable()  # a short command goes without (__main__.py); steps may take long
        if settings_in(made) and not destroy:
            outcome = _with_way_back(made, lab, host, on_event, stop, confirm_within)
        else:
            outcome = execute(made, host, on_event, stop)
        if destroy and not targets and not outcome.failed and not outcome.skipped:
            host.state.forget(lab.name)
        return outcome


def _await_the_last(lab: str, host: Host) -> None:
    """Wait for what an apply that was cut off has left to act. Raises LabError where something is to be confirmed."""
    if host.state.has(lab, PENDING):
        raise LabError(
            f"settings of lab '{lab}' that were applied with --confirm-within are not confirmed yet",
            hint="'labspec confirm' keeps them, 'labspec confirm --revert' puts them back",
        )
    if host.state.has(lab, COPIES):
        from labspec.kinds.daemon.rollback import let_it_act

        let_it_act(host, lab)


def _with_way_back(
    made: Plan,
    lab: Lab,
    host: Host,
    on_event: "Callable[[Event], None]",
    stop: threading.Event,
    confirm_within: int,
) -> "Outcome":
    """Run a plan that changes settings of the host: they go back where it fails, or nobody confirms them."""
    from labspec.engine import pending, rollback
    from labspec.engine.executor import execute

    settings = settings_in(made)
    before = rollback.standing(host, lab.name, made)
    rollback.begin(host, lab, settings)

    def run() -> "Outcome":
        return execute(made, host, on_event, stop)

    if confirm_within:
        outcome = pending.guarded(made, before, lab, host, confirm_within, run)
    else:
        outcome = run()
        if not outcome.failed and not outcome.interrupted:
            rollback.keep(host, lab, settings)
    return _taken_back(outcome, settings, before, lab, host, on_event) if outcome.failed else outcome


def _taken_back(
    outcome: "Outcome",
    settings: Sequence[str],
    before: Sequence[Mapping[str, Any]],
    lab: Lab,
    host: Host,
    on_event: "Callable[[Event], None]",
) -> "Outcome":
    """Put back the settings that a failed apply has begun to change, as they were before it, and return its outcome."""
    from dataclasses import replace

    from labspec.engine import pending, rollback
    from labspec.engine.executor import refusal
    from labspec.host.docker import ApiError

    begun = [address for address in settings if address in outcome.started]
    if not begun or not rollback.possible(outcome):
        return outcome

    def further(event: "Event") -> None:
        on_event(replace(event, total=event.total + outcome.done))

    try:
        back = rollback.put_back(lab, host, before, begun, further)
    except (LabError, ApiError, OSError) as error:
        return replace(outcome, stuck=tuple((address, refusal(error)) for address in begun))
    stuck = {address for address, _ in back.failed}
    good = () if back.skipped else tuple(address for address in begun if address not in stuck)
    if not stuck and not back.skipped:
        pending.drop(host, lab.name)
    return replace(outcome, taken_back=good, stuck=back.failed)


def status(lab: Lab, host: Host) -> list[Row]:
    """Return a row for each object of the spec, in its order, then for each that left the spec."""
    observed = observe(lab, host)
    made = plan(lab, observed)
    changes = {change.address: change for change in made.changes}
    rows = [_row(resource, observed.get(resource.address), changes) for resource in lab.resources]
    known = lab.by_address
    rows += [
        Row(found.address, found.kind, "orphaned", found.id, "no longer in the spec")
        for address, found in sorted(observed.items())
        if address not in known and found.owned
    ]
    return rows


def _checked(made: Plan, lab: Lab, host: Host) -> Plan:
    """Return the plan with what stands in the way of its changes."""
    if made.empty:
        return made
    problems: list[Diagnostic] = list(made.problems)
    moved = emptying(made.changes)
    in_engine = {kind.name for kind in REGISTRY if kind.labelled}
    for live in lives():
        if moved and live.kind in in_engine:
            continue  # what is in the way now is not there any more
        mine = [change for change in made.changes if change.kind == live.kind]
        if mine:
            problems += live.problems(mine, lab, host)
    return made._replace(problems=tuple(problem if problem.source else _sourced(problem) for problem in problems))


def _possible(lab: Lab, host: Host) -> tuple[Lab, tuple[Diagnostic, ...]]:
    """Return the lab without the objects for which the host lacks a program, and those objects with why."""
    used = {resource.kind for resource in lab.resources}
    lacking: dict[str, Diagnostic] = {}
    for live in lives():
        missing = getattr(live, "missing", None)
        found = missing(host) if missing is not None and live.kind in used else None
        if found is not None:
            lacking[live.kind] = found
    left_out = tuple(
        lacking[resource.kind]._replace(message=f"{resource.address}: {lacking[resource.kind].message}", at=resource.at)
        for resource in lab.resources
        if resource.kind in lacking
    )
    kept = tuple(resource for resource in lab.resources if resource.kind not in lacking)
    return (lab._replace(resources=kept) if left_out else lab), left_out


def _sourced(problem: Diagnostic) -> Diagnostic:
    """Return the problem with the line of the spec that it is about."""
    if problem.at is None:
        return problem
    try:
        with open(problem.at.file, encoding="utf-8") as file:  # noqa: PTH123  as the user spelt it
            lines = file.read().splitlines()
    except OSError:
        return problem
    return problem._replace(source=lines[problem.at.line - 1]) if problem.at.line <= len(lines) else problem


def _refuse_dangers(made: Plan, allow: frozenset[str]) -> None:
    refused = [danger for danger in made.dangers if danger.name not in allow]
    if not refused:
        return
    names = sorted({danger.name for danger in refused})
    raise LabError(
        [Diagnostic(f"{danger.address}: {danger.message} ({danger.name})") for danger in refused[:-1]]
        + [
            Diagnostic(
                f"{refused[-1].address}: {refused[-1].message} ({refused[-1].name})",
                hint="if you trust this lab, add " + " ".join(f"--allow {name}" for name in names),
            )
        ]
    )


def _with_waits(made: Plan, lab: Lab) -> Plan:
    """Return the plan with waits for health behind all its steps."""
    by_kind = {live.kind: live for live in lives()}
    last = tuple(range(len(made.nodes)))
    waits = tuple(
        Node(step, resource.address, last)
        for resource in lab.resources
        for step in by_kind[resource.kind].waits(resource)
    )
    return made._replace(nodes=made.nodes + waits)


def _row(resource: Resource, found: Observed | None, changes: Mapping[str, Change]) -> Row:
    change = changes.get(resource.address)
    detail = str(found.facts.get("detail", "")) if found else ""
    identity = found.id if found else ""
    if found is None:
        return Row(resource.address, resource.kind, "missing", "", "")
    if change is None:
        sick = found.facts.get("health") == "unhealthy"
        return Row(resource.address, resource.kind, "unhealthy" if sick else "ok", identity, detail)
    state = "stopped" if change.action is Action.START else "drifted"
    return Row(resource.address, resource.kind, state, identity, _first(change, detail))


def _first(change: Change, detail: str) -> str:
    parts: Iterable[str] = (change.reason, detail) if change.action is Action.START else (change.reason,)
    return ", ".join(part for part in parts if part)
