"""Files reached through folders that nobody but root can swap while labspec, as root, is on its way to them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath

from labspec.core.diagnostic import LabError

MARK = ".labspec"
"""The file that tells a folder of labspec's making."""
_MOST_LINKS = 20


@contextmanager
def anchored(path: str) -> Iterator[str]:
    """Open the folder of an absolute, normalised path, and give a name for the file that leads to just that folder.

    A symlink on the way is followed only where root made it, in a folder that only root can write to (/var/run, say).
    Raises LabError for any other, and where a folder is missing.
    """
    folder, name = os.path.split(path)
    handle = _open_folder(folder)
    at = f"/proc/self/fd/{handle}/{name}"
    try:
        yield at
    except LabError as error:
        told = [found._replace(message=found.message.replace(at, path)) for found in error.diagnostics]
        raise LabError(told) from error
    finally:
        os.close(handle)


class MissingFolderError(LabError):
    """There is no folder on the way to a file."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"there is no folder {folder}", hint=f"make it first: mkdir {folder}")
        self.folder = folder


def make_folder(path: str) -> None:
    """Make a folder for files of labspec's own, marked so that it goes again; one that is there stays as it is.

    Raises LabError where it cannot be made.
    """
    try:
        with anchored(path) as at:
            Path(at).mkdir(mode=0o755)
            Path(at, MARK).touch(mode=0o644)
    except FileExistsError:
        return
    except OSError as error:
        raise LabError(f"cannot make the folder {path}: {error.strerror}") from error


def remove_folder(path: str) -> bool:
    """Remove a folder that `make_folder` made, once nothing else is in it; return whether it is gone."""
    with anchored(path) as at:
        if not Path(at).is_dir() or [inner.name for inner in Path(at).iterdir()] != [MARK]:
            return False
        Path(at, MARK).unlink()
        Path(at).rmdir()
        return True


def make_folders(path: str) -> None:
    """Make a folder, and those above it that are missing, each as `make_folder` does."""
    for folder in (*reversed(PurePath(path).parents[:-1]), path):
        try:
            with anchored(f"{folder}/{MARK}"):
                continue
        except MissingFolderError:
            make_folder(str(folder))


def remove_folders(path: str) -> None:
    """Remove a folder, and those above it, as far as `make_folders` made them and nothing else is in them."""
    while remove_folder(path):
        path = str(PurePath(path).parent)


def _open_folder(path: str) -> int:
    handle = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        todo = [part for part in path.split("/") if part]
        shown = ""
        safe = _only_roots(os.fstat(handle))
        links = 0
        while todo:
            part = todo.pop(0)
            inner = _step(handle, part, f"{shown}/{part}")
            if isinstance(inner, str):
                links += 1
                _check_link(safe and links <= _MOST_LINKS and os.lstat(part, dir_fd=handle).st_uid == 0, shown, part)
                todo = [*(step for step in inner.split("/") if step), *todo]
                if inner.startswith("/"):
                    os.close(handle)
                    handle = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    shown, safe = "", _only_roots(os.fstat(handle))
                continue
            os.close(handle)
            handle = inner
            shown = os.path.normpath(f"{shown}/{part}")
            safe = safe and _only_roots(os.fstat(handle))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _step(folder: int, part: str, shown: str) -> int | str:
    """Return a handle of the folder inside a folder, or where the symlink in its place leads."""
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError as error:
        raise MissingFolderError(shown) from error
    except OSError as error:
        if stat.S_ISLNK(os.lstat(part, dir_fd=folder).st_mode):
            return os.readlink(part, dir_fd=folder)
        raise LabError(f"{shown} is no folder that labspec can go into: {error.strerror}") from error


def _check_link(good: bool, folder: str, name: str) -> None:
    if not good:
        raise LabError(
            f"{folder}/{name} is a symlink that others than root can change",
            hint="name the file by the path that the symlink leads to",
        )


def _only_roots(found: os.stat_result) -> bool:
    return found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
