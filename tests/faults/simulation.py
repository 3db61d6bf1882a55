"""One seeded run: a random lab lives through a random history on the simulated host, and must come out whole."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from simulated import Crash, Faults, Turns, World
from simulated_labs import FAMILIES, FILES, NAME, VERSIONS, Version, differences, version
from simulated_people import appear, drift, edit, furnish, guest
from simulated_rules import check_back, check_gone, check_services, check_whole, foreign
from simulated_run import Run, host_of
from simulated_services import patched, services_in_place
from simulated_system import SimulatedAccounts

from labspec.core.change import Plan
from labspec.core.diagnostic import LabError
from labspec.engine import executor, workflow
from labspec.engine.executor import Event, Outcome
from labspec.host import accounts
from labspec.host.journal import Journal

_MEMORY = Path("/dev/shm")


def simulate(seed: int, tell: Callable[[str], None] = lambda _story: None) -> Counts:
    """Live through one history, and `tell` it. Raises Violation where a rule is broken."""
    random = Random(seed)
    root = Path(mkdtemp(prefix="labspec-sim-", dir=_MEMORY if _MEMORY.is_dir() else None))
    run = Run(seed, root, random, World(random))
    try:
        with services_in_place(run.world), _patched(run):
            return _live(run)
    finally:
        tell(run.told())
        shutil.rmtree(root)


@dataclass
class Counts:
    """What one run, or many, had of what."""

    applies: int = 0
    crashes: int = 0
    failures: int = 0
    writes: int = 0

    def add(self, other: Counts) -> None:
        """Count what another run had."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def simulate_all(seeds: Iterable[int]) -> Counts:
    """Live through many histories and return what they had. Raises Violation for the first that breaks a rule."""
    counts = Counts()
    for seed in seeds:
        counts.add(simulate(seed))
    return counts


def _live(run: Run) -> Counts:
    random, counts = run.random, Counts()
    family = random.randrange(FAMILIES)
    furnish(run)
    before = foreign(run.world)
    originals = {path: run.world.files.get(path) for path in FILES}
    groups, services = dict(run.world.groups), run.world.services.told()
    for number in range(random.randint(1, 3)):
        wanted = version(family, min(number, VERSIONS - 1))
        destroy = random.random() < 0.2
        _attempt(run, wanted, _faults(random), counts, destroy=destroy)
        check_whole(run, before)
        if random.random() < 0.5:
            for _ in range(random.randint(1, 4)):
                drift(run)
    last = version(family, random.randrange(VERSIONS))
    if random.random() < 0.3:
        _attempt(run, last, Faults(), counts)
        edit(run)
        _attempt(run, last, Faults(refusals=0.1), counts)
    outcome = _attempt(run, last, Faults(), counts)
    if outcome is None or outcome.failed or outcome.skipped:
        run.fail(f"an apply without faults failed: {outcome and (outcome.failed, outcome.skipped)}")
    for said in differences(last.spec, run.world):
        run.fail(said)
    plan = workflow.make_plan(last.lab, host_of(run))
    if not plan.empty:
        run.fail(f"the plan after it is not empty: {[(c.address, c.action.word, c.reason) for c in plan.changes]}")
    check_whole(run, before)
    outcome = _attempt(run, last, Faults(), counts, destroy=True)
    if outcome is None or outcome.failed or outcome.skipped:
        run.fail(f"a destroy without faults failed: {outcome and (outcome.failed, outcome.skipped)}")
    check_gone(run, originals, groups)
    check_services(run, services)
    check_whole(run, before)
    counts.writes = run.world.writes
    return counts


def _attempt(run: Run, wanted: Version, faults: Faults, counts: Counts, *, destroy: bool = False) -> Outcome | None:
    """Apply or destroy under faults, as one process would, and return what came of it; None for death and refusal."""
    world, random, stop, started = run.world, run.random, threading.Event(), 0
    world.faults, world.dead = faults, False
    if faults.crash_at:
        faults.crash_at += world.writes
    world.lock = run.root / NAME / "lock"
    world.services.refuses = faults.refuses
    closed = False
    before: dict[str, Any] = {}

    def on_event(event: Event) -> None:
        nonlocal started, closed
        started += event.kind == "start"
        if event.kind == "start" and closed:
            run.fail(f"started after Ctrl-C: {event.text}")
        if started == faults.stop_at:
            stop.set()
        closed = closed or (stop.is_set() and event.kind in ("done", "fail"))

    def confirm(_plan: Plan) -> bool:
        before.update(files=dict(world.files), groups=dict(world.groups), services=world.services.told())
        return True

    run.story.append(f"{'destroy' if destroy else 'apply'} {json.dumps(wanted.spec)} under {faults}")
    counts.applies += 1
    guests: list[tuple[str, str]] = []
    if faults != Faults() and random.random() < 0.3:
        world.before_create = lambda kind, name: appear(world, kind, name, guests)
    try:
        outcome = workflow.apply(
            wanted.lab,
            host_of(run),
            destroy=destroy,
            allow=_ALLOWED,
            confirm=confirm,
            on_event=on_event,
            stop=stop,
        )
    except Crash:
        run.story[-1] += " -> killed"
        counts.crashes += 1
        return None
    except (LabError, OSError) as error:
        run.story[-1] += f" -> refused: {error}"
        return None
    finally:
        world.dead, world.lock, world.faults, world.before_create = False, None, Faults(), None
        world.services.refuses = ""
        if world.services.timer is not None:
            world.services.timer.alone = True
            if random.random() < 0.5:
                world.services.let_timer_act()
        for kind, name in guests:
            run.story.append(f"somebody had made {kind} {name} meanwhile, and removes it again")
            if getattr(world, kind).pop(name, None) != guest(kind, name):
                run.fail(f"{kind} {name} of somebody else was changed")
        if world.broken:
            run.fail("; ".join(world.broken))
    said = [f"{address}: {error.diagnostics[0].message}" for address, error in outcome.failed]
    run.story[-1] += f" -> {outcome.done} done, {outcome.skipped} skipped, failed: {said}"
    counts.failures += bool(outcome.failed)
    run.stuck = run.stuck or bool(outcome.stuck)
    check_back(run, outcome.taken_back, before)
    if any("internal error" in text for text in said):
        run.fail(f"an internal error: {said}")
    if not outcome.failed and not outcome.interrupted and outcome.skipped:
        run.fail("steps were left out without a reason")
    return outcome


_ALLOWED = frozenset({"root-group", "root-files", "docker-group"})


def _faults(random: Random) -> Faults:
    kind = random.random()
    if kind < 0.4:
        return Faults(
            crash_at=int(random.expovariate(0.12)) + 1, after=random.random() < 0.5, orphan=random.random() < 0.5
        )
    if kind < 0.75:
        return Faults(
            refusals=random.choice((0.0, 0.05, 0.2)),
            silences=random.choice((0.0, 0.1)),
            refuses=random.choice(("", "", "trial", "start")),
        )
    if kind < 0.85:
        return Faults(stop_at=random.randint(1, 12))
    return Faults()


@contextmanager
def _patched(run: Run) -> Iterator[None]:
    """Have labspec run its steps in turns, find the simulated accounts, be root, and meet faults in its journal."""
    simulated, write = SimulatedAccounts(run.world), Journal._write  # noqa: SLF001  the journal's one way to the disk
    turns: list[Turns] = []

    def queue() -> Turns:
        turns.append(Turns(run.random))
        return turns[-1]

    def journal_write(journal: Journal, entries: Any) -> None:
        if entries:  # else the file is only removed
            write(journal, entries)
        else:
            run.world.write("journal remove", lambda: write(journal, entries))

    patches = [
        (executor, "SimpleQueue", queue),
        (executor, "ThreadPoolExecutor", lambda *_, **__: turns[-1]),
        (accounts, "grp", simulated),
        (accounts, "pwd", simulated),
        (os, "geteuid", lambda: 0),
        (Journal, "_write", journal_write),
    ]
    with patched(patches):
        yield
