"""mount: what is mounted at a place of the host, or of something of the lab."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from labspec.checks.inside import opened
from labspec.checks.keys import FLAG, HOST, MATCH, PATH, PLACE, SIZES, Key
from labspec.checks.kind import Finding, Kind, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("target", PATH, "Where it is mounted.", required=True, secret=False),
    Key("in", PLACE, "In whose files; host where it is not given.", secret=False),
    Key("exists", FLAG, "Whether something is mounted there; true where it is not given."),
    Key("fstype", MATCH, "The type of file system: tmpfs, ext4, ..."),
    Key("source", MATCH, "What is mounted, as the kernel calls it."),
    Key("options", MATCH, "Its options, as a list: ro, noexec, uid=1000, ..."),
    Key("size", SIZES, "How much it holds, in bytes."),
)
_ESCAPED = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


class Mounted(NamedTuple):
    """A line of mountinfo (proc(5))."""

    target: str
    fstype: str
    source: str
    options: list[str]


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield what of the mount is not as it should be."""
    target, wanted = posixpath.normpath(what["target"]), what.get("exists", True)
    # Of several at one place, the last lies on top.
    found = next((one for one in reversed(mounts(view.mountinfo(what["in"]))) if one.target == target), None)
    if (found is not None) is not wanted:
        yield Finding(target, "a mount" if wanted else "no mount", "none" if found is None else f"a {found.fstype}")
        return
    if found is None:
        return
    yield from judged("fstype", what.get("fstype"), found.fstype)
    yield from judged("source", what.get("source"), found.source)
    yield from judged("options", what.get("options"), found.options)
    if "size" in what:
        yield from judged("size", what["size"], _size(found, what["in"], view))


def mounts(text: str) -> list[Mounted]:
    """Return the mounts in the text of a mountinfo file, in its order; each option once."""
    found = []
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if len(before) > 5 and len(after) > 2:
            options = dict.fromkeys((*before[5].split(","), *after[2].split(",")))
            found.append(Mounted(_plain(before[4]), after[0], _plain(after[1]), list(options)))
    return found


def _plain(text: str) -> str:
    for escape, char in _ESCAPED.items():
        text = text.replace(escape, char)
    return text


def _size(found: Mounted, place: str, view: View) -> int | None:
    for option in found.options:
        name, _, value = option.partition("=")
        if name == "size" and value.rstrip("k").isdecimal():
            return int(value.rstrip("k")) * (1024 if value.endswith("k") else 1)
    if place != HOST and not view.here:
        return None
    with opened(found.target, None if place == HOST else view.pid(place)) as handle:
        state = os.fstatvfs(handle)
    return state.f_blocks * state.f_frsize


KIND = Kind("mount", "What is mounted at a place.", KEYS, look, spoils=("volumes", "tmpfs", "mounts"))
