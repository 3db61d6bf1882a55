"""Broken states of a lab, derived from its spec: for each check, what of the things it depends on can be spoilt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labspec.checks.kinds import kind
from labspec.core.resource import Lab, Resource
from labspec.engine.checking import Check
from labspec.engine.proving_acts import Act, AddFile, AddInside, DropInside, HideFile, StopContainer, StopUnit
from labspec.engine.proving_twists import FIELD_KEYS, LIMIT_KEYS, NAMESPACE_KEYS, TWISTS, twisted
from labspec.kinds import sections

DROP = object()
"""The value of an edit that takes a key away."""
EARLY = 6
"""So many particular ways to spoil something are tried before it is simply stopped."""

Values = Mapping[str, Any]
"""The sections of a spec by name, includes taken in and lookups replaced."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """A change to the spec: `path` begins with a section and an entry."""

    path: Path
    value: Any

    def __str__(self) -> str:
        where = ".".join(self.path)
        return f"{where} taken away" if self.value is DROP else f"{where}: {_shown(self.value)}"


@dataclass(frozen=True)
class Mutation:
    """One way to break the lab: a changed spec that is applied, or something done to the host behind its back."""

    address: str
    """What is broken."""
    edits: tuple[Edit, ...] = ()
    act: Act | None = None

    def __str__(self) -> str:
        return str(self.act) if self.act else ", ".join(map(str, self.edits))

    def __hash__(self) -> int:
        return hash(str(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mutation) and str(self) == str(other)


def edited(values: dict[str, Any], edits: Iterable[Edit]) -> None:
    """Make edits to the sections of a spec; what they replace is not changed, but copied."""
    for edit in edits:
        here = values
        for step in edit.path[:-1]:
            here[step] = dict(here[step]) if isinstance(here.get(step), Mapping) else {}
            here = here[step]
        if edit.value is DROP:
            here.pop(edit.path[-1], None)
        else:
            here[edit.path[-1]] = edit.value


def candidates(check: Check, lab: Lab, values: Values) -> list[Mutation]:
    """Return the ways to break what a check depends on: first those that it is there for."""
    by_address = lab.by_address
    near = [by_address[address] for address in check["about"] if address in by_address]
    particular = list(_particular(check, lab, values))
    for resource in near:
        particular += _entry(resource, kind(check["kind"]).spoils, values, only_spoils=True)
    stops = [mutation for resource in near for mutation in _stops(resource)]
    rest: list[Mutation] = []
    for resource in _closure(near, by_address):
        rest += _entry(resource, (), values, only_spoils=False)
        rest += _stops(resource)
    found = dict.fromkeys((*particular[:EARLY], *stops, *particular[EARLY:], *rest))
    return list(found)


def closure(addresses: Iterable[str], by_address: Mapping[str, Resource]) -> set[str]:
    """Return addresses with all that they need."""
    return {resource.address for resource in _closure([by_address[name] for name in addresses], by_address)}


def dependents(address: str, lab: Lab) -> set[str]:
    """Return an address with all that needs it; all there is for the daemon, which everything runs on."""
    if address.startswith(("daemon.", "kernel_arg.")):
        return {resource.address for resource in lab.resources} | {address}
    found = {address}
    while True:
        more = {resource.address for resource in lab.resources if found & set(resource.needs)} - found
        if not more:
            return found
        found |= more


def _closure(near: Iterable[Resource], by_address: Mapping[str, Resource]) -> list[Resource]:
    found: dict[str, Resource] = {}
    todo = list(near)
    while todo:
        resource = todo.pop(0)
        if resource.address not in found:
            found[resource.address] = resource
            todo += [by_address[need] for need in resource.needs if need in by_address]
    return list(found.values())


def _place(address: str) -> Path | None:
    """Return where the spec says what an address is, as section and entry."""
    if address.startswith("stack."):
        return "stacks", address.split(".")[1]
    for section in sections():
        if address.startswith(f"{section.kind}.") and section.kind not in ("stack", "secret", "config"):
            return section.name, address.removeprefix(f"{section.kind}.")
    return None


def _written(address: str, values: Values) -> tuple[Path, Mapping[str, Any]] | None:
    path = _place(address)
    entries = values.get(path[0]) if path else None
    if path is None or not isinstance(entries, Mapping) or path[1] not in entries:
        return None
    entry = entries[path[1]]
    return path, entry if isinstance(entry, Mapping) else {}


def _entry(resource: Resource, spoils: Sequence[str], values: Values, *, only_spoils: bool) -> Iterator[Mutation]:
    """Yield an entry without each of its keys, or with another value; at last the lab without it."""
    found = _written(resource.address, values)
    if found is None:
        return
    path, entry = found
    if resource.address.startswith("stack."):
        if not only_spoils:
            yield Mutation(resource.address, (Edit(path, DROP),))
        return
    keys = [key for key in spoils if key in entry] if only_spoils else list(entry)
    for key in keys:
        for value in (*twisted(resource.kind, key, entry[key]), DROP):
            yield Mutation(resource.address, (Edit((*path, key), value),))
    if resource.kind == "unit" and not only_spoils:
        for part in ("Unit", "Service", "Install"):
            for key in entry.get(part) or ():
                yield Mutation(resource.address, (Edit((*path, part, key), DROP),))
    if not only_spoils:
        yield Mutation(resource.address, (Edit(path, DROP),))


def _stops(resource: Resource) -> Iterator[Mutation]:
    if resource.kind == "service":
        yield Mutation(resource.address, act=StopContainer(resource.address))
    elif resource.kind in ("unit", "rkt", "machine"):
        unit = str(resource.options.get("unit") or resource.name)
        yield Mutation(resource.address, act=StopUnit(unit if "." in unit else f"{unit}.service"))


def _particular(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    """Yield the ways to break just what a check of this kind looks at."""
    make = _PARTICULAR.get(check["kind"])
    if make is not None:
        yield from make(check, lab, values)


def _http(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    yield from _ports(check, lab, values)


def _tcp(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    what = check["what"]
    if what.get("open", True):
        yield from _ports(check, lab, values)
        return
    host, port, place = what.get("host", "127.0.0.1"), what["port"], what["in"]
    if place.startswith("service.") and host.startswith("service."):
        mine, theirs = _written(place, values), _written(host, values)
        if mine and theirs:
            joined = [*_networks(mine[1]), *_networks(theirs[1])]
            yield Mutation(place, (Edit((*mine[0], "networks"), joined),))
        return
    named = [address for address in check["about"] if address.startswith("service.")]
    every = [resource.address for resource in lab.resources if resource.address.startswith("service.")]
    for address in named or every:
        found = _written(address, values)
        if found is not None:
            ports = [*(found[1].get("ports") or ()), f"{port}:{port}"]
            yield Mutation(address, (Edit((*found[0], "ports"), ports),))


def _networks(entry: Mapping[str, Any]) -> list[str]:
    return list(entry.get("networks") or ("default",))


def _ports(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001  as its siblings
    """Yield services that publish other ports than the one that is asked."""
    for address in check["about"]:
        found = _written(address, values)
        if found and found[1].get("ports"):
            wrong = [_other_port(port) for port in found[1]["ports"]]
            yield Mutation(address, (Edit((*found[0], "ports"), wrong),))


def _other_port(port: Any) -> Any:
    text = port if isinstance(port, str) else ""
    outer, colon, inner = text.rpartition(":")
    head, _, number = outer.rpartition(":")
    if not colon or not number.isdecimal():
        return port
    return f"{head}:{int(number) + 10000}:{inner}".removeprefix(":") if int(number) < 50000 else port


def _namespace(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    what = check["what"]
    found = _written(what["in"], values)
    if found is None:
        return
    path, entry = found
    for name in what.get("isolated") or ():
        key = NAMESPACE_KEYS.get(name)
        if what["in"].startswith("service.") and key:
            dropped = [
                Edit((*path, other), DROP) for other in ("ports", "networks") if name == "net" and other in entry
            ]
            yield Mutation(what["in"], (*dropped, Edit((*path, key), "host")))
        elif name == "net":
            yield Mutation(what["in"], (Edit((*path, "network"), "host"),))


def _cgroup(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    what = check["what"]
    found = _written(what["in"], values) if what["in"].startswith("service.") else None
    for name, key in LIMIT_KEYS.items():
        if found is not None and name in what:
            value = DROP if key in found[1] else TWISTS[key][0]
            yield Mutation(what["in"], (Edit((*found[0], key), value),))


def _container(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    what = check["what"]
    found = _written(what["in"], values)
    if found is None:
        return
    path, entry = found
    for word, key in FIELD_KEYS.items():
        if word in what["field"]:
            for value in ((DROP,) if key in entry else ()) + TWISTS.get(key, ()):
                yield Mutation(what["in"], (Edit((*path, key), value),))


def _mount(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    what, by_address = check["what"], lab.by_address
    found = _written(what["in"], values) if what["in"] in by_address else None
    if found is None:
        return
    for need in by_address[what["in"]].needs:
        volume = _written(need, values) if need.startswith("volume.") else None
        tmpfs = volume[1].get("tmpfs") if volume else None
        for key in tmpfs or ():
            if volume and key in ("size", "uid", "gid", "mode"):
                yield Mutation(need, (Edit((*volume[0], "tmpfs", key), DROP),))
        if tmpfs and volume:
            yield Mutation(need, (Edit((*volume[0], "tmpfs"), DROP),))


def _group(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    for address in check["about"]:
        found = _written(address, values)
        for member in (found[1].get("members") or ()) if found else ():
            left = [other for other in found[1]["members"] if other != member] if found else []
            yield Mutation(address, (Edit((*found[0], "members"), left),)) if found else Mutation(address)


def _file(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    what = check["what"]
    if what["in"].startswith(("service.", "stack.")):
        act = DropInside if what.get("exists", True) else AddInside
        if not _below_mount(what["path"], lab.by_address[what["in"]]):
            yield Mutation(what["in"], act=act(what["in"], what["path"]))
        return
    if what["in"] != "host":
        return
    for address in check["about"]:
        resource = lab.by_address[address]
        if resource.kind == "file":
            yield from _entry(resource, ("content", "mode", "owner"), values, only_spoils=True)
            yield from _entry(resource, (), values, only_spoils=False)
    yield Mutation("host", act=HideFile(what["path"]) if what.get("exists", True) else AddFile(what["path"]))


def _below_mount(path: str, service: Resource) -> bool:
    """Return whether a path is on a volume or on the host: a new container would not bring it back."""
    targets = [str(mount["target"]).rstrip("/") for mount in service.desired.get("mounts") or ()]
    return any(path == target or path.startswith(f"{target}/") for target in targets)


def _user(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    """Yield a service that runs as somebody else, in there or on the host."""
    what = check["what"]
    found = _written(what["in"], values) if what["in"].startswith("service.") else None
    if found is not None:
        if "host_user" in what:
            yield Mutation(what["in"], (Edit((*found[0], "userns_mode"), "host"),))
        for user in TWISTS["user"]:
            yield Mutation(what["in"], (Edit((*found[0], "user"), user),))


def _unit(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    name = check["what"]["name"].removeprefix("unit.")
    found = _written(f"unit.{name}", values)
    wanted = check["what"].get("properties") or {}
    if found is not None:
        path, entry = found
        for part in ("Unit", "Service", "Install"):
            for key in entry.get(part) or ():
                if key in wanted:
                    yield Mutation(f"unit.{name}", (Edit((*path, part, key), DROP),))
        if "UnitFileState" in wanted:
            yield Mutation(f"unit.{name}", (Edit((*path, "enabled"), False),))
    elif name == "docker.service" and "UnitFileState" in wanted:
        yield Mutation("daemon.service", (Edit(("daemon", "service", "enabled"), False),))
    yield Mutation(f"unit.{name}" if found else "daemon.service", act=StopUnit(name))


def _api(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    if "daemon.settings" in check["about"]:
        for key in (values.get("daemon") or {}).get("settings") or ():
            yield Mutation("daemon.settings", (Edit(("daemon", "settings", key), DROP),))


_PARTICULAR = {
    "http": _http,
    "tcp": _tcp,
    "namespace": _namespace,
    "container": _container,
    "cgroup": _cgroup,
    "mount": _mount,
    "group": _group,
    "file": _file,
    "unit": _unit,
    "api": _api,
    "command": _user,
    "process": _user,
}


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
