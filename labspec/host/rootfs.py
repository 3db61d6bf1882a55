"""An image's root file system as a folder: exported by the engine, unpacked by a list of what may be in it.

What a container is made of may come from a stranger, and is unpacked as root: no member can lead out of the folder,
whatever its name, its links or the order of members.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from labspec.core.diagnostic import LabError
from labspec.host.docker import ApiError, image_path

if TYPE_CHECKING:
    from labspec.host.docker import Docker

LARGEST = 16 * 2**30
"""Bytes that a root file system may have in all."""
MOST_MEMBERS = 2_000_000
LEFT_OUT = frozenset({".dockerenv"})
"""What the engine puts into every container, and from which programs guess that they run under it."""
_SECONDS = 1800
_CHUNK = 2**20
_DOTS = ("", ".")


class UnsafeMember(Exception):  # noqa: N818  it is a finding, told as a LabError
    """A member that would lead out of the folder, or that the folder has no room for."""


def export_image(docker: Docker, image: str, folder: Path) -> str:
    """Unpack an image's root file system into a folder that is there and empty; return the image's id.

    Raises LabError where there is no such image, or something in it cannot be unpacked safely.
    """
    found = docker.find(image_path(image))
    if found is None:
        raise LabError(f"there is no image {image} on this host", hint=f"docker pull {image}")
    identity = str(found["Id"])
    # Never started; a command is needed only because an image may have none.
    made = docker.post("/containers/create", {"Image": identity, "Cmd": ["none"], "NetworkDisabled": True})["Id"]
    try:
        with _exported(docker, made) as stream:
            unpack(stream, folder)
    except UnsafeMember as error:
        raise LabError(f"image {image} is not unpacked: {error}") from error
    finally:
        try:
            docker.delete(f"/containers/{made}", {"force": "1", "v": "1"})
        except ApiError as error:
            if error.status != 404:
                raise
    return identity


def unpack(stream: IO[bytes], folder: Path, largest: int = LARGEST) -> None:
    """Unpack a tar stream: regular files, folders, and links that stay inside. Devices and sockets are left out.

    Owners are kept where this process is root. Raises UnsafeMember, with the folder half full.
    """
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    modes: list[tuple[list[str], tarfile.TarInfo]] = []
    left = largest
    try:
        with tarfile.open(fileobj=stream, mode="r|", errorlevel=2) as tar:
            for number, member in enumerate(tar):
                if number >= MOST_MEMBERS:
                    raise UnsafeMember(f"it has more than {MOST_MEMBERS} files")
                parts = _parts(member.name)
                if not parts or (len(parts) == 1 and parts[0] in LEFT_OUT):
                    continue
                left -= member.size if member.isreg() else 0
                if left < 0:
                    raise UnsafeMember(f"it is larger than {largest} bytes")
                _place(tar, member, parts, root)
                if member.isdir():
                    modes.append((parts, member))
        # Last, deepest first: a folder that must not be written to is written to until now.
        for parts, member in reversed(modes):
            with _opened(parts, root) as handle:
                _own(handle, member)
                os.utime(handle, (member.mtime, member.mtime))
    except (tarfile.TarError, OSError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        raise UnsafeMember(said or str(error)) from error
    finally:
        os.close(root)


def remove_tree(path: Path) -> None:
    """Remove a folder and all that is in it; one that is gone already is fine.

    Raises LabError, with nothing removed, while something is mounted inside: it would be emptied too.
    """
    if not os.path.lexists(path):
        return
    inside = [point for point in _mount_points() if point == str(path) or point.startswith(f"{path}/")]
    if inside:
        raise LabError(f"{path} is not removed: something is mounted at {inside[0]}", hint=f"umount {inside[0]}")
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise LabError(f"cannot remove {error.filename or path}: {error.strerror}") from error


@contextmanager
def _exported(docker: Docker, container: str) -> Iterator[IO[bytes]]:
    """Give the tar stream of a container. The client knows every way to an engine: sockets, TLS, ssh, contexts."""
    address = ["--context", docker.context] if getattr(docker, "context", "") else ["--host", docker.address]
    command = ["timeout", "--kill-after=10", str(_SECONDS), "docker", *address, "export", container]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if process.stdout is None or process.stderr is None:
            raise AssertionError("both are pipes")
        try:
            yield process.stdout
            process.stdout.read()
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise LabError(f"the engine does not export the image: {said or f'exit code {process.returncode}'}")


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in _DOTS]
    if ".." in parts or "\0" in name:
        raise UnsafeMember(f"{name!r} leads out of it")
    return parts


def _place(tar: tarfile.TarFile, member: tarfile.TarInfo, parts: list[str], root: int) -> None:
    if not (member.isdir() or member.isreg() or member.issym() or member.islnk()):
        return
    with _opened(parts[:-1], root) as folder:
        name = parts[-1]
        if member.isdir():
            try:
                os.mkdir(name, 0o700, dir_fd=folder)
            except FileExistsError:
                _only_folder(name, folder, member.name)
        elif member.issym():
            _stays_inside(member, parts)
            os.symlink(member.linkname, name, dir_fd=folder)
            if os.geteuid() == 0:
                os.chown(name, member.uid, member.gid, dir_fd=folder, follow_symlinks=False)
        elif member.islnk():
            source = _parts(member.linkname)
            if not source:
                raise UnsafeMember(f"{member.name!r} is a link to nothing")
            with _opened(source[:-1], root) as other:
                os.link(source[-1], name, src_dir_fd=other, dst_dir_fd=folder, follow_symlinks=False)
        else:
            _write(tar, member, name, folder)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, folder: int) -> None:
    content = tar.extractfile(member)
    if content is None:
        raise UnsafeMember(f"{member.name!r} has no content")
    # O_EXCL: a member never writes into what an earlier one has put there, be it a link.
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=folder)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
        file.flush()
        _own(handle, member)
        os.utime(handle, (member.mtime, member.mtime))


def _own(handle: int, member: tarfile.TarInfo) -> None:
    # The owner first: to change it takes set-user-ID bits away.
    if os.geteuid() == 0:
        os.fchown(handle, member.uid, member.gid)
    os.fchmod(handle, member.mode & 0o7777)


def _only_folder(name: str, folder: int, shown: str) -> None:
    try:
        os.close(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder))
    except OSError as error:
        raise UnsafeMember(f"{shown!r} is there twice, once as something else than a folder") from error


def _stays_inside(member: tarfile.TarInfo, parts: list[str]) -> None:
    """Raise for a relative symlink that goes above the root. An absolute one starts at the container's root."""
    if member.linkname.startswith("/"):
        return
    depth = len(parts) - 1
    for part in member.linkname.split("/"):
        if part in _DOTS:
            continue
        depth += -1 if part == ".." else 1
        if depth < 0:
            raise UnsafeMember(f"the link {member.name!r} leads out of it, to {member.linkname!r}")


@contextmanager
def _opened(parts: list[str], root: int) -> Iterator[int]:
    """Give a handle of a folder below the root, reached through folders only, never through links."""
    handle = os.dup(root)
    try:
        for part in parts:
            try:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            except FileNotFoundError:
                os.mkdir(part, 0o755, dir_fd=handle)
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            except OSError as error:
                raise UnsafeMember(f"{'/'.join(parts)!r} goes through {part!r}, which is no folder") from error
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _mount_points() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines()
    return [line.split(" ")[4].encode().decode("unicode_escape") for line in lines]
