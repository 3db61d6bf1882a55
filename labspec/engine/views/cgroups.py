"""labspec show cgroups: what something of the lab may use of the host, and what it uses now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.resource import Lab
from labspec.engine.views.cgroupfiles import Hierarchy, Measures, hierarchies, measures, version_of
from labspec.engine.views.looking import described, looked_at, proc
from labspec.engine.views.model import NONE, Row, Table, View, size
from labspec.engine.views.process import status
from labspec.kinds.subjects import HOST, Subject

if TYPE_CHECKING:
    from labspec.host.host import Host

VERSIONS = {
    "v1": "version 1: a tree for each controller",
    "v2": "version 2: one tree for all controllers",
    "hybrid": "version 1, a tree for each controller, with version 2 mounted beside it",
}
UNLIMITED = "no limit"


def cgroup_view(lab: Lab, host: Host, address: str | None) -> View:
    """Return limits and use of what runs under an address beside what the host has, or those of the whole lab."""
    found = looked_at(lab, host, address)
    mounted = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    trees = {subject.address: hierarchies(proc(subject, "cgroup"), mounted) for subject in found}
    measured = {name: measures(own) for name, own in trees.items()}
    version = version_of(trees[found[0].address])
    data: dict[str, Any] = {
        "version": version,
        "host": _capacity(),
        "subjects": [_data(subject, trees[subject.address], measured[subject.address]) for subject in found],
    }
    if address is None:
        return _of_all(lab, found, trees, measured, data)
    subject, own = found[0], measured[address]
    column = "LIMIT" if subject.kind == HOST else f"{address} MAY USE"
    limits = Table(("RESOURCE", "HOST HAS", column, "USES NOW", "FILE"), tuple(_rows(own, data["host"], version)))
    places = Table(
        ("GROUP", "VERSION", "CONTROLLERS"),
        tuple((path, str(number), names) for (path, number), names in _by_path(trees[address]).items()),
        "Groups",
    )
    folder = _folder(trees[address])
    return View(
        "cgroups",
        lab.name,
        address,
        described(subject) if subject.kind == HOST else f"{address}: {described(subject)}",
        (limits, places),
        notes=(f"Control groups of {VERSIONS[version]}.",),
        by_hand=(f"cat /proc/{subject.pid}/cgroup", *((f"ls {folder}",) if folder else ()), "systemd-cgtop"),
        data=data,
    )


def _rows(own: Measures, host: dict[str, int], version: str) -> list[Row]:
    second = version == "v2"
    cpus = f"{host['cpus']} processors"
    seconds = NONE if own.cpu_seconds is None else f"{own.cpu_seconds:.1f} s"
    moved = NONE if own.io_read is None else f"{size(own.io_read)} read, {size(own.io_written)} written"
    io = "; ".join(own.io_limits) or UNLIMITED
    swap = ("swap", size(host["swap"])) if second else ("memory and swap", size(host["memory"] + host["swap"]))
    return [
        (
            "memory",
            size(host["memory"]),
            _limit(own.memory_limit),
            size(own.memory_used),
            "memory.max" if second else "memory.limit_in_bytes",
        ),
        (*swap, _limit(own.swap_limit), NONE, "memory.swap.max" if second else "memory.memsw.limit_in_bytes"),
        (
            "cpu time",
            cpus,
            UNLIMITED if own.cpus is None else f"{own.cpus:g} of them",
            seconds,
            "cpu.max" if second else "cpu.cfs_quota_us",
        ),
        (
            "cpu weight",
            f"{100 if second else 1024} is usual",
            NONE if own.cpu_weight is None else str(own.cpu_weight),
            NONE,
            "cpu.weight" if second else "cpu.shares",
        ),
        ("processors", host_cpus(), own.cpuset or NONE, NONE, "cpuset.cpus"),
        (
            "tasks",
            str(host["pids"]),
            UNLIMITED if own.pids_limit is None else str(own.pids_limit),
            _count(own),
            "pids.max",
        ),
        (
            "io weight",
            NONE,
            NONE if own.io_weight is None else str(own.io_weight),
            NONE,
            "io.weight" if second else "blkio.weight",
        ),
        ("io", NONE, io, moved, "io.max" if second else "blkio.throttle.*"),
    ]


def host_cpus() -> str:
    """Return the processors that are on, as the kernel writes them: 0-3."""
    return _first_line("/sys/devices/system/cpu/online") or NONE


def _count(own: Measures) -> str:
    if own.pids is None and own.tasks is None:
        return NONE
    if own.pids is None or own.tasks in (own.pids, None):
        return str(own.tasks if own.pids is None else own.pids)
    return f"{own.pids} in {own.tasks} {'process' if own.tasks == 1 else 'processes'}"


def _limit(number: int | None) -> str:
    return UNLIMITED if number is None else size(number)


def _by_path(trees: Sequence[Hierarchy]) -> dict[tuple[str, int], str]:
    """Return (group, version) -> its controllers: where most are in one group, one line says so."""
    found: dict[tuple[str, int], str] = {}
    for tree in sorted(trees, key=lambda one: (-len(one.path), one.version, one.controllers)):
        names = ", ".join(tree.controllers) or "all of version 2"
        known = found.get((tree.path, tree.version))
        found[(tree.path, tree.version)] = f"{known}, {names}" if known else names
    return found


def _folder(trees: Sequence[Hierarchy]) -> Path | None:
    """Return the folder to look into by hand: that of version 2 where it has controllers, else that for memory."""
    first = next((tree.folder for tree in trees if "memory" in tree.controllers), None)
    return first or next((tree.folder for tree in trees if tree.version == 2), None)


def _capacity() -> dict[str, int]:
    memory = status(Path("/proc/meminfo").read_text(encoding="ascii"))
    return {
        "memory": int(memory["MemTotal"].split()[0]) * 1024,
        "swap": int(memory["SwapTotal"].split()[0]) * 1024,
        "cpus": _how_many(host_cpus()),
        "pids": int(_first_line("/proc/sys/kernel/pid_max") or 0),
    }


def _how_many(ranges: str) -> int:
    number = 0
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal():
            number += int(last or first) - int(first) + 1
    return number


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").partition("\n")[0].strip()
    except OSError:
        return ""


def _of_all(
    lab: Lab,
    found: Sequence[Subject],
    trees: dict[str, tuple[Hierarchy, ...]],
    measured: dict[str, Measures],
    data: dict[str, Any],
) -> View:
    rows = []
    for subject in found:
        own = measured[subject.address]
        rows.append(
            (
                subject.address,
                _of(size(own.memory_used), None if own.memory_limit is None else size(own.memory_limit)),
                UNLIMITED if own.cpus is None else f"{own.cpus:g}",
                NONE if own.cpu_weight is None else str(own.cpu_weight),
                NONE if own.cpu_seconds is None else f"{own.cpu_seconds:.1f} s",
                _of(_count(own).partition(" ")[0], own.pids_limit),
                _path(trees[subject.address]),
            )
        )
    columns = ("ADDRESS", "MEMORY", "CPUS", "CPU WEIGHT", "CPU TIME", "TASKS", "GROUP")
    capacity = data["host"]
    notes = (
        f"The host has {size(capacity['memory'])} of memory and {capacity['cpus']} processors.",
        f"Control groups of {VERSIONS[data['version']]}.",
    )
    title = f"Control groups of lab {lab.name}"
    return View("cgroups", lab.name, "", title, (Table(columns, tuple(rows)),), notes, ("systemd-cgtop",), data)


def _of(used: str, limit: object) -> str:
    return f"{used}, {UNLIMITED}" if limit is None else f"{used} of {limit}"


def _path(trees: Sequence[Hierarchy]) -> str:
    """Return the group of the tree that limits memory."""
    return next((tree.path for tree in trees if "memory" in tree.controllers or tree.version == 2), NONE)


def _data(subject: Subject, trees: Sequence[Hierarchy], own: Measures) -> dict[str, Any]:
    return {
        "address": subject.address,
        "kind": subject.kind,
        "name": subject.name,
        "pid": subject.pid,
        **own._asdict(),
        "io_limits": list(own.io_limits),
        "groups": [
            {
                "version": tree.version,
                "controllers": list(tree.controllers),
                "path": tree.path,
                "folder": None if tree.folder is None else str(tree.folder),
            }
            for tree in trees
        ],
    }
