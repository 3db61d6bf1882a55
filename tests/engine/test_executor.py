"""Running steps: in order, side by side, in one go where they can, and to a good end when one fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from saying import Log, Say, Together

from labspec.core.change import Node, Plan, Step
from labspec.core.diagnostic import LabError
from labspec.engine.executor import Event, Outcome, execute
from labspec.host.docker import ApiError


def run(nodes: list[Node], log: Any, stop: threading.Event | None = None) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    outcome = execute(Plan("tp", nodes=tuple(nodes)), log, events.append, stop or threading.Event())
    return outcome, events


def test_each_step_waits_for_those_before_it(log: Log) -> None:
    nodes = [Node(Say("a"), "x.a"), Node(None, "", (0,)), Node(Say("b"), "x.b", (1,)), Node(Say("c"), "x.c", (2,))]
    outcome, events = run(nodes, log)
    assert log.ran == ["a", "b", "c"]
    assert (outcome.done, outcome.failed, outcome.skipped, outcome.applied) == (3, (), 0, True)
    assert [(event.kind, event.index, event.total, event.address) for event in events] == [
        ("start", 0, 3, "x.a"),
        ("done", 0, 3, "x.a"),
        ("start", 1, 3, "x.b"),
        ("done", 1, 3, "x.b"),
        ("start", 2, 3, "x.c"),
        ("done", 2, 3, "x.c"),
    ]


def test_independent_steps_run_at_the_same_time(log: Log) -> None:
    meeting = threading.Barrier(3, timeout=20)

    @dataclass(frozen=True)
    class Meet(Step):
        name: str

        def run(self, host: Log) -> None:  # noqa: ARG002
            meeting.wait()

    outcome, _ = run([Node(Meet(name), f"x.{name}") for name in "abc"], log)
    assert outcome.done == 3


def test_ready_steps_of_one_batch_run_in_one_go(log: Log) -> None:
    nodes = [Node(Together("a"), "x.a"), Node(Together("b"), "x.b"), Node(Together("c"), "x.c", (0, 1))]
    outcome, _ = run(nodes, log)
    assert log.ran == ["a+b", "c"]
    assert outcome.done == 3


def test_a_failure_stops_what_waits_for_it_and_nothing_else(log: Log) -> None:
    nodes = [
        Node(Say("fail"), "x.bad"),
        Node(Say("behind"), "x.behind", (0,)),
        Node(Say("last"), "x.last", (1,)),
        Node(Say("other"), "x.other"),
        Node(Say("after other"), "x.after", (3,)),
    ]
    outcome, events = run(nodes, log)
    assert sorted(log.ran) == ["after other", "fail", "other"]
    assert [(address, str(error)) for address, error in outcome.failed] == [("x.bad", "fail: no")]
    assert (outcome.done, outcome.skipped, outcome.interrupted) == (2, 2, False)
    assert [event.address for event in events if event.kind == "skip"] == ["x.behind", "x.last"]
    assert next(event.error for event in events if event.kind == "fail")


def test_stop_lets_the_running_step_end_and_starts_no_other(log: Log) -> None:
    stop = threading.Event()

    @dataclass(frozen=True)
    class Stop(Say):
        def run(self, host: Log) -> None:
            stop.set()
            super().run(host)

    outcome, _ = run([Node(Stop("a"), "x.a"), Node(Say("b"), "x.b", (0,))], log, stop)
    assert log.ran == ["a"]
    assert (outcome.done, outcome.skipped, outcome.interrupted) == (1, 1, True)


def test_every_kind_of_failure_is_told_in_words(log: Log) -> None:
    @dataclass(frozen=True)
    class Raise(Step):
        error: BaseException

        def run(self, host: Log) -> None:  # noqa: ARG002
            raise self.error

    errors = [ApiError(500, "no space"), OSError(28, "No space left on device", "/var/x"), ValueError("odd")]
    outcome, _ = run([Node(Raise(error), f"x.{index}") for index, error in enumerate(errors)], log)
    assert [str(error) for _, error in sorted(outcome.failed, key=lambda failure: failure[0])] == [
        "the Docker engine refused: no space",
        "/var/x: No space left on device",
        "internal error: ValueError: odd\n      = please report it",
    ]


@dataclass(frozen=True)
class InTurn(Say):
    """Steps that run in one go, each done by itself; one that begins with 'fail' ends it."""

    @property
    def batch(self) -> str:
        return "in turn"


def test_what_is_done_before_the_rest_of_its_batch_is_told_at_once(log: Log) -> None:
    told = threading.Event()

    @dataclass(frozen=True)
    class WaitsForWord(InTurn):
        def run(self, host: Log) -> None:
            assert self.text == "first" or told.wait(20)
            super().run(host)

    def hear(event: Event) -> None:
        if (event.kind, event.address) == ("done", "x.a"):
            told.set()

    nodes = [Node(WaitsForWord("first"), "x.a"), Node(WaitsForWord("second"), "x.b")]
    outcome = execute(Plan("tp", nodes=tuple(nodes)), log, hear, threading.Event())  # type: ignore[arg-type]
    assert log.ran == ["first", "second"]
    assert outcome.done == 2


def test_what_waits_for_a_batch_goes_on_together(log: Log) -> None:
    """What compose makes next is one call too, and what apt-get installs."""
    nodes = [
        Node(InTurn("a"), "x.a"),
        Node(InTurn("b"), "x.b"),
        Node(Together("c"), "x.c", (0,)),
        Node(Together("d"), "x.d", (1,)),
    ]
    outcome, _ = run(nodes, log)
    assert log.ran == ["a", "b", "c+d"]
    assert outcome.done == 4


def test_a_batch_that_fails_in_its_middle_fails_what_is_left_of_it(log: Log) -> None:
    nodes = [
        Node(InTurn("a"), "x.a"),
        Node(InTurn("fail"), "x.bad"),
        Node(InTurn("c"), "x.c"),
        Node(Say("behind a"), "x.d", (0,)),
        Node(Say("behind c"), "x.e", (2,)),
    ]
    outcome, events = run(nodes, log)
    assert log.ran == ["a", "fail", "behind a"]
    assert (outcome.done, outcome.skipped) == (2, 1)
    assert [(address, str(error)) for address, error in outcome.failed] == [("x.bad", "fail: no")]
    assert [event.address for event in events if event.kind == "fail"] == ["x.bad", "x.c"]


def test_a_batch_that_fails_at_its_end_is_a_failure_too(log: Log) -> None:
    @dataclass(frozen=True)
    class AllSaidDone(InTurn):
        @classmethod
        def run_batch(cls, steps: Sequence[Self], host: Any) -> Iterator[Self]:
            yield from super().run_batch(steps, host)
            raise LabError("the end: no")

    outcome, _ = run([Node(AllSaidDone("a"), "x.a"), Node(AllSaidDone("b"), "x.b")], log)
    assert [(address, str(error)) for address, error in outcome.failed] == [("x.a", "the end: no")]
