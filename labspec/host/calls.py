"""Calls of python-on-whales, which runs in a process of its own: importing it takes longer than a plan."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queue import SimpleQueue

SERVER = os.path.join(os.path.dirname(__file__), "calls_server.py")  # noqa: PTH118, PTH120  pathlib comes later


class CallError(Exception):
    """A program that python-on-whales ran has failed: its exit code, and what it wrote to its standard error."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code
        self.said = said


def get_ready() -> None:
    """Start the process, which imports python-on-whales, unless it is there; return at once."""
    with suppress(OSError):  # a call says why
        _Process.of_this_one()


def give_up() -> None:
    """End the process where nothing has been called: it has no more to import."""
    process = _Process.current
    if process is not None and not process.called:
        process.end()


def call(client: Mapping[str, Any], method: str, **options: Any) -> Iterator[str]:
    """Call a method of `DockerClient(**client)`, and yield what it streams, a line at a time.

    `method` is written as in "image.load"; "build" is `docker buildx build` with the list `arguments`. Raises CallError
    where the program fails, or python-on-whales refuses the call.
    """
    yield from _Process.of_this_one().call({"client": dict(client), "method": method, "options": options})


class _Process:
    """The process that serves calls, as many at once as there are. It has this one's environment and folder.

    It ends with this one; the programs that it has started go on then, as children of this one would.
    """

    current: _Process | None = None
    starting = threading.Lock()

    def __init__(self, traits: tuple[Any, ...]) -> None:
        self.called = False
        self._traits = traits
        self._over = False
        read, self._calls = os.pipe()
        self._answers, written = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, read, 0),
            (os.POSIX_SPAWN_DUP2, written, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        # In a group of its own: Ctrl-C is for labspec, which lets the calls that run come to their end.
        command = [sys.executable, "-S", "-P", SERVER, *sys.path]
        self._pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=actions, setpgroup=0)
        os.close(read)
        os.close(written)
        self._waiting: dict[int, SimpleQueue[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    def of_this_one(cls) -> _Process:
        """Return the process for this one as it is now."""
        traits = (os.getpid(), dict(os.environ), _folder())
        with cls.starting:
            if cls.current is None or not cls.current.serves(traits):
                cls.current = cls(traits)
            return cls.current

    def serves(self, traits: tuple[Any, ...]) -> bool:
        """Return whether it can be called by a process with these traits. One that cannot is let go."""
        if self._over:
            return False
        if self._traits[0] != traits[0]:
            os.close(self._calls)  # the parent's, who has forked
            os.close(self._answers)
            return False
        if self._traits != traits:
            self.end()
        return not self._over

    def end(self) -> None:
        """End it."""
        with self._lock:
            if not self._over:
                os.kill(self._pid, signal.SIGKILL)
        self._reader.join()

    def call(self, request: Mapping[str, Any]) -> Iterator[str]:
        """Send a request, and yield the lines that are answered. Raises CallError as `call` does."""
        from queue import SimpleQueue

        answers: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._send({"number": id(answers), **request}, answers)
        while "line" in (answer := answers.get()):
            yield answer["line"]
        if answer["code"]:
            raise CallError(answer["code"], answer["said"])

    def _send(self, request: Mapping[str, Any], answers: SimpleQueue[dict[str, Any]]) -> None:
        import json

        text = json.dumps(request).encode() + b"\n"
        with self._lock:
            self.called = True
            self._waiting[request["number"]] = answers
            try:
                while text and not self._over:
                    text = text[os.write(self._calls, text) :]
            except BrokenPipeError:
                pass  # it has ended, and `_read` is about to say so
            if self._over:
                answers.put(_GONE)

    def _read(self) -> None:
        with os.fdopen(self._answers, "rb", closefd=False) as lines:
            for line in lines:
                import json

                if not line.endswith(b"\n"):
                    break  # it was killed while it wrote
                answer = json.loads(line)
                number = answer["number"]
                (self._waiting[number] if "line" in answer else self._waiting.pop(number)).put(answer)
        with self._lock:
            self._over = True
            os.close(self._calls)
            os.close(self._answers)
            os.waitpid(self._pid, 0)
            for answers in self._waiting.values():
                answers.put(_GONE)


_GONE = {"code": -1, "said": "the process of python-on-whales has ended"}


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  pathlib comes later
    except FileNotFoundError:
        return ""
