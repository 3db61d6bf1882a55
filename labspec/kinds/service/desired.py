"""The canonical fields of a service: what `fields.py` declares, read from its entry in compose's vocabulary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from labspec.core.diff import digest
from labspec.kinds.compose import values
from labspec.kinds.compose.environment import Environment
from labspec.kinds.compose.exclusions import replica_count
from labspec.kinds.compose.mounts import is_cdi_device, parse_device, parse_tmpfs
from labspec.kinds.compose.ports import parse_expose, parse_ports
from labspec.kinds.compose.project import Project
from labspec.kinds.service import canonical
from labspec.kinds.service.desired_limits import limits
from labspec.kinds.service.desired_links import networks, shared
from labspec.kinds.service.desired_mounts import mounts
from labspec.kinds.service.desired_rest import rest

Entry = Mapping[str, Any]

_TEXTS = {"working_dir", "user", "stop_signal", "hostname", "domainname", "cgroup_parent", "uts", "cgroup"}
_TEXTS |= {"userns_mode", "runtime", "isolation", "cpuset"}
_SWITCHES = {"tty", "stdin_open", "init", "read_only", "privileged", "oom_kill_disable"}


def desired_fields(
    key: str, name: str, image: str, entry: Entry, environment: Environment, project: Project
) -> dict[str, Any]:
    """Return the fields that a service of good form sets, in canonical form.

    `name` is its container's, `image` the reference on the host. Mistakes of meaning are reported to the project.
    """
    found: dict[str, Any] = {"name": name, "image": image}
    for field, value in entry.items():
        if field in _READ and value is not None:
            found[field] = _READ[field](value)
        elif field in _TEXTS and value:
            found[field] = str(value)
        elif field in _SWITCHES and value is not None:
            found[field] = values.boolean(value)
    if environment.values:
        found["environment"] = environment.canonical()
    found |= _commands(entry)
    found |= dict(_reach(entry))
    found |= shared(key, entry, project)
    found |= networks(key, name, entry, project)
    found |= limits(entry)
    if entry.get("security_opt"):
        found["security_opt"] = security_options(key, entry, project)
    found_mounts = mounts(key, entry, project)
    if found_mounts:
        found["mounts"] = found_mounts
    if entry.get("scale") is not None or (entry.get("deploy") or {}).get("replicas") is not None:
        found["replicas"] = replica_count(entry)
    remainder = rest(key, entry, project)
    if remainder:
        found["rest"] = remainder
    return found


def _grace(value: str) -> str:
    return canonical.duration(values.nanoseconds(value) // 10**9 * 10**9)  # the engine counts in whole seconds


def _healthcheck(value: Entry) -> dict[str, Any]:
    if values.boolean(value.get("disable") or False):
        return {"test": ["NONE"]}
    found: dict[str, Any] = {}
    if value.get("test"):
        found["test"] = values.healthcheck_test(value["test"])
    for name in ("interval", "timeout", "start_period", "start_interval"):
        if value.get(name):
            found[name] = canonical.duration(values.nanoseconds(value[name]))
    if value.get("retries") is not None and values.whole(value["retries"]):
        found["retries"] = values.whole(value["retries"])
    return found


def _logging(value: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"driver": value["driver"]} if value.get("driver") else {}
    if value.get("options"):
        found["options"] = {name: values.text(given) for name, given in value["options"].items()}
    return found


def _restart(value: str) -> str:
    return values.restart(value)


def _devices(value: list[Any]) -> list[str]:
    return sorted(parse_device(item) for item in value if not is_cdi_device(item))


def _ulimits(value: Entry) -> dict[str, Any]:
    return {name: values.ulimit(given) for name, given in value.items()}


def _capabilities(value: list[str]) -> list[str]:
    return sorted({canonical.capability(name) for name in value})


def _storage(value: Entry) -> dict[str, str]:
    return {name: values.text(given) for name, given in value.items()}


def _sorted_texts(value: Any) -> list[str]:
    return sorted(set(values.texts(value)))


_READ: Mapping[str, Callable[[Any], Any]] = {
    "stop_grace_period": _grace,
    "healthcheck": _healthcheck,
    "annotations": values.mapping,
    "extra_hosts": values.extra_hosts,
    "dns": values.texts,
    "dns_search": values.texts,
    "dns_opt": values.texts,
    "mac_address": lambda value: value.lower().replace("-", ":"),
    "tmpfs": lambda value: dict(parse_tmpfs(item) for item in values.texts(value)),
    "devices": _devices,
    "device_cgroup_rules": _sorted_texts,
    "cap_add": _capabilities,
    "cap_drop": _capabilities,
    "group_add": _sorted_texts,
    "sysctls": values.mapping,
    "ulimits": _ulimits,
    "shm_size": values.size,
    "storage_opt": _storage,
    "logging": _logging,
}
"""Field -> what reads the value of the key of the same name."""


def _commands(entry: Entry) -> Iterator[tuple[str, Any]]:
    """Yield command and entrypoint; an empty one takes the image's own away, an empty command alone does not."""
    if entry.get("entrypoint") is not None:
        yield "entrypoint", values.words(entry["entrypoint"]) or None
    if entry.get("command") is not None:
        words = values.words(entry["command"])
        if words:
            yield "command", words
    elif entry.get("entrypoint"):
        yield "command", None


def _reach(entry: Entry) -> Iterator[tuple[str, Any]]:
    """Yield the ports. One that `ports` publishes is not among those of `expose`."""
    ports = {port for item in entry.get("ports") or () for port in parse_ports(item)}
    if ports:
        yield "ports", sorted(map(str, ports))
    exposed = {port for item in entry.get("expose") or () for port in parse_expose(item)}
    exposed -= {f"{port.target}/{port.protocol}" for port in ports}
    if exposed:
        yield "expose", sorted(exposed)


def security_options(key: str, entry: Entry, project: Project) -> list[str]:
    """Return the security options, a seccomp profile's file as the digest of what it says; sorted."""
    found = set()
    for index, option in enumerate(entry.get("security_opt") or ()):
        absolute = seccomp_file(key, index, option, project)
        if absolute is None:
            found.add(canonical.security_option(option))
            continue
        try:
            profile = json.loads(project.scope.read(absolute))
        except ValueError as error:
            path = project.at(key, "security_opt", index)
            project.error(path, f"the seccomp profile '{FilePath(absolute).name}' is no JSON: {error}")
            continue
        found.add(f"seccomp=(profile {digest(profile)})")
    return sorted(found)


def seccomp_file(key: str, index: int, option: str, project: Project) -> str | None:
    """Return the absolute path of the file that a security option names, or None where it names none."""
    name, _, value = canonical.security_option(option).partition("=")
    if name != "seccomp" or value in ("", "unconfined", "builtin") or value.startswith(("{", "(")):
        return None
    return project.source(project.at(key, "security_opt", index), value)
