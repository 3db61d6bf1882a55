"""Other values for the keys of a spec: such that the lab can still be applied, and is not what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMESPACE_KEYS: Mapping[str, str] = {
    "pid": "pid",
    "net": "network_mode",
    "ipc": "ipc",
    "uts": "uts",
    "user": "userns_mode",
    "cgroup": "cgroup",
}
"""Type of namespace -> the key of a service that, as `host`, shares the host's."""

LIMIT_KEYS: Mapping[str, str] = {"memory": "mem_limit", "cpus": "cpus", "pids": "pids_limit"}
"""Limit of a control group -> the key of a service that sets it."""

FIELD_KEYS: Mapping[str, str] = {
    "Memory": "mem_limit",
    "NanoCpus": "cpus",
    "PidsLimit": "pids_limit",
    "ReadonlyRootfs": "read_only",
    "Privileged": "privileged",
    "UsernsMode": "userns_mode",
    "PidMode": "pid",
    "IpcMode": "ipc",
    "CapAdd": "cap_add",
    "CapDrop": "cap_drop",
    "SecurityOpt": "security_opt",
    "RestartPolicy": "restart",
    "Hostname": "hostname",
    "User": "user",
    "Env": "environment",
    "Cmd": "command",
    "Entrypoint": "entrypoint",
    "Healthcheck": "healthcheck",
    "Health": "healthcheck",
    "Mounts": "volumes",
    "Tmpfs": "tmpfs",
    "Ports": "ports",
    "PortBindings": "ports",
    "Labels": "labels",
    "Init": "init",
}
"""A word in the field of a container -> the key of a service that sets it."""

IDLE = ["sleep", "99999"]
TWISTS: Mapping[str, tuple[Any, ...]] = {
    "mem_limit": ("77m",),
    "cpus": (0.77,),
    "pids_limit": (777,),
    "read_only": (True, False),
    "privileged": (True,),
    "userns_mode": ("host",),
    "pid": ("host",),
    "ipc": ("host",),
    "cap_add": (["SYS_TIME"],),
    "cap_drop": (["MKNOD"],),
    "restart": ("on-failure:7",),
    "hostname": ("spoilt",),
    "user": ("65533", "0"),
    "command": (IDLE,),
    "entrypoint": (IDLE,),
    "environment": ({"SPOILT": "1"},),
    "labels": ({"spoilt": "1"},),
    "ports": (["127.0.0.1:61777:61777"],),
    "init": (True,),
    "tmpfs": (["/spoilt"],),
}
"""Key of a service -> values that it hardly has."""


def twisted(kind: str, key: str, value: Any) -> tuple[Any, ...]:
    """Return other values for a key of an object of a kind that has this one."""
    if kind == "service":
        return tuple(other for other in TWISTS.get(key, ()) if other != value and key not in ("ports", "environment"))
    match kind, key:
        case "file", "content":
            return (f"{value}\nspoilt\n",)
        case "file", "mode":
            return ("0600" if value != "0600" else "0644",)
        case "unit", "state":
            return ("stopped",)
        case "unit", "enabled":
            return (not value,)
        case "bundle" | "machine", "hostname":
            return ("spoilt",)
        case "sysctl", _:
            return ()
        case _:
            return ()
