"""Control groups of version 1, 2 or both: where those of a process are, and what their files say (cgroups(7))."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from labspec.engine.views.mountinfo import mounts

UNLIMITED = 2**62
"""From here on, a number in a file of version 1 says that there is no limit."""


class Hierarchy(NamedTuple):
    """A tree of control groups, and where in it a process is."""

    version: int
    controllers: tuple[str, ...]
    """Of version 1: those of the tree, name=... for one without a controller. Of version 2: none."""
    path: str
    """The process's group, below the tree's root."""
    folder: Path | None
    """Its folder; None where this tree is not mounted, or the group is outside what is."""


class Measures(NamedTuple):
    """Limits and use of a group; None where there is no limit, or nothing to read."""

    memory_limit: int | None = None
    memory_used: int | None = None
    swap_limit: int | None = None
    """Version 2: of swap alone; version 1: of memory and swap together."""
    cpus: float | None = None
    """How many processors' time it may take."""
    cpu_weight: int | None = None
    """Its part where processors are short: version 2 of 1 to 10000 (100), version 1 in shares (1024)."""
    cpu_seconds: float | None = None
    cpuset: str = ""
    pids_limit: int | None = None
    pids: int | None = None
    io_weight: int | None = None
    io_limits: tuple[str, ...] = ()
    """Each a device with its limits: '8:0 rbps=1048576'."""
    io_read: int | None = None
    io_written: int | None = None
    tasks: int | None = None
    """Processes in it and below it."""


def hierarchies(cgroup: str, mountinfo: str) -> tuple[Hierarchy, ...]:
    """Return the trees in the text of a /proc/PID/cgroup, with the folders that a mountinfo has of them."""
    trees = [mount for mount in mounts(mountinfo) if mount.fstype in ("cgroup", "cgroup2")]
    found = []
    for line in cgroup.splitlines():
        parts = line.split(":", 2)
        if len(parts) != 3:
            continue
        number, names, path = parts
        controllers = tuple(names.split(",")) if names else ()
        version = 1 if controllers or number != "0" else 2
        for mount in trees:
            same = mount.fstype == "cgroup2" if version == 2 else set(controllers) <= set(mount.whole)
            if same and (version == 2 or mount.fstype == "cgroup"):
                folder = _folder(mount.target, mount.root, path)
                break
        else:
            folder = None
        found.append(Hierarchy(version, controllers, path, folder))
    return tuple(found)


def version_of(found: Sequence[Hierarchy]) -> str:
    """Return "v1", "v2", or "hybrid": controllers in trees of version 1, and version 2 mounted beside them."""
    first = any(one.version == 1 for one in found)
    second = any(one.version == 2 and one.folder for one in found)
    return "hybrid" if first and second else "v1" if first else "v2"


def measures(found: Sequence[Hierarchy]) -> Measures:
    """Return what the files of a process's groups say."""
    second = next((one.folder for one in found if one.version == 2), None)
    first = {name: one.folder for one in found for name in one.controllers if one.version == 1 and one.folder}
    if not any(name in first for name in ("memory", "cpu", "pids")):
        return _second(second)
    deepest = max((one.path for one in found), key=lambda path: (path.count("/"), path))
    own = {name for one in found for name in one.controllers if _name(one.path) == _name(deepest)}
    return _first(first, {name: folder for name, folder in first.items() if name in own})


def _first(folders: dict[str, Path], own: dict[str, Path]) -> Measures:
    """Return what groups of version 1 say; `own` are those that the process shares with nobody.

    systemd gives a unit a group of its own only in the trees where it needs one: limits of a wider group hold for it
    too, but what is used there others have used.
    """
    quota, period = _number(folders, "cpu", "cpu.cfs_quota_us"), _number(folders, "cpu", "cpu.cfs_period_us")
    used = _number(own, "cpuacct", "cpuacct.usage")
    transferred = _operations(_text(own, "blkio", "blkio.throttle.io_service_bytes"))
    return Measures(
        memory_limit=_limit(_number(folders, "memory", "memory.limit_in_bytes")),
        memory_used=_number(own, "memory", "memory.usage_in_bytes"),
        swap_limit=_limit(_number(folders, "memory", "memory.memsw.limit_in_bytes")),
        cpus=quota / period if quota is not None and quota > 0 and period else None,
        cpu_weight=_number(folders, "cpu", "cpu.shares"),
        cpu_seconds=None if used is None else used / 1e9,
        cpuset=_text(folders, "cpuset", "cpuset.effective_cpus") or _text(folders, "cpuset", "cpuset.cpus"),
        pids_limit=_number(folders, "pids", "pids.max"),
        pids=_number(own, "pids", "pids.current"),
        io_weight=_weight(folders),
        io_limits=tuple(_throttles(folders)),
        io_read=transferred.get("Read"),
        io_written=transferred.get("Write"),
        tasks=_tasks(next((own[name] for name in ("pids", "memory", "cpu", "name=systemd") if name in own), None)),
    )


def _second(folder: Path | None) -> Measures:
    """Return what a group of version 2 says."""
    if folder is None:
        return Measures()
    own = {"": folder}
    quota, _, period = _text(own, "", "cpu.max").partition(" ")
    used = dict(line.split(" ", 1) for line in _text(own, "", "cpu.stat").splitlines() if " " in line)
    stats = [word.partition("=") for word in _text(own, "", "io.stat").split() if "=" in word]
    moved = {name: sum(int(value) for key, _, value in stats if key == name) for name in ("rbytes", "wbytes")}
    weight = _text(own, "", "io.weight").removeprefix("default ").split("\n")[0]
    return Measures(
        memory_limit=_number(own, "", "memory.max"),
        memory_used=_number(own, "", "memory.current"),
        swap_limit=_number(own, "", "memory.swap.max"),
        cpus=int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None,
        cpu_weight=_number(own, "", "cpu.weight"),
        cpu_seconds=int(used["usage_usec"]) / 1e6 if "usage_usec" in used else None,
        cpuset=_text(own, "", "cpuset.cpus.effective"),
        pids_limit=_number(own, "", "pids.max"),
        pids=_number(own, "", "pids.current"),
        io_weight=int(weight) if weight.isdecimal() else None,
        io_limits=tuple(_text(own, "", "io.max").splitlines()),
        io_read=moved["rbytes"] if stats else None,
        io_written=moved["wbytes"] if stats else None,
        tasks=_tasks(folder),
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folder(mounted: str, root: str, path: str) -> Path | None:
    """Return the folder of a group, where the tree (or the part of it below `root`) is mounted."""
    if ".." in path.split("/"):
        return None  # outside the reader's own cgroup namespace
    if path == root or path.startswith(root.rstrip("/") + "/"):
        return Path(mounted, path.removeprefix(root.rstrip("/")).lstrip("/"))
    return None


def _text(folders: dict[str, Path], controller: str, name: str) -> str:
    folder = folders.get(controller)
    if folder is None:
        return ""
    try:
        return (folder / name).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # the kernel lacks it, or the controller is not on for this group


def _number(folders: dict[str, Path], controller: str, name: str) -> int | None:
    text = _text(folders, controller, name)
    return int(text) if text.lstrip("-").isdecimal() else None


def _limit(number: int | None) -> int | None:
    return None if number is None or number >= UNLIMITED else number


def _weight(folders: dict[str, Path]) -> int | None:
    return next(
        (
            number
            for name in ("blkio.bfq.weight", "blkio.weight")
            if (number := _number(folders, "blkio", name)) is not None
        ),
        None,
    )


def _throttles(folders: dict[str, Path]) -> Iterator[str]:
    for name, word in (("read_bps", "rbps"), ("write_bps", "wbps"), ("read_iops", "riops"), ("write_iops", "wiops")):
        for line in _text(folders, "blkio", f"blkio.throttle.{name}_device").splitlines():
            device, _, value = line.partition(" ")
            yield f"{device} {word}={value}"


def _operations(text: str) -> dict[str, int]:
    """Return operation -> bytes, over all devices, of lines 'MAJOR:MINOR Read BYTES'."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[2].isdecimal():
            found[words[1]] = found.get(words[1], 0) + int(words[2])
    return found


def _tasks(folder: Path | None) -> int | None:
    if folder is None:
        return None
    found: set[str] = set()
    for listed in [folder / "cgroup.procs", *folder.rglob("*/cgroup.procs")]:
        try:
            found.update(listed.read_text(encoding="ascii").split())
        except OSError:
            continue  # a group that has just gone
    return len(found)
