"""The command line called in this process, and an engine that answers what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from labspec.core.change import Action, Change, Plan, Step
from labspec.core.resource import Lab, Resource


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def labspec(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Return a function that runs `labspec` with some arguments, as a process would."""
    from labspec.cli.main import run

    def call(*arguments: str) -> Result:
        code = run(list(map(str, arguments)))
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@dataclass(frozen=True)
class Say(Step):
    """A step that is only shown."""

    text: str

    def __str__(self) -> str:
        return self.text


CREATE = Plan(
    lab="tp1",
    changes=(
        Change(
            "volume.foo",
            "volume",
            Action.CREATE,
            "not on this host",
            after={"driver": "local"},
            make=(Say("docker volume create tp1_foo"),),
        ),
    ),
    fingerprint="abc123",
    unchanged=2,
)


@dataclass
class Engine:
    """Stands in for the engine where a test is about exit codes and printing: what it answers, what it was asked."""

    plan: Plan = CREATE
    outcome: Callable[[Plan, threading.Event, Callable[[Any], None]], Any] | None = None
    asked: dict[str, Any] = field(default_factory=dict)
    loaded: list[tuple[Any, dict[str, str], tuple[Path, ...]]] = field(default_factory=list)

    def load(self, path: Path | None = None, *, variables: dict[str, str], variable_files: tuple[Path, ...]) -> Lab:
        self.loaded.append((path, dict(variables), tuple(variable_files)))
        file = Path(path or "lab.yaml").absolute()
        resources = (Resource("volume.foo", "volume", "tp1_foo"), Resource("service.web", "service", "tp1-web-1"))
        return Lab("tp1", str(file.parent), str(file), resources, title="A lab")

    def make_plan(self, _lab: Lab, _host: Any, **asked: Any) -> Plan:
        self.asked = asked
        return self.plan

    def apply(self, _lab: Lab, _host: Any, *, confirm: Any, on_event: Any, stop: Any, **asked: Any) -> Any:
        from labspec.engine.executor import Event, Outcome

        self.asked = asked
        if not confirm(self.plan):
            return Outcome(self.plan, 0, (), 1, False, 0.0, False)
        if self.outcome:
            return self.outcome(self.plan, stop, on_event)
        for kind, spent in (("start", 0.0), ("done", 1.25)):
            on_event(Event(kind, 0, 1, "volume.foo", "docker volume create tp1_foo", spent, None))
        return Outcome(self.plan, 1, (), 0, False, 1.5, True)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """Return the stand-in, in an empty folder."""
    import labspec.engine.workflow as workflow
    import labspec.spec.cache as cache

    monkeypatch.chdir(tmp_path)
    made = Engine()
    monkeypatch.setattr(cache, "load", made.load)
    monkeypatch.setattr(workflow, "make_plan", made.make_plan)
    monkeypatch.setattr(workflow, "apply", made.apply)
    return made
