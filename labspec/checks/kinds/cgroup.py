"""cgroup: the limits that the kernel holds something of the lab to, as cgroups of version 1 and 2 both have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from labspec.checks.keys import MATCH, PLACE, SIZES, Key
from labspec.checks.kind import Finding, Kind, What, judged

if TYPE_CHECKING:
    from labspec.checks.view import View

KEYS = (
    Key("in", PLACE, "Whose limits.", required=True, secret=False),
    Key("memory", SIZES, "The most memory, in bytes; the text unlimited where there is no limit."),
    Key("cpus", MATCH, "How many processors' time, as 0.5; unlimited where there is no limit."),
    Key("pids", MATCH, "The most processes and threads; unlimited where there is no limit."),
)
UNLIMITED = "unlimited"
_ENDLESS = 2**62
"""Version 1 says no limit by a number nearly as large as fits."""


def look(what: What, view: View) -> Iterator[Finding]:
    """Yield the limits that are not as they should be."""
    for name, read in (("memory", memory), ("cpus", cpus), ("pids", pids)):
        if name in what:
            yield from judged(name, what[name], read(view.cgroups(what["in"])))


def memory(folders: dict[str, Path]) -> int | str:
    """Return the limit in bytes of cgroups as `View.cgroups` names them."""
    return _limit(_text(folders, "memory", "memory.max", "memory.limit_in_bytes"))


def pids(folders: dict[str, Path]) -> int | str:
    """Return the limit on processes."""
    return _limit(_text(folders, "pids", "pids.max", "pids.max"))


def cpus(folders: dict[str, Path]) -> float | str:
    """Return the limit in processors."""
    if "cpu" in folders:
        quota = _text(folders, "cpu", "", "cpu.cfs_quota_us")
        period = _text(folders, "cpu", "", "cpu.cfs_period_us")
    else:
        quota, _, period = _text(folders, "cpu", "cpu.max", "").partition(" ")
    if not quota.isdecimal() or not period.isdecimal():
        return UNLIMITED
    return round(int(quota) / int(period), 3)


def _limit(text: str) -> int | str:
    return int(text) if text.isdecimal() and int(text) < _ENDLESS else UNLIMITED


def _text(folders: dict[str, Path], controller: str, unified: str, version1: str) -> str:
    """Return what the file of a limit says; nothing where the controller is not there, so that nothing is limited."""
    path = folders[controller] / version1 if controller in folders else folders.get("", Path("/")) / unified
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""


KIND = Kind(
    "cgroup",
    "Limits of the kernel.",
    KEYS,
    look,
    spoils=("mem_limit", "cpus", "pids_limit", "deploy", "cpu_quota", "Service"),
)
