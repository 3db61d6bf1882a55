"""Subordinate ids for userns-remap: a range in /etc/subuid and /etc/subgid for the user that containers run as."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.host.system import FileState
from labspec.kinds.daemon.record import ADDRESS

if TYPE_CHECKING:
    from labspec.host.host import Host
    from labspec.host.journal import Journal

SUBUID, SUBGID = "/etc/subuid", "/etc/subgid"
COUNT = 65536
FIRST = 100_000
DEFAULT = "default"
DEFAULT_USER = "dockremap"
_NO_USER = 6
"""What userdel(8) and groupdel(8) exit with where there is none."""


@dataclass(frozen=True)
class EnsureIds(Step):
    """Give a user and a group ranges of subordinate ids, unless they have some (subuid(5))."""

    lab: str
    user: str
    group: str

    def __str__(self) -> str:
        if self.user == DEFAULT_USER:
            return f"let Docker make the user {DEFAULT_USER} with subordinate ids, if there is none"
        whose = self.user if self.user == self.group else f"{self.user} and group {self.group}"
        return f"give {whose} subordinate ids in {SUBUID} and {SUBGID}, if there are none"

    def run(self, host: Host) -> None:
        """Add what is missing, with a note in the journal. Raises LabError where there is no such user or group."""
        journal = host.journal(self.lab)
        entry = journal.entries().get(ADDRESS, {})
        if self.user == DEFAULT_USER:
            self._note_default(journal, entry)
            return
        for path, names in ((SUBUID, _user_names(self.user)), (SUBGID, _group_names(self.group))):
            state = host.system.read(path) or FileState(b"", "0644", 0, 0)
            line = missing_range(state.content.decode(errors="replace"), names)
            if line is None:
                continue
            accounts = {**entry.get("accounts", {}), path: line}
            entry = {**entry, "kind": "daemon", "accounts": accounts}
            journal.record(ADDRESS, entry)
            content = state.content + line.encode()
            host.system.write(path, FileState(content, state.mode, state.uid, state.gid))

    def _note_default(self, journal: Journal, entry: Mapping[str, Any]) -> None:
        """Note that Docker is about to make its own user, so that it goes again."""
        if not user_exists(DEFAULT_USER):
            journal.record(ADDRESS, {**entry, "kind": "daemon", "accounts": {DEFAULT_USER: "user"}})


def missing_range(content: str, names: tuple[str, ...]) -> str | None:
    """Return the text to add to the content of /etc/subuid for one of these names; None where it has a range."""
    ranges = [line.split(":") for line in content.splitlines() if line.count(":") == 2]
    if any(owner in names for owner, _, _ in ranges):
        return None
    ends = [int(first) + int(count) for _, first, count in ranges if first.isdigit() and count.isdigit()]
    start = "" if not content or content.endswith("\n") else "\n"
    return f"{start}{names[0]}:{max([FIRST, *ends])}:{COUNT}\n"


def remapped(value: str) -> tuple[str, str]:
    """Return the user and the group of a value of userns-remap."""
    if value == DEFAULT:
        return DEFAULT_USER, DEFAULT_USER
    user, _, group = value.partition(":")
    return user, group or user


def user_exists(user: str) -> bool:
    """Return whether there is a user of this name or number."""
    try:
        _user_names(user)
    except LabError:
        return False
    return True


def take_back(host: Host, accounts: Mapping[str, str]) -> None:
    """Remove the lines that `EnsureIds` added, and the user that Docker made; what others did stays."""
    for path, line in accounts.items():
        if path == DEFAULT_USER:
            host.system.run(["userdel", DEFAULT_USER], accepted=(0, _NO_USER))
            host.system.run(["groupdel", DEFAULT_USER], accepted=(0, _NO_USER))
            continue
        state = host.system.read(path)
        if state is None or line.encode() not in state.content:
            continue
        before, _, after = state.content.rpartition(line.encode())
        host.system.write(path, FileState(before + after, state.mode, state.uid, state.gid))


def _user_names(user: str) -> tuple[str, ...]:
    try:
        found = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        raise LabError(f"there is no user {user} on this host", hint="add it under host.users") from None
    return found.pw_name, str(found.pw_uid)


def _group_names(group: str) -> tuple[str, ...]:
    try:
        found = grp.getgrgid(int(group)) if group.isdigit() else grp.getgrnam(group)
    except KeyError:
        raise LabError(f"there is no group {group} on this host", hint="add it under host.groups") from None
    return found.gr_name, str(found.gr_gid)
