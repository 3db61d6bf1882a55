"""The simulated host outside Docker: files, groups, programs, behind the calls that labspec makes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import simulated_services as services
from simulated import World

from labspec.core.diagnostic import LabError
from labspec.host.system import FileState


class SimulatedSystem:
    """Stands for labspec.host.system.System."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, path: str) -> FileState | None:
        self.world.look()
        place = _real(path)
        return services.read(place) if _is_real(place) else self.world.files.get(place)

    def write(self, path: str, state: FileState) -> None:
        place = _real(path)
        if _is_real(place):
            self.world.write("write file", lambda: services.write(place, state))
        else:
            self.world.write("write file", lambda: self.world.files.update({place: state}))

    def remove(self, path: str) -> None:
        place = _real(path)
        if _is_real(place):
            self.world.write("remove file", lambda: Path(place).unlink(missing_ok=True))
        else:
            self.world.write("remove file", lambda: self.world.files.pop(place, None))

    def run(self, command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        said = ""
        if command[:2] == ["systemctl", "is-active"]:
            said = self._timer()
        elif command[0] != "journalctl":
            self.world.write(f"run {command[0]}", lambda: self._run(list(command)), child=True)
        return subprocess.CompletedProcess(list(command), 0, said, "")

    def _timer(self) -> str:
        """Return whether the timer of a labspec that is gone still waits; it takes its time."""
        self.world.look()
        timer = self.world.services.timer
        if timer is None:
            return "inactive\ninactive\n"
        if timer.alone and self.world.random.random() < 0.5:
            self.world.services.let_timer_act()
        return "active\ninactive\n"

    @contextmanager
    def knowing_units(self, units: Sequence[str]) -> Iterator[None]:  # noqa: ARG002  the real one's argument
        yield

    def unit_properties(self, units: Sequence[str], properties: Sequence[str]) -> dict[str, dict[str, str]]:
        self.world.look()
        return {
            unit: {name: value for name, value in self.world.services.shown(unit).items() if name in properties}
            for unit in units
        }

    def _run(self, command: list[str]) -> None:
        groups = self.world.groups
        match command:
            case ["groupadd", *_, "--", name]:
                if name in groups:
                    raise LabError(f"groupadd: group '{name}' already exists")
                groups[name] = (max((number for number, _ in groups.values()), default=1000) + 1, ())
            case ["groupdel", "--", name]:
                del groups[name]
            case ["usermod", "--append", "--groups", group, "--", user]:
                number, members = groups[group]
                groups[group] = (number, (*(member for member in members if member != user), user))
            case ["gpasswd", "--delete", user, group]:
                number, members = groups[group]
                groups[group] = (number, tuple(member for member in members if member != user))
            case ["systemctl", *words]:
                verb, *units = [word for word in words if not word.startswith("--")]
                self.world.services.systemctl(verb, units)
            case ["systemd-run", *words]:
                self.world.services.set_timer(words)
            case _:
                raise AssertionError(f"the simulated host knows no {command}")


class SimulatedAccounts:
    """Stands for the modules grp and pwd."""

    def __init__(self, world: World) -> None:
        self.world = world

    def getgrall(self) -> list[Any]:
        self.world.look()
        return [
            SimpleNamespace(gr_name=name, gr_gid=number, gr_mem=list(members))
            for name, (number, members) in self.world.groups.items()
        ]

    def getpwall(self) -> list[Any]:
        def users() -> Iterator[Any]:
            for number, name in enumerate(("root", "ada", "bob", "eve")):
                yield SimpleNamespace(
                    pw_name=name, pw_uid=number, pw_gid=9000 + number, pw_gecos="", pw_dir="/root", pw_shell="/bin/sh"
                )

        return list(users())


def _real(path: str) -> str:
    """Return the path of a file that was reached through an open folder (/proc/self/fd/N/NAME)."""
    if not path.startswith("/proc/self/fd/"):
        return path
    folder, _, name = path.rpartition("/")
    return str(Path(folder).readlink() / name)


def _is_real(path: str) -> bool:
    """Return whether a file lies among the services' or labspec's own, which are no simulated ones."""
    return path.startswith(f"{services.ROOT.parent}/labspec-sim-")
