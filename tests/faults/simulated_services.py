"""systemd and dockerd on the simulated host: what they have read of their files, what runs, and the timer of labspec.

Their files are real ones, in a folder of memory, since labspec makes links and folders beside them itself. systemd goes
by what it last read; dockerd takes some settings over when it is told to, and others only as it starts.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.host.system import FileState
from labspec.kinds.daemon import live as daemon_live
from labspec.kinds.daemon import restart, rollback, running
from labspec.kinds.daemon import steps as daemon_steps
from labspec.kinds.unit import live, names, reading, steps, way_back

_MEMORY = Path("/dev/shm")
ROOT = (_MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())) / f"labspec-sim-{os.getpid()}"
UNITS, CONFIG = ROOT / "units", ROOT / "docker/daemon.json"
RELOADED = ("debug", "labels")
"""Settings that dockerd takes over without a restart, if they are in its file."""
_WANTS = "multi-user.target.wants"


@dataclass
class Unit:
    """A unit as systemd has it."""

    read: str | None
    """Its file, when it was last read."""
    runs: str | None = None
    """Its file, when it was started; None while it is stopped."""
    failed: bool = False
    starts: int = 0


@dataclass
class Timer:
    """The timer that puts Docker's files back once the labspec that has set it is gone."""

    folder: Path
    how: str
    pairs: list[tuple[Path, Path]]
    alone: bool = False
    """Whether the labspec that has set it is gone."""


@dataclass
class Services:
    """systemd with its units, and dockerd."""

    units: dict[str, Unit] = field(default_factory=dict)
    active: bool = True
    """Whether dockerd runs."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Those in force."""
    timer: Timer | None = None
    refuses: str = ""
    """What fails with other settings than those in force: `trial` a second daemon, `start` a restart; or nothing."""

    def text(self, unit: str) -> str | None:
        """Return a unit's file as it is."""
        path = UNITS / unit
        return path.read_text() if path.is_file() and not path.is_symlink() else None

    def shown(self, unit: str) -> dict[str, str]:
        """Return what `systemctl show` says of a unit."""
        if unit == running.UNIT:
            start = f"{{ path=/x ; argv[]=/usr/sbin/dockerd --config-file={CONFIG} ; ignore_errors=no ; }}"
            return {"LoadState": "loaded", "MainPID": "0", "ExecStart": start}
        found = self._unit(unit)
        return {
            "LoadState": "not-found" if found.read is None else "loaded",
            "ActiveState": "failed" if found.failed else "inactive" if found.runs is None else "active",
            "SubState": "failed" if found.failed else "dead" if found.runs is None else "running",
            "Result": "exit-code" if found.failed else "success",
            "Type": "simple",
            "NeedDaemonReload": "no" if found.read == self.text(unit) else "yes",
            "FragmentPath": "" if found.read is None else str(UNITS / unit),
            "ExecMainStartTimestampMonotonic": "0",
        }

    def _unit(self, name: str) -> Unit:
        if name not in self.units:
            found = Unit(self.text(name))
            if found.read is None:
                return found
            self.units[name] = found
        return self.units[name]

    def systemctl(self, verb: str, units: Sequence[str]) -> None:
        """Do what systemctl does. Raises LabError where that fails."""
        if verb == "daemon-reload":
            for name, unit in list(self.units.items()):
                unit.read = self.text(name)
                if unit.read is None and unit.runs is None:
                    del self.units[name]
        elif verb in ("start", "restart", "try-restart", "reload-or-restart"):
            for name in units:
                self._restart_docker() if name == running.UNIT else self._start(name, verb)
        elif verb == "stop":
            for name in units:
                if name in self.units:
                    self.units[name].runs = None
                elif name.startswith("labspec-rollback"):
                    self.timer = None
        elif verb == "reset-failed":
            for name in set(units) & set(self.units):
                self.units[name].failed = False
        elif verb in ("enable", "reenable", "disable"):
            for name in units:
                self._link(name, verb)
        else:
            raise AssertionError(f"the simulated systemd knows no {verb}")

    def _start(self, name: str, verb: str) -> None:
        unit = self._unit(name)
        if unit.read is None:
            raise LabError(f"Failed to {verb} {name}: Unit {name} not found.")
        if (unit.runs is not None and verb == "start") or (unit.runs is None and verb == "try-restart"):
            return
        unit.failed = "ExecStart=/bin/false" in unit.read
        unit.runs = None if unit.failed else unit.read
        unit.starts += 1

    def _link(self, name: str, verb: str) -> None:
        link = UNITS / _WANTS / name
        if verb in ("disable", "reenable"):
            link.unlink(missing_ok=True)
            if link.parent.is_dir() and not any(link.parent.iterdir()):
                link.parent.rmdir()
        if verb in ("enable", "reenable"):
            if self.text(name) is None:
                raise LabError(f"Failed to enable unit: Unit file {name} does not exist.")
            link.parent.mkdir(exist_ok=True)
            if not link.is_symlink():
                link.symlink_to(UNITS / name)

    def _restart_docker(self) -> None:
        wanted = _json(CONFIG)
        if self.refuses == "start" and wanted != self.settings:
            self.active = False
            raise LabError("'systemctl restart docker.service' failed: Job for docker.service failed")
        self.active, self.settings = True, wanted

    def reload_docker(self) -> None:
        """Take over what dockerd takes over without a restart."""
        if self.active:
            self.settings.update({key: value for key, value in _json(CONFIG).items() if key in RELOADED})

    def set_timer(self, words: Sequence[str]) -> None:
        """Do what systemd-run does with the arguments of labspec's script: UNIT FOLDER HOW PID STARTED DEADLINE."""
        _, folder, how, _, _, _, *pairs = words[words.index("/bin/sh") + 2 :]
        paths = [Path(path) for path in pairs]
        self.timer = Timer(Path(folder), how, list(zip(paths[::2], paths[1::2], strict=True)))

    def let_timer_act(self) -> None:
        """Do what labspec's script does once labspec is gone."""
        if self.timer is None:
            return
        timer, changed = self.timer, False
        for path, copy in timer.pairs:
            now, then = (found.read_bytes() if found.exists() else None for found in (path, copy))
            if now != then:
                changed = True
                path.unlink(missing_ok=True) if then is None else path.write_bytes(then)
        if changed or not self.active:
            self.refuses = ""
            self._restart_docker() if timer.how == "restart" or not self.active else self.reload_docker()
        shutil.rmtree(timer.folder, ignore_errors=True)
        self.timer = None

    def told(self) -> dict[str, Any]:
        """Return all that can be seen of units and of Docker's settings, to be compared."""
        return {
            "units": {path.relative_to(ROOT).as_posix(): _content(path) for path in sorted(UNITS.rglob("*"))},
            "running": {name: unit.runs for name, unit in sorted(self.units.items()) if unit.runs is not None},
            "docker": _content(CONFIG),
            "settings": dict(self.settings),
            "active": self.active,
        }


def read(path: str) -> FileState | None:
    """Return a file of the services' as labspec reads it."""
    place = Path(path)
    if place.is_symlink():
        raise LabError(f"{path} is a symlink")
    return FileState(place.read_bytes(), f"{place.stat().st_mode & 0o7777:04o}", 0, 0) if place.exists() else None


def write(path: str, state: FileState) -> None:
    """Put a file of the services' in place."""
    place = Path(path)
    draft = place.with_name(f".{place.name}")
    draft.write_bytes(state.content)
    draft.chmod(int(state.mode, 8))
    draft.replace(place)


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink().relative_to(ROOT)}"
    return path.read_bytes().decode() if path.is_file() else "(folder)" if path.is_dir() else "(nothing)"


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes() or b"{}") if path.exists() else {}
    return found


@contextmanager
def services_in_place(world: Any) -> Iterator[None]:
    """Have labspec find the simulated systemd and dockerd, and their empty folders."""
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder in (UNITS, CONFIG.parent):
        folder.mkdir(parents=True)

    def tried(*_: Any) -> str | None:
        world.look()
        return "a simulated complaint" if world.services.refuses == "trial" else None

    patches: list[tuple[Any, str, Any]] = [
        *((module, "FOLDER", str(UNITS)) for module in (names, reading, way_back)),
        *((module, "booted", lambda: True) for module in (live, reading)),
        (live, "unit_problems", lambda *_: ()),
        (steps, "SETTLE_SECONDS", 0),
        *((module, "BOOTED", ROOT) for module in (running, rollback, daemon_live)),
        (rollback, "_BETWEEN_LOOKS", 0),
        (rollback, "write_atomic", lambda path, content, *_: path.write_bytes(content)),
        (daemon_steps, "try_daemon", tried),
        (restart, "reload", lambda _: world.write("run SIGHUP", world.services.reload_docker)),
        (restart, "run_a_container", lambda *_: None),
    ]
    with patched(patches):
        try:
            yield
        finally:
            shutil.rmtree(ROOT)


@contextmanager
def patched(patches: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give places their (name, value) for a while."""
    olds = [(place, name, getattr(place, name)) for place, name, _ in patches]
    for place, name, new in patches:
        setattr(place, name, new)
    try:
        yield
    finally:
        for place, name, old in olds:
            setattr(place, name, old)
