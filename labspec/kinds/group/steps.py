"""The steps that make a group, change who is in it, and take that back; each one call of shadow's programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labspec.core.change import Step
from labspec.host.accounts import change_account, groups

if TYPE_CHECKING:
    from labspec.host.host import Host


@dataclass(frozen=True)
class AddGroup(Step):
    """Make a group; one that is there already, since a package or a user brought it, will do."""

    name: str
    gid: int | None = None
    system: bool = False

    def __str__(self) -> str:
        return " ".join(self._command())

    def run(self, host: Host) -> None:
        """Make it."""
        if self.name not in groups():
            change_account(host.system, self._command())

    def _command(self) -> list[str]:
        number = [] if self.gid is None else ["--gid", str(self.gid)]
        return ["groupadd", *(["--system"] if self.system else []), *number, "--", self.name]


@dataclass(frozen=True)
class SetGroupId(Step):
    """Give a group another number."""

    name: str
    gid: int

    def __str__(self) -> str:
        return f"groupmod --gid {self.gid} {self.name}"

    def run(self, host: Host) -> None:
        """Change it."""
        change_account(host.system, ["groupmod", "--gid", str(self.gid), "--", self.name])


@dataclass(frozen=True)
class AddMember(Step):
    """Add a user to a group."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"usermod --append --groups {self.group} {self.user}"

    def run(self, host: Host) -> None:
        """Add it; one that is in it already stays."""
        change_account(host.system, ["usermod", "--append", "--groups", self.group, "--", self.user])


@dataclass(frozen=True)
class RemoveMember(Step):
    """Take a user out of a group."""

    user: str
    group: str

    def __str__(self) -> str:
        return f"gpasswd --delete {self.user} {self.group}"

    def run(self, host: Host) -> None:
        """Take it out; one that is not in it, or is gone, is fine."""
        found = groups().get(self.group)
        if found and self.user in found.members:
            change_account(host.system, ["gpasswd", "--delete", self.user, self.group])


@dataclass(frozen=True)
class RemoveGroup(Step):
    """Remove a group."""

    name: str

    def __str__(self) -> str:
        return f"groupdel {self.name}"

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already is fine."""
        if self.name in groups():
            change_account(host.system, ["groupdel", "--", self.name])
