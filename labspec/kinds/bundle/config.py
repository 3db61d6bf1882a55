"""The config.json of a bundle: what `runc spec` writes (Open Container Initiative runtime specification 1.0), and the
spec's own wishes over it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

CONFIG_FILE = "config.json"
ROOTFS = "rootfs"
_CAPABILITIES = ("CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE")
_NOTHING = ("nosuid", "noexec", "nodev")


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, Any]:
    return {"destination": destination, "type": kind, "source": source, **({"options": [*options]} if options else {})}


_DEFAULT: dict[str, Any] = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {name: [*_CAPABILITIES] for name in ("bounding", "effective", "permitted", "ambient")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": ROOTFS, "readonly": True},
    "hostname": "runc",
    "mounts": [
        _mount("/proc", "proc", "proc"),
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount(
            "/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"
        ),
        _mount("/dev/shm", "tmpfs", "shm", *_NOTHING, "mode=1777", "size=65536k"),  # noqa: S108  in the container
        _mount("/dev/mqueue", "mqueue", "mqueue", *_NOTHING),
        _mount("/sys", "sysfs", "sysfs", *_NOTHING, "ro"),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", *_NOTHING, "relatime", "ro"),
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": [
            "/proc/acpi",
            "/proc/asound",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/proc/sched_debug",
            "/sys/firmware",
            "/proc/scsi",
        ],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def default_config() -> dict[str, Any]:
    """Return what `runc spec` writes, for a container without terminal."""
    return copy.deepcopy(_DEFAULT)


def config(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config.json for what a spec says, in canonical form (`model.wishes_of`)."""
    made = default_config()
    process = made["process"]
    process["args"] = [*wishes["args"]]
    made["hostname"] = wishes["hostname"]
    for key in ("terminal", "cwd"):
        if key in wishes:
            process[key] = wishes[key]
    if "user" in wishes:
        process["user"] = dict(wishes["user"])
    variables = dict(line.split("=", 1) for line in process["env"]) | dict(wishes.get("env") or {})
    process["env"] = [f"{name}={value}" for name, value in variables.items()]
    if "readonly" in wishes:
        made["root"]["readonly"] = wishes["readonly"]
    if wishes.get("network") == "host":
        made["linux"]["namespaces"] = [item for item in made["linux"]["namespaces"] if item["type"] != "network"]
    made["mounts"] += [_wanted_mount(mount) for mount in wishes.get("mounts") or ()]
    return made


def config_text(made: Mapping[str, Any]) -> str:
    """Return a config.json as text, laid out as runc does."""
    return json.dumps(made, indent="\t", ensure_ascii=False) + "\n"


def flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return every value of a config.json by its dotted path: {"process.args": [...], "hostname": ...}."""
    return dict(_flat(value, ""))


def _flat(value: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for name, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{above}{name}.")
        else:
            yield f"{above}{name}", item


def _wanted_mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    access = ["ro"] if mount.get("read_only") else []
    if mount["type"] == "tmpfs":
        size = [f"size={mount['size']}"] if "size" in mount else []
        return _mount(mount["target"], "tmpfs", "tmpfs", "nosuid", "nodev", *size, *access)
    return _mount(mount["target"], "bind", mount["source"], "rbind", *access)
