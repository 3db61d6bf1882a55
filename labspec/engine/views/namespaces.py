"""labspec show namespaces: which of the host's namespaces something of the lab has for itself, and which it shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labspec.core.resource import Lab
from labspec.engine.views.looking import INIT, described, looked_at, proc, seen
from labspec.engine.views.model import NONE, Table, View
from labspec.engine.views.process import rights
from labspec.kinds.subjects import HOST, Subject, subjects

if TYPE_CHECKING:
    from labspec.host.host import Host

TYPES = {
    "mnt": "mounts, and so files",
    "pid": "process numbers",
    "net": "network cards, routes, ports",
    "ipc": "shared memory, queues",
    "uts": "host name",
    "user": "user and group ids",
    "cgroup": "names of control groups",
    "time": "clocks since start",
}
"""Type, as /proc/PID/ns names it -> what is not seen of others (namespaces(7))."""


class Namespace(NamedTuple):
    """One namespace of a process."""

    type: str
    host: int | None
    """Inode of the host's; None where the kernel has no such type."""
    inode: int | None
    others: tuple[str, ...]
    """Addresses of the lab with the same one."""

    @property
    def shared(self) -> bool:
        """Whether it is the host's."""
        return self.host == self.inode

    @property
    def verdict(self) -> str:
        """In words, whose it is."""
        if self.shared:
            return "shared with the host"
        return f"isolated; shared with {', '.join(self.others)}" if self.others else "isolated"


def namespace_view(lab: Lab, host: Host, address: str | None) -> View:
    """Return the namespaces of what runs under an address beside the host's, or those of the whole lab."""
    found = looked_at(lab, host, address)
    hosts = _of_host()
    inodes = {subject.address: hosts if subject.kind == HOST else identities(subject) for subject in found}
    if address is None:
        return _of_all(lab, found, compared(inodes, hosts))
    subject = found[0]
    others = {address: inodes[address], **_others(lab, host, subject)}
    own = compared(others, hosts)[address]
    if subject.kind == HOST:
        rows = [(one.type, TYPES.get(one.type, NONE), _shown(one.host)) for one in own]
        table = Table(("NAMESPACE", "WHAT IS IN IT", "HOST"), tuple(rows))
        return View(
            "namespaces", lab.name, address, described(subject), (table,), by_hand=_by_hand(), data=_data(found, [own])
        )
    return View(
        "namespaces",
        lab.name,
        address,
        f"{address}: {described(subject)}",
        (
            Table(
                ("NAMESPACE", "WHAT IS IN IT", "HOST", address, ""),
                tuple(
                    (one.type, TYPES.get(one.type, NONE), _shown(one.host), _shown(one.inode), one.verdict)
                    for one in own
                ),
            ),
        ),
        notes=tuple(_notes(subject)),
        by_hand=_by_hand(subject.pid),
        data=_data(found, [own]),
    )


def identities(subject: Subject) -> dict[str, int]:
    """Return type -> inode of the namespaces of a subject's process. Raises LabError as `looking.seen`."""
    folder = Path(f"/proc/{subject.pid}/ns")
    links = seen(subject, lambda: {link.name: str(link.readlink()) for link in folder.iterdir()})
    return {name: inode_of(link) for name, link in links.items() if name in TYPES}


def _of_host() -> dict[str, int]:
    """Return type -> inode of the host's namespaces: those of its first process, or of this one.

    The first process may have capabilities that root does not, in a container for instance; it cannot be seen then.
    """
    for process in (str(INIT), "self"):
        try:
            folder = Path(f"/proc/{process}/ns")
            return {link.name: inode_of(str(link.readlink())) for link in folder.iterdir() if link.name in TYPES}
        except PermissionError:
            continue
    return {}


def inode_of(link: str) -> int:
    """Return the number in the text of a link such as 'net:[4026531840]'."""
    return int(link.partition("[")[2].rstrip("]"))


def compared(inodes: Mapping[str, Mapping[str, int]], hosts: Mapping[str, int]) -> dict[str, tuple[Namespace, ...]]:
    """Return address -> its namespaces in the order of TYPES, compared with the host's and with each other's."""
    return {
        address: tuple(
            Namespace(
                name,
                hosts.get(name),
                own.get(name),
                tuple(
                    other
                    for other, theirs in inodes.items()
                    if other != address and name in own and theirs.get(name) == own[name] != hosts.get(name)
                ),
            )
            for name in TYPES
            if name in own or name in hosts
        )
        for address, own in inodes.items()
    }


def _others(lab: Lab, host: Host, subject: Subject) -> dict[str, dict[str, int]]:
    """Return the namespaces of what else of the lab runs; what ends meanwhile is left out."""
    found = {}
    for other in subjects(lab, host).values():
        if other.pid and other.pid != subject.pid:
            try:
                folder = Path(f"/proc/{other.pid}/ns")
                found[other.address] = {
                    link.name: inode_of(str(link.readlink())) for link in folder.iterdir() if link.name in TYPES
                }
            except OSError:
                continue
    return found


def _notes(subject: Subject) -> list[str]:
    numbers = rights(proc(subject, "status")).pids
    notes = ["Two processes with the same number are in the same namespace."]
    if len(numbers) > 1:
        notes.append(f"Process {subject.pid} of this host is process {numbers[-1]} in {subject.address}.")
    return notes


def _of_all(lab: Lab, found: Sequence[Subject], compare: Mapping[str, tuple[Namespace, ...]]) -> View:
    present = [name for name in TYPES if any(one.type == name for own in compare.values() for one in own)]
    rows = []
    for subject in found:
        own = {one.type: one for one in compare[subject.address]}
        cells = ("host" if own[name].shared else _shown(own[name].inode) for name in present)
        rows.append((subject.address, str(subject.pid), *cells))
    hosts = {one.type: one.host for one in next(iter(compare.values()))}
    rows.insert(0, (HOST, str(INIT), *(_shown(hosts[name]) for name in present)))
    notes = ("'host' is the host's own namespace; two with the same number share one.",)
    columns = ("ADDRESS", "PROCESS", *(name.upper() for name in present))
    by_hand = _by_hand(*(subject.pid for subject in found))
    own_data = [compare[subject.address] for subject in found]
    title = f"Namespaces of lab {lab.name}"
    table = Table(columns, tuple(rows))
    return View("namespaces", lab.name, "", title, (table,), notes, by_hand, _data(found, own_data))


def _data(found: Sequence[Subject], namespaces: Sequence[Sequence[Namespace]]) -> dict[str, Any]:
    return {
        "subjects": [
            {
                "address": subject.address,
                "kind": subject.kind,
                "name": subject.name,
                "pid": subject.pid,
                "namespaces": [
                    {
                        "type": one.type,
                        "host": one.host,
                        "inode": one.inode,
                        "isolated": not one.shared,
                        "shared_with": (["host"] if one.shared and subject.kind != HOST else []) + list(one.others),
                    }
                    for one in own
                ],
            }
            for subject, own in zip(found, namespaces, strict=True)
        ]
    }


def _by_hand(*pids: int) -> tuple[str, ...]:
    return (f"sudo ls -l {' '.join(f'/proc/{pid}/ns' for pid in (INIT, *pids))}",)


def _shown(inode: int | None) -> str:
    return NONE if inode is None else str(inode)
