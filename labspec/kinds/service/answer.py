"""The parts of the engine's answer about a container that say one field each, and how each is read.

GET /containers/ID/json, API 1.41 to 1.51.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labspec.kinds.objects import foreign_labels
from labspec.kinds.service import canonical

Readers = Mapping[str, tuple[str, Callable[[Any], Any] | None]]
"""Key of a part of the answer -> the field, and how its value is read where it is not as it stands."""


def said(found: Mapping[str, Any], readers: Readers) -> dict[str, Any]:
    """Return the fields of which a part of the answer says something: most of its keys say nothing."""
    state = {}
    for key, value in found.items():
        if value and key in readers:
            name, read = readers[key]
            state[name] = read(value) if read else value
    return state


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


def _devices(devices: Any) -> list[str]:
    return sorted(
        f"{device['PathOnHost']}:{device['PathInContainer']}:{device.get('CgroupPermissions') or 'rwm'}"
        for device in devices
    )


def _capabilities(names: Any) -> list[str]:
    return sorted({canonical.capability(name) for name in names})


def _ulimits(limits: Any) -> dict[str, Any]:
    return {limit["Name"]: {"soft": limit["Soft"], "hard": limit["Hard"]} for limit in limits}


SILENT: Mapping[str, Any] = {
    "image": "",
    "command": None,
    "entrypoint": None,
    "environment": {},
    "working_dir": "",
    "user": "",
    "tty": False,
    "stdin_open": False,
    "init": False,
    "stop_signal": "SIGTERM",
    "healthcheck": {},
    "labels": {},
    "annotations": {},
    "restart": "no",
    "logging": {"driver": "", "options": {}},
    "domainname": "",
    "extra_hosts": [],
    "dns": [],
    "dns_search": [],
    "dns_opt": [],
    "tmpfs": {},
    "devices": [],
    "device_cgroup_rules": [],
    "volumes_from": [],
    "read_only": False,
    "privileged": False,
    "cap_add": [],
    "cap_drop": [],
    "group_add": [],
    "sysctls": {},
    "ulimits": {},
    "storage_opt": {},
    "pid": "",
    "uts": "",
    "cgroup_parent": "",
    "userns_mode": "",
    "cpus": 0.0,
    "cpu_shares": 0,
    "cpu_period": 0,
    "cpu_quota": 0,
    "cpu_rt_period": 0,
    "cpu_rt_runtime": 0,
    "cpuset": "",
    "mem_limit": 0,
    "memswap_limit": 0,
    "mem_reservation": 0,
    "pids_limit": 0,
    "oom_kill_disable": False,
    "oom_score_adj": 0,
}
"""What a container has where the engine's answer says nothing, null, zero or empty."""

CONFIG: Readers = {
    "Image": ("image", familiar),
    "Cmd": ("command", None),
    "Entrypoint": ("entrypoint", None),
    "Env": ("environment", environment),
    "WorkingDir": ("working_dir", None),
    "User": ("user", None),
    "Tty": ("tty", None),
    "OpenStdin": ("stdin_open", None),
    "StopSignal": ("stop_signal", None),
    "Healthcheck": ("healthcheck", healthcheck),
    "Labels": ("labels", foreign_labels),
    "Domainname": ("domainname", None),
}
"""Of its Config."""

LIMITS: Readers = {
    "Init": ("init", None),
    "Annotations": ("annotations", None),
    "RestartPolicy": ("restart", _restart),
    "LogConfig": ("logging", _logging),
    "Runtime": ("runtime", None),
    "Isolation": ("isolation", None),
    "ExtraHosts": ("extra_hosts", sorted),
    "Dns": ("dns", None),
    "DnsSearch": ("dns_search", None),
    "DnsOptions": ("dns_opt", None),
    "Tmpfs": ("tmpfs", None),
    "Devices": ("devices", _devices),
    "DeviceCgroupRules": ("device_cgroup_rules", sorted),
    "ReadonlyRootfs": ("read_only", None),
    "Privileged": ("privileged", None),
    "CapAdd": ("cap_add", _capabilities),
    "CapDrop": ("cap_drop", _capabilities),
    "GroupAdd": ("group_add", sorted),
    "Sysctls": ("sysctls", None),
    "Ulimits": ("ulimits", _ulimits),
    "ShmSize": ("shm_size", None),
    "StorageOpt": ("storage_opt", None),
    "UTSMode": ("uts", None),
    "CgroupnsMode": ("cgroup", None),
    "CgroupParent": ("cgroup_parent", None),
    "UsernsMode": ("userns_mode", None),
    "NanoCpus": ("cpus", lambda nanoseconds: nanoseconds / 10**9),
    "CpuShares": ("cpu_shares", None),
    "CpuPeriod": ("cpu_period", None),
    "CpuQuota": ("cpu_quota", None),
    "CpuRealtimePeriod": ("cpu_rt_period", None),
    "CpuRealtimeRuntime": ("cpu_rt_runtime", None),
    "CpusetCpus": ("cpuset", None),
    "Memory": ("mem_limit", None),
    "MemorySwap": ("memswap_limit", None),
    "MemoryReservation": ("mem_reservation", None),
    "PidsLimit": ("pids_limit", lambda number: max(number, 0)),
    "OomKillDisable": ("oom_kill_disable", None),
    "OomScoreAdj": ("oom_score_adj", None),
}
"""Of its HostConfig."""
