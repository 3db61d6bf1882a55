"""Flags of `docker run` that are one key of a service each: texts, numbers, switches, lists, pairs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labspec.core.diagnostic import LabError
from labspec.imports.run_words import CommandLine

_TEXTS = {
    "cgroup-parent": "cgroup_parent",
    "cgroupns": "cgroup",
    "cpuset-cpus": "cpuset",
    "domainname": "domainname",
    "hostname": "hostname",
    "ipc": "ipc",
    "isolation": "isolation",
    "mac-address": "mac_address",
    "memory": "mem_limit",
    "memory-reservation": "mem_reservation",
    "name": "container_name",
    "pid": "pid",
    "platform": "platform",
    "pull": "pull_policy",
    "restart": "restart",
    "runtime": "runtime",
    "shm-size": "shm_size",
    "stop-signal": "stop_signal",
    "user": "user",
    "userns": "userns_mode",
    "uts": "uts",
    "workdir": "working_dir",
}
_NUMBERS = {
    "cpu-period": "cpu_period",
    "cpu-quota": "cpu_quota",
    "cpu-rt-period": "cpu_rt_period",
    "cpu-rt-runtime": "cpu_rt_runtime",
    "cpu-shares": "cpu_shares",
    "cpus": "cpus",
    "memory-swappiness": "mem_swappiness",
    "oom-score-adj": "oom_score_adj",
    "pids-limit": "pids_limit",
}
_SWITCHES = {
    "init": "init",
    "interactive": "stdin_open",
    "oom-kill-disable": "oom_kill_disable",
    "privileged": "privileged",
    "read-only": "read_only",
    "tty": "tty",
}
_LISTS = {
    "add-host": "extra_hosts",
    "cap-add": "cap_add",
    "cap-drop": "cap_drop",
    "device": "devices",
    "device-cgroup-rule": "device_cgroup_rules",
    "dns": "dns",
    "dns-option": "dns_opt",
    "dns-search": "dns_search",
    "expose": "expose",
    "group-add": "group_add",
    "link": "external_links",
    "publish": "ports",
    "tmpfs": "tmpfs",
}
_PAIRS = {"annotation": "annotations", "storage-opt": "storage_opt", "sysctl": "sysctls"}
_IGNORED_VALUES = {"memory-swappiness": "-1", "cgroupns": "", "isolation": ""}


def plain(line: CommandLine, service: dict[str, Any]) -> None:
    """Put what these flags say into a service. Raises LabError for what is no number where one is expected."""
    for names, read in ((_TEXTS, str), (_NUMBERS, _number)):
        for flag, key in names.items():
            value = line.value(flag)
            if value is not None and value != _IGNORED_VALUES.get(flag):
                service[key] = read_as(read, flag, value)
    for flag, key in _SWITCHES.items():
        found = line.switch(flag)
        if found is not None:
            service[key] = found
    for flag, key in _LISTS.items():
        if flag in line.flags:
            service[key] = list(line.flags[flag])
    for flag, key in _PAIRS.items():
        if flag in line.flags:
            service[key] = dict(pair.partition("=")[::2] for pair in line.flags[flag])
    swap = line.value("memory-swap")
    if swap is not None:
        service["memswap_limit"] = -1 if swap == "-1" else swap  # compose takes text for a size
    timeout = line.value("stop-timeout")
    if timeout is not None and not endless(timeout):
        service["stop_grace_period"] = f"{read_as(int, 'stop-timeout', timeout)}s"
    if "volumes-from" in line.flags:
        service["volumes_from"] = [f"container:{item}" for item in line.flags["volumes-from"]]


def read_as(read: Callable[[str], Any], flag: str, value: str) -> Any:
    """Return what `read` makes of a flag's value. Raises LabError where it makes nothing of it."""
    try:
        return read(value)
    except ValueError:
        raise LabError(f"--{flag} {value}: expected a number") from None


def _number(value: str) -> int | float:
    return int(value) if re.fullmatch(r"[+-]?[0-9]+", value) else float(value)


def endless(timeout: str) -> bool:
    """Return whether a timeout for a container's end has no end itself."""
    return bool(re.fullmatch(r"-[0-9]+", timeout))
