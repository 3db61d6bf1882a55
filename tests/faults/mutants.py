# ruff: noqa: SLF001  a bug is planted where it would be made: inside
"""Bugs to plant in the executor, the journal and what they stand on: the simulated host must find each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diff import compare
from labspec.engine import executor, planner, rollback
from labspec.engine.executor import _Run
from labspec.host.journal import FILE, Journal
from labspec.host.state import StateFolder
from labspec.kinds import lives, objects
from labspec.kinds.daemon import record as daemon_record
from labspec.kinds.daemon import steps as daemon_steps
from labspec.kinds.network import live as network_live
from labspec.kinds.network import pools
from labspec.kinds.service import changes as service_changes
from labspec.kinds.unit import steps as unit_steps
from labspec.kinds.unit import way_back
from labspec.kinds.volume import live as volume_live

Mutant = Callable[[pytest.MonkeyPatch], None]


def waits_for_one_only(patch: pytest.MonkeyPatch) -> None:
    """A step starts once one of those that it waits for is done."""

    def release(run: Any, index: int) -> None:
        for later in run._behind.get(index, ()):
            if run._missing[later]:
                run._missing[later] = 0
                run._ready.append(later)

    patch.setattr(_Run, "_release", release)


def goes_on_after_a_failure(patch: pytest.MonkeyPatch) -> None:
    """What waits for a failed step runs nevertheless."""
    note = _Run._note

    def noted(run: Any, told: Any) -> None:
        note(run, told)
        if isinstance(told.error, Exception):
            for index in told.indices:
                run._release(index)

    patch.setattr(_Run, "_note", noted)


def loses_the_last_of_a_batch(patch: pytest.MonkeyPatch) -> None:
    """The last step of a batch is not run."""
    run = executor._done_one_by_one
    patch.setattr(executor, "_done_one_by_one", lambda steps, host: run(steps[:-1] or steps, host))


def runs_twice(patch: pytest.MonkeyPatch) -> None:
    """Every step runs twice."""
    run = executor._done_one_by_one
    patch.setattr(executor, "_done_one_by_one", lambda steps, host: [*run(steps, host), *run(steps, host)][:0])


def does_not_stop(patch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is not looked at."""
    until_done = _Run.until_done
    patch.setattr(_Run, "until_done", lambda run, _stop: until_done(run, threading.Event()))


def swallows_failures(patch: pytest.MonkeyPatch) -> None:
    """A step that fails counts as done."""
    run = executor._done_one_by_one

    def done(steps: Any, host: Any) -> Any:
        with suppress(Exception):
            yield from run(steps, host)

    patch.setattr(executor, "_done_one_by_one", done)


def has_no_order(patch: pytest.MonkeyPatch) -> None:
    """No step waits for another."""
    arrange = planner.arrange
    patch.setattr(
        planner, "arrange", lambda changes, lab: tuple(node._replace(after=()) for node in arrange(changes, lab))
    )


def forgets_what_was_at_first(patch: pytest.MonkeyPatch) -> None:
    """A second record of a thing takes the place of what it was before the lab."""

    def record(journal: Any, address: str, entry: Any) -> None:
        journal._write({**journal.entries(), address: dict(entry)})

    patch.setattr(Journal, "record", record)


def records_nothing(patch: pytest.MonkeyPatch) -> None:
    """The journal is not written."""
    patch.setattr(Journal, "record", lambda *_: None)


def never_forgets(patch: pytest.MonkeyPatch) -> None:
    """An entry stays when the thing is as it was."""
    patch.setattr(Journal, "forget", lambda *_: None)


def forgets_the_others(patch: pytest.MonkeyPatch) -> None:
    """To forget one thing forgets all."""
    patch.setattr(Journal, "forget", lambda journal, _address: journal._write({}))


def writes_in_place(patch: pytest.MonkeyPatch) -> None:
    """A file of labspec's own is emptied, then written."""

    def write(state: Any, lab: str, name: str, content: bytes) -> Path:
        path: Path = state.lab(lab) / name
        if name == FILE:
            state.world.write("state emptied", lambda: path.write_bytes(b""))
        state.world.write("state written", lambda: path.write_bytes(content))
        return path

    from simulated_run import SimulatedState

    patch.setattr(SimulatedState, "write", write)


def takes_no_lock(patch: pytest.MonkeyPatch) -> None:
    """Nothing keeps two applies apart."""
    patch.setattr(StateFolder, "lock", lambda *_: nullcontext())


def leaves_systemd_unread(patch: pytest.MonkeyPatch) -> None:
    """systemd does not read its files again."""
    patch.setattr(unit_steps.DaemonReload, "run", lambda *_: None)


def restarts_nothing(patch: pytest.MonkeyPatch) -> None:
    """A unit goes on as it was started."""
    run = unit_steps.run_unit
    patch.setattr(
        unit_steps, "run_unit", lambda unit, verb, host: run(unit, "start" if "start" in verb else verb, host)
    )


def starts_nothing_again(patch: pytest.MonkeyPatch) -> None:
    """A unit that ran before the lab is left stopped."""
    patch.setattr(
        way_back.ForgetUnit, "run", lambda step, host: host.journal(step.target.lab).forget(step.target.address)
    )


def leaves_links(patch: pytest.MonkeyPatch) -> None:
    """The links of a unit are not put back."""
    patch.setattr(way_back, "_put_back_links", lambda *_: None)


def reloads_what_needs_a_restart(patch: pytest.MonkeyPatch) -> None:
    """dockerd is told to read its file where it must start anew."""
    patch.setattr(daemon_steps.RestartDaemon, "run", lambda step, host: daemon_steps.ReloadDaemon(step.edit).run(host))


def leaves_dockerd_down(patch: pytest.MonkeyPatch) -> None:
    """Neither labspec nor a timer brings dockerd back."""
    patch.setattr(daemon_steps.ArmRollback, "run", lambda *_: None)
    patch.setattr(daemon_steps, "_take_back", lambda *_: None)


def leaves_settings(patch: pytest.MonkeyPatch) -> None:
    """Keys that labspec has set stay where somebody else has edited the file."""
    patch.setattr(daemon_record, "reverted", lambda file, *_: file)


def forgets_the_hand(patch: pytest.MonkeyPatch) -> None:
    """A failed apply puts back what the last one made, not what somebody has edited since."""
    patch.setattr(rollback, "standing", lambda host, lab, _: rollback.recorded(host, lab))


def puts_back_only_the_values(patch: pytest.MonkeyPatch) -> None:
    """A file goes back with the values that labspec reads of it, not byte for byte."""
    for live in lives():
        if live.kind in ("file", "unit"):
            patch.setattr(live, "as_found", None)


def takes_no_notice_of_names(patch: pytest.MonkeyPatch) -> None:
    """A network or volume of another name than the spec says is as it should be."""

    def unnamed(fields: Any, desired: Any, observed: Any, folded: Any = None) -> Any:
        return compare(fields, desired.desired, observed, folded)

    patch.setattr(objects, "differences", unnamed)


def knows_by_key_only(patch: pytest.MonkeyPatch) -> None:
    """What has another key in the spec now is another object."""
    for module in (network_live, volume_live):
        patch.setattr(module, "at_their_resources", lambda found, _reading, _kind: iter(found))


def makes_before_the_old_one_goes(patch: pytest.MonkeyPatch) -> None:
    """A network is made while another one that leaves has its addresses."""
    patch.setattr(pools, "overlap", lambda _desired, _observed: False)


def keeps_what_others_want(patch: pytest.MonkeyPatch) -> None:
    """A container does not let go first of a port that another one gets."""
    patch.setattr(service_changes, "_passes_on", lambda *_: False)


MUTANTS: tuple[Mutant, ...] = (
    waits_for_one_only,
    goes_on_after_a_failure,
    loses_the_last_of_a_batch,
    runs_twice,
    does_not_stop,
    swallows_failures,
    has_no_order,
    forgets_what_was_at_first,
    records_nothing,
    never_forgets,
    forgets_the_others,
    writes_in_place,
    takes_no_lock,
    leaves_systemd_unread,
    restarts_nothing,
    starts_nothing_again,
    leaves_links,
    reloads_what_needs_a_restart,
    leaves_dockerd_down,
    leaves_settings,
    forgets_the_hand,
    puts_back_only_the_values,
    takes_no_notice_of_names,
    knows_by_key_only,
    makes_before_the_old_one_goes,
    keeps_what_others_want,
)
