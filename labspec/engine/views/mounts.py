"""labspec show mounts: what a container's files are made of, and where on the host each part is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from labspec.checks.inside import opened
from labspec.core.resource import Lab
from labspec.engine.views.looking import described, inspects, looked_at, proc
from labspec.engine.views.model import NONE, Table, View, size
from labspec.engine.views.mountinfo import Mount, mounts, on_host, visible
from labspec.kinds.subjects import HOST, Subject, host_subject

if TYPE_CHECKING:
    from labspec.host.host import Host

_KERNEL = (
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs "
    "proc pstore rpc_pipefs securityfs sysfs tracefs"
)
KERNEL = frozenset(_KERNEL.split())
"""File systems in which the kernel shows itself: nothing is kept in them."""
_SIZELESS = KERNEL | {"nfs", "nfs4", "cifs", "smb3", "9p", "virtiofs", "ceph"}
"""Of those that are elsewhere the size is not asked: the answer may never come."""
_MASKED = ("/proc/", "/sys/")
"""Below these the engine covers files that a container is not to see."""
_ROOT_OF_CONTAINER = re.compile(r"/overlay2/[0-9a-f]+/merged$|/rootfs/overlayfs/[0-9a-f]+$")
"""Where the host has the root folder of a container of Docker's, with either of its image stores."""
_TOLD = ("size=", "mode=", "uid=", "gid=", "nr_inodes=")
"""Options of a whole file system that are worth a cell; an overlay's folders would fill the screen."""
_USUAL = frozenset({"rw", "relatime"})


class Seen(NamedTuple):
    """A mount as something of the lab sees it."""

    mount: Mount
    host: str
    """Where on the host it is; "" where the host does not see it."""
    of: str
    """The address of the volume that it is, or what else it is; "" where nobody says."""
    bytes: int | None
    used: int | None

    @property
    def kernel(self) -> bool:
        """Whether the kernel, or a cover over a part of it, is all that is there."""
        target = self.mount.target
        device = target.startswith("/dev/") and self.host.startswith("/dev/")
        return self.mount.fstype in KERNEL or target == "/dev" or target.startswith(_MASKED) or device


def mount_view(lab: Lab, host: Host, address: str | None) -> View:
    """Return the mounts of what runs under an address, or how many of which sort all of the lab has."""
    found = looked_at(lab, host, address)
    hosts = mounts(proc(host_subject(), "mountinfo"))
    engine = inspects(host, found)
    seen = {
        subject.address: list(_seen(lab, subject, hosts, engine.get(subject.address, {}), sized=address is not None))
        for subject in found
    }
    data = {"subjects": [_data(subject, seen[subject.address]) for subject in found]}
    if address is None:
        return _of_all(lab, found, seen, data)
    subject = found[0]
    own = seen[address]
    roots = [one for one in own if subject.kind == HOST and _ROOT_OF_CONTAINER.search(one.mount.target)]
    kept = [one for one in own if not one.kernel and one not in roots]
    head = ("TARGET", "TYPE", "WHERE ON THE HOST", "SIZE", "USED", "OPTIONS", "PROPAGATION", "WHAT IT IS")
    tables = [
        Table(head, tuple(_row(one) for one in kept), "Files"),
        Table(
            ("TARGET", "TYPE", "OPTIONS", "PROPAGATION"),
            tuple(
                (one.mount.target, one.mount.fstype, _options(one.mount), one.mount.propagation)
                for one in own
                if one.kernel
            ),
            "The kernel's, and what covers parts of it",
        ),
    ]
    return View(
        "mounts",
        lab.name,
        address,
        described(subject) if subject.kind == HOST else f"{address}: {described(subject)}",
        tuple(table for table in tables if table.rows),
        notes=(
            "private: a mount made on one side is not seen on the other; slave: those of the host come in; "
            "shared: both ways.",
            *((f"Left out: the root folders of {len(roots)} containers.",) if roots else ()),
        ),
        by_hand=(f"sudo cat /proc/{subject.pid}/mountinfo", f"sudo findmnt --task {subject.pid}"),
        data=data,
    )


def _seen(
    lab: Lab, subject: Subject, hosts: Sequence[Mount], inspect: Mapping[str, Any], *, sized: bool
) -> Iterator[Seen]:
    names = _volumes(lab)
    told = {one.get("Destination", ""): one for one in inspect.get("Mounts") or ()}
    files = {inspect.get(key): "written by the engine" for key in ("HostsPath", "HostnamePath", "ResolvConfPath")}
    for mount in visible(mounts(proc(subject, "mountinfo"))):
        where = "" if mount.fstype in KERNEL else on_host(mount, hosts)
        known = told.get(mount.target, {})
        what = ""
        if known.get("Type") == "volume":
            what = names.get(known.get("Name", ""), f"volume {known.get('Name', '')}")
        elif known.get("Type") == "bind":
            what, where = "bind mount", known.get("Source", where)
        elif where in files:
            what = files[where]
        elif mount.target == "/" and subject.kind != HOST:
            what = _root(subject, mount)
        elif mount.fstype == "tmpfs" and not where:
            what = "in memory"
        total, used = _sizes(subject, mount) if sized else (None, None)
        yield Seen(mount, where, what, total, used)


def _root(subject: Subject, mount: Mount) -> str:
    if not subject.image:
        return "its root"
    layered = mount.fstype == "overlay" and not mount.read_only
    return f"image {subject.image}{', and a layer to write on' if layered else ''}"


def _volumes(lab: Lab) -> dict[str, str]:
    return {resource.name: resource.address for resource in lab.resources if resource.kind == "volume"}


def _sizes(subject: Subject, mount: Mount) -> tuple[int | None, int | None]:
    """Return how many bytes a file system has and how many are used; None where it is not to be known."""
    if mount.fstype in _SIZELESS or mount.fstype.startswith("fuse"):
        return None, None
    try:
        with opened(mount.target, None if subject.kind == HOST else subject.pid) as handle:
            state = os.fstatvfs(handle)
    except OSError:
        return None, None
    return state.f_blocks * state.f_frsize, (state.f_blocks - state.f_bfree) * state.f_frsize


def _row(one: Seen) -> tuple[str, ...]:
    mount = one.mount
    where = one.host or (mount.source if mount.source.startswith("/") else NONE)
    return (
        mount.target,
        mount.fstype,
        where,
        size(one.bytes),
        size(one.used),
        _options(mount),
        mount.propagation,
        one.of or NONE,
    )


def _options(mount: Mount) -> str:
    told = [*mount.options, *(one for one in mount.whole if one.startswith(_TOLD) or (one == "ro"))]
    return ",".join(dict.fromkeys(one for one in told if one not in _USUAL)) or "rw"


def _of_all(lab: Lab, found: Sequence[Subject], seen: Mapping[str, Iterable[Seen]], data: Mapping[str, Any]) -> View:
    rows = []
    for subject in found:
        for one in seen[subject.address]:
            if not one.kernel and (one.mount.target == "/" or one.of in _volumes(lab).values() or _own(one)):
                cells = (one.mount.target, one.mount.fstype, one.host or NONE, _options(one.mount), one.of or NONE)
                rows.append((subject.address, *cells))
    table = Table(("ADDRESS", "TARGET", "TYPE", "WHERE ON THE HOST", "OPTIONS", "WHAT IT IS"), tuple(rows))
    notes = ("With an address, every mount of it is shown.",)
    return View("mounts", lab.name, "", f"Mounts of lab {lab.name}", (table,), notes, data=data)


def _own(one: Seen) -> bool:
    """Return whether a mount is there because somebody asked for it."""
    return one.of.startswith(("bind mount", "volume ", "in memory"))


def _data(subject: Subject, seen: Iterable[Seen]) -> dict[str, Any]:
    return {
        "address": subject.address,
        "kind": subject.kind,
        "name": subject.name,
        "pid": subject.pid,
        "mounts": [
            {
                "target": one.mount.target,
                "fstype": one.mount.fstype,
                "source": one.mount.source,
                "root": one.mount.root,
                "host": one.host or None,
                "options": list(one.mount.every_option),
                "read_only": one.mount.read_only,
                "propagation": one.mount.propagation,
                "size": one.bytes,
                "used": one.used,
                "of": one.of or None,
            }
            for one in seen
        ],
    }
