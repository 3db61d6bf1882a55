"""Users and groups of the host, each read in one go, and the programs that change them, one at a time."""

from __future__ import annotations

import grp
import pwd
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labspec.host.system import System

_LOCK = threading.Lock()
"""The programs lock the password files and give up when they must wait: labspec's own steps take turns."""


@dataclass(frozen=True, slots=True)
class User:
    """A user as /etc/passwd has it (passwd(5))."""

    name: str
    uid: int
    gid: int
    comment: str
    home: str
    shell: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group as /etc/group has it (group(5)); those whose first group it is are not among its members."""

    name: str
    gid: int
    members: tuple[str, ...]


def users() -> dict[str, User]:
    """Return the users by name."""
    entries = pwd.getpwall()
    return {
        entry.pw_name: User(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_gecos, entry.pw_dir, entry.pw_shell)
        for entry in reversed(entries)
    }


def groups() -> dict[str, Group]:
    """Return the groups by name."""
    return {
        entry.gr_name: Group(entry.gr_name, entry.gr_gid, tuple(entry.gr_mem)) for entry in reversed(grp.getgrall())
    }


def change_account(system: System, command: Sequence[str], accepted: Sequence[int] = (0,)) -> None:
    """Run one of the programs that change accounts: useradd, groupmod, ... Raises LabError where it fails."""
    with _LOCK:
        system.run(command, accepted=accepted)
