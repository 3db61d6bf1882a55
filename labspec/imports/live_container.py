"""A container on the host as the entry of a service: what it has beside what its image and the engine give it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labspec.core.diff import UNSET
from labspec.core.resource import Observed
from labspec.kinds.service.defaults import container_defaults, of_image, without_image
from labspec.kinds.service.fields import FIELDS
from labspec.kinds.service.observed import container_state
from labspec.kinds.service.sharing import Peer

Entry = dict[str, Any]

_SAME = frozenset(
    (
        "command",
        "entrypoint",
        "working_dir",
        "user",
        "tty",
        "stdin_open",
        "init",
        "stop_signal",
        "stop_grace_period",
        "annotations",
        "expose",
        "hostname",
        "domainname",
        "mac_address",
        "extra_hosts",
        "dns",
        "dns_search",
        "dns_opt",
        "devices",
        "device_cgroup_rules",
        "volumes_from",
        "read_only",
        "privileged",
        "cap_add",
        "cap_drop",
        "security_opt",
        "group_add",
        "sysctls",
        "shm_size",
        "storage_opt",
        "pid",
        "ipc",
        "uts",
        "cgroup",
        "cgroup_parent",
        "userns_mode",
        "runtime",
        "isolation",
        "restart",
        "cpus",
        "cpu_shares",
        "cpu_period",
        "cpu_quota",
        "cpu_rt_period",
        "cpu_rt_runtime",
        "cpuset",
        "mem_limit",
        "memswap_limit",
        "mem_reservation",
        "mem_swappiness",
        "pids_limit",
        "oom_kill_disable",
        "oom_score_adj",
    )
)
"""Fields whose canonical form is that of the key of their name."""
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "shm_size": (64 * 2**20,),
    "ipc": ("private",),
    "runtime": ("runc",),
    "cgroup": ("host", "private"),
    "stop_grace_period": ("10s",),
    "oom_kill_disable": (False,),
}
"""What an engine gives a container that asks for nothing."""


def container_entry(
    inspect: Mapping[str, Any],
    image: Mapping[str, Any] | None,
    peers: Mapping[str, Peer],
    *,
    swap: bool,
    log_driver: str,
    name_of: Callable[[str, str], str],
) -> Entry:
    """Return the entry of a service that has this container, without its name.

    `image` is the inspect answer of the container's image, `name_of` returns the key of a volume or network
    ("volume", "network") of the host by its name.
    """
    state = container_state(inspect, None, peers, (), ("mac_address",) if inspect["Config"].get("MacAddress") else ())
    brought = None if image is None else of_image(image)
    defaults = container_defaults(inspect, state, brought, state["name"], None, swap)
    observed = Observed("", "service", inspect["Id"], state["name"], without_image(state, defaults), {}, defaults)
    entry: Entry = {"image": inspect["Config"]["Image"]}
    different = {
        field.name: observed.state[field.name] for field in FIELDS if _is_own(field.name, field.default, observed)
    }
    for name, value in different.items():
        if name in _SAME and value not in _USUAL.get(name, ()):
            entry[name] = value
    for name, write in _WRITTEN.items():
        if name in different:
            written = write(different[name], defaults.get(name))
            if written:
                entry[_KEYS.get(name, name)] = written
    _logging(different.get("logging") or {}, log_driver, entry)
    _connections(observed.state, inspect, entry, name_of)
    mounts = [_mount(mount, name_of) for mount in observed.state.get("mounts", ())]
    if mounts:
        entry["volumes"] = mounts
    return entry


def _is_own(name: str, default: Any, observed: Observed) -> bool:
    if name not in observed.state or name in ("image", "image_id", "name", "networks", "mounts", "replicas"):
        return False
    usual = observed.defaults.get(name, default)
    return bool(observed.state[name] != (None if usual is UNSET else usual))


def _added(value: Mapping[str, Any], usual: Any) -> dict[str, Any]:
    """Return what a mapping has beside what the image gives it; what it took away is null."""
    base = usual or {}
    found = {key: item for key, item in value.items() if base.get(key) != item or key not in base}
    return {**found, **{key: None for key in base if key not in value}}


def _limits(value: Mapping[str, Any], _usual: Any) -> dict[str, Any]:
    return {name: item["soft"] if item["soft"] == item["hard"] else item for name, item in value.items()}


def _check(value: Mapping[str, Any], _usual: Any) -> dict[str, Any]:
    return {"disable": True} if value.get("test") == ["NONE"] else dict(value)


_WRITTEN: Mapping[str, Callable[[Any, Any], Any]] = {
    "environment": _added,
    "labels": lambda value, usual: {key: item for key, item in _added(value, usual).items() if item is not None},
    "healthcheck": _check,
    "ports": lambda value, _usual: [port.removeprefix(":").removesuffix("/tcp") for port in value],
    "tmpfs": lambda value, _usual: [f"{target}:{options}" if options else target for target, options in value.items()],
    "ulimits": _limits,
    "blkio": lambda value, _usual: value,
    "network_mode": lambda value, _usual: value,
}
_KEYS = {"blkio": "blkio_config"}


def _logging(value: Mapping[str, Any], usual: str, entry: Entry) -> None:
    options = value.get("options") or {}
    if value and (options or value["driver"] != usual):
        entry["logging"] = {"driver": value["driver"], **({"options": options} if options else {})}


def _connections(
    state: Mapping[str, Any], inspect: Mapping[str, Any], entry: Entry, name_of: Callable[[str, str], str]
) -> None:
    """Say which networks a container is on; one that shares another's has none of its own."""
    mode = str(inspect["HostConfig"].get("NetworkMode") or "default")
    if mode in ("default", "bridge", "none", "host") or mode.startswith("container:"):
        entry.setdefault("network_mode", "bridge" if mode == "default" else entry.get("network_mode", mode))
        return
    found: dict[str, Any] = {}
    for name, endpoint in (state.get("networks") or {}).items():
        options = {
            "aliases": endpoint.get("aliases"),
            "ipv4_address": endpoint.get("ipv4"),
            "ipv6_address": endpoint.get("ipv6"),
            "link_local_ips": endpoint.get("link_local"),
            "driver_opts": endpoint.get("driver_opts"),
        }
        found[name_of("network", name)] = {key: value for key, value in options.items() if value} or None
    if found != {"default": None}:
        entry["networks"] = found if any(found.values()) else list(found)


def _mount(mount: Mapping[str, Any], name_of: Callable[[str, str], str]) -> Any:
    source, kind = mount.get("source", ""), mount["type"]
    if kind == "volume" and source:
        source = name_of("volume", source)
    long = kind == "tmpfs" or "subpath" in mount or (kind == "volume" and len(source) == 1) or ":" in source
    if not long:
        options = [
            *(["ro"] if mount.get("read_only") else ()),
            *(mount[key] for key in ("propagation", "selinux") if mount.get(key)),
            *(["nocopy"] if mount.get("nocopy") else ()),
        ]
        return ":".join([*([source] if source else ()), mount["target"], *([",".join(options)] if options else ())])
    made: dict[str, Any] = {"type": kind, **({"source": source} if source else {}), "target": mount["target"]}
    if mount.get("read_only"):
        made["read_only"] = True
    details = {
        "volume": {"nocopy": mount.get("nocopy"), "subpath": mount.get("subpath")},
        "tmpfs": {"size": mount.get("tmpfs_size"), "mode": mount.get("tmpfs_mode")},
        "bind": {"propagation": mount.get("propagation")},
    }[kind]
    details = {key: value for key, value in details.items() if value}
    return {**made, **({kind: details} if details else {})}
