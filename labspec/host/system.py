"""The host outside Docker: files, accounts, systemd, programs; each read in one go, each write whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labspec.core.diagnostic import LabError
from labspec.host.state import StateFolder, draft_of, write_atomic

SECONDS = 60.0
"""How long a program may take unless its caller knows better."""
LARGEST = 16 * 1024 * 1024
"""Bytes of a file that labspec is ready to keep, to put it back."""

READ_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Type",
    "UnitFileState",
    "NeedDaemonReload",
    "FragmentPath",
    "MainPID",
    "ExecStart",
    "ExecMainStartTimestampMonotonic",
)
"""What kinds ask of units to observe them (org.freedesktop.systemd1(5))."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it is: permissions as an octal text ("0644"), owner and group as numbers."""

    content: bytes
    mode: str
    uid: int
    gid: int


class System:
    """The machine that labspec runs on. Programs are started with argument lists, in the C locale, with a deadline.

    They inherit the lock that `state` holds, so that it is held until the last of them has ended.
    """

    def __init__(self, state: StateFolder | None = None) -> None:
        self._state = state
        self._units: Mapping[str, dict[str, str]] = {}

    def run(
        self,
        command: Sequence[str],
        *,
        seconds: float = SECONDS,
        stdin: bytes | None = None,
        accepted: Iterable[int] = (0,),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program and return what it printed. Raises LabError where it is missing, fails or does not end."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
        try:
            done = subprocess.run(
                list(command),
                input=stdin,
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=seconds,
                env=environment,
                pass_fds=self._state.handles if self._state else (),
                check=False,
            )
        except FileNotFoundError as error:
            raise LabError(f"{command[0]} is not installed on this host") from error
        except subprocess.TimeoutExpired as error:
            raise LabError(f"'{_shown(command)}' did not end within {seconds:g} s") from error
        out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if done.returncode not in set(accepted):
            said = (err.strip() or out.strip()).splitlines()
            raise LabError(f"'{_shown(command)}' failed: {said[-1] if said else f'exit code {done.returncode}'}")
        return subprocess.CompletedProcess(list(command), done.returncode, out, err)

    def read(self, path: str) -> FileState | None:
        """Return a regular file, or None where there is nothing.

        Raises LabError for anything else in its place (a symlink, a folder, a device), and where it cannot be read.
        """
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            said = "it is a symlink" if Path(path).is_symlink() else error.strerror
            raise LabError(f"{path} is not a file that labspec can manage: {said}") from error
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(handle)
            raise LabError(f"{path} is not a file that labspec can manage: it is no regular file")
        with os.fdopen(handle, "rb") as file:
            if found.st_size > LARGEST:
                raise LabError(f"{path} is too large for labspec to keep: {found.st_size} bytes")
            return FileState(file.read(), f"{stat.S_IMODE(found.st_mode):04o}", found.st_uid, found.st_gid)

    def write(self, path: str, state: FileState) -> None:
        """Put a file in place, wholly or not at all. Its folder must exist; a symlink in its place is replaced."""
        try:
            write_atomic(Path(path), state.content, int(state.mode, 8), (state.uid, state.gid), one_writer=True)
        except OSError as error:
            raise LabError(f"cannot write {path}: {error.strerror}") from error

    def remove(self, path: str) -> None:
        """Remove a file; one that is gone already is fine."""
        try:
            Path(path).unlink(missing_ok=True)
            draft_of(Path(path)).unlink(missing_ok=True)
        except OSError as error:
            raise LabError(f"cannot remove {path}: {error.strerror}") from error

    @contextmanager
    def knowing_units(self, units: Sequence[str]) -> Iterator[None]:
        """Read units in one go; for the time of the block `unit_properties` answers from that."""
        known = dict.fromkeys(units)
        self._units = self.unit_properties(list(known), READ_PROPERTIES)
        try:
            yield
        finally:
            self._units = {}

    def unit_properties(self, units: Sequence[str], properties: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return unit -> property -> value for several units, by one `systemctl show` (systemctl(1)).

        A unit that there is not has LoadState=not-found. Raises LabError where systemd is not the host's init.
        """
        if not units:
            return {}
        if self._units.keys() >= set(units) and set(properties) <= set(READ_PROPERTIES):
            return {unit: self._units[unit] for unit in units}
        wanted = ",".join(["Id", "Names", *properties])
        shown = self.run(["systemctl", "show", f"--property={wanted}", "--", *units]).stdout
        blocks = [_properties(block) for block in shown.split("\n\n") if block.strip()]
        if len(blocks) != len(units):
            raise LabError("systemctl did not answer for every unit", hint="'systemctl show' says more")
        return dict(zip(units, blocks, strict=True))


def _properties(block: str) -> dict[str, str]:
    pairs: Mapping[str, str] = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
    return dict(pairs)


def _shown(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) <= 100 else f"{text[:97]}..."
