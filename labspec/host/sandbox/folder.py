"""A lab's folder as a stream: what of it goes into a sandbox, and what stays out."""

from __future__ import annotations

import os
import posixpath
import stat
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from labspec.core.diagnostic import LabError
from labspec.host.sandbox.client import Client
from labspec.host.sandbox.software import PLACE

ROOT = "/labs"
"""Below it a sandbox has the lab at the path that it has here, so that relative paths mean the same."""
SEND_SECONDS = 300
FETCH_SECONDS = 60
MOST_BYTES = 512 * 1024 * 1024
MOST_FILES = 20_000
STAYS = frozenset({".git", ".hg", ".svn", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes in: `folder` is the lab's, absolute; `files` are absolute paths, sorted; `left_out` says why not."""

    folder: str
    files: tuple[str, ...]
    left_out: tuple[str, ...]


def collect(folder: str, further: Iterable[str] = (), most_bytes: int = MOST_BYTES) -> Parcel:
    """Return what of a folder and of single files (all absolute) goes in.

    Left out are symlinks that lead out of the folder, and what is neither file, folder nor link. Raises LabError where
    it is too much, or cannot be read.
    """
    files: set[str] = set()
    left_out = []
    size = 0
    for path, mode, length in _walk(folder):
        if stat.S_ISLNK(mode) and not _stays_inside(folder, path):
            left_out.append(f"{posixpath.relpath(path, folder)}: a link that leads out of the lab's folder")
        elif not (stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode)):
            left_out.append(f"{posixpath.relpath(path, folder)}: neither a file nor a folder")
        else:
            files.add(path)
            size += length if stat.S_ISREG(mode) else 0
        if size > most_bytes or len(files) > MOST_FILES:
            raise LabError(
                f"the folder {folder} is too large to copy into a sandbox: more than "
                f"{most_bytes // (1024 * 1024)} MiB or {MOST_FILES} files",
                hint="give the lab a folder of its own",
            )
    files.update(path for path in further if Path(path).is_file() and path not in files)
    return Parcel(folder, tuple(sorted(files)), tuple(left_out))


def send(client: Client, container: str, parcel: Parcel, folders: Iterable[str]) -> None:
    """Make a sandbox have a parcel's files and some folders below ROOT, and no more that an earlier one brought."""
    client.feed(
        lambda sink: write(sink, parcel),
        *("exec", "-i", "-w", PLACE, container, "python3", "-m", "labspec.host.sandbox.inside"),
        *(ROOT, parcel.folder, *folders),
        seconds=SEND_SECONDS,
    )


def write(sink: IO[bytes], parcel: Parcel) -> None:
    """Write a parcel as a tar archive, whose names are the absolute paths without the first '/'."""
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for path in parcel.files:
            _add(tar, path)


def absolute(path: str) -> str:
    """Return an absolute path without '.' and '..', its links kept: they are what the user calls the place."""
    return os.path.abspath(path)  # noqa: PTH100  Path.resolve would follow them


def inside(path: str) -> str:
    """Return where in a sandbox a path of this host is: below ROOT if absolute, else the same."""
    return ROOT + posixpath.normpath(path) if path.startswith("/") else path


def outside(path: str) -> str | None:
    """Return the path of this host that a path of a sandbox stands for, or None for another path."""
    return path.removeprefix(ROOT) if path.startswith(f"{ROOT}/") else None


def _add(tar: tarfile.TarFile, path: str) -> None:
    member = tarfile.TarInfo(path.lstrip("/"))
    found = os.lstat(path)
    member.mtime, member.mode = found.st_mtime, stat.S_IMODE(found.st_mode) & 0o777
    if stat.S_ISLNK(found.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, str(Path(path).readlink())
        tar.addfile(member)
    elif stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
    else:
        # Opened so that a file swapped for a link or a pipe since the walk is refused, and its size read from the file
        # that is open.
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise LabError(f"cannot read {path}: {error.strerror}") from error
        with os.fdopen(handle, "rb") as file:
            member.size = os.fstat(file.fileno()).st_size
            tar.addfile(member, file)


def _walk(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield (path, mode, size) of all that is below a folder, without following links."""
    try:
        with os.scandir(folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise LabError(f"cannot read the folder {folder}: {error.strerror}") from error
    for child in children:
        if child.name in STAYS:
            continue
        found = child.stat(follow_symlinks=False)
        yield child.path, found.st_mode, found.st_size
        if stat.S_ISDIR(found.st_mode):
            yield from _walk(child.path)


def _stays_inside(folder: str, link: str) -> bool:
    target = os.readlink(link)  # noqa: PTH115  Path drops what a link's target says
    if target.startswith("/"):
        return False
    reached = os.path.realpath(link)
    root = os.path.realpath(folder)
    return reached == root or reached.startswith(root.rstrip("/") + "/")
