"""The keys of daemon.json: of what type, since and until which engine, and what it takes for one to count.

From https://docs.docker.com/reference/cli/dockerd/ and the release notes, tried on engines 20.10 and 26.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Version = tuple[int, int]

TEXT, FLAG, NUMBER = "text", "flag", "number"
TEXTS, PAIRS, FLAGS, MAPPING, MAPPINGS = "texts", "pairs", "flags", "mapping", "mappings"


class Key(NamedTuple):
    """A key of daemon.json."""

    type: str
    about: str
    reload: bool = False
    """The running daemon takes it over on SIGHUP; else it must be restarted."""
    drop: bool = False
    """It goes back to its default on SIGHUP where it is no longer there."""
    since: Version | None = None
    """The first engine that knows it; None: each that labspec works with."""
    until: Version | None = None
    """The last engine that knows it."""


KEYS: Mapping[str, Key] = {
    "allow-direct-routing": Key(FLAG, "Let other hosts reach containers' ports directly.", since=(28, 2)),
    "allow-nondistributable-artifacts": Key(TEXTS, "Registries to push foreign layers to.", until=(28, 5)),
    "api-cors-header": Key(TEXT, "CORS headers of the API.", until=(27, 5)),
    "authorization-plugins": Key(TEXTS, "Plugins that every request is shown to."),
    "bip": Key(TEXT, "Address and subnet of the default bridge, such as 172.30.0.1/16."),
    "bridge": Key(TEXT, "The bridge that containers join; `none` for no default network."),
    "bridge-accept-fwmark": Key(TEXT, "The firewall mark of packets that may pass to containers.", since=(28, 3)),
    "builder": Key(MAPPING, "The builder's garbage collection and entitlements."),
    "cdi-spec-dirs": Key(TEXTS, "Folders with descriptions of devices (CDI).", since=(25, 0)),
    "cgroup-parent": Key(TEXT, "The control group above those of all containers."),
    "containerd": Key(TEXT, "The path of containerd's socket."),
    "containerd-namespace": Key(TEXT, "The containerd namespace of containers."),
    "containerd-plugins-namespace": Key(TEXT, "The containerd namespace of plugins."),
    "cpu-rt-period": Key(NUMBER, "Microseconds of a period of real-time scheduling."),
    "cpu-rt-runtime": Key(NUMBER, "Microseconds of a period that containers may run in real time."),
    "data-root": Key(TEXT, "The folder of images, containers and volumes."),
    "debug": Key(FLAG, "Log more.", reload=True),
    "default-address-pools": Key(MAPPINGS, "Where networks get their subnets from: `base` and `size`."),
    "default-cgroupns-mode": Key(TEXT, "Whether containers have a cgroup namespace: private or host."),
    "default-gateway": Key(TEXT, "The default bridge's gateway for IPv4."),
    "default-gateway-v6": Key(TEXT, "The default bridge's gateway for IPv6."),
    "default-ipc-mode": Key(TEXT, "The IPC namespace of containers: shareable or private."),
    "default-network-opts": Key(MAPPING, "Driver -> options of new networks.", since=(24, 0)),
    "default-runtime": Key(TEXT, "The OCI runtime of containers that name none.", reload=True),
    "default-shm-size": Key(TEXT, "The size of /dev/shm in containers, such as 64M.", reload=True),
    "default-ulimits": Key(MAPPING, "Limit -> Name, Soft and Hard."),
    "dns": Key(TEXTS, "Name servers of containers."),
    "dns-opts": Key(TEXTS, "Options of resolv.conf in containers."),
    "dns-search": Key(TEXTS, "Search domains of containers."),
    "exec-opts": Key(TEXTS, "Options of the runtime, such as native.cgroupdriver=systemd."),
    "exec-root": Key(TEXT, "The folder of the daemon's running state."),
    "experimental": Key(FLAG, "Experimental features.", reload=True),
    "features": Key(FLAGS, "Features by name: true or false.", reload=True, drop=True),
    "firewall-backend": Key(TEXT, "How the firewall is managed: iptables or nftables.", since=(29, 0)),
    "fixed-cidr": Key(TEXT, "The part of the default bridge's subnet that containers get addresses from."),
    "fixed-cidr-v6": Key(TEXT, "The default bridge's subnet for IPv6."),
    "group": Key(TEXT, "The group that may use the socket."),
    "host-gateway-ip": Key(TEXT, "The address of `host-gateway` in extra_hosts."),
    "hosts": Key(TEXTS, "Where the API listens: unix://, tcp://, fd://."),
    "icc": Key(FLAG, "Whether containers on the default bridge reach each other."),
    "init": Key(FLAG, "Whether containers get an init process."),
    "init-path": Key(TEXT, "The path of docker-init."),
    "insecure-registries": Key(TEXTS, "Registries that need no valid TLS.", reload=True),
    "ip": Key(TEXT, "The address that ports are published on where none is named."),
    "ip-forward": Key(FLAG, "Whether the daemon turns on IPv4 forwarding."),
    "ip-masq": Key(FLAG, "Whether packets of containers get the host's address."),
    "ip6tables": Key(FLAG, "Whether the daemon sets rules of ip6tables."),
    "iptables": Key(FLAG, "Whether the daemon sets rules of iptables."),
    "ipv6": Key(FLAG, "IPv6 on the default bridge."),
    "labels": Key(TEXTS, "Labels of the daemon: KEY=VALUE.", reload=True),
    "live-restore": Key(FLAG, "Containers go on while the daemon is down.", reload=True),
    "log-driver": Key(TEXT, "The log driver of containers that name none."),
    "log-format": Key(TEXT, "The form of the daemon's own log: text or json.", since=(25, 0)),
    "log-level": Key(TEXT, "How much the daemon logs: debug, info, warn, error or fatal."),
    "log-opts": Key(PAIRS, "Options of the log driver; every value is text."),
    "max-concurrent-downloads": Key(NUMBER, "Layers pulled at once.", reload=True, drop=True),
    "max-concurrent-uploads": Key(NUMBER, "Layers pushed at once.", reload=True, drop=True),
    "max-download-attempts": Key(NUMBER, "How often a pull is tried.", reload=True, drop=True),
    "metrics-addr": Key(TEXT, "Where metrics are served: ADDRESS:PORT."),
    "mtu": Key(NUMBER, "The MTU of the default bridge."),
    "network-control-plane-mtu": Key(NUMBER, "The MTU of the control plane of overlay networks."),
    "no-new-privileges": Key(FLAG, "Whether processes in containers can gain no privileges."),
    "node-generic-resources": Key(TEXTS, "Resources that a swarm node offers."),
    "oom-score-adjust": Key(NUMBER, "How readily the kernel ends the daemon: -1000 to 1000.", until=(24, 0)),
    "pidfile": Key(TEXT, "The file with the daemon's process id."),
    "proxies": Key(MAPPING, "The daemon's proxies: http-proxy, https-proxy, no-proxy.", since=(23, 0)),
    "raw-logs": Key(FLAG, "The daemon's log without colours."),
    "registry-mirrors": Key(TEXTS, "Mirrors of Docker Hub.", reload=True),
    "runtimes": Key(MAPPING, "OCI runtimes by name: `path` and `runtimeArgs`, or `runtimeType`.", reload=True),
    "seccomp-profile": Key(TEXT, "The seccomp profile of containers: a file of the lab, or `unconfined`."),
    "selinux-enabled": Key(FLAG, "SELinux labels on containers."),
    "shutdown-timeout": Key(NUMBER, "Seconds that containers get to stop with the daemon.", reload=True),
    "storage-driver": Key(TEXT, "The storage driver: overlay2, btrfs, zfs, vfs."),
    "storage-opts": Key(TEXTS, "Options of the storage driver."),
    "swarm-default-advertise-addr": Key(TEXT, "The address that a swarm node tells others."),
    "tls": Key(FLAG, "TLS on TCP sockets."),
    "tlscacert": Key(TEXT, "The certificate authority that clients must have theirs from."),
    "tlscert": Key(TEXT, "The daemon's certificate."),
    "tlskey": Key(TEXT, "The daemon's key."),
    "tlsverify": Key(FLAG, "TLS on TCP sockets, only for clients with a certificate."),
    "userland-proxy": Key(FLAG, "A process for each published port."),
    "userland-proxy-path": Key(TEXT, "The path of docker-proxy."),
    "userns-remap": Key(TEXT, "Whose subordinate ids containers run with: USER, USER:GROUP or `default`."),
}

UNCHECKED = "x-unchecked"
"""The key of a spec under which stand keys that this table does not know."""
REMAP = "userns-remap"
MOVING = (REMAP, "data-root")
"""Keys that give the daemon another folder of images, containers and volumes."""

_FLAG_KEYS = {
    "D": "debug",
    "G": "group",
    "H": "hosts",
    "b": "bridge",
    "g": "data-root",
    "graph": "data-root",
    "host": "hosts",
    "l": "log-level",
    "p": "pidfile",
    "s": "storage-driver",
    "allow-nondistributable-artifact": "allow-nondistributable-artifacts",
    "authorization-plugin": "authorization-plugins",
    "cdi-spec-dir": "cdi-spec-dirs",
    "default-address-pool": "default-address-pools",
    "default-ulimit": "default-ulimits",
    "dns-opt": "dns-opts",
    "exec-opt": "exec-opts",
    "insecure-registry": "insecure-registries",
    "label": "labels",
    "log-opt": "log-opts",
    "node-generic-resource": "node-generic-resources",
    "registry-mirror": "registry-mirrors",
    "storage-opt": "storage-opts",
}
_SHORT = "DGHbglps"


def flag_keys(arguments: list[str]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield (key of daemon.json, value, indexes in `arguments`) for the flags of a dockerd command line."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
        elif word.startswith("-") and word[1:2] in _SHORT:
            name, equals, value = word[1:2], word[2:3], word[2:].removeprefix("=")
        else:
            at += 1
            continue
        key = _FLAG_KEYS.get(name, name)
        known = KEYS.get(key)
        follows = at + 1 < len(arguments) and not arguments[at + 1].startswith("-")
        if not equals and follows and (known is None or known.type != FLAG):
            yield key, arguments[at + 1], (at, at + 1)
            at += 2
            continue
        yield key, value or "true", (at,)
        at += 1


def engine_version(text: str) -> Version:
    """Return the first two numbers of an engine's version: (26, 1) for "26.1.5+dfsg1"; (0, 0) for none."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def unknown_to(key: str, version: Version) -> str | None:
    """Return in words why an engine does not know a key, or None."""
    known = KEYS.get(key)
    if known is None or version == (0, 0):
        return None
    if known.since and version < known.since:
        return f"it needs Docker {_shown(known.since)} or later"
    if known.until and version > known.until:
        return f"Docker knew it up to {_shown(known.until)}"
    return None


def needs_restart(changed: Mapping[str, Any], dropped: list[str]) -> list[str]:
    """Return the keys, of those with a new value and those no longer there, that count only after a restart."""
    late = [key for key in changed if key not in KEYS or not KEYS[key].reload]
    return sorted([*late, *(key for key in dropped if key not in KEYS or not KEYS[key].drop)])


def _shown(version: Version) -> str:
    return f"{version[0]}.{version[1]}"
