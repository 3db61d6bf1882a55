"""Ctrl-C, in real processes: the first finishes what runs, the second stops at once, before the yes nothing is done."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
import labspec.engine.workflow as workflow, labspec.spec.cache as loader
from labspec.core.change import Action, Change, Plan
from labspec.core.resource import Lab
from labspec.engine.executor import Outcome
{extra}
def until_set(stop):
    end = time.monotonic() + 30
    while not stop.is_set() and time.monotonic() < end:
        time.sleep(0.01)  # as the executor, it does not hold the lock of `stop` when the signal comes

def apply(lab, host, *, confirm, on_event, stop, **rest):
    plan = Plan("tp1", (Change("volume.foo", "volume", Action.CREATE, "not on this host"),))
    confirm(plan)
    os.write(1, b"READY\\n")
    until_set(stop)
    os.write(1, b"STOPPED\\n")
    if {hang}:
        time.sleep(30)
    return Outcome(plan, 1, (), 2, True, 1.0, True)

workflow.apply = apply
loader.load = lambda *_, **__: Lab("tp1", "/", "/lab.yaml")
sys.argv = ["labspec", "apply", *{arguments!r}]
from labspec.__main__ import main
main()
"""


@contextmanager
def applying(
    *arguments: str, hang: bool = False, extra: str = "", stdin: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    program = PROGRAM.format(arguments=arguments, hang=hang, extra=extra)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    for printed in process.stdout:
        if printed == f"{line}\n":
            return
    pytest.fail(f"no {line}: {process.communicate()}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_finishes_what_runs(number: signal.Signals) -> None:
    with applying("-y") as process:
        wait_for(process, "READY")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == "STOPPED\n"
    assert err.startswith("\nStopping: the running steps are finished first.")
    assert "Interrupted: 1 step done, 0 failed, 2 not started" in err
    assert "the next 'apply' goes on from there" in err


def test_the_second_stops_at_once() -> None:
    with applying("-y", hang=True) as process:
        wait_for(process, "READY")
        process.send_signal(signal.SIGINT)
        wait_for(process, "STOPPED")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.endswith("Stopped at once; a step may be half done. 'labspec plan' shows what is left.\n")


def test_before_the_yes_nothing_is_done() -> None:
    ours, theirs = pty.openpty()
    with applying(stdin=theirs) as process:
        assert process.stderr is not None
        asked = ""
        while not asked.endswith("goes on: "):
            char = process.stderr.read(1)
            assert char, f"it ended without asking: {asked}"
            asked += char
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 130
    assert "READY" not in out
    assert err == "\nInterrupted.\n"


def test_the_live_display_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    events = """
from labspec.engine.executor import Event
from labspec.core.diagnostic import LabError
def events(on_event):
    for index, kind in enumerate(["done", "fail", "skip"]):
        on_event(Event("start", index, 3, f"volume.{kind}", "[bold]make[/bold] it\\x1b[2J", 0.0, None))
        on_event(Event(kind, index, 3, f"volume.{kind}", "[bold]make[/bold] it\\x1b[2J", 1.5, None))
"""
    text = PROGRAM.format(arguments=("-y",), hang=False, extra=events)
    program.write_text(text.replace("    until_set(stop)\n", "    events(on_event)\n"))
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        timeout=60,
        check=False,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    said = b""
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123  a descriptor
        while True:
            try:
                said += terminal.read(4096) or b""
            except OSError:
                break
    assert done.returncode == 130
    assert b"volume.done: [bold]make[/bold] it\\x1b[2J " in said
    assert b"done in 1.5 s [1/3]" in said
    assert b"failed after 1.5 s" in said
    assert b"skipped" in said
    assert b"\x1b[2J" not in said
    assert said.rfind(b"\x1b[?25h") > said.rfind(b"\x1b[?25l"), "the cursor stays hidden"
