"""A host in memory, with faults from a seed: what it has, when it dies, what it refuses, who may write to it."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from simulated_services import Services

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError
from labspec.host.system import FileState


class Crash(BaseException):
    """labspec is killed here: no error, so that nothing catches it."""


@dataclass
class Faults:
    """What goes wrong in one run of labspec."""

    crash_at: int = 0
    """The write to the host, or to labspec's own folder, at which labspec is killed; 0 for never."""
    after: bool = False
    """Killed once that write is done, not before it."""
    orphan: bool = False
    """What labspec had started goes on after its death."""
    refusals: float = 0.0
    """How likely the host refuses a write."""
    silences: float = 0.0
    """How likely the answer to a write that was done gets lost."""
    refuses: str = ""
    """What of dockerd fails with new settings: `trial`, `start` or nothing."""
    stop_at: int = 0
    """The step after which the user presses Ctrl-C."""


@dataclass
class World:
    """The host: objects of the engine by id or name, files by path, groups, units; and the faults in force."""

    random: Random
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, FileState] = field(default_factory=dict)
    groups: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    services: Services = field(default_factory=Services)
    faults: Faults = field(default_factory=Faults)
    writes: int = 0
    dead: bool = False
    ids: int = 0
    broken: list[str] = field(default_factory=list)
    """Rules that were broken while labspec ran."""
    lock: Path | None = None
    """The lab's lock, which whoever writes must hold."""
    before_create: Callable[[str, str], None] | None = None
    """Somebody else, who acts just before an object of this kind and name is made."""

    def identity(self) -> str:
        """Return an id that no other object has."""
        self.ids += 1
        return f"{self.random.getrandbits(216):054x}{self.ids:010x}"

    def look(self) -> None:
        """Be read: nothing answers a labspec that is dead."""
        if self.dead:
            raise Crash

    def ask(self) -> None:
        """Be asked through the engine, which answers while it runs."""
        self.look()
        if not self.services.active:
            raise LabError("simulated: no Docker engine answers")

    def write(self, name: str, act: Callable[[], Any], *, child: bool = False) -> Any:
        """Be written to by labspec, or by a program that it has started, and meet the faults in force."""
        if self.dead and not (child and self.faults.orphan):
            raise Crash
        self._check_lock(name)
        self.writes += 1
        faults = self.faults
        if self.writes == faults.crash_at and not self.dead:
            self.dead = True
            survives = child and faults.orphan
            found = act() if faults.after or survives else None
            if survives:
                return found
            raise Crash
        if self.random.random() < faults.refusals:
            raise _refusal(name)
        found = act()
        if self.random.random() < faults.silences:
            raise LabError(f"simulated silence after {name}")
        return found

    def _check_lock(self, name: str) -> None:
        if self.lock is None:
            return
        try:
            handle = os.open(self.lock, os.O_RDWR)
        except FileNotFoundError:
            self.broken.append(f"{name}: written while there is no lock")
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(handle)
        self.broken.append(f"{name}: written while nobody held the lock")


def _refusal(name: str) -> Exception:
    if name.startswith(("state", "journal")):
        return OSError(errno.ENOSPC, "No space left on device", name)
    if name.startswith("run "):
        return LabError(f"simulated failure of {name}")
    return ApiError(500, f"simulated refusal of {name}")


class Turns:
    """Stands for the executor's pool and its queue: steps run one at a time, in an order of the seed's."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self._done: list[Future[Any]] = []

    def __enter__(self) -> Turns:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.clear()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Take a step in."""
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: function(*arguments)))
        return future

    def put(self, future: Future[Any]) -> None:
        """Take note of a step that is done."""
        self._done.append(future)

    def get(self) -> Future[Any]:
        """Run one of the steps that wait, and return it."""
        if not self._done:
            future, call = self._waiting.pop(self._random.randrange(len(self._waiting)))
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
        return self._done.pop(0)
