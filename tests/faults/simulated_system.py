"""The simulated host outside Docker: files and groups in memory, behind the calls that labspec makes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from simulated import World

from labspec.core.diagnostic import LabError
from labspec.host.system import FileState


class SimulatedSystem:
    """Stands for labspec.host.system.System."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, path: str) -> FileState | None:
        self.world.look()
        return self.world.files.get(_real(path))

    def write(self, path: str, state: FileState) -> None:
        self.world.write("write file", lambda: self.world.files.update({_real(path): state}))

    def remove(self, path: str) -> None:
        self.world.write("remove file", lambda: self.world.files.pop(_real(path), None))

    def run(self, command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.world.write(command[0], lambda: self._run(list(command)), child=True)
        return subprocess.CompletedProcess(list(command), 0, "", "")

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
