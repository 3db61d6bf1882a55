"""What a container may do to the host, so that a stranger's lab says it before it is applied.

Names for `--allow`: privileged, socket (the engine's own socket), host-mount (folders that the host lives from),
host-network, host-namespaces (the host's processes, IPC, users), capabilities, devices, unconfined (no seccomp,
AppArmor or SELinux).
"""

from __future__ import annotations

from collections.abc import Iterator
from os.path import normpath, realpath

from labspec.core.change import Danger
from labspec.core.resource import Resource

SENSITIVE = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
)
"""Trees that the host lives from."""
HARMLESS = frozenset({"/etc/localtime", "/etc/timezone", "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"})
_SOCKETS = ("docker.sock", "containerd.sock", "podman.sock", "crio.sock")
STRONG_CAPABILITIES = frozenset(
    {
        "ALL",
        "BPF",
        "DAC_READ_SEARCH",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
        "PERFMON",
        "SYSLOG",
        "SYS_ADMIN",
        "SYS_BOOT",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_TIME",
    }
)
"""Those that reach beyond the container."""
_DEVICES = frozenset(
    {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/fuse", "/dev/net/tun"}
)
"""Those that reach nothing of the host."""
_UNCONFINED = ("seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined", "label=disable")


def dangers(resource: Resource) -> Iterator[Danger]:
    """Yield each danger in a service, with what it means."""
    desired, address = resource.desired, resource.address
    if desired.get("privileged"):
        yield Danger("privileged", address, "is privileged: it can do anything to the host")
    for mount in desired.get("mounts", ()):
        if mount["type"] == "bind":
            yield from mount_dangers(str(mount.get("source", "")), address)
    if desired.get("network_mode") == "host":
        yield Danger("host-network", address, "uses the host's network, and all that listens on it")
    for field, what in (("pid", "processes"), ("ipc", "IPC"), ("userns_mode", "users"), ("uts", "host name")):
        if desired.get(field) == "host":
            yield Danger("host-namespaces", address, f"shares the host's {what}")
    strong = sorted(STRONG_CAPABILITIES & set(desired.get("cap_add", ())))
    if strong:
        yield Danger("capabilities", address, f"has capabilities that reach beyond a container: {', '.join(strong)}")
    devices = sorted(
        device.partition(":")[0] for device in desired.get("devices", ()) if device.partition(":")[0] not in _DEVICES
    )
    devices += desired.get("device_cgroup_rules", ())
    if devices:
        yield Danger("devices", address, f"uses devices of the host: {', '.join(devices)}")
    off = sorted(set(_UNCONFINED) & set(desired.get("security_opt", ())))
    if off:
        yield Danger("unconfined", address, f"runs without the usual confinement: {', '.join(off)}")


def mount_dangers(source: str, address: str) -> Iterator[Danger]:
    """Yield the danger, if any, in a folder or file of the host that is given to a container."""
    if normpath(source) in HARMLESS:
        return
    # A link in the lab's folder must not hide where a mount leads; an engine elsewhere has other links.
    for path in dict.fromkeys((normpath(source), realpath(source))):
        if path.endswith(_SOCKETS) or path in ("/run", "/var/run", "/run/docker", "/run/containerd"):
            yield Danger("socket", address, f"gets {path}: who has the engine's socket is root on the host")
            return
        if path == "/" or any(_within(path, tree) or _within(tree, path) for tree in SENSITIVE):
            yield Danger("host-mount", address, f"mounts {path} of the host")
            return


def _within(path: str, tree: str) -> bool:
    return path == tree or path.startswith(f"{tree}/")
