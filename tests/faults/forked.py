"""labspec in a child of this process, which has its modules loaded: the same program, without the time of its start."""

from __future__ import annotations

import importlib
import os
import pkgutil
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

LAUNCH = Path(__file__).with_name("launch.py")
_LATE = ("python_on_whales", "pydantic", "jsonschema_rs", "ruamel.yaml", "rich.console", "jinja2", "yaml")


def load() -> None:
    """Load what a labspec loads on its way, once."""
    if "LABSPEC_HOME" in os.environ and os.environ["LABSPEC_HOME"] != sys.path[0]:
        sys.path.insert(0, os.environ["LABSPEC_HOME"])
    import labspec

    for module in pkgutil.walk_packages(labspec.__path__, "labspec."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)


class Running:
    """A labspec that runs."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        load()
        self._said = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115  closed once it has ended
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            _become(arguments, folder, environment, [file.fileno() for file in self._said])
        self._handle = os.pidfd_open(self.pid)

    def ended(self, seconds: float) -> bool:
        """Return whether it has ended, or ends in so many seconds."""
        return bool(select.select([self._handle], [], [], seconds)[0])

    def kill(self) -> None:
        """End it without a word."""
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, seconds: float) -> subprocess.CompletedProcess[str]:
        """Return what it did. Raises TimeoutExpired, with it killed, where that takes longer."""
        late = not self.ended(seconds)
        if late:
            self.kill()
        _, status = os.waitpid(self.pid, 0)
        os.close(self._handle)
        said = []
        for file in self._said:
            file.seek(0)
            said.append(file.read().decode())
            file.close()
        if late:
            raise subprocess.TimeoutExpired("labspec", seconds, *said)
        return subprocess.CompletedProcess("labspec", os.waitstatus_to_exitcode(status), *said)


def _become(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], said: Sequence[int]) -> NoReturn:
    """Be a labspec, and end as one does."""
    code: object = 1
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), *said)):
            os.dup2(file, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(n, mode, closefd=False) for n, mode in enumerate("rww"))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        sys.argv = [str(LAUNCH), *arguments]
        runpy.run_path(str(LAUNCH), run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  as the end of an interpreter
        if isinstance(code, str):
            print(code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(1 if isinstance(code, str) else int(str(code or 0)))
