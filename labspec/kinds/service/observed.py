"""A container as the engine reports it (GET /containers/ID/json, API 1.41 to 1.51), in the canonical fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from labspec.core.diff import digest
from labspec.core.resource import Resource
from labspec.kinds.objects import foreign_labels
from labspec.kinds.service import canonical
from labspec.kinds.service.mounts import blkio, mounts
from labspec.kinds.service.sharing import (
    OWN_MODES,
    Peer,
    Sharing,
    endpoint,
    exposed,
    mac_address,
    network_mode,
    ports,
)


def container_state(
    inspect: Mapping[str, Any],
    wanted: Resource | None = None,
    peers: Mapping[str, Peer] | None = None,
    secrets: Collection[str] | None = (),
    applied: Collection[str] = (),
) -> dict[str, Any]:
    """Return every field of one container that the host reports; a field that the engine chose itself is left out.

    `wanted` and `applied`, the fields set before, tell which MAC addresses were asked for; `peers` has by id the
    containers that may be shared with. Values of the environment named in `secrets` (None: all) are replaced by their
    digest.
    """
    config, limits = inspect["Config"], inspect["HostConfig"]
    share = Sharing(inspect, peers or {})
    state = {
        **_process(inspect, config, limits, secrets),
        **_reach(inspect, config, limits, wanted, share, "mac_address" in applied),
        **_sight(config, limits, share),
        **_resources(limits),
    }
    return {name: value for name, value in state.items() if value is not _LEFT_OUT}


_LEFT_OUT: Any = object()
"""Stands for a value that the engine chose and the host alone knows."""


def _process(
    inspect: Mapping[str, Any], config: Mapping[str, Any], limits: Mapping[str, Any], secrets: Collection[str] | None
) -> dict[str, Any]:
    timeout = config.get("StopTimeout")
    return {
        "name": inspect["Name"].removeprefix("/"),
        "image": familiar(config["Image"]),
        "image_id": inspect["Image"],
        "command": config.get("Cmd") or None,
        "entrypoint": config.get("Entrypoint") or None,
        "environment": {
            name: _hidden(value) if secrets is None or name in secrets else value
            for name, value in environment(config.get("Env")).items()
        },
        "working_dir": config.get("WorkingDir") or "",
        "user": config.get("User") or "",
        "tty": bool(config.get("Tty")),
        "stdin_open": bool(config.get("OpenStdin")),
        "init": bool(limits.get("Init")),
        "stop_signal": config.get("StopSignal") or "SIGTERM",
        "stop_grace_period": _LEFT_OUT if timeout is None else canonical.duration(timeout * 10**9),
        "healthcheck": healthcheck(config.get("Healthcheck")),
        "labels": foreign_labels(config.get("Labels") or {}),
        "annotations": limits.get("Annotations") or {},
        "restart": _restart(limits.get("RestartPolicy") or {}),
        "logging": _logging(limits.get("LogConfig") or {}),
        "runtime": limits.get("Runtime") or _LEFT_OUT,
        "isolation": limits.get("Isolation") or _LEFT_OUT,
    }


def _reach(
    inspect: Mapping[str, Any],
    config: Mapping[str, Any],
    limits: Mapping[str, Any],
    wanted: Resource | None,
    share: Sharing,
    had_mac: bool,
) -> dict[str, Any]:
    asked_mac = had_mac or bool(wanted and wanted.desired.get("mac_address"))
    mode = str(limits.get("NetworkMode") or "default")
    published = ports(limits.get("PortBindings"))
    targets = {port.rpartition(":")[2] for port in published}
    hostname = config.get("Hostname") or ""
    chosen = hostname == inspect["Id"][:12] or mode == "host" or mode.startswith("container:")
    return {
        "network_mode": network_mode(mode, share),
        "networks": {
            name: endpoint(name, found, inspect, wanted)
            for name, found in (inspect.get("NetworkSettings", {}).get("Networks") or {}).items()
            if not (mode in OWN_MODES and name == ("bridge" if mode == "default" else mode))
        },
        "ports": published,
        "expose": sorted(exposed(config.get("ExposedPorts")) - targets),
        "hostname": _LEFT_OUT if chosen else hostname,
        "domainname": config.get("Domainname") or "",
        "mac_address": mac_address(config, inspect, mode, asked_mac) or _LEFT_OUT,
        "extra_hosts": sorted(limits.get("ExtraHosts") or ()),
        "dns": limits.get("Dns") or [],
        "dns_search": limits.get("DnsSearch") or [],
        "dns_opt": limits.get("DnsOptions") or [],
    }


def _sight(config: Mapping[str, Any], limits: Mapping[str, Any], share: Sharing) -> dict[str, Any]:
    return {
        "mounts": sorted(mounts(config, limits), key=lambda mount: str(mount["target"])),
        "tmpfs": limits.get("Tmpfs") or {},
        "devices": sorted(
            f"{device['PathOnHost']}:{device['PathInContainer']}:{device.get('CgroupPermissions') or 'rwm'}"
            for device in limits.get("Devices") or ()
        ),
        "device_cgroup_rules": sorted(limits.get("DeviceCgroupRules") or ()),
        "volumes_from": sorted(share.name(f"container:{entry}") for entry in limits.get("VolumesFrom") or ()),
        "read_only": bool(limits.get("ReadonlyRootfs")),
        "privileged": bool(limits.get("Privileged")),
        "cap_add": sorted({canonical.capability(name) for name in limits.get("CapAdd") or ()}),
        "cap_drop": sorted({canonical.capability(name) for name in limits.get("CapDrop") or ()}),
        "security_opt": sorted(_security(limits)),
        "group_add": sorted(limits.get("GroupAdd") or ()),
        "sysctls": limits.get("Sysctls") or {},
        "ulimits": {
            limit["Name"]: {"soft": limit["Soft"], "hard": limit["Hard"]} for limit in limits.get("Ulimits") or ()
        },
        "shm_size": limits.get("ShmSize") or _LEFT_OUT,
        "storage_opt": limits.get("StorageOpt") or {},
        "pid": share.name(limits.get("PidMode") or ""),
        "ipc": share.name(limits.get("IpcMode") or "") or _LEFT_OUT,
        "uts": limits.get("UTSMode") or "",
        "cgroup": limits.get("CgroupnsMode") or _LEFT_OUT,
        "cgroup_parent": limits.get("CgroupParent") or "",
        "userns_mode": limits.get("UsernsMode") or "",
    }


def _resources(limits: Mapping[str, Any]) -> dict[str, Any]:
    swappiness = limits.get("MemorySwappiness")
    return {
        "cpus": (limits.get("NanoCpus") or 0) / 10**9,
        "cpu_shares": limits.get("CpuShares") or 0,
        "cpu_period": limits.get("CpuPeriod") or 0,
        "cpu_quota": limits.get("CpuQuota") or 0,
        "cpu_rt_period": limits.get("CpuRealtimePeriod") or 0,
        "cpu_rt_runtime": limits.get("CpuRealtimeRuntime") or 0,
        "cpuset": limits.get("CpusetCpus") or "",
        "mem_limit": limits.get("Memory") or 0,
        "memswap_limit": limits.get("MemorySwap") or 0,
        "mem_reservation": limits.get("MemoryReservation") or 0,
        "mem_swappiness": _LEFT_OUT if swappiness in (None, -1) else swappiness,
        "pids_limit": max(limits.get("PidsLimit") or 0, 0),
        "oom_kill_disable": bool(limits.get("OomKillDisable")),
        "oom_score_adj": limits.get("OomScoreAdj") or 0,
        "blkio": dict(blkio(limits)),
    }


def familiar(reference: str) -> str:
    """Return an image reference as people write it, with a tag: "debian:latest" for "docker.io/library/debian"."""
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"):
        if reference.startswith(prefix):
            reference = reference.removeprefix(prefix)
            break
    if "@" in reference or reference.startswith("sha256:"):
        return reference
    return reference if ":" in reference.rpartition("/")[2] else f"{reference}:latest"


def environment(entries: Any) -> dict[str, str | None]:
    """Return a list of NAME=VALUE as a mapping; a NAME without '=' takes the variable away (None)."""
    pairs = (entry.partition("=") for entry in entries or ())
    return {name: value if equals else None for name, equals, value in pairs}


def healthcheck(check: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a health check with the keys that say something; empty for none."""
    check = check or {}
    found: dict[str, Any] = {"test": list(check["Test"])} if check.get("Test") else {}
    for theirs, ours in _CHECK_TIMES.items():
        if check.get(theirs):
            found[ours] = canonical.duration(check[theirs])
    if check.get("Retries"):
        found["retries"] = check["Retries"]
    return found


_CHECK_TIMES = {
    "Interval": "interval",
    "Timeout": "timeout",
    "StartPeriod": "start_period",
    "StartInterval": "start_interval",
}


def _restart(policy: Mapping[str, Any]) -> str:
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def _logging(log: Mapping[str, Any]) -> dict[str, Any]:
    return {"driver": log.get("Type") or "", "options": log.get("Config") or {}}


def _security(limits: Mapping[str, Any]) -> Iterator[str]:
    for option in limits.get("SecurityOpt") or ():
        # The engine adds this one itself to a container that shares the host's processes.
        if option in ("label=disable", "label:disable") and unlabelled(limits):
            continue
        yield canonical.security_option(option)
    if limits.get("MaskedPaths") == [] and not limits.get("Privileged"):
        yield "systempaths=unconfined"  # compose hands it on as no masked paths


def unlabelled(limits: Mapping[str, Any]) -> bool:
    """Return whether the engine turns SELinux labels off for a container with this HostConfig."""
    return bool(limits.get("Privileged")) or "host" in (limits.get("PidMode"), limits.get("IpcMode"))


def _hidden(value: str | None) -> str | None:
    return None if value is None else f"(secret {digest(value)})"
