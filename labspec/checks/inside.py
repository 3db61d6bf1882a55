"""Looking into what runs, from outside: files below a process's root, its network, its users; nothing runs in there."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from labspec.core.diagnostic import LabError

LARGEST = 4 * 1024 * 1024
"""Bytes of a file that are read."""
_OPENAT2 = 437
"""The number of the system call, the same on every architecture that Docker runs on (openat2(2))."""
_NO_MAGIC_LINKS = 0x02
_IN_ROOT = 0x10
_CLONE_NEWNET = 0x40000000

Result = TypeVar("Result")


@contextmanager
def opened(path: str, pid: int | None, *, follow: bool = True) -> Iterator[int]:
    """Give a handle of a path as the process `pid` sees it (None: as this host does); it only names the file.

    No symlink leads out of the process's root, whatever the process does meanwhile. Raises OSError.
    """
    flags = os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    handle = os.open(path, flags) if pid is None else _below(f"/proc/{pid}/root", path, flags)
    try:
        yield handle
    finally:
        os.close(handle)


def content_of(handle: int) -> bytes:
    """Return what is in the regular file behind a handle of `opened`, or the first part of it. Raises OSError."""
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        return b""
    # The handle names this very file: no link is followed to open it once more, for reading.
    inner = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(inner, "rb") as file:
        return file.read(LARGEST)


def text_at(path: str, pid: int | None) -> str:
    """Return the text of a small file as a process sees it; nothing where there is none that can be read."""
    try:
        with opened(path, pid) as handle:
            return content_of(handle).decode(errors="replace")
    except OSError:
        return ""


def in_network_of(pid: int, call: Callable[[], Result]) -> Result:
    """Return what a function returns in the network of a process; what it raises is raised here."""
    found: list[Result] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            _join_network(pid)
            found.append(call())
        except BaseException as error:  # told to the thread that asked
            failed.append(error)

    # The namespace is the thread's own, and goes with it.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


def id_outside(pid: int, which: str) -> list[tuple[int, int, int]]:
    """Return the lines (inside, outside, how many) of the `uid` or `gid` map of a process."""
    lines = Path(f"/proc/{pid}/{which}_map").read_text(encoding="ascii").splitlines()
    return [(int(first), int(second), int(count)) for first, second, count in (line.split() for line in lines)]


def inner_id(outer: int, lines: list[tuple[int, int, int]]) -> int | None:
    """Return what an id of the host is inside, or None where it has no place there."""
    for inside, outside, count in lines:
        if outside <= outer < outside + count:
            return inside + outer - outside
    return None


def names_of(database: str, pid: int | None) -> dict[int, str]:
    """Return id -> name of `passwd` or `group` as a process sees it."""
    found: dict[int, str] = {}
    for line in text_at(f"/etc/{database}", pid).splitlines():
        parts = line.split(":")
        if len(parts) > 2 and parts[2].isdecimal():
            found.setdefault(int(parts[2]), parts[0])
    return found


def _below(root: str, path: str, flags: int) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    how = ctypes.create_string_buffer(struct.pack("QQQ", flags, 0, _IN_ROOT | _NO_MAGIC_LINKS), 24)
    top = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        size = ctypes.c_size_t(24)
        made: int = library.syscall(ctypes.c_long(_OPENAT2), top, os.fsencode(path), how, size)
    finally:
        os.close(top)
    if made < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return made


def _join_network(pid: int) -> None:
    library: Any = ctypes.CDLL(None, use_errno=True)
    handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if library.setns(handle, _CLONE_NEWNET) < 0:
            number = ctypes.get_errno()
            raise LabError(f"cannot look from a container's network: {os.strerror(number)}", hint="run labspec as root")
    finally:
        os.close(handle)
