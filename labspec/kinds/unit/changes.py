"""What makes a unit what the spec says, as steps: restarted only where systemd cannot do without. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from labspec.core.change import Action, Change, Step
from labspec.core.diff import Cause, Diff, Settle, digests
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.objects import reason_for, replacement
from labspec.kinds.unit.effects import restart_verb
from labspec.kinds.unit.steps import DaemonReload, LinkUnit, RunUnit, StopUnit, Target, WriteUnit
from labspec.kinds.unit.unitfile import settings_of
from labspec.kinds.unit.way_back import ForgetUnit, RestoreUnit

Steps = tuple[Step, ...]


def creation(desired: Resource, lab: Lab, *, reason: str = "not on this host", running: bool = False) -> Change:
    """Return the change that makes a unit that is not the lab's yet; `running` tells whether one of its name runs.

    Its file is written with what is removed elsewhere: before anything is started that could want it.
    """
    write, make = _making(desired, lab, running=running)
    return Change(desired.address, "unit", Action.CREATE, reason, after=desired.desired, remove=write, make=make)


def takeover(desired: Resource, observed: Observed, lab: Lab) -> Change:
    """Return the change of a unit that somebody else has put on the host."""
    path, running = desired.options["path"], observed.state["state"] == "started"
    if observed.state.get("path"):
        made = creation(desired, lab, reason=f"{path} is not the lab's", running=running)
        made = made.warned(f"replaces {path}; destroy puts it back as it is now")
    elif desired.options["dropin"]:
        made = creation(desired, lab, running=running)
    else:
        made = creation(desired, lab, reason=f"{observed.facts['fragment']} is not the lab's", running=running)
        made = made.warned(f"takes the place of {observed.facts['fragment']} until destroy")
    return made.warned(f"{desired.name} is restarted") if running and isinstance(made.make[-1], RunUnit) else made


def moved(desired: Resource, observed: Observed, diffs: tuple[Diff, ...], lab: Lab) -> Change:
    """Return the change of a unit whose file goes somewhere else: put back, and made again."""
    write, make = _making(desired, lab)
    remove = _restoring(observed, lab)
    return replacement(desired, observed, diffs, reason_for(diffs), remove=remove, make=write + make)


def update(desired: Resource, observed: Observed, diffs: tuple[Diff, ...], lab: Lab, *, asked: bool) -> Change:
    """Return the change of a unit in place."""
    paths = {diff.path: diff for diff in diffs}
    changed = [path.partition(".")[2] for path in paths if path.startswith("sections.")]
    rewritten = bool(changed) or "order" in paths
    unfinished = bool(observed.owned and observed.facts["unfinished"])
    unread = bool(observed.owned and observed.facts["unread"])
    verb = "restart" if asked or unfinished or "order" in paths else restart_verb(desired.name, changed)
    target = _target(desired, lab)
    # What the spec no longer sets goes back to what it was: then only the difference has it.
    state = paths["state"].after if "state" in paths else desired.desired.get("state")
    wanted = paths["enabled"].after if "enabled" in paths else desired.desired.get("enabled")
    run = _run_step(state, observed.state["state"], verb, target)
    relink = "enabled" in paths or (wanted is True and any(key.startswith("Install.") for key in changed))
    link = _link_verb(desired, wanted is True, anew=True) if relink else None
    files: Steps = ()
    if rewritten:
        files = (WriteUnit(target, desired.options["text"], isinstance(run, RunUnit), link),)
    elif link:
        files = (LinkUnit(target, link),)
    make: Steps = (DaemonReload(desired.name),) if files or unfinished or unread or not run else ()
    reason = reason_for(diffs) if observed.owned else "differs from the spec"
    change = Change(
        desired.address,
        "unit",
        Action.START if set(paths) == {"state"} and isinstance(run, RunUnit) and not files else Action.UPDATE,
        reason if diffs else "asked for by --replace" if asked else _waiting(unfinished=unfinished),
        before=observed.state,
        after=desired.desired,
        diffs=diffs,
        remove=files,
        make=make + ((run,) if run else ()),
    )
    interrupted = isinstance(run, RunUnit) and observed.state["state"] == "started"
    return change.warned(f"{desired.name} is restarted") if interrupted else change


def leaving(observed: Observed, lab: Lab) -> Change:
    """Return the change that puts a unit back as it was before the lab."""
    change = Change(
        observed.address,
        "unit",
        Action.DELETE,
        "no longer in the spec",
        before=observed.state,
        remove=_restoring(observed, lab),
    )
    return change.warned(f"puts back {observed.facts['path']} as it was") if observed.facts["had"] else change


def order_diff(desired: Resource, observed: Observed) -> tuple[Diff, ...]:
    """Return a difference where only the order of the settings is another one, which some of them mind."""
    if not desired.options["path"] or not observed.state.get("path"):
        return ()
    wanted = [[setting.section, setting.key] for setting in settings_of(desired.options["text"])]
    found = observed.facts["order"]
    if wanted == found:
        return ()
    cause = Cause.SPEC if observed.owned else Cause.DRIFT
    return (Diff("order", _joined(found), _joined(wanted), cause, Settle.UPDATE),)


def _making(desired: Resource, lab: Lab, *, running: bool = False) -> tuple[Steps, Steps]:
    """Return the steps that write a unit's file, none where only its state is the lab's, and those that follow."""
    target, wanted = _target(desired, lab), desired.desired
    file = target.path is not None
    link = _link_verb(desired, wanted["enabled"], anew=running and file) if "enabled" in wanted else None
    run: Step | None = None
    if wanted.get("state") == "started":
        run = RunUnit(target, "restart" if running and file else "start")
    elif wanted.get("state") == "stopped":
        run = StopUnit(target)
    elif running and file:
        run = RunUnit(target, "try-restart")
    files: Steps = ()
    if file:
        files = (WriteUnit(target, desired.options["text"], isinstance(run, RunUnit), link),)
    elif link:
        files = (LinkUnit(target, link),)
    return files, ((DaemonReload(desired.name),) if files else ()) + ((run,) if run else ())


def _waiting(*, unfinished: bool) -> str:
    return "it was not restarted after its last change" if unfinished else "systemd has not read its files again"


def _link_verb(desired: Resource, wanted: bool, *, anew: bool) -> str:
    """Return what systemctl is to do; `anew` where links of an older [Install] may be there."""
    if not wanted:
        return "disable"
    return "reenable" if anew and desired.options["path"] and not desired.options["dropin"] else "enable"


def _run_step(wanted: Any, now: str, verb: str | None, target: Target) -> Step | None:
    """Return the step that makes a unit run as it should, or None."""
    if wanted == "stopped":
        return StopUnit(target) if now != "stopped" else None
    if wanted == "started":
        if now != "started":
            return RunUnit(target, "start")
        return RunUnit(target, verb) if verb else None
    return RunUnit(target, "try-restart") if verb and now == "started" else None


def _restoring(observed: Observed, lab: Lab) -> Steps:
    """Return the steps that put a unit back: stopped first unless it ran before, and running again if it did."""
    facts = observed.facts
    target = Target(lab.name, observed.address, observed.name, facts["path"], tuple(facts["family"]))
    stop = () if facts["ran"] else (StopUnit(target, leaving=True),)
    again = ("restart" if facts["path"] else "start") if facts["ran"] else None
    restore = RestoreUnit(target, had=facts["had"])
    return (*stop, restore, DaemonReload(observed.name), ForgetUnit(target, again))


def _target(desired: Resource, lab: Lab) -> Target:
    applied = json.dumps(digests(desired.desired), sort_keys=True)
    options = desired.options
    return Target(lab.name, desired.address, desired.name, options["path"], tuple(options["family"]), applied)


def _joined(order: Sequence[Sequence[str]]) -> str:
    return " ".join(f"{section}.{key}" for section, key in order)
