"""One seeded run: a random lab lives through a random history on the simulated host, and must come out whole."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from simulated import Crash, Faults, Turns, World
from simulated_engine import SimulatedDocker, SimulatedWhales, container, image
from simulated_labs import FAMILIES, FILES, GROUPS, IMAGES, NAME, VERSIONS, Version, differences, owned, version
from simulated_system import SimulatedAccounts, SimulatedSystem

from labspec.core.diagnostic import LabError
from labspec.engine import executor, workflow
from labspec.engine.executor import Event, Outcome
from labspec.host import accounts
from labspec.host.host import Host
from labspec.host.journal import Journal
from labspec.host.state import StateFolder

_MEMORY = Path("/dev/shm")


class Violation(AssertionError):  # noqa: N818  reads as what it is
    """A rule was broken; the message says which, and how to see it again."""


class SimulatedState(StateFolder):
    """labspec's own folder: a real one, whose writes can be the last thing that labspec does."""

    def __init__(self, root: Path, world: World) -> None:
        super().__init__(root)
        self.world = world

    def write(self, lab: str, name: str, content: bytes) -> Path:
        path: Path = self.world.write(f"state {name}", lambda: super(SimulatedState, self).write(lab, name, content))
        return path

    def forget(self, lab: str) -> None:
        self.world.write("state forget", lambda: super(SimulatedState, self).forget(lab))


class SimulatedHost(Host):
    """Stands for the host of a run."""

    def __init__(self, world: World, root: Path) -> None:
        super().__init__(SimulatedDocker(world), SimulatedState(root, world))  # type: ignore[arg-type]
        self.world = world

    @cached_property
    def system(self) -> Any:
        return SimulatedSystem(self.world)

    def whales(self, compose_file: str | None = None, project: str | None = None) -> Any:
        return SimulatedWhales(self.docker, compose_file, project)  # type: ignore[arg-type]

    def build(self, arguments: Sequence[str]) -> Iterator[str]:
        options = [word.partition("=")[::2] for word in arguments]
        labels = dict(value.partition("=")[::2] for name, value in options if name == "--label")
        self.whales().build(dict(options)["--tag"], labels)
        return iter(())

    def get_ready(self) -> None:
        pass


@dataclass
class Run:
    """One run: its host, what was there before, and what happened, told for people."""

    seed: int
    root: Path
    random: Random
    world: World
    story: list[str] = field(default_factory=list)
    contents: dict[str, set[bytes | None]] = field(default_factory=dict)
    """Path -> every content that the file may have."""

    def fail(self, said: str) -> None:
        story = "\n  ".join(self.story)
        raise Violation(f"{said}\nseed {self.seed}:\n  {story}\nsee it again: tests/faults/simulate {self.seed}")


def simulate(seed: int, tell: Callable[[str], None] = lambda _story: None) -> Counts:
    """Live through one history, and `tell` it. Raises Violation where a rule is broken."""
    random = Random(seed)
    root = Path(mkdtemp(prefix="labspec-sim-", dir=_MEMORY if _MEMORY.is_dir() else None))
    run = Run(seed, root, random, World(random))
    try:
        with _patched(run):
            return _live(run)
    finally:
        tell("\n".join(run.story))
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
    _furnish(run)
    before = _foreign(run.world)
    originals = {path: run.world.files.get(path) for path in FILES}
    groups = dict(run.world.groups)
    for number in range(random.randint(1, 3)):
        wanted = version(family, min(number, VERSIONS - 1))
        destroy = random.random() < 0.2
        _attempt(run, wanted, _faults(random), counts, destroy=destroy)
        _check_whole(run, before)
        if random.random() < 0.4:
            _drift(run)
    last = version(family, random.randrange(VERSIONS))
    outcome = _attempt(run, last, Faults(), counts)
    if outcome is None or outcome.failed or outcome.skipped:
        run.fail(f"an apply without faults failed: {outcome and (outcome.failed, outcome.skipped)}")
    for said in differences(last.spec, run.world):
        run.fail(said)
    plan = workflow.make_plan(last.lab, _host(run))
    if not plan.empty:
        run.fail(f"the plan after it is not empty: {[(c.address, c.action.word, c.reason) for c in plan.changes]}")
    _check_whole(run, before)
    outcome = _attempt(run, last, Faults(), counts, destroy=True)
    if outcome is None or outcome.failed or outcome.skipped:
        run.fail(f"a destroy without faults failed: {outcome and (outcome.failed, outcome.skipped)}")
    _check_gone(run, originals, groups)
    _check_whole(run, before)
    counts.writes = run.world.writes
    return counts


def _attempt(run: Run, wanted: Version, faults: Faults, counts: Counts, *, destroy: bool = False) -> Outcome | None:
    """Apply or destroy under faults, as one process would, and return what came of it; None for death and refusal."""
    world, random, stop, started = run.world, run.random, threading.Event(), 0
    world.faults, world.dead = faults, False
    if faults.crash_at:
        faults.crash_at += world.writes
    world.lock = run.root / NAME / "lock"
    closed = False

    def on_event(event: Event) -> None:
        nonlocal started, closed
        started += event.kind == "start"
        if event.kind == "start" and closed:
            run.fail(f"started after Ctrl-C: {event.text}")
        if started == faults.stop_at:
            stop.set()
        closed = closed or (stop.is_set() and event.kind in ("done", "fail"))

    run.story.append(f"{'destroy' if destroy else 'apply'} {json.dumps(wanted.spec)} under {faults}")
    counts.applies += 1
    guests: list[tuple[str, str]] = []
    if faults != Faults() and random.random() < 0.3:
        world.before_create = lambda kind, name: _appear(world, kind, name, guests)
    try:
        outcome = workflow.apply(wanted.lab, _host(run), destroy=destroy, allow=_ALLOWED, on_event=on_event, stop=stop)
    except Crash:
        run.story[-1] += " -> killed"
        counts.crashes += 1
        return None
    except (LabError, OSError) as error:
        run.story[-1] += f" -> refused: {error}"
        return None
    finally:
        world.dead, world.lock, world.faults, world.before_create = False, None, Faults(), None
        for kind, name in guests:
            run.story.append(f"somebody had made {kind} {name} meanwhile, and removes it again")
            if getattr(world, kind).pop(name, None) != _guest(kind, name):
                run.fail(f"{kind} {name} of somebody else was changed")
        if world.broken:
            run.fail("; ".join(world.broken))
    said = [f"{address}: {error.diagnostics[0].message}" for address, error in outcome.failed]
    run.story[-1] += f" -> {outcome.done} done, {outcome.skipped} skipped, failed: {said}"
    counts.failures += bool(outcome.failed)
    if any("internal error" in text for text in said):
        run.fail(f"an internal error: {said}")
    if not outcome.failed and not outcome.interrupted and outcome.skipped:
        run.fail("steps were left out without a reason")
    return outcome


_ALLOWED = frozenset({"root-group", "root-files", "docker-group"})


def _faults(random: Random) -> Faults:
    kind = random.random()
    if kind < 0.5:
        return Faults(
            crash_at=int(random.expovariate(0.12)) + 1, after=random.random() < 0.5, orphan=random.random() < 0.5
        )
    if kind < 0.75:
        return Faults(refusals=random.choice((0.05, 0.2)), silences=random.choice((0.0, 0.1)))
    if kind < 0.85:
        return Faults(stop_at=random.randint(1, 12))
    return Faults()


def _furnish(run: Run) -> None:
    """Give the host what is not the lab's."""
    world = run.world
    for tag in IMAGES:
        image(world, tag)
    base = next(iter(world.images.values()))
    world.networks["f" * 64] = _plain_network("f" * 64, "sim_stranger")
    world.volumes["sim_stranger"] = {"Name": "sim_stranger", "Driver": "local", "Options": {}, "Labels": {}}
    world.containers["e" * 64] = container("e" * 64, "sim-stranger-1", base, labels={"whose": "nobody"})
    world.files.update({"/etc/labspec-sim-a": _state(b"of before\n", "0640"), "/etc/other": _state(b"other\n", "0644")})
    world.groups.update({"staff": (50, ("eve",)), "others": (51, ("ada", "bob"))})
    run.contents = {path: {world.files[path].content if path in world.files else None} for path in FILES}


def _plain_network(identity: str, name: str) -> dict[str, Any]:
    return {"Id": identity, "Name": name, "Driver": "bridge", "Options": {}, "Labels": {}, "IPAM": {"Config": []}}


def _state(content: bytes, mode: str) -> Any:
    from labspec.host.system import FileState

    return FileState(content, mode, 0, 0)


def _appear(world: World, kind: str, name: str, guests: list[tuple[str, str]]) -> None:
    """Have somebody else make an object of a name that labspec is about to use."""
    there = {item["Name"] for item in getattr(world, kind).values()}
    if not guests and name not in there:
        getattr(world, kind)[name] = _guest(kind, name)
        guests.append((kind, name))


def _guest(kind: str, name: str) -> dict[str, Any]:
    if kind == "networks":
        return _plain_network(name, name)
    return {"Name": name, "Driver": "local", "Options": {}, "Labels": {}}


def _foreign(world: World) -> dict[str, Any]:
    """Return all that is not the lab's, to be compared."""
    return deepcopy(
        {
            "containers": [item for item in world.containers.values() if not owned(item["Config"])],
            "networks": [item for item in world.networks.values() if not owned(item)],
            "volumes": [item for item in world.volumes.values() if not owned(item)],
            "images": [item for item in world.images.values() if not owned(item["Config"])],
            "files": {path: state for path, state in world.files.items() if path not in FILES},
            "groups": {name: group for name, group in world.groups.items() if name not in GROUPS},
            "staff": "eve" in world.groups["staff"][1],
        }
    )


def _drift(run: Run) -> None:
    """Have somebody on the host change something of the lab."""
    world, random = run.world, run.random
    mine = [item for item in world.containers.values() if owned(item["Config"])]
    kind = random.randrange(7)
    if kind == 0 and mine:
        item = random.choice(mine)
        item["State"] = {"Status": "exited", "Running": False, "ExitCode": 1, "Error": ""}
    elif kind == 1 and mine:
        del world.containers[random.choice(mine)["Id"]]
    elif kind == 2 and mine:
        random.choice(mine)["HostConfig"]["Memory"] = 7 * 2**20
    elif kind == 3:
        path = random.choice(FILES)
        if path in world.files and len(run.contents[path]) > 1:
            world.files[path] = _state(b"by hand\n", "0644")
            run.contents[path].add(b"by hand\n")
    elif kind == 4:
        if "simone" in world.groups:
            number, members = world.groups["simone"]
            world.groups["simone"] = (number, tuple(user for user in members if user != "ada"))
    elif kind == 5 and mine:
        item = random.choice(mine)
        item["Name"] = f"/renamed-{item['Id'][:6]}"
    elif kind == 6:
        for twin in [deepcopy(item) for item in world.networks.values() if owned(item)][:1]:
            twin["Id"] = world.identity()
            world.networks[twin["Id"]] = twin
    run.story.append(f"drift {kind}")


def _check_whole(run: Run, before: dict[str, Any]) -> None:
    """Check what must hold at every time: what is foreign is as it was, and no file is partly written."""
    now = _foreign(run.world)
    for kind, found in now.items():
        if found != before[kind]:
            run.fail(f"foreign {kind} changed: {found}, not {before[kind]}")
    try:
        _host(run).journal(NAME).entries()
    except LabError as error:
        run.fail(f"the journal is broken: {error}")


def _check_gone(run: Run, originals: dict[str, Any], groups: dict[str, Any]) -> None:
    world = run.world
    left = [item["Name"] for item in world.containers.values() if owned(item["Config"])]
    left += [item["Name"] for kind in (world.networks, world.volumes) for item in kind.values() if owned(item)]
    left += [str(item["RepoTags"]) for item in world.images.values() if owned(item["Config"])]
    if left:
        run.fail(f"destroy left {left}")
    for path, was in originals.items():
        if world.files.get(path) != was:
            run.fail(f"destroy left {path} as {world.files.get(path)}, not {was}")
    for name in GROUPS:
        now, was = world.groups.get(name), groups.get(name)
        if (now and (now[0], sorted(now[1]))) != (was and (was[0], sorted(was[1]))):
            run.fail(f"destroy left group {name} as {now}, not {was}")
    rest = [path.name for path in run.root.glob("*/*") if not path.name.startswith("kept-")]
    if rest:
        run.fail(f"destroy left {rest} in labspec's folder")


def _host(run: Run) -> SimulatedHost:
    return SimulatedHost(run.world, run.root)


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
    olds = [(place, name, getattr(place, name)) for place, name, _ in patches]
    for place, name, new in patches:
        setattr(place, name, new)
    try:
        yield
    finally:
        for place, name, old in olds:
            setattr(place, name, old)
