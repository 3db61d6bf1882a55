"""labspec's own folder on the host: one private folder a lab, atomic files, one writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError

EXIT_LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""


class LockedError(LabError):
    """Another labspec is changing the same lab."""

    exit_code = EXIT_LOCKED


def default_state_root() -> Path:
    """Return LABSPEC_STATE_DIR, else /var/lib/labspec for root, else $XDG_STATE_HOME/labspec."""
    chosen = os.environ.get("LABSPEC_STATE_DIR")
    if chosen:
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/lib/labspec")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "labspec"


def write_atomic(path: Path, content: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Replace `path` by a file with this content, wholly or not at all, following no symlink at its place.

    `owner` is (user, group) as numbers; without it the file is the caller's.
    """
    import tempfile

    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class StateFolder:
    """The folder of every lab's state: compose files as last applied, what was applied in place, the locks.

    A lab has two locks. Whoever changes it holds `lock`, and hands it on to the programs that it starts itself. Those
    that a library starts, which hands nothing on, hold `lock.programs` (host.py). So a lab stays locked while a program
    goes on that a labspec has started which was killed.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_state_root()
        self.handles: tuple[int, ...] = ()
        """While the lock is held: what keeps it, for programs to inherit."""
        self.programs: Path | None = None
        """While the lock is held: the lock of programs that inherit nothing."""

    def lab(self, name: str) -> Path:
        """Return the lab's folder, made with mode 0700 if need be. Raises LabError where it cannot be made."""
        folder = self.root / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LabError(
                f"cannot make labspec's state folder {folder}: {error.strerror}",
                hint="set LABSPEC_STATE_DIR to a folder that you can write to",
            ) from error
        return folder

    def write(self, lab: str, name: str, content: bytes) -> Path:
        """Write one file of the lab's folder atomically and return its path."""
        path = self.lab(lab) / name
        write_atomic(path, content)
        return path

    def applied(self, lab: str) -> dict[str, dict[str, str]]:
        """Return object id -> field -> digest for what was changed in place since the object was made.

        A missing or unreadable record is an empty one: the objects' labels say the rest.
        """
        try:
            record = json.loads((self.root / lab / "applied.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def record_applied(self, lab: str, entries: Mapping[str, Mapping[str, str]], keep: set[str]) -> None:
        """Add entries to the record of `applied`, and forget the ids that are neither in it now nor in `keep`."""
        record: dict[str, Any] = {key: value for key, value in self.applied(lab).items() if key in keep}
        record.update({key: dict(value) for key, value in entries.items()})
        self.write(lab, "applied.json", json.dumps(record, sort_keys=True).encode())

    @contextmanager
    def lock(self, lab: str) -> Iterator[None]:
        """Hold the lab's lock. Raises LockedError, naming the holder, while another process has it."""
        folder = self.lab(lab)
        path, programs = folder / "lock", folder / "lock.programs"
        handle = _locked(path, lab)
        try:
            os.close(_locked(programs, lab))
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"labspec, process {os.getpid()}\n".encode(), 0)
            self.handles, self.programs = (handle,), programs
            yield
        finally:
            self.handles, self.programs = (), None
            os.close(handle)

    def forget(self, lab: str) -> None:
        """Remove the lab's folder and the files that labspec puts there; anything else stays, and so the folder.

        A journal with entries is something else: it is the way back of what is still changed.
        """
        folder = self.root / lab
        if not folder.is_dir():
            return
        for entry in folder.iterdir():
            if entry.is_file() and (entry.name in _OWN or entry.name.endswith(".compose.json")):
                entry.unlink()
        try:
            folder.rmdir()
        except OSError:
            return


_OWN = ("applied.json", "lock", "lock.programs")


def _locked(path: Path, lab: str) -> int:
    """Return a handle of a file that is locked while it is open. Raises LockedError while another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(handle, 200, 0).decode(errors="replace").strip()
        os.close(handle)
        raise LockedError(
            f"lab '{lab}' is being changed by {_holder(path, said)}", hint="wait for it to end, then try again"
        ) from None
    except BaseException:
        os.close(handle)
        raise
    return handle


def _holder(path: Path, said: str) -> str:
    """Return who has a file open: the labspec that says so, else a program that one which was killed has left."""
    pid = said.rpartition(" ")[2]
    if pid.isdecimal() and Path("/proc", pid).is_dir():
        return said
    # The newest knows best: those before it only wait for it.
    for folder in sorted(Path("/proc").glob("[0-9]*/fd"), key=lambda found: -int(found.parent.name)):
        try:
            if int(folder.parent.name) == os.getpid() or not any(_is_same(link, path) for link in folder.iterdir()):
                continue
            command = (folder.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended, or is somebody else's
        shown = " ".join(command.split())[:60]
        return f"'{shown}', process {folder.parent.name}, which a labspec that was killed has left"
    return said or "another process"


def _is_same(link: Path, path: Path) -> bool:
    try:
        return link.samefile(path)
    except OSError:
        return False
