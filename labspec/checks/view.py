"""The host and the lab as one round of checks sees them: each thing is read once, however many checks look at it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from labspec.checks.keys import HOST
from labspec.checks.kind import RUNNING, NotThereError
from labspec.checks.running import run_there
from labspec.core.diagnostic import LabError
from labspec.host import accounts
from labspec.host.docker import inspect_path, segment
from labspec.kinds.subjects import KINDS, Subject, subjects

if TYPE_CHECKING:
    from labspec.core.resource import Lab
    from labspec.host.host import Host

_INIT = 1
"""The process whose namespaces are the host's."""
Result = TypeVar("Result")


class Process(NamedTuple):
    """A process of the host."""

    pid: int
    uid: int
    command: str
    """Its arguments, joined by spaces."""


class View:
    """What checks look at, of some addresses and (properties of) units. `timeout` is a thread's own."""

    def __init__(
        self, lab: Lab, host: Host, addresses: Collection[str] = (), units: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        self.lab = lab
        self.host = host
        self._addresses = [name for name in addresses if name in lab.by_address and lab.by_address[name].kind in KINDS]
        self._units = units or {}
        self._known: dict[tuple[str, str], Any] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._lock = threading.Lock()
        self._own = threading.local()

    @property
    def timeout(self) -> float:
        """Seconds that a look in this thread may take."""
        seconds: float = getattr(self._own, "seconds", 5.0)
        return seconds

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._own.seconds = seconds

    @cached_property
    def here(self) -> bool:
        """Whether processes of containers are processes of this machine, and labspec may look into them."""
        return os.geteuid() == 0 and self.host.local

    def subject(self, address: str) -> Subject:
        """Return what runs under an address. Raises NotThereError where nothing does."""
        found = self._subjects.get(address)
        if found is None:
            raise NotThereError(address, RUNNING, "not on this host")
        if not found.running:
            raise NotThereError(address, RUNNING, "it does not run")
        return found

    def pid(self, address: str) -> int:
        """Return the first process of what runs under an address. Raises NotThereError, or LabError from afar."""
        if not self.here:
            raise LabError(
                f"cannot look into {address} from here", hint="run labspec as root, on the machine of the Docker engine"
            )
        found = self.subject(address).pid
        if not found:
            raise NotThereError(address, RUNNING, "it has no process")
        return found

    def inspected(self, address: str) -> dict[str, Any]:
        """Return what the engine says of the container of a service, running or not. Raises NotThereError."""
        found = self._subjects.get(address)
        if found is None:
            raise NotThereError(address, "a container", "none")
        answer = self._once("container", found.id, lambda: self.host.docker.find(inspect_path(found.id)))
        if answer is None:
            raise NotThereError(address, "a container", "none")
        inspected: dict[str, Any] = answer
        return inspected

    def networks(self, address: str) -> dict[str, str]:
        """Return network -> own address on it of a service. Raises NotThereError."""
        self.subject(address)
        found = self.inspected(address)["NetworkSettings"]["Networks"] or {}
        return {name: network["IPAddress"] for name, network in sorted(found.items()) if network.get("IPAddress")}

    def engine(self, path: str) -> Any:
        """Return the engine's answer to GET `path`, {ADDRESS} in it replaced by ids. Raises ApiError."""
        for address in sorted(self._named(path)):
            path = path.replace(f"{{{address}}}", segment(self._id(address)))
        return self._once("engine", path, lambda: self.host.docker.get(path))

    def unit(self, name: str) -> dict[str, str]:
        """Return the properties of a unit that checks ask for."""
        return self._unit_properties[name]

    @cached_property
    def groups(self) -> dict[str, accounts.Group]:
        """The groups of this host."""
        return accounts.groups()

    @cached_property
    def users(self) -> dict[str, accounts.User]:
        """The users of this host."""
        return accounts.users()

    def run(self, place: str, command: Sequence[str], user: str | None) -> subprocess.CompletedProcess[str]:
        """Return how a program ended in a place, and what it printed. Raises NotThereError, LabError."""
        subject = None if place == HOST else self.subject(place)
        return run_there(self, subject, command, user)

    def mountinfo(self, place: str) -> str:
        """Return the mounts that a place has, as /proc/PID/mountinfo says it."""
        if place == HOST:
            return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
        if self.here:
            return Path(f"/proc/{self.pid(place)}/mountinfo").read_text(encoding="utf-8", errors="replace")
        return self._printed(place, ["cat", "/proc/self/mountinfo"])

    def namespaces(self, place: str) -> dict[str, str]:
        """Return type -> identity of the namespaces of a place."""
        if not self.here:
            raise LabError(
                "cannot compare namespaces from here", hint="run labspec as root, on the machine of the Docker engine"
            )
        if place != HOST:
            return _namespaces(self.pid(place))
        try:
            return _namespaces(_INIT)
        except PermissionError:
            # A first process with more powers than ours: it shares ours, where labspec is not in a container.
            return _namespaces("self")

    def cgroups(self, place: str) -> dict[str, Path]:
        """Return controller -> folder of what limits a place; "" is that of version 2."""
        lines = Path(f"/proc/{self.pid(place)}/cgroup").read_text(encoding="utf-8").splitlines()
        return self._once("cgroups", place, lambda: _folders(lines))

    def processes(self, place: str) -> list[Process]:
        """Return the processes of a place, by number."""
        if place == HOST:
            return self._once("processes", place, lambda: list(_processes(_every_pid())))
        if not self.here:
            raise LabError(
                f"cannot see the processes of {place} from here",
                hint="run labspec as root, on the machine of the Docker engine",
            )
        return self._once("processes", place, lambda: list(_processes(self._pids(place))))

    def archive(self, place: str, path: str) -> bytes | None:
        """Return a path of a container as a tar archive, or None where there is no such file."""
        from labspec.host.sandbox.client import Client

        command = Client(self.host.docker.address).arguments("cp", "-L", f"{self.subject(place).id}:{path}", "-")
        done = subprocess.run(command, capture_output=True, timeout=self.timeout, check=False)
        return done.stdout if done.returncode == 0 else None

    @cached_property
    def _subjects_once(self) -> dict[str, Subject]:
        return subjects(self.lab, self.host, self._addresses)

    @property
    def _subjects(self) -> dict[str, Subject]:
        with self._lock:
            return self._subjects_once

    @cached_property
    def _unit_properties_once(self) -> dict[str, dict[str, str]]:
        properties = sorted({"LoadState", *(name for names in self._units.values() for name in names)})
        return self.host.system.unit_properties(sorted(self._units), properties)

    @property
    def _unit_properties(self) -> dict[str, dict[str, str]]:
        with self._lock:
            return self._unit_properties_once

    def _named(self, path: str) -> Iterator[str]:
        for resource in self.lab.resources:
            if f"{{{resource.address}}}" in path:
                yield resource.address

    def _id(self, address: str) -> str:
        resource = self.lab.by_address[address]
        return self.inspected(address)["Id"] if resource.kind == "service" else resource.name

    def _pids(self, place: str) -> list[int]:
        """Return the processes in the cgroups of a place, and below them."""
        folders = self.cgroups(place)
        folder = folders.get("pids") or folders.get("") or next(iter(folders.values()))
        if str(folder).rstrip("/") == "/sys/fs/cgroup":
            return [self.pid(place)]
        found: set[int] = set()
        for listed in [folder / "cgroup.procs", *folder.rglob("cgroup.procs")]:
            with contextlib.suppress(OSError):
                found.update(map(int, listed.read_text(encoding="ascii").split()))
        return sorted(found)

    def _printed(self, place: str, command: Sequence[str]) -> str:
        done = self.run(place, command, None)
        if done.returncode:
            raise LabError(f"'{' '.join(command)}' in {place} failed: {done.stderr.strip()}")
        return done.stdout

    def _once(self, what: str, name: str, read: Callable[[], Result]) -> Result:
        key = (what, name)
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._known:
                self._known[key] = read()
            found: Result = self._known[key]
        return found


def _namespaces(process: int | str) -> dict[str, str]:
    return {link.name: str(link.readlink()) for link in Path(f"/proc/{process}/ns").iterdir()}


def _every_pid() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208  numbers only


def _processes(pids: Sequence[int]) -> Iterator[Process]:
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
            owner = Path(f"/proc/{pid}").stat().st_uid
        except OSError:
            continue
        if words != [b""]:
            yield Process(pid, owner, b" ".join(words).decode(errors="replace"))


def _folders(lines: Sequence[str]) -> dict[str, Path]:
    """Return controller -> folder of the lines of /proc/PID/cgroup (cgroups(7))."""
    mounted = Path("/sys/fs/cgroup")
    found: dict[str, Path] = {}
    for line in lines:
        _, names, path = line.split(":", 2)
        if not names:
            unified = mounted if (mounted / "cgroup.controllers").exists() else mounted / "unified"
            found[""] = unified / path.lstrip("/")
        for name in names.split(",") if names else ():
            folder = mounted / name / path.lstrip("/")
            if folder.exists():
                found[name] = folder
    return found
