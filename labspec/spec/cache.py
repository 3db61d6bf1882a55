"""Validated labs kept from run to run, so that an unchanged spec is neither parsed nor checked again.

An entry is found by what was asked for (spec, its text, variables, labspec itself), and taken only where everything
that the lab was made from still is as it was. It is JSON behind a checksum, in a folder that is the user's alone;
whatever is wrong with it, the spec is loaded as if it were not there. LABSPEC_CACHE=off keeps labs nowhere.
"""

from __future__ import annotations

import json
import os
import re
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from labspec import __version__
from labspec.core.diagnostic import LabError, Position
from labspec.core.resource import Lab, Resource
from labspec.host import inputs
from labspec.spec.files import spec_file
from labspec.spec.report import shown_path

FORMAT = 1
MOST_BYTES = 128 * 2**20
MOST_ENTRIES = 200
SETTLED_SECONDS = 2
"""A file that was changed less long ago may change again without its times telling."""

_DRAFT = re.compile(r"[0-9a-f]{40}\.[0-9]+")
_PACKAGE = Path(__file__).parent.parent
_LAB = tuple(name for name in Lab._fields if name not in ("resources", "files"))
_RESOURCE = Resource._fields[:-1]
"""All but `at`, which is stored as _stored_position has it."""
_NEEDS = _RESOURCE.index("needs")

Digests = dict[tuple[str, int, int, int], str]
"""Of files that images are made of: (path, size, times) -> SHA-256, as labspec.kinds.image.context has it."""


def load(path: Path | None, *, variables: Mapping[str, str], variable_files: Sequence[Path]) -> Lab:
    """Return the lab of a spec as `labspec.spec.loader.load` does, from an earlier run where nothing has changed."""
    file = spec_file(path)
    entry = _entry(file, variables, variable_files)
    lab = None if entry is None else read(entry)
    if lab is not None:
        return lab
    from labspec.spec.loader import load as load_spec

    with inputs.noting() as seen:
        lab = load_spec(path, variables=variables, variable_files=variable_files)
    if entry is not None and not seen.private:
        with suppress(OSError, TypeError, ValueError):
            write(entry, lab, seen, _digests(lab))
    return lab


def folder() -> Path | None:
    """Return where entries are: LABSPEC_CACHE_DIR, else labspec in XDG_CACHE_HOME or ~/.cache; None: nowhere."""
    if os.environ.get("LABSPEC_CACHE") == "off":
        return None
    chosen = os.environ.get("LABSPEC_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or ""
    if not base.startswith("/"):
        base = os.path.expanduser("~/.cache")  # noqa: PTH111  no exception where there is no home
    return Path(base, "labspec") if base.startswith("/") else None


def read(entry: Path) -> Lab | None:
    """Return the lab of an entry as its files are now; None where it is missing, broken, or does not hold any more."""
    try:
        data = _content(entry)
        stored = json.loads(data)
        if not _holds(stored):
            return None
        lab = _lab(stored)
        known: Digests = {(path, size, mtime, ctime): found for path, size, mtime, ctime, found in stored["digests"]}
        fresh = _refreshed(lab, known)
        digests = _digests(lab)
        if fresh is not None and digests != known:
            write(entry, fresh, inputs.Inputs(stored["places"]), digests, stored["variables"])
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, LabError):
        return None
    return fresh


def write(
    entry: Path, lab: Lab, seen: inputs.Inputs, digests: Digests, variables: Mapping[str, str | None] | None = None
) -> None:
    """Store a lab with what it was made from. Raises OSError, or TypeError for what is not JSON."""
    files: dict[str, int] = {}
    stored = {
        "places": seen.places,
        "variables": variables or {name: _hidden(value) for name, value in seen.variables.items()},
        "digests": [[*key, found] for key, found in digests.items()],
        "contents": dict(lab.files),
        "lab": {name: getattr(lab, name) for name in _LAB},
        "resources": [
            [*resource[: len(_RESOURCE)], _stored_position(resource.at, files)] for resource in lab.resources
        ],
    }
    # As shown they are relative to the current folder, which the next run may not be in.
    stored["files"] = [os.path.abspath(path) for path in files]  # noqa: PTH100  pathlib cannot fold '..' away
    content = json.dumps(stored, separators=(",", ":")).encode()
    if len(content) > MOST_BYTES // 4:
        return
    entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(os.lstat(entry.parent), stat.S_ISDIR)
    _make_room(entry.parent, len(content))
    # Not synced: an entry that a crash cuts short has not its checksum.
    draft = entry.with_suffix(f".{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as output:
            output.write(sha256(content).digest() + content)
        draft.replace(entry)
    finally:
        draft.unlink(missing_ok=True)


def _entry(file: str, variables: Mapping[str, str], variable_files: Sequence[Path]) -> Path | None:
    """Return where the lab is kept; None where labs are not kept, or the spec cannot be read."""
    place = folder()
    if place is None:
        return None
    try:
        content = _digest_of(file)
    except OSError:
        return None
    asked = [
        [FORMAT, __version__, code_stamp(), sys.version_info[:2]],
        [file, content],
        sorted(variables.items()),
        [str(path.absolute()) for path in variable_files],
    ]
    return place / f"{sha256(json.dumps(asked).encode()).hexdigest()[:40]}.lab"


def code_stamp() -> list[int]:
    """Return what changes with the code that makes labs, in a checkout too, whose version stays."""
    newest = number = 0
    todo = [str(_PACKAGE / name) for name in ("core", "checks", "kinds", "sheet", "spec")]
    while todo:
        for item in os.scandir(todo.pop()):
            if item.is_dir(follow_symlinks=False):
                todo.append(item.path)
            elif item.name.endswith(".py"):
                newest, number = max(newest, item.stat().st_mtime_ns), number + 1
    return [newest, number]


def _content(entry: Path) -> bytes:
    """Return what an entry says. Raises OSError or ValueError for one that cannot be trusted."""
    _check_private(os.lstat(entry.parent), stat.S_ISDIR)
    handle = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        _check_private(os.fstat(handle), stat.S_ISREG)
        data = file.read()
        os.utime(handle)  # what is used stays
    if sha256(memoryview(data)[32:]).digest() != data[:32]:
        raise ValueError("the entry is broken")
    return data[32:]


def _check_private(found: os.stat_result, kind: Any) -> None:
    if not kind(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError("not this user's alone")


def _holds(stored: Mapping[str, Any]) -> bool:
    """Return whether all that a lab was made from is as it was."""
    return (
        all(inputs.what_is(path) == found for path, found in stored["places"].items())
        and all(_hidden(os.environ.get(name)) == value for name, value in stored["variables"].items())
        and all(_digest_of(path) == found for path, found in stored["contents"].items())
    )


def _lab(stored: Mapping[str, Any]) -> Lab:
    files = [shown_path(path) for path in stored["files"]]
    head = {**stored["lab"], "languages": tuple(stored["lab"]["languages"])}
    return Lab(**head, resources=tuple(_resources(stored["resources"], files)), files=stored["contents"])


def _resources(rows: Sequence[list[Any]], files: Sequence[str]) -> Iterator[Resource]:
    for *values, at in rows:
        values[_NEEDS] = tuple(values[_NEEDS])
        place = Position(files[at[0]], at[1], at[2]) if at else None
        yield Resource._make((*values, place))


def _refreshed(lab: Lab, known: Digests) -> Lab | None:
    """Return the lab with its images as their files are now; None where a file that one names is not there."""
    if not any(resource.kind == "image" for resource in lab.resources):
        return lab
    from labspec.kinds.image import context

    context.remember(known)
    resources = []
    for resource in lab.resources:
        found, missing = context.with_content(resource) if resource.kind == "image" else (resource, ())
        if missing:
            return None
        resources.append(found)
    return lab._replace(resources=tuple(resources))


def _digests(lab: Lab) -> Digests:
    """Return the digests of the images' files that are worth keeping."""
    if not any(resource.kind == "image" for resource in lab.resources):
        return {}
    from labspec.kinds.image import context

    settled = time.time_ns() - SETTLED_SECONDS * 10**9
    latest = {key[0]: (key, found) for key, found in context.remembered().items()}
    return {key: found for key, found in latest.values() if max(key[2], key[3]) < settled}


def _stored_position(at: Position | None, files: dict[str, int]) -> list[int] | None:
    return None if at is None else [files.setdefault(at.file, len(files)), at.line, at.column]


def _digest_of(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123  text, not files
        return sha256(file.read()).hexdigest()


def _hidden(value: str | None) -> str | None:
    """Return what stands for a variable of the environment: it may be a secret."""
    return None if value is None else sha256(value.encode(errors="surrogateescape")).hexdigest()


def _make_room(place: Path, needed: int) -> None:
    """Remove what was not used for longest, and what a killed process left."""
    found = []
    for item in os.scandir(place):
        if item.name.endswith(".lab"):
            about = item.stat(follow_symlinks=False)
            found.append((about.st_mtime_ns, about.st_size, item.path))
        elif _DRAFT.fullmatch(item.name) and item.stat(follow_symlinks=False).st_mtime < time.time() - 3600:
            Path(item.path).unlink(missing_ok=True)
    size = needed
    for number, (_, bytes_, path) in enumerate(sorted(found, reverse=True), 1):
        size += bytes_
        if number >= MOST_ENTRIES or size > MOST_BYTES:
            Path(path).unlink(missing_ok=True)
