"""What a service may use, from its own keys and from `deploy`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from labspec.kinds.compose import values

_READ: Mapping[str, Callable[[Any], Any]] = {
    "cpu_shares": values.whole,
    "cpu_period": values.whole,
    "cpu_quota": values.whole,
    "cpu_rt_period": values.whole,
    "cpu_rt_runtime": values.whole,
    "cpus": values.number,
    "mem_limit": values.size,
    "memswap_limit": values.swap,
    "mem_reservation": values.size,
    "mem_swappiness": values.whole,
    "oom_score_adj": values.whole,
    "pids_limit": values.whole,
}
_CONDITIONS = {"none": "no", "any": "always", "on-failure": "on-failure", "unless-stopped": "unless-stopped"}
_RATES = {
    "device_read_bps": ("rate", values.size),
    "device_read_iops": ("rate", values.whole),
    "device_write_bps": ("rate", values.size),
    "device_write_iops": ("rate", values.whole),
    "weight_device": ("weight", values.whole),
}


def limits(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a service of good form that limit it, and its restart policy."""
    found = {name: _READ[name](value) for name, value in entry.items() if name in _READ and value is not None}
    if entry.get("deploy"):
        found |= dict(_of_deploy(entry["deploy"]))
    if "pids_limit" in found:
        found["pids_limit"] = max(found["pids_limit"], 0)
    if entry.get("restart"):
        found["restart"] = values.restart(entry["restart"])
    if entry.get("blkio_config"):
        found["blkio"] = _blkio(entry["blkio_config"])
    return found


def _of_deploy(deploy: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    resources = deploy.get("resources") or {}
    most, least = resources.get("limits") or {}, resources.get("reservations") or {}
    if most.get("cpus") is not None:
        yield "cpus", values.number(most["cpus"])
    if most.get("memory") is not None:
        yield "mem_limit", values.size(most["memory"])
    if most.get("pids") is not None:
        yield "pids_limit", values.whole(most["pids"])
    if least.get("memory") is not None:
        yield "mem_reservation", values.size(least["memory"])
    policy = deploy.get("restart_policy") or {}
    if policy.get("condition") in _CONDITIONS:
        name = _CONDITIONS[policy["condition"]]
        count = values.whole(policy.get("max_attempts") or 0)
        yield "restart", f"{name}:{count}" if count and name == "on-failure" else name


def _blkio(config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"weight": values.whole(config["weight"])} if config.get("weight") else {}
    for name, (amount, read) in _RATES.items():
        devices = [{"path": item["path"], amount: read(item[amount])} for item in config.get(name) or ()]
        if devices:
            found[name] = sorted(devices, key=lambda device: str(device["path"]))
    return found
