"""What apply and destroy have in common: show the plan, ask, run it, stop in good order, say what came of it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

import click

from labspec.cli.main import EXIT_ERROR, EXIT_INTERRUPTED
from labspec.cli.plan import echo_plan
from labspec.core.change import Plan
from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab

if TYPE_CHECKING:
    from labspec.engine.executor import Event, Outcome


@dataclass(frozen=True, slots=True)
class Request:
    """What the user wants done."""

    command: str
    """apply or destroy."""
    lab: Lab
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    allow: frozenset[str] = frozenset()
    approved: bool = False
    """Nothing is asked."""
    wait: bool = False
    expected: str | None = None
    """The fingerprint that the plan must have."""
    allow_missing: bool = False
    """What the host lacks a program for is left out."""
    confirm_within: int = 0
    """After so many seconds settings go back, unless they are confirmed; 0: they stay."""

    @property
    def destroy(self) -> bool:
        """Whether the lab is removed."""
        return self.command == "destroy"


def execute(request: Request, *, steps: bool, verbose: bool, as_json: bool) -> int:
    """Do what was asked, and return the exit code: 0, 1 when a step failed, 130 when it was interrupted."""
    from labspec.engine import workflow
    from labspec.host.host import Host
    from labspec.report.progress import display

    if as_json and not request.approved:
        raise LabError(f"'{request.command} --json' asks no questions", hint="add -y, after a look at the plan")
    stop = threading.Event()
    review = Review(request, steps, verbose, as_json)
    with display(as_json=as_json, colour=click.get_current_context().color) as show, stopping(stop, review):

        def on_event(event: Event) -> None:
            try:
                show(event)
            except BrokenPipeError:
                # Nobody reads what is done any more: the same as Ctrl-C.
                stop.set()

        outcome = workflow.apply(
            request.lab,
            Host(),
            targets=request.targets,
            replace=request.replace,
            destroy=request.destroy,
            allow=request.allow,
            confirm=review,
            on_event=on_event,
            stop=stop,
            wait=request.wait,
            expected=request.expected,
            allow_missing=request.allow_missing,
            confirm_within=request.confirm_within,
        )
    return conclude(outcome, review, request, as_json=as_json)


@dataclass(slots=True)
class Review:
    """Shows a plan and answers whether to go on; called by the engine once the plan is made, with the lab locked."""

    request: Request
    steps: bool
    verbose: bool
    as_json: bool
    shown: bool = field(default=False, init=False)
    approved: bool = field(default=False, init=False)
    """The user has said yes, so that steps may be running."""

    def __call__(self, plan: Plan) -> bool:
        """Return the user's answer. Raises LabError where there is nobody to ask."""
        self.show(plan)
        self.approved = plan.empty or self.request.approved or self._ask()
        return self.approved

    def _ask(self) -> bool:
        if not sys.stdin.isatty():
            raise LabError(
                f"{self.request.command} needs your 'yes', and there is no terminal to ask on",
                hint=f"look at the plan above, then run 'labspec {self.request.command} -y'",
            )
        return _answer(self.request.command)

    def show(self, plan: Plan) -> None:
        """Print the plan, once."""
        if self.shown:
            return
        self.shown = True
        if self.as_json:
            from labspec.report.plan_json import plan_json

            click.echo(json.dumps({"type": "plan", **plan_json(plan)}))
        else:
            echo_plan(
                plan,
                steps=self.steps,
                verbose=self.verbose,
                destroy=self.request.destroy,
                allow=self.request.allow,
            )
            if not self.request.destroy:
                _tell_way_back(plan)
        sys.stdout.flush()


def _tell_way_back(plan: Plan) -> None:
    """Say what an apply that fails puts back, and what not."""
    from labspec.engine.settings import SETTINGS, settings_in

    settings = settings_in(plan)
    if not settings:
        return
    rest = sorted({change.kind.replace("_", " ") for change in plan.changes if change.kind not in SETTINGS})
    lasting = f"; what is done to {', '.join(f'{kind}s' for kind in rest)} stays" if rest else ""
    until = " before there are new containers" if rest else ""
    click.echo(f"\nIf a step fails{until}, {', '.join(settings)} go back to what they are now{lasting}.")


def _answer(command: str) -> bool:
    what = "Destroy all this? It cannot be undone." if command == "destroy" else "Apply these changes?"
    click.echo(f"\n{what} Only 'yes' goes on: ", err=True, nl=False)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        click.echo(err=True)
    return answer.strip() == "yes"


def conclude(outcome: Outcome, review: Review, request: Request, *, as_json: bool) -> int:
    """Print what came of it, and return the exit code."""
    from labspec.report.outcome import outcome_json, outcome_lines

    review.show(outcome.plan)
    code = EXIT_INTERRUPTED if outcome.interrupted else EXIT_ERROR if outcome.failed else 0
    if as_json:
        click.echo(json.dumps(outcome_json(outcome)))
    elif outcome.plan.empty:
        return code
    elif not outcome.applied and not code:
        click.echo(f"Nothing was changed: {request.command} was not confirmed.", err=True)
        return EXIT_ERROR
    else:
        for line in outcome_lines(outcome, request.command):
            click.echo(line, err=bool(code))
        if request.confirm_within and outcome.applied and not outcome.taken_back:
            _await_confirmation(outcome.plan, request)
    return code


def _await_confirmation(plan: Plan, request: Request) -> None:
    """Say what goes back by itself, and ask for a 'yes' that keeps it where somebody is there to give one."""
    import select

    from labspec.engine import pending
    from labspec.engine.settings import settings_in
    from labspec.host.host import Host

    settings = settings_in(plan)
    if not settings:
        return
    click.echo(
        f"In {request.confirm_within} s these go back to what they were, unless 'labspec confirm' is run: "
        f"{', '.join(settings)}.",
        err=True,
    )
    if request.approved or not sys.stdin.isatty():
        return
    click.echo("Do you still get in? 'yes' keeps them: ", err=True, nl=False)
    ready, _, _ = select.select([sys.stdin], [], [], request.confirm_within)
    if ready and sys.stdin.readline().strip() == "yes":
        pending.confirm(Host(), request.lab.name)
        click.echo("Confirmed.", err=True)


SHOW_CURSOR = b"\x1b[?25h"


@contextmanager
def stopping(stop: threading.Event, review: Review) -> Iterator[None]:
    """While steps run, the first SIGINT or SIGTERM sets `stop`, the second ends the process at once.

    Before the plan is approved nothing has been touched, and the first one is a KeyboardInterrupt.
    """

    def handle(number: int, _frame: FrameType | None) -> None:
        if not review.approved:
            raise KeyboardInterrupt
        # Written past Python's buffers: the interrupted code may be in the middle of using them.
        if stop.is_set():
            if os.isatty(2):
                os.write(2, SHOW_CURSOR)
            os.write(2, b"\nStopped at once; a step may be half done. 'labspec plan' shows what is left.\n")
            os._exit(128 + number)
        stop.set()
        os.write(2, b"\nStopping: the running steps are finished first. Press Ctrl-C again to stop at once.\n")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
