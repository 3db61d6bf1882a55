"""labspec show rights: what the first process of something of the lab may do, beside what the host's may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labspec.checks.inside import text_at
from labspec.core.resource import Lab
from labspec.engine.views.looking import described, inspects, looked_at, proc, seen
from labspec.engine.views.model import NONE, Row, Table, View
from labspec.engine.views.mountinfo import mounts, on_host, visible
from labspec.engine.views.powers import POWERS
from labspec.engine.views.process import IdRange, Rights, accounts, capabilities, id_map, inside, is_remapped, rights
from labspec.kinds.subjects import HOST, Subject, host_subject

if TYPE_CHECKING:
    from labspec.host.host import Host

_PROFILES = ("seccomp", "apparmor")


class May(NamedTuple):
    """What is known of the rights of one process."""

    subject: Subject
    rights: Rights
    uid_map: tuple[IdRange, ...]
    gid_map: tuple[IdRange, ...]
    users: Mapping[int, str]
    """The names of users as the process sees them."""
    groups: Mapping[int, str]
    apparmor: str
    """Its profile and mode; "" where AppArmor is not there."""
    read_only_root: bool
    socket: str
    """Where the engine's socket is mounted; "" where it is not."""
    inspect: Mapping[str, Any]
    """What the engine says of the container; empty for what is none."""

    @property
    def host_config(self) -> Mapping[str, Any]:
        """What the container was made with."""
        found: Mapping[str, Any] = self.inspect.get("HostConfig") or {}
        return found


def rights_view(lab: Lab, host: Host, address: str | None) -> View:
    """Return the rights of what runs under an address beside those of the host's first process, or of the whole lab."""
    found = looked_at(lab, host, address)
    engine = inspects(host, found)
    socket = host.docker.socket_path or ""
    known = [_known(subject, engine.get(subject.address, {}), socket) for subject in found]
    init = _known(host_subject(), {}, socket)
    data = {"subjects": [_data(may) for may in known]}
    if address is None:
        return _of_all(lab, known, init, data)
    may = known[0]
    both = [init] if may.subject.kind == HOST else [init, may]
    columns = ("", "HOST") if may.subject.kind == HOST else ("", "HOST", address)
    cells = [_cells(one, init) for one in both]
    table = Table(columns, tuple((name, *(cell[name] for cell in cells)) for name in cells[0]))
    return View(
        "rights",
        lab.name,
        address,
        described(may.subject) if may.subject.kind == HOST else f"{address}: {described(may.subject)}",
        (table, _capability_table(may, init)),
        notes=tuple(_notes(may, init)),
        by_hand=(
            f"grep -E 'Cap|Seccomp|NoNewPrivs|Uid|Groups' /proc/{may.subject.pid}/status",
            f"cat /proc/{may.subject.pid}/uid_map",
        ),
        data=data,
    )


def _known(subject: Subject, inspect: Mapping[str, Any], socket: str) -> May:
    pid = None if subject.kind == HOST else subject.pid
    hosts = visible(mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")))
    own = visible(mounts(proc(subject, "mountinfo")))
    root = next((mount for mount in own if mount.target == "/"), None)
    reached = {socket, str(Path(socket).resolve())} - {""} if socket else set()
    return May(
        subject=subject,
        rights=rights(proc(subject, "status")),
        uid_map=id_map(proc(subject, "uid_map")),
        gid_map=id_map(proc(subject, "gid_map")),
        users=accounts(text_at("/etc/passwd", pid)),
        groups=accounts(text_at("/etc/group", pid)),
        apparmor=_apparmor(subject),
        read_only_root=root is not None and root.read_only,
        socket="" if pid is None else next((mount.target for mount in own if on_host(mount, hosts) in reached), ""),
        inspect=inspect,
    )


def _apparmor(subject: Subject) -> str:
    """Return the AppArmor profile of a process; "" where the kernel has none for anybody."""
    if not Path("/sys/kernel/security/apparmor").is_dir() and not Path("/sys/module/apparmor").is_dir():
        return ""
    path = Path(f"/proc/{subject.pid}/attr/current")
    try:
        return seen(subject, lambda: path.read_text(encoding="utf-8", errors="replace")).strip("\0\n ")
    except OSError:
        return ""  # another security module answers in its place, or none


def _cells(may: May, init: May) -> dict[str, str]:
    """Return what each row says of one process."""
    own, config = may.rights, may.host_config
    devices = [str(one.get("PathOnHost")) for one in config.get("Devices") or ()]
    container = bool(may.inspect)
    return {
        "user": _account(may, own.uids, may.users, init.users, may.uid_map),
        "group": _account(may, own.gids, may.groups, init.groups, may.gid_map),
        "further groups": ", ".join(_name(inside(gid, may.gid_map), may.groups) for gid in own.groups) or NONE,
        "user namespace": _mapped(may),
        "effective capabilities": _how_many(own.effective),
        "permitted capabilities": _how_many(own.permitted),
        "bounding capabilities": _how_many(own.bounding),
        "inheritable capabilities": _how_many(own.inheritable),
        "ambient capabilities": _how_many(own.ambient),
        "no new privileges": _yes(own.no_new_privs),
        "seccomp": _seccomp(may),
        "AppArmor": may.apparmor or "not on this host",
        "root file system": "read-only" if may.read_only_root else "writable",
        "privileged": _yes(bool(config.get("Privileged"))) if container else NONE,
        "devices of the host": (", ".join(devices) or "none") if container else NONE,
        "engine's socket": f"at {may.socket}" if may.socket else ("no" if may.subject.kind != HOST else NONE),
    }


def _account(
    may: May,
    ids: Sequence[int],
    names: Mapping[int, str],
    outer: Mapping[int, str],
    ranges: Sequence[IdRange],
) -> str:
    """Return who a process is inside, and on the host where that is another one.

    'root (0)', '1000 (alice on the host)', 'root (0), on the host 100000'.
    """
    if not ids:
        return NONE
    effective = ids[1] if len(ids) > 1 else ids[0]
    number = inside(effective, ranges)
    own = _name(number, names)
    if is_remapped(ranges):
        return f"{own}, on the host {_name(effective, outer)}"
    if may.subject.kind == HOST or number in names or effective not in outer:
        return own
    return f"{own} ({outer[effective]} on the host)"


def _name(number: int | None, names: Mapping[int, str]) -> str:
    if number is None:
        return "nobody"
    return f"{names[number]} ({number})" if number in names else str(number)


def _mapped(may: May) -> str:
    if not is_remapped(may.uid_map):
        return "the host's"
    shown = [f"{one.inside} is {one.outside} on the host ({one.length} ids)" for one in may.uid_map]
    return "; ".join(shown) or "its own, nobody mapped"


def _how_many(mask: int) -> str:
    return f"{mask.bit_count()}" if mask else "none"


def _yes(value: bool | None) -> str:
    return NONE if value is None else "yes" if value else "no"


def _seccomp(may: May) -> str:
    own = may.rights
    if not own.seccomp:
        return "not in this kernel"
    profile = _profile(may, "seccomp")
    filters = f", {own.filters} {'filter' if own.filters == 1 else 'filters'}" if own.filters else ""
    return f"{own.seccomp}{filters}{f' ({profile})' if profile else ''}"


def _profile(may: May, name: str) -> str:
    """Return which profile a container was made with: unconfined, the engine's own, the lab's."""
    if not may.inspect:
        return ""
    if may.host_config.get("Privileged"):
        return "unconfined: privileged"
    for option in may.host_config.get("SecurityOpt") or ():
        key, _, value = option.replace(":", "=", 1).partition("=")
        if key == name:
            return "a profile of its own" if value.startswith("{") else value
    return "the engine's profile"


def _capability_table(may: May, init: May) -> Table:
    names = capabilities(may.rights.bounding | may.rights.permitted | may.rights.inheritable | may.rights.ambient)
    sets = ("bounding", "permitted", "effective", "inheritable", "ambient")
    shown = [one for one in sets if one in ("bounding", "permitted", "effective") or getattr(may.rights, one)]
    having = {one: set(capabilities(getattr(may.rights, one))) for one in shown}
    rows = [
        (name, *("yes" if name in having[one] else NONE for one in shown), POWERS.get(name, NONE)) for name in names
    ]
    count = f"{len(names)} of the host's {init.rights.bounding.bit_count()}"
    title = f"Capabilities: {count}" if may.subject.kind != HOST else f"Capabilities: {len(names)}"
    return Table(("CAPABILITY", *(one.upper() for one in shown), "TO"), tuple(rows), title)


def _notes(may: May, init: May) -> list[str]:
    lacking = capabilities(init.rights.bounding & ~may.rights.bounding)
    notes = []
    if lacking:
        notes.append(f"It can never have: {', '.join(lacking)}.")
    if may.rights.effective == 0 and may.rights.bounding:
        notes.append("It has none in effect: a program with a set-user-id bit could get those of the bounding set.")
    if may.socket:
        notes.append("Who can use the engine's socket is root on the host.")
    return notes


def _of_all(lab: Lab, known: Sequence[May], init: May, data: Mapping[str, Any]) -> View:
    head = (
        "ADDRESS",
        "USER",
        "CAPABILITIES",
        "BOUNDING",
        "NO NEW PRIVS",
        "SECCOMP",
        "APPARMOR",
        "ROOT",
        "PRIVILEGED",
        "SOCKET",
    )
    rows: list[Row] = []
    for may in (init, *known):
        cells = _cells(may, init)
        rows.append(
            (
                may.subject.address,
                cells["user"],
                str(may.rights.effective.bit_count()),
                str(may.rights.bounding.bit_count()),
                cells["no new privileges"],
                may.rights.seccomp or NONE,
                may.apparmor or NONE,
                cells["root file system"],
                cells["privileged"],
                may.socket or "no",
            )
        )
    notes = ("Capabilities: those in effect. Bounding: those that it can ever have.",)
    return View("rights", lab.name, "", f"Rights of lab {lab.name}", (Table(head, tuple(rows)),), notes, data=data)


def _data(may: May) -> dict[str, Any]:
    own, config = may.rights, may.host_config
    sets = ("effective", "permitted", "inheritable", "bounding", "ambient")
    return {
        "address": may.subject.address,
        "kind": may.subject.kind,
        "name": may.subject.name,
        "pid": may.subject.pid,
        "uid": own.uids[1] if len(own.uids) > 1 else None,
        "gid": own.gids[1] if len(own.gids) > 1 else None,
        "uid_inside": inside(own.uids[1], may.uid_map) if len(own.uids) > 1 else None,
        "gid_inside": inside(own.gids[1], may.gid_map) if len(own.gids) > 1 else None,
        "groups": list(own.groups),
        "uid_map": [one._asdict() for one in may.uid_map],
        "gid_map": [one._asdict() for one in may.gid_map],
        "capabilities": {name: list(capabilities(getattr(own, name))) for name in sets},
        "seccomp": own.seccomp or None,
        "seccomp_filters": own.filters,
        "seccomp_profile": _profile(may, "seccomp") or None,
        "no_new_privs": own.no_new_privs,
        "apparmor": may.apparmor or None,
        "read_only_root": may.read_only_root,
        "privileged": bool(config.get("Privileged")) if may.inspect else None,
        "devices": [str(one.get("PathOnHost")) for one in config.get("Devices") or ()],
        "engine_socket": may.socket or None,
    }
