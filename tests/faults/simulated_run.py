"""What one simulated run is made of: its host, labspec's own folder, and the story of what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from simulated import World
from simulated_engine import SimulatedDocker, SimulatedWhales
from simulated_services import ROOT
from simulated_system import SimulatedSystem

from labspec.host.host import Host
from labspec.host.state import StateFolder


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

    local = False

    @cached_property
    def whales(self) -> Any:
        return SimulatedWhales(self.docker)  # type: ignore[arg-type]


@dataclass
class Run:
    """One run: its host, what was there before, and what happened, told for people."""

    seed: int
    root: Path
    random: Random
    world: World
    story: list[str] = field(default_factory=list)
    stuck: bool = False
    """Whether an apply has said that it could not put something back: what it knows of it may be of before."""

    edited_files: bool = False
    """Whether somebody has edited a file of the lab, so that a copy of it is kept."""
    edited_docker: bool = False
    """Whether somebody has edited daemon.json, so that not its bytes come back but what they mean."""

    def told(self) -> str:
        """Return what happened, with no name of this process in it."""
        return "\n  ".join(self.story).replace(str(ROOT), "").replace(str(self.root), "")

    def fail(self, said: str) -> None:
        story = self.told()
        raise Violation(f"{said}\nseed {self.seed}:\n  {story}\nsee it again: tests/faults/simulate {self.seed}")


def host_of(run: Run) -> SimulatedHost:
    return SimulatedHost(run.world, run.root)
