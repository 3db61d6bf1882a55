"""labspec as a test build: it ends itself at a named point. Nothing of this is in the labspec that people install.

LABSPEC_FAULT="POINT ACTION" does the action at a point: KILL, TERM, INT, or a signal twice (TERM2, INT2);
ORPHAN kills it once the program that was started last has the lock, and stops that one.
LABSPEC_FAULT_TRACE=FILE appends every point to a file instead, with the time. LABSPEC_FAULT_TIMING=N, for an N that is
not 0, has every point wait for a moment of its own, so that threads meet otherwise than they would. A point is `before`
or `after` something that changes the host or asks it, and says how often that came before: `before journal#2`, `after
POST /networks/create#1`. The process in which python-on-whales runs has its points too (`serve_calls`): what happens
at them happens to labspec.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

if "LABSPEC_HOME" in os.environ:
    sys.path.insert(0, os.environ["LABSPEC_HOME"])

POINT, _, ACTION = os.environ.get("LABSPEC_FAULT", "").rpartition(" ")
TRACE = os.environ.get("LABSPEC_FAULT_TRACE")
TIMING = os.environ.get("LABSPEC_FAULT_TIMING", "0")
BETWEEN_SIGNALS = 0.1
LONGEST_WAIT = 0.03

_lock = threading.Lock()
_counts: Counter[str] = Counter()
_of_calls = False
_started: list[int] = []
_changing = re.compile(r"[0-9a-f]{12,}")


def reach(moment: str, what: str) -> None:
    """Do what is to be done at a point."""
    what = _changing.sub("ID", what)
    if TIMING != "0":
        time.sleep(Random(f"{TIMING} {moment} {what} {_counts.total()}").uniform(0, LONGEST_WAIT))
    with _lock:
        _counts[f"{moment} {what}"] += 1
        point = f"{moment} {what}#{_counts[f'{moment} {what}']}"
    if TRACE:
        with open(TRACE, "a") as file:  # noqa: PTH123  as plain as can be: much is patched
            file.write(f"{time.monotonic()} {point}\n")
    elif point == POINT:
        _act()


def _act() -> None:
    if ACTION == "ORPHAN":
        while Path(f"/proc/{_started[-1]}/comm").read_text() == "sh\n":  # which takes the lock, and becomes the program
            time.sleep(0.001)
        parent = os.getpid()
        if not os.fork():
            while os.getppid() == parent:  # stopped sooner, the kernel would end it with its parent
                time.sleep(0.0001)
            _stop(_started[-1])
            os._exit(0)
    number = signal.SIGKILL if ACTION == "ORPHAN" else getattr(signal, f"SIG{ACTION.rstrip('2')}")
    labspec = os.getppid() if _of_calls else os.getpid()
    os.kill(labspec, number)
    if ACTION.endswith("2"):
        time.sleep(BETWEEN_SIGNALS)
        os.kill(labspec, number)
    time.sleep(BETWEEN_SIGNALS)  # a handler runs in the main thread


def _stop(program: int) -> None:
    try:
        os.killpg(program, signal.SIGSTOP)  # timeout(1) has made a group of itself and what it runs
    except ProcessLookupError:
        os.kill(program, signal.SIGSTOP)


def wrapped(function: Any, name: Any) -> Any:
    """Return a function with points before and after it; where `name` gives nothing, it is none."""

    def call(*arguments: Any, **options: Any) -> Any:
        what = name(*arguments) if callable(name) else name
        if not what:
            return function(*arguments, **options)
        reach("before", what)
        found = function(*arguments, **options)
        reach("after", what)
        return found

    return call


def _file(path: Any, *_: Any) -> str:
    name = Path(path).name
    return re.sub(r"^\.(.*)\.[^.]*$", r"\1", name)


_PLACES = ("/etc/", "/proc/self/fd/", os.environ.get("LABSPEC_STATE_DIR", "/var/lib/labspec"))
"""Where labspec changes the host's files and keeps its own; what it does elsewhere nobody misses."""


def _change(verb: str, path: Any) -> str:
    return f"{verb} {_file(path)}" if str(path).startswith(_PLACES) else ""


def _of_handle(handle: int) -> str:
    return f"fsync {_file(os.readlink(f'/proc/self/fd/{handle}'))}"  # noqa: PTH115  a handle's


def _program(words: Any) -> str:
    words = [str(word) for word in words]
    if "docker" in words:
        words = words[words.index("docker") :]
    elif plugin := next((index for index, word in enumerate(words) if "/docker-" in word), None):
        words = ["docker", *words[plugin + 1 :]]
    told = [word for word in words[1:] if not word.startswith(("-", "/", "unix:")) and "\n" not in word]
    return " ".join([Path(words[0]).name, *told[:2]])


class Program(subprocess.Popen):  # type: ignore[type-arg]
    """A program that labspec starts, with points around its start and its end."""

    def __init__(self, args: Any, *rest: Any, **options: Any) -> None:
        self.told = _program(args)
        self.ended = False
        reach("before", f"start of {self.told}")
        super().__init__(args, *rest, **options)
        _started.append(self.pid)
        reach("after", f"start of {self.told}")

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        code = super().wait(timeout)
        if not self.ended:
            self.ended = True
            reach("after", f"end of {self.told}")
        return code


def serve_calls() -> None:
    """Be the process of python-on-whales, with points around the programs that it starts."""
    global _of_calls
    from labspec.host import calls_server

    _of_calls = True
    subprocess.Popen = Program  # type: ignore[misc]
    calls_server.main()


def _patch() -> None:
    from labspec.host import calls
    from labspec.host.http import Connection
    from labspec.host.journal import Journal

    calls.SERVER = str(Path(__file__).with_name("launch_calls.py"))

    for function in ("replace", "rename", "unlink", "symlink", "mkdir", "rmdir"):
        place = 1 if function in ("replace", "rename", "symlink") else 0
        old = getattr(os, function)
        setattr(os, function, wrapped(old, lambda *a, place=place, verb=function: _change(verb, a[place])))
    os.fsync = wrapped(os.fsync, _of_handle)
    real, subprocess.Popen = subprocess.Popen, Program  # type: ignore[misc]
    for module in list(sys.modules.values()):
        if getattr(module, "Popen", None) is real:
            module.Popen = Program  # type: ignore[attr-defined]
    Journal._write = wrapped(Journal._write, "journal")  # type: ignore[method-assign]  # noqa: SLF001
    send, receive = Connection.send, Connection.receive

    def sent(connection: Any, *requests: Any) -> None:
        for method, target, _ in requests:
            reach("before", _request(method, target))
        connection.told = [*getattr(connection, "told", ()), *requests]
        send(connection, *requests)

    def received(connection: Any) -> Any:
        answer = receive(connection)
        method, target, _ = connection.told.pop(0)
        reach("after", _request(method, target))
        return answer

    Connection.send, Connection.receive = sent, received  # type: ignore[method-assign]


def _request(method: str, target: str) -> str:
    return f"{method} {re.sub(r'^/v1[.][0-9]+', '', target.partition('?')[0])}"


if __name__ == "__main__":
    from labspec.__main__ import main

    if POINT or TRACE:
        _patch()
    main()
