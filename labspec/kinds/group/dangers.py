"""Groups whose members are as good as root, so that a stranger's lab says it before it puts somebody in.

Names for `--allow`: docker-group (docker, and what is like it: who may use the engine is root on the host), root-group
(groups that may become root, or read and write what only root should).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labspec.core.change import Danger

_ENGINES = frozenset({"docker", "lxd", "incus", "incus-admin", "podman", "libvirt"})
_STRONG = frozenset({"adm", "disk", "kmem", "kvm", "root", "shadow", "staff", "sudo", "systemd-journal", "wheel"})


def powers(address: str, group: str, members: Sequence[str]) -> Iterator[Danger]:
    """Yield the danger of putting users into a group."""
    who = ", ".join(members)
    if group in _ENGINES:
        yield Danger("docker-group", address, f"puts {who} into group {group}: who is in it is root on the host")
    elif group in _STRONG:
        yield Danger("root-group", address, f"puts {who} into group {group}: it can do what only root should")
