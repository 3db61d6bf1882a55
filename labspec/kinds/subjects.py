"""What runs on the host under an address of the lab: the container, unit, pod, bundle or machine, and its process."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labspec.core.diagnostic import LabError, did_you_mean
from labspec.core.resource import Lab, Resource

if TYPE_CHECKING:
    from labspec.host.host import Host

HOST = "host"
"""The address of the machine itself."""
KINDS = ("service", "unit", "rkt", "bundle", "machine")
"""The kinds of which something can run."""
_INIT = 1
_SYSTEMD = "/run/systemd/system"
"""There where systemd is the host's init, sd_booted(3)."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something of the lab that is on the host, whether it runs or not."""

    address: str
    kind: str
    """service, unit, rkt, bundle, machine; host for the machine itself."""
    name: str
    """Its name on the host: of the container, the unit, the machine."""
    id: str = ""
    """What a container is known by: to the engine, or (of a bundle) to runc; "" of what is none."""
    pid: int = 0
    """Its first process, as the engine's machine numbers it; 0 where it has none."""
    running: bool = False
    """Whether it runs. A unit of type oneshot may be active without a process."""
    state: str = ""
    """What the host calls its state: running, exited, active, ..."""
    unit: str = ""
    """The unit of systemd that it runs under; "" for what systemd does not run by itself."""
    cgroup: str = ""
    """The unit's control group, below each hierarchy; "" where systemd does not say it."""
    image: str = ""
    """What it was made from, as the host or the spec has it; "" where there is none."""


def subjects(lab: Lab, host: Host, addresses: Iterable[str] | None = None) -> dict[str, Subject]:
    """Return address -> what the host has under it; an address under which the host has nothing is left out.

    An address is one of the lab's (service.web, stack.portainer.service.web, unit.web.service), with the number of a
    further container behind it (service.web/2, in their order, 1 being service.web itself), or `host`. None: of the
    whole lab, every container of a service included. Raises LabError for what the lab does not have, or what does
    not run at all, an image for instance.
    """
    wanted = None if addresses is None else list(dict.fromkeys(addresses))
    resources = [one for one in lab.resources if one.kind in KINDS]
    if wanted is not None:
        bases = {base_of(address, lab) for address in wanted} - {HOST}
        resources = [one for one in resources if one.address in bases]
    found = {subject.address: subject for subject in _all(lab, host, resources)}
    if wanted is None:
        return found
    plain = {address: address.removesuffix("/1") for address in wanted}
    found[HOST] = host_subject()
    return {address: found[plain[address]] for address in wanted if plain[address] in found}


def host_subject() -> Subject:
    """Return the machine itself: its first process has the namespaces that count as the host's."""
    return Subject(HOST, HOST, socket.gethostname(), pid=_INIT, running=True, state="running")


def base_of(address: str, lab: Lab) -> str:
    """Return the lab's own address in one that may have a container's number, or `host`. Raises as `subjects`."""
    base, slash, number = address.partition("/")
    resource = lab.by_address.get(base)
    if base == HOST and slash:
        raise LabError(f"{address}: there is one {HOST} only", hint=f"write {HOST}")
    if base == HOST:
        return base
    if resource is None:
        known = [HOST, *(one.address for one in lab.resources if one.kind in KINDS)]
        raise LabError(
            f"{address}: the lab has no {base}",
            hint=did_you_mean(base, known) or f"there are {', '.join(known[:12])}",
        )
    if resource.kind not in KINDS:
        raise LabError(f"{address}: nothing runs at this address; its kind is {resource.kind}", hint=_users(base, lab))
    if slash and resource.kind != "service":
        raise LabError(f"{address}: only services have numbered containers", hint=f"write {base}")
    if slash and not (number.isascii() and number.isdecimal() and int(number)):
        raise LabError(f"{address}: '{number}' is no number of a container", hint=f"for example {base}/2")
    return base


def _users(address: str, lab: Lab) -> str | None:
    """Return which addresses to take in place of one under which nothing runs."""
    users = [one.address for one in lab.resources if one.kind in KINDS and address in one.needs]
    return f"it is used by {', '.join(users[:6])}" if users else None


def _all(lab: Lab, host: Host, resources: list[Resource]) -> Iterator[Subject]:
    if any(one.kind == "service" for one in resources):
        yield from _services(lab, host, {one.address for one in resources})
    units = [one for one in resources if one.kind in ("unit", "rkt", "machine")]
    if units and Path(_SYSTEMD).is_dir():
        yield from _units(host, units)
    bundles = [one for one in resources if one.kind == "bundle"]
    if bundles:
        yield from _bundles(lab, host, bundles)


def _services(lab: Lab, host: Host, addresses: set[str]) -> Iterator[Subject]:
    from labspec.kinds.adoption.record import labels_of
    from labspec.kinds.service.reading import address_of, in_order, own_containers, replicas_of

    groups: dict[str, list[Any]] = {}
    for inspect in own_containers(host.docker, lab.name, lab.by_address, labels_of(host, lab, "service"))[0]:
        if address_of(inspect) in addresses:
            groups.setdefault(address_of(inspect), []).append(inspect)
    for address, inspects in groups.items():
        for number, inspect in enumerate(replicas_of(in_order(inspects, lab.by_address[address])), 1):
            yield _container(address if number == 1 else f"{address}/{number}", inspect)


def _container(address: str, inspect: Mapping[str, Any]) -> Subject:
    state = inspect["State"]
    return Subject(
        address,
        "service",
        str(inspect["Name"]).removeprefix("/"),
        id=inspect["Id"],
        pid=state.get("Pid") or 0,
        running=bool(state["Running"]),
        state=state["Status"],
        image=inspect["Config"].get("Image") or "",
    )


def _units(host: Host, resources: list[Resource]) -> Iterator[Subject]:
    names = {one.address: _unit_of(one) for one in resources}
    wanted = ["LoadState", "ActiveState", "MainPID", "ControlGroup"]
    shown = host.system.unit_properties(list(dict.fromkeys(names.values())), wanted)
    for resource in resources:
        unit = names[resource.address]
        properties = shown[unit]
        if properties.get("LoadState") == "not-found":
            continue
        main = int(properties.get("MainPID") or 0)
        state = properties.get("ActiveState", "")
        yield Subject(
            resource.address,
            resource.kind,
            resource.name,
            pid=_leader(main) if resource.kind == "machine" else main,
            running=state in ("active", "reloading", "activating"),
            state=state,
            unit=unit,
            cgroup=properties.get("ControlGroup", ""),
            image=str(resource.desired.get("image", "")),
        )


def _unit_of(resource: Resource) -> str:
    if resource.kind == "unit":
        return resource.name
    return f"{resource.options['unit'] if resource.kind == 'machine' else resource.name}.service"


def _leader(nspawn: int) -> int:
    """Return the first process of a machine: the one child of systemd-nspawn that is in another PID namespace."""
    if not nspawn:
        return 0
    try:
        own = Path(f"/proc/{nspawn}/ns/pid").readlink()
        children = Path(f"/proc/{nspawn}/task/{nspawn}/children").read_text(encoding="ascii").split()
        return next((int(child) for child in children if Path(f"/proc/{child}/ns/pid").readlink() != own), 0)
    except OSError:
        return 0


def _bundles(lab: Lab, host: Host, resources: list[Resource]) -> Iterator[Subject]:
    from labspec.host import runc

    known = runc.processes(host.system) if runc.installed() and os.geteuid() == 0 else {}
    for resource in resources:
        container = f"labspec-{lab.name}-{resource.options['key']}"
        state, pid = known.get(container, ("", 0))
        if state:
            yield Subject(
                resource.address,
                "bundle",
                container,
                id=container,
                pid=pid if state != "stopped" else 0,
                running=state in ("running", "paused"),
                state=state,
                image=resource.desired["image"],
            )
