"""The flags of `docker run`: what each takes, which key of a service says the same, and what none says."""

from __future__ import annotations

from typing import NamedTuple

SWITCH, VALUE, LIST = "switch", "value", "list"


class Flag(NamedTuple):
    """One flag. `key` is the key of a service, or of the spec, that says it; "": nothing does, or need."""

    name: str
    kind: str = VALUE
    key: str = ""
    short: str = ""
    note: str = ""
    """Why it has no key."""
    lost: bool = False
    """A spec cannot say it."""


_NO_TRAIT = "no trait of the container: it is about the terminal that starts it"

FLAGS = (
    Flag("add-host", LIST, "extra_hosts"),
    Flag("annotation", LIST, "annotations"),
    Flag("attach", LIST, short="a", note=_NO_TRAIT),
    Flag("blkio-weight", VALUE, "blkio_config.weight"),
    Flag("blkio-weight-device", LIST, "blkio_config.weight_device"),
    Flag("cap-add", LIST, "cap_add"),
    Flag("cap-drop", LIST, "cap_drop"),
    Flag("cgroup-parent", VALUE, "cgroup_parent"),
    Flag("cgroupns", VALUE, "cgroup"),
    Flag("cidfile", lost=True, note="labspec knows its containers by their labels"),
    Flag("cpu-period", VALUE, "cpu_period"),
    Flag("cpu-quota", VALUE, "cpu_quota"),
    Flag("cpu-rt-period", VALUE, "cpu_rt_period"),
    Flag("cpu-rt-runtime", VALUE, "cpu_rt_runtime"),
    Flag("cpu-shares", VALUE, "cpu_shares", short="c"),
    Flag("cpus", VALUE, "cpus"),
    Flag("cpuset-cpus", VALUE, "cpuset"),
    Flag("cpuset-mems", lost=True, note="the Compose specification has no key for it"),
    Flag("detach", SWITCH, short="d", note="always so"),
    Flag("detach-keys", note=_NO_TRAIT),
    Flag("device", LIST, "devices"),
    Flag("device-cgroup-rule", LIST, "device_cgroup_rules"),
    Flag("device-read-bps", LIST, "blkio_config.device_read_bps"),
    Flag("device-read-iops", LIST, "blkio_config.device_read_iops"),
    Flag("device-write-bps", LIST, "blkio_config.device_write_bps"),
    Flag("device-write-iops", LIST, "blkio_config.device_write_iops"),
    Flag("disable-content-trust", SWITCH, note="always so"),
    Flag("dns", LIST, "dns"),
    Flag("dns-option", LIST, "dns_opt"),
    Flag("dns-search", LIST, "dns_search"),
    Flag("domainname", VALUE, "domainname"),
    Flag("entrypoint", VALUE, "entrypoint"),
    Flag("env", LIST, "environment", short="e"),
    Flag("env-file", LIST, "environment"),
    Flag("expose", LIST, "expose"),
    Flag("gpus", VALUE, "deploy.resources.reservations.devices"),
    Flag("group-add", LIST, "group_add"),
    Flag("health-cmd", VALUE, "healthcheck.test"),
    Flag("health-interval", VALUE, "healthcheck.interval"),
    Flag("health-retries", VALUE, "healthcheck.retries"),
    Flag("health-start-interval", VALUE, "healthcheck.start_interval"),
    Flag("health-start-period", VALUE, "healthcheck.start_period"),
    Flag("health-timeout", VALUE, "healthcheck.timeout"),
    Flag("hostname", VALUE, "hostname", short="h"),
    Flag("init", SWITCH, "init"),
    Flag("interactive", SWITCH, "stdin_open", short="i"),
    Flag("ip", VALUE, "networks.*.ipv4_address"),
    Flag("ip6", VALUE, "networks.*.ipv6_address"),
    Flag("ipc", VALUE, "ipc"),
    Flag("isolation", VALUE, "isolation"),
    Flag("kernel-memory", note="the engine ignores it since 23.0"),
    Flag("label", LIST, "labels", short="l"),
    Flag("label-file", LIST, "labels"),
    Flag("link", LIST, "external_links"),
    Flag("link-local-ip", LIST, "networks.*.link_local_ips"),
    Flag("log-driver", VALUE, "logging.driver"),
    Flag("log-opt", LIST, "logging.options"),
    Flag("mac-address", VALUE, "mac_address"),
    Flag("memory", VALUE, "mem_limit", short="m"),
    Flag("memory-reservation", VALUE, "mem_reservation"),
    Flag("memory-swap", VALUE, "memswap_limit"),
    Flag("memory-swappiness", VALUE, "mem_swappiness"),
    Flag("mount", LIST, "volumes"),
    Flag("name", VALUE, "container_name"),
    Flag("network", LIST, "network_mode, networks"),
    Flag("network-alias", LIST, "networks.*.aliases"),
    Flag("no-healthcheck", SWITCH, "healthcheck.disable"),
    Flag("oom-kill-disable", SWITCH, "oom_kill_disable"),
    Flag("oom-score-adj", VALUE, "oom_score_adj"),
    Flag("pid", VALUE, "pid"),
    Flag("pids-limit", VALUE, "pids_limit"),
    Flag("platform", VALUE, "platform"),
    Flag("privileged", SWITCH, "privileged"),
    Flag("publish", LIST, "ports", short="p"),
    Flag("publish-all", SWITCH, short="P", lost=True, note="publish the ports by name: ports: ['80']"),
    Flag("pull", VALUE, "pull_policy"),
    Flag("quiet", SWITCH, short="q", note=_NO_TRAIT),
    Flag("read-only", SWITCH, "read_only"),
    Flag("restart", VALUE, "restart"),
    Flag("rm", SWITCH, lost=True, note="a lab's containers stay until they leave the spec, or 'labspec destroy'"),
    Flag("runtime", VALUE, "runtime"),
    Flag("security-opt", LIST, "security_opt"),
    Flag("shm-size", VALUE, "shm_size"),
    Flag("sig-proxy", SWITCH, note=_NO_TRAIT),
    Flag("stop-signal", VALUE, "stop_signal"),
    Flag("stop-timeout", VALUE, "stop_grace_period"),
    Flag("storage-opt", LIST, "storage_opt"),
    Flag("sysctl", LIST, "sysctls"),
    Flag("tmpfs", LIST, "tmpfs"),
    Flag("tty", SWITCH, "tty", short="t"),
    Flag("ulimit", LIST, "ulimits"),
    Flag("user", VALUE, "user", short="u"),
    Flag("userns", VALUE, "userns_mode"),
    Flag("uts", VALUE, "uts"),
    Flag("volume", LIST, "volumes", short="v"),
    Flag("volume-driver", VALUE, "volumes of the spec: driver"),
    Flag("volumes-from", LIST, "volumes_from"),
    Flag("workdir", VALUE, "working_dir", short="w"),
)
ALIASES = {"net": "network", "net-alias": "network-alias", "dns-opt": "dns-option"}
BY_NAME = {flag.name: flag for flag in FLAGS}
BY_SHORT = {flag.short: flag for flag in FLAGS if flag.short}


def flags_table() -> str:
    """Return the table of all flags, as Markdown."""
    lines = ["| flag | expressible | key of a service |", "|---|---|---|"]
    for flag in FLAGS:
        names = f"`-{flag.short}`, `--{flag.name}`" if flag.short else f"`--{flag.name}`"
        said = ", ".join(f"`{key}`" for key in flag.key.split(", ")) if flag.key else flag.note
        lines.append(f"| {names} | {'no' if flag.lost else 'yes'} | {said} |")
    return "\n".join(lines)
