"""What in a service is dangerous, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labspec.core.resource import Resource
from labspec.kinds.service.dangers import dangers


def named(**desired: Any) -> list[str]:
    """Return the names of the dangers of a service."""
    return [danger.name for danger in dangers(Resource("service.a", "service", "a", desired))]


def bind(source: str) -> dict[str, Any]:
    """Return a bind mount of a path of the host."""
    return {"type": "bind", "source": source, "target": "/x"}


@pytest.mark.parametrize(
    ("desired", "names"),
    [
        ({"privileged": True}, ["privileged"]),
        ({"privileged": False}, []),
        ({"mounts": [bind("/var/run/docker.sock")]}, ["socket"]),
        ({"mounts": [bind("/run")]}, ["socket"]),
        ({"mounts": [bind("/")]}, ["host-mount"]),
        ({"mounts": [bind("/etc/passwd")]}, ["host-mount"]),
        ({"mounts": [bind("/var")]}, ["host-mount"]),
        ({"mounts": [bind("/srv/../etc")]}, ["host-mount"]),
        ({"mounts": [bind("/var/lib/docker")]}, ["host-mount"]),
        ({"mounts": [bind("/etc/localtime"), bind("/home/me/lab/data"), bind("/srv/www")]}, []),
        ({"mounts": [{"type": "volume", "source": "etc", "target": "/etc"}]}, []),
        ({"network_mode": "host"}, ["host-network"]),
        ({"pid": "host", "ipc": "host", "userns_mode": "host", "uts": "host"}, ["host-namespaces"] * 4),
        ({"pid": "service:b"}, []),
        ({"cap_add": ["SYS_ADMIN"]}, ["capabilities"]),
        ({"cap_add": ["ALL"]}, ["capabilities"]),
        ({"cap_add": ["NET_ADMIN"], "cap_drop": ["ALL"]}, []),
        ({"devices": ["/dev/sda:/dev/x:rwm"]}, ["devices"]),
        ({"devices": ["/dev/null:/dev/x:rwm"]}, []),
        ({"device_cgroup_rules": ["a *:* rwm"]}, ["devices"]),
        ({"security_opt": ["no-new-privileges=true", "seccomp=unconfined"]}, ["unconfined"]),
        ({"security_opt": ["no-new-privileges=true"]}, []),
    ],
)
def test_dangers(desired: dict[str, Any], names: list[str]) -> None:
    assert named(**desired) == names


def test_a_link_does_not_hide_where_a_mount_leads(tmp_path: Path) -> None:
    link = tmp_path / "innocent"
    link.symlink_to("/etc")
    assert named(mounts=[bind(str(link))]) == ["host-mount"]
