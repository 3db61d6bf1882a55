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

_LOCK, _PROGRAMS = "lock", "lock.programs"
PENDING = "pending.json"
"""Settings that go back unless they are confirmed."""
COPIES = "rollback"
"""The folder of what Docker's settings were before an apply that is under way, or was cut off."""
_RECORDS = ("applied.json", "adopted.json", "settings.json")
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


def write_atomic(
    path: Path, content: bytes, mode: int = 0o600, owner: tuple[int, int] | None = None, *, one_writer: bool = False
) -> None:
    """Replace `path` by a file with this content, wholly or not at all, following no symlink at its place.

    `owner` is (user, group) as numbers; without it the file is the caller's. With `one_writer`, what a write that was
    cut off has left beside it goes with the next: nobody else may write the same file at the same time.
    """
    import tempfile

    if one_writer:
        name = str(draft_of(path))
        Path(name).unlink(missing_ok=True)
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    else:
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


def draft_of(path: Path) -> Path:
    """Return where a file is written, before it is put in its place, by its one writer."""
    return path.with_name(f".{path.name}"[:240] + ".labspec")


class StateFolder:
    """The folder of every lab's state: compose files as last applied, what was applied in place, the locks.

    A lab has two locks. Whoever changes it holds `lock`, and hands it on to the programs that it starts itself. Those
    that a library starts, which hands nothing on, hold `lock.programs` (host.py). So a lab stays locked while a program
    goes on that a labspec has started which was killed.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_state_root()
        self._own_root = root is None and not os.environ.get("LABSPEC_STATE_DIR")
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

    def has(self, lab: str, name: str = "") -> bool:
        """Return whether something of this name is in the lab's folder, or ("") whether it has one."""
        return (self.root / lab / name).exists()

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

    def adopted(self, lab: str) -> dict[str, dict[str, Any]]:
        """Return object id -> what is recorded of it (kind, address, fields), of what the lab has adopted.

        A missing or unreadable record is an empty one: the objects are somebody else's then.
        """
        try:
            record = json.loads((self.root / lab / "adopted.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return (
            {key: entry for key, entry in record.items() if isinstance(entry, dict)} if isinstance(record, dict) else {}
        )

    def record_adopted(self, lab: str, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Add entries to the record of `adopted`."""
        record = {**self.adopted(lab), **entries}
        self.write(lab, "adopted.json", json.dumps(record, sort_keys=True).encode())

    @contextmanager
    def lock(self, lab: str) -> Iterator[None]:
        """Hold the lab's lock. Raises LockedError, naming the holder, while another process has it.

        A folder in which nothing but the lock is left goes with it.
        """
        folder = self.root / lab
        programs = folder / _PROGRAMS
        handle = self._locked(lab)
        try:
            os.close(_locked(programs, lab))
            for left in folder.glob(".*"):
                left.unlink()  # the draft of a file that a labspec which was killed was writing
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"labspec, process {os.getpid()}\n".encode(), 0)
            self.handles, self.programs = (handle,), programs
            yield
        finally:
            self.handles, self.programs = (), None
            self._tidy(folder)
            os.close(handle)

    def _locked(self, lab: str) -> int:
        """Return a handle of the lab's lock. Who had it before may just have removed it: then there is another."""
        while True:
            path = self.lab(lab) / _LOCK
            try:
                handle = _locked(path, lab)
                if os.path.samestat(os.fstat(handle), path.stat()):
                    return handle
                os.close(handle)
            except FileNotFoundError:
                continue

    def _tidy(self, folder: Path) -> None:
        """Remove the lock of a lab that has nothing here but copies for the user, and the folders then empty."""
        try:
            names = {entry.name for entry in folder.iterdir()} - {_LOCK, _PROGRAMS}
            if not all(name.startswith("kept-") for name in names):
                return
            if (folder / _PROGRAMS).exists():
                os.close(_locked(folder / _PROGRAMS, folder.name))
            for name in (_PROGRAMS, _LOCK):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
            if self._own_root:
                self.root.rmdir()
        except (OSError, LockedError):
            return

    def forget(self, lab: str) -> None:
        """Remove the lab's folder and the files that labspec puts there; anything else stays, and so the folder.

        A journal with entries is something else: it is the way back of what is still changed.
        """
        folder = self.root / lab
        if not folder.is_dir():
            return
        for entry in folder.iterdir():
            if entry.is_file() and (entry.name in _RECORDS or entry.name.endswith(".compose.json")):
                entry.unlink()
        self._tidy(folder)


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
        if not command:
            continue  # it is about to end
        if Path(command.partition(" ")[0]).name.startswith(("python", "labspec")):
            return f"labspec, process {folder.parent.name}"  # it has not said so yet
        shown = " ".join(command.split())[:60]
        return f"'{shown}', process {folder.parent.name}, which a labspec that was killed has left"
    return said or "another process"


def _is_same(link: Path, path: Path) -> bool:
    try:
        return link.samefile(path)
    except OSError:
        return False
