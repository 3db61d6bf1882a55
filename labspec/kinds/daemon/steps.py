"""The steps that change daemon.json: try it, keep a way back, write it, have Docker take it over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.host.system import FileState
from labspec.kinds.daemon import restart, rollback
from labspec.kinds.daemon.accounts import take_back
from labspec.kinds.daemon.carry import arrived, discard, places
from labspec.kinds.daemon.keys import MOVING
from labspec.kinds.daemon.record import ADDRESS, edited, original, remembered, settled, unkept
from labspec.kinds.daemon.running import find_daemon
from labspec.kinds.daemon.smoke import sweep
from labspec.kinds.daemon.trial import try_daemon

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True)
class Edit:
    """What becomes of daemon.json: `desired` is the spec's part of it as JSON text, empty to take everything back."""

    lab: str
    path: str
    desired: str = ""
    drop: tuple[str, ...] = ()
    """Keys that go back to what they were."""

    @property
    def wanted(self) -> dict[str, Any]:
        """What the spec sets: `settings`, and `files` by path."""
        return dict(json.loads(self.desired)) if self.desired else {}

    def content(self, host: Host) -> bytes | None:
        """Return the new content of the file, made from what it is now; None for no file."""
        current = host.system.read(self.path)
        entry = self.entry(host)
        if not self.desired:
            state = original(current, self.path, entry)
            return state.content if state else None
        return edited(current, self.path, self.wanted["settings"], self.drop, entry)

    def entry(self, host: Host) -> dict[str, Any]:
        """Return the journal's entry; empty where there is none."""
        return host.journal(self.lab).entries().get(ADDRESS, {})


@dataclass(frozen=True)
class TrySettings(Step):
    """Start another daemon with the new settings, and run a container with it."""

    edit: Edit

    def __str__(self) -> str:
        return f"try the new {self.edit.path} with a second Docker daemon, apart from the running one"

    def run(self, host: Host) -> None:
        """Try it. Raises LabError, with nothing changed, where the daemon does not start or can run no container."""
        daemon = find_daemon(host)
        if daemon is None:
            raise LabError("there is no Docker daemon on this machine to try settings with")
        content = self.edit.content(host)
        said = try_daemon(daemon, content or b"{}", self.edit.wanted.get("files", {}), host.system)
        if said:
            raise LabError(f"Docker refuses the new settings: {said}", hint="nothing was changed; correct the settings")


@dataclass(frozen=True)
class ArmRollback(Step):
    """Have systemd put the files back should labspec be killed from here on."""

    edit: Edit
    how: str
    timer: bool
    """Whether there is a systemd to do it; else only copies are kept."""

    def __str__(self) -> str:
        if not self.timer:
            return f"keep a copy of {self.edit.path}"
        return f"arm a timer of systemd that puts {self.edit.path} back if labspec is cut off"

    def run(self, host: Host) -> None:
        """Arm it."""
        files = {*self.edit.wanted.get("files", {}), *self.edit.entry(host).get("files", {})}
        rollback.arm(host, self.edit.lab, [self.edit.path, *sorted(files)], self.how, timer=self.timer)


@dataclass(frozen=True)
class WriteSettings(Step):
    """Write daemon.json and the files that it names, with what was there before in the journal."""

    edit: Edit
    how: str
    """What is to follow: restart, reload, or nothing."""

    def __str__(self) -> str:
        wanted = self.edit.wanted
        if not wanted:
            return f"put {self.edit.path} back as it was"
        parts = [f"set {', '.join(wanted['settings'])}"] if wanted["settings"] else []
        parts += [f"take back {', '.join(self.edit.drop)}"] if self.edit.drop else []
        files = "".join(f", and {path}" for path in wanted.get("files", {}))
        return f"write {self.edit.path}: {', '.join(parts)}{files}"

    def run(self, host: Host) -> None:
        """Write it. Raises LabError where it cannot be written; what is written then the timer puts back."""
        edit, system, journal = self.edit, host.system, host.journal(self.edit.lab)
        current, entry, wanted = system.read(edit.path), edit.entry(host), edit.wanted
        content = edit.content(host)
        if wanted:
            names = sorted({*wanted.get("files", {}), *entry.get("files", {})})
            found = {name: system.read(name) for name in names}
            made = remembered(entry, current, edit.path, wanted["settings"], content, found)
            folder = str(Path(edit.path).parent)
            made["folder"] = entry.get("folder") or ("" if os.path.isdir(folder) else folder)  # noqa: PTH112
            journal.record(ADDRESS, {**made, "pending": self.how or entry.get("pending", "")})
            Path(folder).mkdir(mode=0o755, parents=True, exist_ok=True)
        elif entry:
            journal.record(ADDRESS, {**entry, "pending": self.how})
        self._files(system, wanted.get("files", {}), entry.get("files", {}))
        if content is None:
            system.remove(edit.path)
        elif current is None or current.content != content:
            mode, uid, gid = (current.mode, current.uid, current.gid) if current else ("0644", 0, 0)
            system.write(edit.path, FileState(content, mode, uid, gid))
        if not self.how:
            settle(host, edit)

    def _files(self, system: Any, wanted: Mapping[str, str], recorded: Mapping[str, Any]) -> None:
        for path, text in wanted.items():
            system.write(path, FileState(text.encode(), "0644", 0, 0))
        for path, before in recorded.items():
            if path in wanted:
                continue
            state = unkept(before)
            if state is None:
                system.remove(path)
            else:
                system.write(path, state)


@dataclass(frozen=True)
class RestartDaemon(Step):
    """Restart Docker, run a container, start again what the restart stopped; take everything back if that fails."""

    edit: Edit
    keys: tuple[str, ...]
    """The settings that need it."""
    stopped: tuple[str, ...] = ()
    """Names of containers that the restart stops."""

    def __str__(self) -> str:
        why = f" ({', '.join(self.keys)} need it)" if len(self.keys) > 1 else f" ({''.join(self.keys)} needs it)"
        again = f", and start {', '.join(self.stopped)} again" if self.stopped else ""
        return f"restart Docker{why if self.keys else ''}, run a container to see that it works{again}"

    def run(self, host: Host) -> None:
        """Do it. Raises LabError, with the settings of before in force, where Docker does not work with the new."""
        entry = self.edit.entry(host)
        containers = [*_running(host), *((identity, name) for identity, name in entry.get("away", ()))]
        moves = any(key in MOVING for key in self.keys)
        before = places(host, self.edit.wanted.get("settings", {})) if moves else None
        try:
            restart.restart(host)
            restart.check(host, self.edit.lab)
        except BaseException as error:
            _take_back(host, self.edit, restart.restart)
            restart.start_again(host, containers)
            if isinstance(error, LabError):
                raise restart.taken_back(error, self.edit.path) from error
            raise
        failures, away = restart.start_again(host, containers)
        if entry:  # with another data root they are away, until it is again what it was
            entry = arrived(host, entry, before) if moves else entry
            host.journal(self.edit.lab).record(ADDRESS, {**entry, "away": away})
        settle(host, self.edit)
        if failures:
            raise LabError(f"Docker works with its new settings, but could not start again: {'; '.join(failures)}")


@dataclass(frozen=True)
class ReloadDaemon(Step):
    """Have Docker read its settings again; containers do not notice."""

    edit: Edit

    def __str__(self) -> str:
        return "have Docker reload its settings (SIGHUP); containers go on"

    def run(self, host: Host) -> None:
        """Do it. Raises LabError, with the settings of before in force, where Docker does not take the new ones."""
        try:
            restart.reload(host)
        except LabError as error:
            _take_back(host, self.edit, restart.reload)
            raise restart.taken_back(error, self.edit.path) from error
        settle(host, self.edit)


def settle(host: Host, edit: Edit) -> None:
    """Note that the daemon has taken its file over; forget the entry once nothing of the lab is in it.

    What a killed labspec has left of a container that only was to run goes too.
    """
    rollback.disarm(host, edit.lab)
    sweep(host.docker, edit.lab)
    journal, entry = host.journal(edit.lab), edit.entry(host)
    if edit.desired:
        journal.record(ADDRESS, settled(entry, edit.wanted))
        return
    folder = entry.get("folder")
    take_back(host, entry.get("accounts", {}))
    discard(host, edit.lab)
    journal.forget(ADDRESS)
    if folder and not any(Path(folder).iterdir()):
        Path(folder).rmdir()


def _take_back(host: Host, edit: Edit, again: Callable[[Host], None]) -> None:
    """Put the files of before in force. Raises LabError where Docker does not take them either."""
    rollback.put_back(host, edit.lab)
    try:
        again(host)
    except LabError as error:
        message = f"the settings of before are in {edit.path} again, but {error.diagnostics[0].message}"
        raise LabError(message, hint="see 'journalctl -u docker' and 'systemctl status docker'") from error
    rollback.disarm(host, edit.lab)
    sweep(host.docker, edit.lab)
    entry = edit.entry(host)
    if entry:
        host.journal(edit.lab).record(ADDRESS, {**entry, "pending": ""})


def _running(host: Host) -> list[tuple[str, str]]:
    try:
        return restart.running_containers(host)
    except LabError:
        return []
