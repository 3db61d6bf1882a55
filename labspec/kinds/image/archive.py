"""Archives of `docker save`: read with distrust, and written anew with the lab's tag and labels.

The format is the image specification's (https://github.com/moby/moby/tree/master/image/spec); both the older layout
and the one of OCI carry the `manifest.json` that is read here.
"""

from __future__ import annotations

import gzip
import io
import json
import posixpath
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, cast

from labspec.core.diagnostic import LabError

MOST_BYTES = 32 * 2**30
"""The most that an archive unpacks to."""
_MOST_JSON = 8 * 2**20
_MOST_MEMBERS = 20_000
_MOST_LAYERS = 512
_MOST_HEADER = 2**20


class _Member(tarfile.TarInfo):
    """A member whose extended header cannot fill the memory."""

    def _proc_member(self, tar: tarfile.TarFile) -> Any:
        extended = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME)
        if self.type in (*extended, tarfile.GNUTYPE_LONGLINK) and self.size > _MOST_HEADER:
            raise tarfile.ReadError("an extended header is too large")
        return super()._proc_member(tar)  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Archive:
    """An open archive that holds one image."""

    tar: tarfile.TarFile
    config: Mapping[str, Any]
    layers: tuple[tarfile.TarInfo, ...]
    """The files of the layers, lowest first."""


@contextmanager
def opened(path: str) -> Iterator[Archive]:
    """Open the archive at a path. Raises LabError for one that is no archive of exactly one image."""
    try:
        with (
            Path(path).open("rb") as file,
            _plain(file) as plain,
            tarfile.open(fileobj=plain, mode="r:", tarinfo=_Member) as tar,
        ):
            yield _read(tar, path)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise _refused(path, f"it is no whole archive ({error})") from error
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror or error}") from error


def write_labelled(archive: Archive, target: IO[bytes], tag: str, labels: Mapping[str, str]) -> None:
    """Write an archive of the same image that has just this tag, and these labels besides its own.

    The names in it are made here, so that nothing of the source's names reaches the engine.
    """
    config = json.dumps(_labelled(archive.config, labels), sort_keys=True).encode()
    name = f"{sha256(config).hexdigest()}.json"
    names: dict[int, str] = {}
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as out:
        _put(out, name, io.BytesIO(config), len(config))
        for layer in archive.layers:
            if layer.offset_data in names:
                continue
            names[layer.offset_data] = f"layer{len(names)}.tar"
            content = archive.tar.extractfile(layer)
            if content is not None:
                _put(out, names[layer.offset_data], content, layer.size)
        layers = [names[layer.offset_data] for layer in archive.layers]
        manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": layers}]).encode()
        _put(out, "manifest.json", io.BytesIO(manifest), len(manifest))


def checked(path: str) -> None:
    """Raise LabError where the archive at a path cannot be loaded."""
    with opened(path):
        pass


@contextmanager
def _plain(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield the file, or where it is compressed a file with what it unpacks to: a tar file is read back and forth."""
    magic = file.read(2)
    file.seek(0)
    if magic != b"\x1f\x8b":
        yield file
        return
    with tempfile.TemporaryFile() as unpacked, gzip.GzipFile(fileobj=file) as packed:
        while chunk := packed.read(2**20):
            unpacked.write(chunk)
            if unpacked.tell() > MOST_BYTES:
                raise tarfile.ReadError(f"it unpacks to more than {MOST_BYTES >> 30} GiB")
        unpacked.seek(0)
        yield cast("IO[bytes]", unpacked)


def _read(tar: tarfile.TarFile, path: str) -> Archive:
    members = _members(tar, path)
    if "manifest.json" not in members:
        hint = "make it with 'docker save -o FILE IMAGE'; unpack a root file system with a step 'add'"
        raise _refused(path, "it has no manifest.json", hint)
    manifest = _json(tar, members, "manifest.json", path)
    if not isinstance(manifest, list) or not all(isinstance(image, dict) for image in manifest):
        raise _refused(path, "its manifest.json is not one of docker save")
    if len(manifest) != 1:
        raise _refused(path, f"it holds {len(manifest)} images", "save just one: docker save -o FILE IMAGE")
    layers = manifest[0].get("Layers")
    config = _json(tar, members, manifest[0].get("Config"), path)
    if not isinstance(config, dict) or not isinstance(layers, list) or len(layers) > _MOST_LAYERS:
        raise _refused(path, "its manifest.json is not one of docker save")
    return Archive(tar, config, tuple(_file(members, name, path) for name in layers))


def _members(tar: tarfile.TarFile, path: str) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    total = 0
    for member in tar:
        name = posixpath.normpath(member.name)
        total += member.size
        if len(members) >= _MOST_MEMBERS or total > MOST_BYTES:
            raise _refused(path, f"it has more than {_MOST_MEMBERS} files or {MOST_BYTES >> 30} GiB")
        if member.isdir():
            continue
        if name in members:
            raise _refused(path, f"it has {name!r} twice")
        members[name] = member
    return members


def _file(members: Mapping[str, tarfile.TarInfo], name: object, path: str) -> tarfile.TarInfo:
    """Return the regular file of a name; older versions of docker save write a repeated layer as a symlink to it."""
    if not isinstance(name, str):
        raise _refused(path, "its manifest.json is not one of docker save")
    clean = posixpath.normpath(name)
    member = members.get(clean)
    if member is not None and member.issym():
        member = members.get(posixpath.normpath(posixpath.join(posixpath.dirname(clean), member.linkname)))
    if member is None:
        raise _refused(path, f"{name!r} is missing in it")
    if not member.isreg() or member.issparse():
        raise _refused(path, f"{name!r} in it is not a regular file")
    return member


def _json(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], name: object, path: str) -> Any:
    member = _file(members, name, path)
    if member.size > _MOST_JSON:
        raise _refused(path, f"{name!r} in it is too large")
    content = tar.extractfile(member)
    try:
        return json.loads(content.read() if content else b"")
    except (ValueError, RecursionError):
        raise _refused(path, f"{name!r} in it is not JSON") from None


def _labelled(config: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    inner = config.get("config") or {}
    own = inner.get("Labels") if isinstance(inner, Mapping) else None
    kept = dict(own) if isinstance(own, Mapping) else {}
    return {**config, "config": {**inner, "Labels": {**kept, **labels}}}


def _put(out: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    out.addfile(member, content)


def _refused(path: str, why: str, hint: str | None = None) -> LabError:
    return LabError(f"cannot load {path}: {why}", hint=hint or "make it with 'docker save -o FILE IMAGE'")
