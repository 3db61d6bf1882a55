"""The steps that write a file of the host and put back what was there."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING

from labspec.core.change import Step
from labspec.core.diagnostic import LabError
from labspec.host.accounts import groups, users
from labspec.host.paths import MissingFolderError, anchored, make_folders, remove_folders
from labspec.host.system import FileState

if TYPE_CHECKING:
    from labspec.host.host import Host


_FOLDERS = threading.Lock()
"""Files are written and removed side by side, and may share the folders that are made for them and go with them."""


@dataclass(frozen=True)
class WriteFile(Step):
    """Write a file wholly. What `mode`, `owner` and `group` do not say stays as it is, and is root's for a new one."""

    path: str
    content: bytes
    mode: str | None = None
    owner: str | None = None
    group: str | None = None

    def __str__(self) -> str:
        parts = [f"{len(self.content)} bytes"]
        parts += [f"mode {self.mode}"] if self.mode else []
        parts += [f"owner {self.owner or ''}:{self.group or ''}"] if self.owner or self.group else []
        return f"write {self.path}: {', '.join(parts)}"

    def run(self, host: Host) -> None:
        """Write it; names become numbers only now, since the accounts may have been made just before.

        Folders that are missing are made: those that users and packages bring are there by now.
        """
        with _FOLDERS:
            make_folders(str(PurePath(self.path).parent))
            self._write(host)

    def _write(self, host: Host) -> None:
        with anchored(self.path) as path:
            now = _regular(host, path) or FileState(b"", "0644", 0, 0)
            state = FileState(
                self.content,
                self.mode or now.mode,
                now.uid if self.owner is None else user_number(self.owner),
                now.gid if self.group is None else group_number(self.group),
            )
            host.system.write(path, state)


@dataclass(frozen=True)
class RestoreFile(Step):
    """Put a file back as it was, byte for byte. `content` is in base64; None: there was no file."""

    path: str
    content: str | None = None
    mode: str = "0644"
    uid: int = 0
    gid: int = 0

    def __str__(self) -> str:
        if self.content is None:
            return f"remove {self.path}"
        return f"put {self.path} back as it was, mode {self.mode}, owner {self.uid}:{self.gid}"

    def run(self, host: Host) -> None:
        """Put it back, or remove it where there was none, and the folders that were made for it."""
        with _FOLDERS:
            try:
                self._restore(host)
            except MissingFolderError:
                if self.content is not None:
                    raise

    def _restore(self, host: Host) -> None:
        with anchored(self.path) as path:
            if self.content is None:
                host.system.remove(path)
            else:
                host.system.write(path, FileState(base64.b64decode(self.content), self.mode, self.uid, self.gid))
        if self.content is None:
            remove_folders(str(PurePath(self.path).parent))


@dataclass(frozen=True)
class KeepCopy(Step):
    """Keep a copy of a file that somebody changed since labspec wrote it, in labspec's state folder."""

    lab: str
    path: str

    def __str__(self) -> str:
        return f"keep a copy of {self.path} in labspec's state folder"

    def run(self, host: Host) -> None:
        """Keep it; a file that is gone needs no copy."""
        with anchored(self.path) as path:
            now = _regular(host, path)
        if now is not None:
            mark = sha256(now.content).hexdigest()[:12]
            host.state.write(self.lab, f"kept-{mark}{self.path.replace('/', '_')}"[:200], now.content)


def _regular(host: Host, path: str) -> FileState | None:
    """Return the file at a path, or None: also where something else is, which a file then takes the place of."""
    try:
        return host.system.read(path)
    except LabError:
        return None


def user_number(name: str) -> int:
    """Return the number of a user given by name or number. Raises LabError where there is no such user."""
    found = users().get(name)
    if found:
        return found.uid
    return _number(name, "user")


def group_number(name: str) -> int:
    """Return the number of a group given by name or number. Raises LabError where there is no such group."""
    found = groups().get(name)
    if found:
        return found.gid
    return _number(name, "group")


def _number(name: str, what: str) -> int:
    if name.isascii() and name.isdigit() and int(name) < 2**32 - 1:
        return int(name)
    raise LabError(f"this host has no {what} {name}", hint=f"add it to 'host.{what}s'")
