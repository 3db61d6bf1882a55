"""How the Docker daemon of this machine runs: as a unit of systemd or by hand, and with which flags."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.kinds.daemon.keys import flag_keys

if TYPE_CHECKING:
    from labspec.host.host import Host

UNIT = "docker.service"
SOCKET_UNIT = "docker.socket"
CONFIG = "/etc/docker/daemon.json"
BOOTED = Path("/run/systemd/system")
"""A folder that is there where systemd is the init (sd_booted(3))."""


@dataclass(frozen=True, slots=True)
class Running:
    """The daemon: `pid` is 0 for one that is stopped, `unit` whether systemd runs it."""

    unit: bool
    pid: int
    binary: str
    arguments: tuple[str, ...]

    @property
    def config(self) -> str:
        """The path of its daemon.json."""
        return next((value for key, value, _ in flag_keys(list(self.arguments)) if key == "config-file"), CONFIG)

    def flagged(self, key: str) -> bool:
        """Return whether a key of daemon.json is given as a flag."""
        return any(name == key for name, _, _ in flag_keys(list(self.arguments)))


def find_daemon(host: Host) -> Running | None:
    """Return the daemon of this machine, or None where there is none: no unit, and nobody at the engine's socket."""
    path = host.docker.socket_path
    if path is None:
        return None
    if BOOTED.is_dir():
        wanted = ["LoadState", "MainPID", "ExecStart"]
        found = host.system.unit_properties([UNIT], wanted)[UNIT]
        if found.get("LoadState") == "loaded":
            pid = int(found.get("MainPID") or 0)
            words = _command_line(pid) or exec_start(found.get("ExecStart", ""))
            return _running(words, pid, unit=True) if words else None
    pid = _listener(path)
    words = _command_line(pid) if pid else []
    return _running(words, pid, unit=False) if words and Path(words[0]).name == "dockerd" else None


def exec_start(value: str) -> list[str]:
    """Return the words of a unit's ExecStart as `systemctl show` prints it, without variables."""
    found = re.search(r"argv\[\]=(.*?) ; ignore_errors=", value)
    return [word for word in found[1].split() if not word.startswith("$")] if found else []


def _running(words: Sequence[str], pid: int, *, unit: bool) -> Running:
    return Running(unit, pid, words[0], tuple(words[1:]))


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _listener(path: str) -> int:
    """Return the id of the process that listens on a unix socket, as the kernel tells its clients; 0 for none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        try:
            client.connect(path)
            pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        except OSError:
            return 0
        return int(pid)
