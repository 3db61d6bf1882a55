"""A file as something of the lab sees it; where the engine is elsewhere, as the engine's archive has it."""

from __future__ import annotations

import errno
import io
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labspec.checks.inside import LARGEST, content_of, id_outside, inner_id, names_of, opened
from labspec.checks.keys import HOST

if TYPE_CHECKING:
    from labspec.checks.view import View

_TYPES = (
    (stat.S_ISREG, "file"),
    (stat.S_ISDIR, "directory"),
    (stat.S_ISLNK, "symlink"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "pipe"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found."""

    type: str
    mode: int
    owner: str
    group: str
    size: int
    content: str
    target: str


def found_at(path: str, place: str, view: View, *, follow: bool, with_content: bool) -> Found:
    """Return the file at a path of `place`. Raises OSError (ENOENT where there is none), NotThereError, LabError."""
    if place != HOST and not view.here:
        return _from_archive(path, place, view, with_content=with_content)
    pid = None if place == HOST else view.pid(place)
    with opened(path, pid, follow=follow) as handle:
        state = os.fstat(handle)
        content = content_of(handle).decode(errors="replace") if with_content else ""
        target = os.readlink("", dir_fd=handle) if stat.S_ISLNK(state.st_mode) else ""
    return Found(
        _type(state.st_mode),
        state.st_mode,
        account(state.st_uid, "passwd", pid),
        account(state.st_gid, "group", pid),
        state.st_size,
        content,
        target,
    )


def account(number: int, database: str, pid: int | None) -> str:
    """Return the name of a user (`passwd`) or group as a process sees it, or the number where it has none there."""
    inside: int | None = number
    if pid is not None:
        inside = inner_id(number, id_outside(pid, "uid" if database == "passwd" else "gid"))
    return "nobody" if inside is None else names_of(database, pid).get(inside, str(inside))


def _type(mode: int) -> str:
    return next((name for test, name in _TYPES if test(mode)), "device")


def _from_archive(path: str, place: str, view: View, *, with_content: bool) -> Found:
    import tarfile

    archive = view.archive(place, path)
    if archive is None:
        raise FileNotFoundError(errno.ENOENT, "no such file", path)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.next()
        if member is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        inner = tar.extractfile(member) if with_content and member.isfile() else None
        content = inner.read(LARGEST).decode(errors="replace") if inner else ""
    kinds = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK, tarfile.FIFOTYPE: stat.S_IFIFO}
    form = stat.S_IFREG if member.isfile() else kinds.get(member.type, stat.S_IFCHR)
    return Found(
        _type(form | member.mode),
        form | member.mode,
        str(member.uid),
        str(member.gid),
        member.size,
        content,
        member.linkname,
    )
