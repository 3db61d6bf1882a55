"""The steps that make a user, change one, and take that back; each one call of shadow's programs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.change import Step
from labspec.core.resource import Resource
from labspec.host.accounts import change_account, groups, users
from labspec.kinds.journalled import journal_entry

if TYPE_CHECKING:
    from labspec.host.host import Host

SKELETON = "/etc/skel"
_NO_GROUP = "65534"
OPTIONS = {"uid": "--uid", "group": "--gid", "home": "--home-dir", "shell": "--shell", "comment": "--comment"}


@dataclass(frozen=True)
class AddUser(Step):
    """Make a user, without a password. `entry` is JSON text, for the journal: it is written there before."""

    lab: str
    address: str
    name: str
    options: tuple[tuple[str, str], ...]
    system: bool
    entry: str

    @classmethod
    def of(cls, lab: str, resource: Resource) -> AddUser:
        """Return the step that makes the user of a resource."""
        options = tuple(
            (field, str(resource.desired[field])) for field in OPTIONS if resource.desired.get(field) is not None
        )
        entry = journal_entry(resource, {}, added=list(resource.desired.get("groups", ())))
        system = bool(resource.options["system"])
        return cls(lab, resource.address, resource.name, options, system, json.dumps(entry, sort_keys=True))

    def __str__(self) -> str:
        return " ".join(self._command(dict(self.options)))

    def run(self, host: Host) -> None:
        """Make it; one that is there already, since a package brought it, will do."""
        if self.name in users():
            return
        options = dict(self.options)
        keeps_group = options.get("group") == self.name or self.name in groups()
        if self.name in groups():
            options.setdefault("group", self.name)
        home = options.get("home", f"/home/{self.name}")
        makes_home = not self.system and not os.path.lexists(home)
        entry = {**json.loads(self.entry), "home": home if makes_home else None, "keeps_group": keeps_group}
        host.journal(self.lab).record(self.address, entry)
        change_account(host.system, self._command(options))

    def _command(self, options: Mapping[str, str]) -> list[str]:
        given = [word for field, value in options.items() for word in (OPTIONS[field], value)]
        kind = ["--system", "--no-create-home"] if self.system else ["--create-home"]
        group = [] if "group" in options else ["--user-group"]
        return ["useradd", *kind, *group, *given, "--", self.name]


@dataclass(frozen=True)
class ChangeUser(Step):
    """Change what a user is."""

    name: str
    options: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return " ".join(self._command())

    def run(self, host: Host) -> None:
        """Change it."""
        change_account(host.system, self._command())

    def _command(self) -> list[str]:
        names = {**OPTIONS, "home": "--home"}
        return ["usermod", *(word for field, value in self.options for word in (names[field], value)), "--", self.name]


@dataclass(frozen=True)
class RemoveUser(Step):
    """Remove a user that labspec made. `home` is removed only where nothing was added to what a new home has."""

    name: str
    home: str | None = None
    keeps_group: bool = False
    """A group of the same name was there before, and stays."""

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any]) -> RemoveUser:
        """Return the step for a user with this entry in the journal."""
        return cls(name, entry.get("home"), bool(entry.get("keeps_group")))

    def __str__(self) -> str:
        return f"userdel {self.name}" + (f", and {self.home} if nothing was added to it" if self.home else "")

    def run(self, host: Host) -> None:
        """Remove it; one that is gone already is fine."""
        if self.name in users():
            if self.keeps_group:
                # userdel takes a group of the user's name away, unless it is not the user's first one.
                change_account(host.system, ["usermod", "--gid", _NO_GROUP, "--", self.name])
            change_account(host.system, ["userdel", "--", self.name])
        if self.home and not added_to_home(self.home):
            remove_home(self.home)


def added_to_home(home: str) -> str | None:
    """Return something in a home that a new one does not have, or None; a home that is not there has nothing."""
    if not os.path.lexists(home):
        return None
    if not Path(home).is_dir() or Path(home).is_symlink():
        return home
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            path = Path(folder, name)
            model = Path(SKELETON, path.relative_to(home))
            if path.is_symlink() or not _alike(path, model):
                return str(path)
    return None


def remove_home(home: str) -> None:
    """Remove a home with nothing in it but what a new one has; whatever appears meanwhile stays."""
    for folder, _, files in os.walk(home, topdown=False):
        for name in files:
            Path(folder, name).unlink(missing_ok=True)
        try:
            Path(folder).rmdir()
        except OSError:
            return


def _alike(path: Path, model: Path) -> bool:
    if path.is_dir():
        return model.is_dir()
    return path.is_file() and model.is_file() and path.read_bytes() == model.read_bytes()
