"""The text of /proc/PID/mountinfo, decoded (proc(5)), and where on the host a mount of a container comes from."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

_ESCAPED = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line."""

    target: str
    """Where it is, as its process sees it."""
    fstype: str
    source: str
    root: str
    """What of its file system is mounted: a path in it."""
    device: str
    """Which file system it is: major:minor."""
    options: tuple[str, ...]
    """Those of this mount: ro, nosuid, ..."""
    whole: tuple[str, ...]
    """Those of the file system: size=102400k, ..."""
    propagation: str
    """private, shared, slave, shared and slave, unbindable."""

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written through it."""
        return "ro" in self.options or "ro" in self.whole

    @property
    def every_option(self) -> tuple[str, ...]:
        """The options of the mount and of its file system, each once; ro goes before the other's rw."""
        found = tuple(dict.fromkeys((*self.options, *self.whole)))
        return tuple(one for one in found if one != "rw") if self.read_only else found


def mounts(text: str) -> list[Mount]:
    """Return the mounts in the text of a mountinfo file, in its order."""
    found = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if dash and len(before) > 5 and len(after) > 1:
            found.append(
                Mount(
                    target=_plain(before[4]),
                    fstype=after[0],
                    source=_plain(after[1]),
                    root=_plain(before[3]),
                    device=before[2],
                    options=tuple(before[5].split(",")),
                    whole=tuple(after[2].split(",")) if len(after) > 2 and after[2] else (),
                    propagation=_propagation(before[6:]),
                )
            )
    return found


def visible(found: Sequence[Mount]) -> list[Mount]:
    """Return the mounts that are to be seen: of several at one place, the last lies on top."""
    return list({mount.target: mount for mount in found}.values())


def on_host(mount: Mount, hosts: Sequence[Mount]) -> str:
    """Return the path on the host of what is mounted, or "" where the host has not mounted that file system."""
    fitting = [one for one in hosts if one.device == mount.device and _below(mount.root, one.root)]
    if not fitting:
        return ""
    best = max(fitting, key=lambda one: len(one.root))
    rest = posixpath.relpath(mount.root, best.root)
    return posixpath.normpath(posixpath.join(best.target, rest))


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def _propagation(tags: Sequence[str]) -> str:
    names = [tag.partition(":")[0] for tag in tags]
    if "unbindable" in names:
        return "unbindable"
    found = [word for tag, word in (("shared", "shared"), ("master", "slave")) if tag in names]
    return " and ".join(found) or "private"
