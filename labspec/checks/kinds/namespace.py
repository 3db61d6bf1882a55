"""namespace: which namespaces of something of the lab are its own, and which it shares (namespaces(7))."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from labspec.checks.keys import HOST, NAMESPACES, PLACE, Key
from labspec.checks.kind import Finding, Kind, What

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("in", PLACE, "Whose namespaces.", required=True, secret=False),
    Key("isolated", NAMESPACES, "Types that are its own: cgroup, ipc, mnt, net, pid, time, user, uts."),
    Key("shared", NAMESPACES, "Types that it shares."),
    Key("with", PLACE, "With whom they are compared; host where it is not given.", secret=False),
)


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield the types that are not as they should be."""
    other = what.get("with", HOST)
    mine, theirs = view.namespaces(what["in"]), view.namespaces(other)
    for word, shared in (("isolated", False), ("shared", True)):
        for name in what.get(word) or ():
            if (mine.get(name) == theirs.get(name)) is not shared:
                told = f"shared with {other}" if shared else f"not that of {other}"
                seen = f"another than that of {other}" if shared else f"that of {other}"
                yield Finding(f"namespace {name}", told, seen)


KIND = Kind(
    "namespace",
    "Which namespaces are shared.",
    KEYS,
    look,
    spoils=("pid", "network_mode", "ipc", "uts", "userns_mode", "cgroup", "network"),
)
