"""A command of the user's run in a sandbox, as if it ran here: terminal, exit code, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from labspec.core.diagnostic import LabError
from labspec.host.sandbox.client import Client

SIGNAL_SECONDS = 15
MARK = "LABSPEC_RUN"
"""The variable by which a signal finds the process that it is for."""
PASSED = ("NO_COLOR", "TERM", "COLORTERM", "COLUMNS", "LANG", "LC_ALL", "LABSPEC_DEBUG")
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# The first process of a `docker exec` has no parent in the sandbox and leads its process group.
_SIGNAL = """for p in /proc/[0-9]*; do
if grep -qs '^PPid:[[:space:]]*0$' "$p/status" && grep -qsz "^$2\\$" "$p/environ"; then
/bin/kill -s "$1" -- "-${p#/proc/}"; fi; done"""


def execute(
    client: Client,
    container: str,
    command: Sequence[str],
    *,
    folder: str = "/root",
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run a command in a container and return its exit code.

    It has a terminal where this process has one for input and output, and else this process's streams.
    """
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    keyboard = sys.stdin.isatty()
    mark = f"{MARK}={uuid.uuid4().hex}"
    passed = {name: os.environ[name] for name in PASSED if name in os.environ} | dict(environment or {})
    arguments = client.arguments(*exec_arguments(container, command, terminal, not keyboard, folder, mark, passed))
    # A terminal sends Ctrl-C to all processes in its foreground; the client must not die of what the command survives.
    # With a terminal of its own the client reads the keys itself and passes Ctrl-C on as one.
    try:
        with (
            subprocess.Popen(
                arguments,
                stdin=None if terminal or not keyboard else subprocess.DEVNULL,
                start_new_session=not terminal,
            ) as process,
            _forwarding(client, container, mark),
        ):
            return _code(process.wait())
    except FileNotFoundError as error:
        raise LabError("the docker client is not installed", hint="apt-get install docker-cli or docker.io") from error


def exec_arguments(
    container: str,
    command: Sequence[str],
    terminal: bool,
    streams: bool,
    folder: str,
    mark: str,
    environment: Mapping[str, str],
) -> list[str]:
    """Return the arguments of `docker` that run a command; `streams`: standard input goes in without a terminal."""
    options = ["--interactive", "--tty"] if terminal else ["--interactive"] if streams else []
    variables = [part for name, value in sorted(environment.items()) for part in ("--env", f"{name}={value}")]
    return ["exec", *options, "--workdir", folder, *variables, "--env", mark, container, *command]


@contextmanager
def _forwarding(client: Client, container: str, mark: str) -> Iterator[None]:
    def handle(number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name.removeprefix("SIG")
        client.ask("exec", container, "sh", "-c", _SIGNAL, "sh", name, mark, seconds=SIGNAL_SECONDS)

    before = {number: signal.signal(number, handle) for number in FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _code(code: int) -> int:
    """Return a process's exit code as a shell has it: 128 and the signal for one that ended on a signal."""
    return 128 - code if code < 0 else code
