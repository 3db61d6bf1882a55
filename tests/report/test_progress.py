"""The live display: what runs is drawn, of much the first; what is done stays, one line each."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from labspec.report.progress import MOST_SHOWN, PLAIN_SPINNER, SPINNER

NUMBER = MOST_SHOWN + 4
PROGRAM = f"""
import time
from labspec.engine.executor import Event
from labspec.report.progress import Live
with Live() as show:
    for index in range({NUMBER}):
        show(Event("start", index, {NUMBER}, f"x.v{{index:02}}", "make it", 0.0, None))
    time.sleep(0.7)
    for index in range({NUMBER}):
        show(Event("done", index, {NUMBER}, f"x.v{{index:02}}", "make it", 1.5, None))
"""


def on_a_terminal(program: str, **variables: str) -> str:
    """Return what a program writes to its stderr, a terminal."""
    ours, theirs = pty.openpty()
    unset = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "LC_ALL", "PYTHONUTF8")}
    environment = {**unset, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", **variables}
    with subprocess.Popen([sys.executable, "-c", program], stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while some := os.read(ours, 4096):
                said += some
        except OSError:
            pass  # all who had the other end are gone
        os.close(ours)
    assert process.returncode == 0, said.decode()
    return said.decode(errors="replace")


@pytest.mark.parametrize(("encoding", "frames"), [("utf-8", SPINNER), ("ascii", PLAIN_SPINNER)])
def test_of_many_steps_the_first_are_drawn(encoding: str, frames: str) -> None:
    said = on_a_terminal(PROGRAM, PYTHONIOENCODING=encoding)
    drawn = {line.partition("  ")[0] for line in said.replace("\x1b[2K", "").splitlines() if line[:1] in frames}
    assert {words[2:] for words in drawn} >= {f"x.v{index:02}: make it" for index in range(MOST_SHOWN)}
    assert "  and 4 more" in said
    before_the_first_was_done = said[: said.index("done in")]
    assert f"x.v{MOST_SHOWN:02}" not in before_the_first_was_done
    assert all(f"x.v{index:02}: make it " in said for index in range(NUMBER))
    assert f"[{NUMBER}/{NUMBER}]" in said
