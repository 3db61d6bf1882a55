"""What a command costs, counted in a process of its own: requests to the engine, processes, modules imported.

A call of python-on-whales, whose process starts a program for it, is among the processes as "call".
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Self

PROGRAM = """
import sys
processes = []
STARTS = ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.system", "os.exec")
sys.addaudithook(lambda event, args: event in STARTS and processes.append([event, str(args[:2])]))
arguments, looks = sys.argv[2:], sys.argv[1] == "looks"
engines = []
if looks:
    from labspec.host.docker import Docker
    opened = Docker.__init__
    def init(self, *args, **options):
        opened(self, *args, **options)
        engines.append(self)
    Docker.__init__ = init
    from labspec.host import calls
    called = calls.call
    def call(client, method, **options):
        processes.append(["call", method])
        return called(client, method, **options)
    calls.call = call
sys.argv = ["labspec", *arguments]
from labspec.__main__ import main
try:
    main()
    code = 0
except SystemExit as end:
    code = end.code
requests = sum(engine.requests for engine in engines)
modules = sorted(sys.modules)
import json
print("\\n" + json.dumps([code, requests, processes, modules]))
"""
"""Arguments: "looks" (at the engine, so that its requests are counted) or another word, then those of labspec."""


class Cost(NamedTuple):
    """What a command took."""

    code: int
    requests: int
    processes: list[Any]
    modules: frozenset[str]

    @property
    def calls(self) -> list[str]:
        """The calls of python-on-whales."""
        return [what for event, what in self.processes if event == "call"]

    @property
    def started(self) -> list[str]:
        """What started a process of this one."""
        return [event for event, _ in self.processes if event != "call"]

    def imported(self, *names: str) -> set[str]:
        return self.modules & set(names)

    @classmethod
    def read(cls, printed: str) -> Self:
        """Return what the program has counted, of all that it and labspec have printed."""
        code, requests, processes, modules = json.loads(printed.rstrip().splitlines()[-1])
        return cls(code or 0, requests, processes, frozenset(modules))
