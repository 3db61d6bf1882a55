"""The ways to break just what a check of each kind looks at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from labspec.core.resource import Lab, Resource
from labspec.engine.checking import Check
from labspec.engine.proving_acts import AddFile, AddInside, DropInside, HideFile, StopUnit
from labspec.engine.proving_edits import DROP, Edit, Mutation, Values, spoilt_entry, written
from labspec.engine.proving_twists import FIELD_KEYS, LIMIT_KEYS, NAMESPACE_KEYS, TWISTS


def particular(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
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
        mine, theirs = written(place, values), written(host, values)
        if mine and theirs:
            joined = [*_networks(mine[1]), *_networks(theirs[1])]
            yield Mutation(place, (Edit((*mine[0], "networks"), joined),))
        return
    named = [address for address in check["about"] if address.startswith("service.")]
    every = [resource.address for resource in lab.resources if resource.address.startswith("service.")]
    for address in named or every:
        found = written(address, values)
        if found is not None:
            ports = [*(found[1].get("ports") or ()), f"{port}:{port}"]
            published = Edit((*found[0], "ports"), ports)
            yield Mutation(address, (published,))
            # What is on internal networks alone publishes nothing.
            yield Mutation(
                address,
                (published, Edit((*found[0], "networks"), list(dict.fromkeys((*_networks(found[1]), "default"))))),
            )


def _networks(entry: Mapping[str, Any]) -> list[str]:
    return list(entry.get("networks") or ("default",))


def _ports(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001  as its siblings
    """Yield services that publish other ports than the one that is asked."""
    for address in check["about"]:
        found = written(address, values)
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
    found = written(what["in"], values)
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
            if name != "user":
                # With remapped users a container may not have a namespace of the host's, unless it has that of users.
                users = Edit((*path, "userns_mode"), "host")
                yield Mutation(what["in"], (*dropped, users, Edit((*path, key), "host")))
        elif name == "net":
            yield Mutation(what["in"], (Edit((*path, "network"), "host"),))


def _cgroup(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    what = check["what"]
    found = written(what["in"], values) if what["in"].startswith("service.") else None
    for name, key in LIMIT_KEYS.items():
        if found is not None and name in what:
            value = DROP if key in found[1] else TWISTS[key][0]
            yield Mutation(what["in"], (Edit((*found[0], key), value),))


def _container(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    what = check["what"]
    found = written(what["in"], values)
    if found is None:
        return
    path, entry = found
    if "Env" in what["field"]:
        for name in _names(what["is"]):
            others = entry.get("environment")
            spoilt = {**(others if isinstance(others, Mapping) else {}), name: "spoilt"}
            yield Mutation(what["in"], (Edit((*path, "environment"), spoilt),))
    for word, key in FIELD_KEYS.items():
        if word in what["field"]:
            for value in ((DROP,) if key in entry else ()) + TWISTS.get(key, ()):
                yield Mutation(what["in"], (Edit((*path, key), value),))


def _names(matcher: Any) -> Iterator[str]:
    """Yield the names in texts like NAME=value, however deep in a matcher."""
    if isinstance(matcher, str):
        name, equals, _ = matcher.partition("=")
        if equals and name.isidentifier():
            yield name
    elif isinstance(matcher, Mapping | list):
        for inner in matcher.values() if isinstance(matcher, Mapping) else matcher:
            yield from _names(inner)


def _mount(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:
    what, by_address = check["what"], lab.by_address
    found = written(what["in"], values) if what["in"] in by_address else None
    if found is None:
        return
    for need in by_address[what["in"]].needs:
        volume = written(need, values) if need.startswith("volume.") else None
        tmpfs = volume[1].get("tmpfs") if volume else None
        for key in tmpfs or ():
            if volume and key in ("size", "uid", "gid", "mode"):
                yield Mutation(need, (Edit((*volume[0], "tmpfs", key), DROP),))
        if tmpfs and volume:
            yield Mutation(need, (Edit((*volume[0], "tmpfs"), DROP),))


def _group(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    for address in check["about"]:
        found = written(address, values)
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
            found = written(address, values)
            if found and "src" in found[1]:
                edits = (Edit((*found[0], "src"), DROP), Edit((*found[0], "content"), "spoilt\n"))
                yield Mutation(address, edits)
            yield from spoilt_entry(resource, ("content", "mode", "owner"), values, only_spoils=True)
            yield from spoilt_entry(resource, (), values, only_spoils=False)
    yield Mutation("host", act=HideFile(what["path"]) if what.get("exists", True) else AddFile(what["path"]))


def _below_mount(path: str, service: Resource) -> bool:
    """Return whether a path is on a volume or on the host: a new container would not bring it back."""
    targets = [str(mount["target"]).rstrip("/") for mount in service.desired.get("mounts") or ()]
    return any(path == target or path.startswith(f"{target}/") for target in targets)


def _user(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    """Yield a service that runs as somebody else, in there or on the host."""
    what = check["what"]
    found = written(what["in"], values) if what["in"].startswith("service.") else None
    if found is not None:
        if "host_user" in what:
            yield Mutation(what["in"], (Edit((*found[0], "userns_mode"), "host"),))
        for user in TWISTS["user"]:
            yield Mutation(what["in"], (Edit((*found[0], "user"), user),))


def _unit(check: Check, lab: Lab, values: Values) -> Iterator[Mutation]:  # noqa: ARG001
    name = check["what"]["name"].removeprefix("unit.")
    found = written(f"unit.{name}", values)
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
