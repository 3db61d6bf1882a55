"""Running the steps of a plan: in their order, in parallel where they allow it. Decides nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, NamedTuple

from labspec.core.change import Node, Plan, Step
from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError
from labspec.host.host import Host

WORKERS = 64
"""Steps that run at once: most of them wait for the engine, which stops as many containers at once as it is asked to.
What is heavy limits itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one step."""

    kind: str
    """start, done, fail or skip."""
    index: int
    """The step's number in the plan, from 0."""
    total: int
    address: str
    text: str
    seconds: float
    """How long it took, for done and fail."""
    error: LabError | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an apply."""

    plan: Plan
    done: int
    """Steps that ran to their end."""
    failed: tuple[tuple[str, LabError], ...]
    """(address, why) of each step, or batch of steps, that failed."""
    skipped: int
    """Steps that were not started: something they wait for failed, or the user stopped."""
    interrupted: bool
    seconds: float
    applied: bool
    """False where the user said no, or there was nothing to do."""
    started: frozenset[str] = frozenset()
    """Addresses of which a step was started."""
    taken_back: tuple[str, ...] = ()
    """Addresses of the host's settings that were put back after a failure."""
    stuck: tuple[tuple[str, LabError], ...] = ()
    """(address, why) of each that could not be put back."""


def execute(plan: Plan, host: Host, on_event: Callable[[Event], None], stop: threading.Event) -> Outcome:
    """Run every step of a plan and return what came of it.

    A step that fails stops those that wait for it; the others go on. Once `stop` is set no further step is started.
    """
    run = _Run(plan.nodes, host, on_event)
    started = time.monotonic()
    interrupted = run.until_done(stop)
    return Outcome(
        plan=plan,
        done=run.done,
        failed=tuple(run.failed),
        skipped=run.skip_the_rest(),
        interrupted=interrupted,
        seconds=time.monotonic() - started,
        applied=True,
        started=frozenset(run.started),
    )


class _Told(NamedTuple):
    """What the thread of a batch tells: steps that are done, or the ones that an error kept from it."""

    indices: tuple[int, ...]
    seconds: float
    """Since the batch was started."""
    error: BaseException | None = None
    through: tuple[int, ...] | None = None
    """At the end of the batch, all its steps that are done: what waits for them goes on, as much at once as can be."""


class _Run:
    """The state of one execution; only the calling thread changes it."""

    def __init__(self, nodes: Sequence[Node], host: Host, on_event: Callable[[Event], None]) -> None:
        self.done = 0
        self.failed: list[tuple[str, LabError]] = []
        self.started: set[str] = set()
        self._nodes = nodes
        self._host = host
        self._on_event = on_event
        self._numbers = {index: number for number, index in enumerate(_real(nodes))}
        self._missing = {index: len(node.after) for index, node in enumerate(nodes)}
        self._behind: dict[int, list[int]] = {}
        for index, node in enumerate(nodes):
            for earlier in node.after:
                self._behind.setdefault(earlier, []).append(index)
        self._ready = [index for index, missing in self._missing.items() if not missing]
        self._left = set(self._numbers)
        self._told: SimpleQueue[_Told] = SimpleQueue()

    def until_done(self, stop: threading.Event) -> bool:
        """Run what can run; return whether something was left because of `stop`."""
        running = 0
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="step") as pool:
            while True:
                self._pass_joins()
                if not stop.is_set():
                    for batch in self._batches():
                        self._start(batch, pool)
                        running += 1
                if not running:
                    return stop.is_set() and bool(self._left) and not self.failed
                told = self._told.get()
                running -= told.through is not None
                self._note(told)

    def skip_the_rest(self) -> int:
        """Report every step that was not started, and return their number."""
        for index in sorted(self._left):
            self._tell("skip", index)
        return len(self._left)

    def _pass_joins(self) -> None:
        joins = [index for index in self._ready if self._nodes[index].step is None]
        while joins:
            self._ready = [index for index in self._ready if self._nodes[index].step is not None]
            for index in joins:
                self._release(index)
            joins = [index for index in self._ready if self._nodes[index].step is None]

    def _batches(self) -> list[list[int]]:
        """Take the ready steps, those that can run in one go together."""
        batches: dict[Any, list[int]] = {}
        for index in self._ready:
            step = self._step(index)
            key = index if step.batch is None else (type(step), step.batch)
            batches.setdefault(key, []).append(index)
        self._ready = []
        return list(batches.values())

    def _start(self, batch: list[int], pool: ThreadPoolExecutor) -> None:
        self._left.difference_update(batch)
        for index in batch:
            self.started.add(self._nodes[index].address)
            self._tell("start", index)
        pool.submit(_work, {self._step(index): index for index in batch}, self._host, self._told.put)

    def _note(self, told: _Told) -> None:
        """Take in what a batch tells: steps that are done, or that it could not do."""
        if told.error is None:
            self.done += len(told.indices)
            for index in told.indices:
                self._tell("done", index, told.seconds)
        else:
            refused = refusal(told.error)
            self.failed.append((self._nodes[told.indices[0]].address, refused))
            for index in told.indices:
                self._tell("fail", index, told.seconds, refused)
        for index in told.through or ():
            self._release(index)

    def _release(self, index: int) -> None:
        for later in self._behind.get(index, ()):
            self._missing[later] -= 1
            if not self._missing[later]:
                self._ready.append(later)

    def _step(self, index: int) -> Step:
        step = self._nodes[index].step
        if step is None:
            raise ValueError(f"node {index} has no step")
        return step

    def _tell(self, kind: str, index: int, seconds: float = 0.0, error: LabError | None = None) -> None:
        address, text = self._nodes[index].address, str(self._step(index))
        self._on_event(Event(kind, self._numbers[index], len(self._numbers), address, text, seconds, error))


def _real(nodes: Sequence[Node]) -> list[int]:
    return [index for index, node in enumerate(nodes) if node.step is not None]


def _work(steps: Mapping[Step, int], host: Host, tell: Callable[[_Told], None]) -> None:
    """Run steps in one go, each with its number in the plan, and tell what is done, at last of all that is left."""
    started = time.monotonic()
    left = dict(steps)
    through: list[int] = []
    error = None
    try:
        for step in _done_one_by_one(list(steps), host):
            through.append(left.pop(step))
            tell(_Told((through[-1],), time.monotonic() - started))
        through += left.values()
    except BaseException as raised:
        error = raised
    indices = tuple(left.values() or (steps.values() if error else ()))
    tell(_Told(indices, time.monotonic() - started, error, tuple(through)))


def _done_one_by_one(steps: Sequence[Step], host: Host) -> Iterable[Step]:
    if len(steps) > 1:
        return type(steps[0]).run_batch(steps, host)
    steps[0].run(host)
    return ()


def refusal(error: BaseException) -> LabError:
    """Return an error of a step in labspec's form; what is no error, as the end of the process, is raised again."""
    if isinstance(error, LabError):
        return error
    if isinstance(error, ApiError):
        return LabError(f"the Docker engine refused: {error.message}")
    if isinstance(error, OSError) and error.strerror:
        return LabError(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    if not isinstance(error, Exception):
        raise error
    return LabError(f"internal error: {type(error).__name__}: {error}", hint="please report it")
