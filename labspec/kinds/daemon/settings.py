"""What a change of daemon.json takes, decided from the spec and from what was read. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from labspec.core.change import Action, Change, Preview, Step
from labspec.core.diff import UNSET, Diff, Field, Settle, compare
from labspec.core.resource import Lab, Observed, Resource
from labspec.kinds.daemon.accounts import EnsureIds, remapped
from labspec.kinds.daemon.carry import KeepImages, LeaveImages, LoadImages, bases
from labspec.kinds.daemon.keys import KEYS, MOVING, REMAP, needs_restart
from labspec.kinds.daemon.steps import ArmRollback, Edit, ReloadDaemon, RestartDaemon, TrySettings, WriteSettings
from labspec.kinds.objects import reason_for

SETTINGS = (
    Field("settings", Settle.UPDATE, default={}, keyed=True),
    Field("files", Settle.UPDATE, default={}, keyed=True),
)


def settings_change(desired: Resource | None, found: Observed, preview: Preview, lab: Lab) -> Change | None:
    """Return what makes daemon.json what the spec says, or puts it back; None where nothing is to be done."""
    previous: Mapping[str, Any] = found.facts["previous"]
    if desired is None:
        return _put_back(found, lab) if found.owned else None
    wanted = desired.desired
    dropped = tuple(key for key in found.facts["keys"] if key not in wanted["settings"])
    folded = {"settings": {**wanted["settings"], **{key: previous[key] for key in dropped if key in previous}}}
    diffs = compare(SETTINGS, wanted, found, folded)
    asked = desired.address in preview.replace
    pending = found.facts["pending"] if not diffs else ""
    if not diffs and not asked and not pending:
        return _loading(desired, found, lab)
    edit = Edit(lab.name, found.name, json.dumps(wanted), dropped)
    late = _late(diffs)
    how = "restart" if late or asked or pending == "restart" else "reload"
    reason = reason_for(diffs) if diffs else "asked for by --replace" if asked else "Docker has not read it yet"
    moves = any(diff.path in _MOVING_PATHS for diff in diffs)
    first = (*_ids(wanted["settings"], lab), *(_keeping(found, lab) if moves else ()))
    last = _load(lab, bases(lab)) if moves else _load(lab, found.facts["kept"])
    steps = (*_steps(edit, how, late, found, preview=first, silent=not diffs), *last)
    return Change(
        address=desired.address,
        kind=desired.kind,
        action=Action.UPDATE,
        reason=f"{reason}; {_how_in_words(how, late)}",
        before=found.state,
        after=wanted,
        diffs=diffs,
        make=steps,
        warnings=_warnings(diffs, how, found),
        empties=moves,
    )


def _put_back(found: Observed, lab: Lab) -> Change:
    """Return the change that takes everything of the lab out of daemon.json."""
    previous = found.facts["previous"]
    diffs = compare(SETTINGS, {}, found, {"settings": dict(previous)})
    late = _late(diffs)
    pending = found.facts["pending"]
    # The file may be as it was while Docker still runs with what it had read, which a reload does not take back.
    restarts = late or pending == "restart" or (pending and not diffs)
    how = "restart" if restarts else "reload" if diffs else ""
    edit = Edit(lab.name, found.name)
    words = f"; {_how_in_words(how, late)}" if how else ""
    leaves = any(diff.path in _MOVING_PATHS for diff in diffs)
    first = (LeaveImages(lab.name, tuple(found.facts["carried"])),) if leaves else ()
    return Change(
        address=found.address,
        kind=found.kind,
        action=Action.DELETE,
        reason=f"no longer in the spec{words}",
        before=found.state,
        diffs=diffs,
        remove=_steps(edit, how, late, found, preview=first),
        warnings=_warnings(diffs, how, found),
    )


def _loading(desired: Resource, found: Observed, lab: Lab) -> Change | None:
    """Return the change for a daemon that is as it should be, but for images that it was to get."""
    if not found.facts["kept"]:
        return None
    return Change(
        address=desired.address,
        kind=desired.kind,
        action=Action.UPDATE,
        reason="images that were to come along are not loaded yet",
        before=found.state,
        after=desired.desired,
        make=_load(lab, found.facts["kept"]),
    )


def _keeping(found: Observed, lab: Lab) -> tuple[Step, ...]:
    """Return the steps before Docker leaves its data: what is to come along, and what came along earlier."""
    wanted = bases(lab)
    keep = (KeepImages(lab.name, wanted),) if wanted else ()
    return (*keep, *((LeaveImages(lab.name, tuple(found.facts["carried"])),) if found.facts["made"] else ()))


def _load(lab: Lab, images: Sequence[str]) -> tuple[Step, ...]:
    return (LoadImages(lab.name, tuple(images)),) if images else ()


_MOVING_PATHS = tuple(f"settings.{key}" for key in MOVING)


def _late(diffs: Sequence[Diff]) -> list[str]:
    """Return the settings, of those that differ, that need a restart; a profile is read only at the start."""
    keys = {diff.path.partition(".")[2]: diff.after for diff in diffs if diff.field == "settings"}
    changed = {key: value for key, value in keys.items() if value is not UNSET}
    late = needs_restart(changed, [key for key in keys if key not in changed])
    return late or (["seccomp-profile"] if any(diff.field == "files" for diff in diffs) else [])


def _steps(
    edit: Edit,
    how: str,
    late: Sequence[str],
    found: Observed,
    *,
    preview: tuple[Step, ...] = (),
    silent: bool = False,
) -> tuple[Step, ...]:
    if not how:
        return (*preview, WriteSettings(edit, ""))
    again = not found.facts["live_restore"] and not any(key in MOVING for key in late)
    stopped = tuple(found.facts["mortal"]) if again else ()
    last = RestartDaemon(edit, tuple(late), stopped) if how == "restart" else ReloadDaemon(edit)
    write: tuple[Step, ...] = () if silent else (WriteSettings(edit, how),)
    trial = (TrySettings(edit),) if edit.desired else ()  # it worked with what was there before
    return (*preview, *trial, ArmRollback(edit, how, found.facts["unit"]), *write, last)


def _ids(settings: Mapping[str, Any], lab: Lab) -> tuple[Step, ...]:
    value = settings.get(REMAP)
    return (EnsureIds(lab.name, *remapped(value)),) if value else ()


def _how_in_words(how: str, late: Sequence[str]) -> str:
    if how == "reload":
        return "Docker reloads its settings, containers go on"
    return f"Docker is restarted for {', '.join(late)}" if late else "Docker is restarted"


def _warnings(diffs: Sequence[Diff], how: str, found: Observed) -> tuple[str, ...]:
    said = []
    facts = found.facts
    moves = any(diff.path in _MOVING_PATHS for diff in diffs)
    if how == "restart" and moves and (facts["mortal"] or facts["lasting"]):
        said.append(f"these containers stop: {', '.join(sorted([*facts['mortal'], *facts['lasting']]))}")
    elif how == "restart" and not facts["live_restore"]:
        if facts["mortal"]:
            names = ", ".join(facts["mortal"])
            said.append(f"the restart stops these containers, and labspec starts them again: {names}")
        if facts["lasting"]:
            said.append(f"the restart interrupts these containers: {', '.join(facts['lasting'])}")
    for diff in diffs:
        if diff.path in _MOVING_PATHS:
            said.append(_moved(diff))
        key = diff.path.partition(".")[2]
        if diff.field == "settings" and diff.after is UNSET and how == "reload" and key in KEYS and not KEYS[key].drop:
            said.append(f"{key} goes back to its default only when Docker is restarted")
    return tuple(said)


def _moved(diff: Diff) -> str:
    if diff.path != f"settings.{REMAP}":
        place = "the default place" if diff.after is UNSET else str(diff.after)
        return (
            f"Docker's data moves to {place}: the images, volumes and containers that are there now disappear, "
            "and are back once data-root is as before"
        )
    if diff.after is UNSET or not diff.after:
        return (
            "Docker's data is again in the folder of before, with the images, volumes and containers that are in it; "
            "if this lab has some there, 'labspec destroy' once more removes them"
        )
    return (
        "Docker's data moves to UID.GID below its data root: all images, volumes and containers of before disappear, "
        "and are back once userns-remap is taken back; images that this lab starts from come along"
    )
