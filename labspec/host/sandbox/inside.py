"""The other end of a parcel, run in the sandbox: files from a tar archive on standard input put below a folder.

Only what an earlier parcel brought is removed again: what containers wrote into the lab's folder stays. Files are
rewritten in place, and only where they differ, since containers may have them mounted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tarfile
from pathlib import Path
from typing import IO

LISTS = ".sent"
_LARGE = 1024 * 1024


def main(arguments: list[str]) -> None:
    """Receive a parcel: `arguments` are the root, the lab's folder, and folders to make, as named on the other host."""
    root, folder = Path(arguments[0]), arguments[1]
    receive(sys.stdin.buffer, root, folder)
    for needed in arguments[1:]:
        (root / needed.lstrip("/")).mkdir(parents=True, exist_ok=True)


def receive(source: IO[bytes], root: Path, folder: str) -> None:
    """Put the files of an archive below `root`, and remove those that the last one of `folder` had and this has not."""
    root.mkdir(parents=True, exist_ok=True)
    names = []
    with tarfile.open(fileobj=source, mode="r|") as tar:
        for member in tar:
            if member.name.startswith("/") or ".." in member.name.split("/"):
                raise SystemExit(f"{member.name!r} is no path below the lab's folder")
            _put(tar, member, _place(root, member.name))
            names.append(member.name)
    list_of_names = root / LISTS / hashlib.sha256(folder.encode()).hexdigest()
    before = json.loads(list_of_names.read_text()) if list_of_names.exists() else []
    for name in sorted(set(before) - set(names), reverse=True):
        _remove(root / name)
    list_of_names.parent.mkdir(exist_ok=True)
    list_of_names.write_text(json.dumps(names))


def _place(root: Path, name: str) -> Path:
    """Return the path of a member, with the folders above it made; a link on the way makes room for a folder."""
    here = root
    for part in Path(name).parts[:-1]:
        here /= part
        if here.is_symlink() or (here.exists() and not here.is_dir()):
            here.unlink()
        here.mkdir(exist_ok=True)
    return root / name


def _put(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        path.mkdir(exist_ok=True)
        path.chmod(member.mode)
    elif member.issym():
        if path.is_symlink() and os.readlink(path) == member.linkname:  # noqa: PTH115  Path drops what it says
            return
        _clear(path)
        path.symlink_to(member.linkname)
    elif member.isreg():
        if path.is_symlink() or path.is_dir():
            _clear(path)
        content = tar.extractfile(member)
        if content is not None and not _same(path, member):
            with path.open("wb") as file:
                shutil.copyfileobj(content, file, _LARGE)
        path.chmod(member.mode)
        os.utime(path, ns=(_nanoseconds(member), _nanoseconds(member)))


def _same(path: Path, member: tarfile.TarInfo) -> bool:
    """Return whether a file was left alone since it was put there: same size, same time."""
    if not path.exists():
        return False
    found = path.stat()
    return found.st_size == member.size and found.st_mtime_ns == _nanoseconds(member)


def _nanoseconds(member: tarfile.TarInfo) -> int:
    return round(member.mtime * 1_000_000_000)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove a file or an empty folder; a folder in which something else lies stays."""
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
