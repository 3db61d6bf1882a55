"""The files that a build takes from its context, and a digest over just these."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.core.diff import digest
from labspec.core.resource import Resource
from labspec.kinds.image.parse import Source, instructions, sources
from labspec.kinds.image.patterns import NOTHING, Ignore, has_wildcard, segment_pattern

FileKey = tuple[str, int, int, int]
"""Path, size, and the times of the last change of content and of the file itself, in nanoseconds."""
MOST_FILES = 100_000
_MOST_LINKS = 40
_KNOWN: dict[FileKey, str] = {}


@dataclass(frozen=True, slots=True)
class Selection:
    """What sources name: `files` are (path in the context, absolute path), sorted; a folder's path ends in '/'."""

    files: tuple[tuple[str, str], ...] = ()
    missing: tuple[Source, ...] = ()


@dataclass(slots=True)
class _Walk:
    context: str
    ignore: Ignore
    found: dict[str, str] = field(default_factory=dict)


def select(context: str, wanted: Iterable[Source], ignore: Ignore = NOTHING) -> Selection:
    """Return the files of a context (an absolute path) that sources name, and the sources that name none.

    Nothing outside of the context is ever looked at: as in a build, symlinks stay inside. Raises LabError where there
    are too many files, or a folder cannot be read.
    """
    walk = _Walk(context, ignore)
    missing = []
    for source in wanted:
        before = len(walk.found)
        paths = list(_named(walk, source.path))
        for path in paths:
            _add(walk, path)
        if not paths or (len(walk.found) == before and not any(_covered(walk, path) for path in paths)):
            missing.append(source)
    return Selection(tuple(sorted(walk.found.items())), tuple(missing))


def content_digest(files: Sequence[Sequence[str]], known: MutableMapping[FileKey, str] = _KNOWN) -> str:
    """Return a digest over the paths, kinds, exec bits, link targets and contents of files as `select` gives them.

    `known` remembers the digests of contents, so that a file that has not been touched is not read again.
    """
    return digest([[relative, *_identity(absolute, known)] for relative, absolute in files])


def file_digest(path: str, known: MutableMapping[FileKey, str] = _KNOWN) -> str:
    """Return the SHA-256 of a regular file, in hex. Raises LabError where it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            key = (path, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if key not in known:
                known[key] = hashlib.file_digest(file, "sha256").hexdigest()
            return known[key]
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error


def remembered() -> Mapping[FileKey, str]:
    """Return the digests of the files that were read so far, in that order."""
    return _KNOWN


def remember(digests: Mapping[FileKey, str]) -> None:
    """Take over digests of an earlier run: a file that has not been touched since is not read again."""
    _KNOWN.update(digests)


def with_content(resource: Resource) -> tuple[Resource, tuple[Source, ...]]:
    """Return an image with the files that decide it as they are now, and the sources that name no file.

    Needs nothing but the resource: a stored lab calls `refreshed` to see what changed in the files since.
    """
    options = resource.options
    if options["source"] == "archive":
        return _desiring(resource, {"archive": file_digest(options["archive"])}), ()
    if options["source"] in ("rootfs", "external"):
        return resource, ()
    wanted = sources(instructions(resource.desired["dockerfile"]), resource.desired.get("build_args", {}))
    ignore = options.get("ignore")
    selection = select(options["context"], wanted, Ignore.of(ignore) if ignore else NOTHING)
    further = _further_contexts(options)
    content = [content_digest(selection.files), *further] if further else content_digest(selection.files)
    fresh = _desiring(resource, {"context": content} if wanted or further else {})
    return fresh._replace(options={**options, "files": [list(pair) for pair in selection.files]}), selection.missing


def refreshed(resource: Resource) -> Resource:
    """Return an image resource as its files are now. Raises LabError where one cannot be read."""
    return with_content(resource)[0]


def context_files(resource: Resource) -> list[tuple[str, str]]:
    """Return (path in the context, absolute path) of what a build takes; a folder's path ends in '/'."""
    return [(relative, absolute) for relative, absolute in resource.options.get("files", ())]


def _further_contexts(options: Mapping[str, Any]) -> list[str]:
    contexts = options.get("contexts", {})
    folders = [path for _, path in sorted(contexts.items()) if path.startswith("/")]
    return [content_digest(select(folder, [Source(0, ".")]).files) for folder in folders]


def _desiring(resource: Resource, more: Mapping[str, Any]) -> Resource:
    kept = {name: value for name, value in resource.desired.items() if name not in ("context", "archive")}
    return resource._replace(desired={**kept, **more})


def _named(walk: _Walk, pattern: str) -> Iterator[str]:
    """Yield the paths that exist for a source, "" for the context itself; links on the way are noted."""
    clean = posixpath.normpath(posixpath.join("/", pattern)).lstrip("/")
    if not has_wildcard(clean):
        path = _resolved(walk, clean)
        if path is not None:
            yield path
        return
    yield from _matches(walk, "", clean.split("/"))


def _matches(walk: _Walk, folder: str, segments: Sequence[str]) -> Iterator[str]:
    pattern = segment_pattern(segments[0])
    for name in _children(walk, folder):
        if not pattern or not pattern.fullmatch(name):
            continue
        path = _resolved(walk, posixpath.join(folder, name))
        if path is None:
            continue
        if len(segments) == 1:
            yield path
        elif (Path(walk.context) / path).is_dir():
            yield from _matches(walk, path, segments[1:])


def _resolved(walk: _Walk, path: str) -> str | None:
    """Return a path without symlinks, as if the context were the root of all files, or None where it is missing."""
    todo = [part for part in path.split("/") if part not in ("", ".")]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop(0)
        if part == "..":
            done = done[:-1]
            continue
        here = "/".join([*done, part])
        absolute = f"{walk.context}/{here}"
        try:
            mode = os.lstat(absolute).st_mode
        except OSError:
            return None
        if not stat.S_ISLNK(mode):
            done.append(part)
            continue
        links += 1
        if links > _MOST_LINKS or walk.ignore.hides(here):
            return None
        walk.found[here] = absolute
        target = str(Path(absolute).readlink())
        done = [] if target.startswith("/") else done
        todo = [piece for piece in target.split("/") if piece not in ("", ".")] + todo
    return "/".join(done)


def _add(walk: _Walk, path: str) -> None:
    """Note a file, or all that is in a folder."""
    absolute = f"{walk.context}/{path}" if path else walk.context
    hidden = bool(path) and walk.ignore.hides(path)
    mode = os.lstat(absolute).st_mode
    if stat.S_ISDIR(mode):
        if hidden and not walk.ignore.exceptions:
            return
        children = _children(walk, path)
        for name in children:
            _add(walk, posixpath.join(path, name))
        if path and not children and not hidden:
            walk.found[f"{path}/"] = absolute
        return
    if hidden or not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        return
    walk.found[path] = absolute
    if len(walk.found) > MOST_FILES:
        raise LabError(
            f"more than {MOST_FILES} files would be copied from {walk.context}",
            hint="copy a smaller folder, or leave files out with a .dockerignore",
        )


def _covered(walk: _Walk, path: str) -> bool:
    """Return whether something at or below a path was noted, for another source perhaps."""
    below = f"{path}/" if path else ""
    return path in walk.found or not path or any(known.startswith(below) for known in walk.found)


def _children(walk: _Walk, folder: str) -> list[str]:
    path = f"{walk.context}/{folder}"
    try:
        return sorted(child.name for child in Path(path).iterdir())
    except OSError as error:
        raise LabError(f"cannot read the folder {path}: {error.strerror}") from error


def _identity(path: str, known: MutableMapping[FileKey, str]) -> tuple[str, bool, str]:
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISDIR(mode):
            return "folder", False, ""
        if stat.S_ISLNK(mode):
            return "link", False, str(Path(path).readlink())
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error
    return "file", bool(mode & stat.S_IXUSR), file_digest(path, known)
