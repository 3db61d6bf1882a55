"""Recorded answers of an engine in the canonical fields, and what of them comes from images and the engine itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diff import compare, digest, digests
from labspec.core.resource import Observed, Resource
from labspec.kinds.service import canonical
from labspec.kinds.service.answer import familiar
from labspec.kinds.service.defaults import container_defaults, fold, of_image, without_image
from labspec.kinds.service.fields import FIELDS
from labspec.kinds.service.mounts import mounts
from labspec.kinds.service.observed import container_state
from labspec.kinds.service.sharing import Peer

DATA = Path(__file__).parent / "data"


def recorded(name: str) -> dict[str, Any]:
    """Return {container, image}: what a real engine answered for both."""
    answer: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text())
    return answer


def seen(
    name: str, wanted: dict[str, Any] | None = None, *, swap: bool = True, **changed: Any
) -> tuple[Resource, Observed]:
    """Return a resource that wants `wanted`, and the recorded container, made for the very same wish.

    `changed` overrides keys of the container's HostConfig.
    """
    answer = recorded(name)
    container = answer["container"]
    container["HostConfig"].update(changed)
    key = container["Config"]["Labels"]["com.docker.compose.service"]
    resource = Resource(f"service.{key}", "service", f"lab-{key}-1", wanted or {}, {"key": key}, project="lab")
    peers = {
        recorded(peer)["container"]["Id"]: Peer("lab", service, f"lab-{service}-1")
        for peer, service in (("joined", "b"), ("privileged", "c"))
    }
    for mode in ("NetworkMode", "PidMode", "IpcMode"):
        identity = str(container["HostConfig"].get(mode) or "").removeprefix("container:")
        peers.setdefault(identity, Peer("lab", "c", "lab-c-1"))
    state = container_state(container, resource, peers)
    brought = of_image(answer["image"]) if answer["image"] else None
    defaults = container_defaults(container, state, brought, resource.name, None, swap)
    observed = Observed(
        resource.address,
        "service",
        container["Id"],
        state["name"],
        without_image(state, defaults, replicas=1),
        digests(resource.desired),
        defaults,
    )
    return resource, observed


def differing(name: str, wanted: dict[str, Any], **changed: Any) -> list[str]:
    """Return the paths that differ between a wish and the recorded container."""
    resource, observed = seen(name, wanted, **changed)
    return [diff.path for diff in compare(FIELDS, resource.desired, observed, fold(resource, observed))]


@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.json")))
def test_image_and_engine_defaults_never_differ(name: str) -> None:
    _, observed = seen(name)
    wanted = {
        field.name: observed.state[field.name]
        for field in FIELDS
        if field.name in observed.state and observed.state[field.name] != observed.defaults.get(field.name)
    }
    assert differing(name, wanted) == []


@pytest.mark.parametrize("name", ["image_defaults", "seccomp"])
def test_a_spec_that_sets_little_finds_the_rest_as_it_should_be(name: str) -> None:
    wanted: dict[str, dict[str, Any]] = {
        "image_defaults": {"environment": {"X": None, "Y": "3", "Z": "a=b"}, "healthcheck": {"test": ["NONE"]}},
        "seccomp": {"security_opt": [canonical.security_option('seccomp={"defaultAction": "SCMP_ACT_ALLOW"}')]},
    }
    assert differing(name, {"image": "img:1", "networks": {"lab_default": {}}, **wanted[name]}) == []


STATES: dict[str, dict[str, Any]] = {
    "everything": {
        "command": ["sleep", "99"],
        "stop_grace_period": "3s",
        "restart": "on-failure:3",
        "networks": {"lab-n1": {"aliases": ["bar", "foo"]}, "lab-n2": {"ipv4": "172.31.77.9"}},
        "network_mode": None,
        "ports": [
            "127.0.0.1:18081:81/udp",
            "18080:80/tcp",
            "18090:90/tcp",
            "18091:91/tcp",
            ":82/tcp",
            "[::1]:18099:99/tcp",
        ],
        "expose": ["7000/tcp", "7001/udp"],
        "cap_add": ["NET_ADMIN", "SYS_TIME"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges=true", "seccomp=unconfined"],
        "extra_hosts": ["h:1.2.3.4", "i:::1", "j:host-gateway"],
        "devices": ["/dev/null:/dev/xnull:rwm", "/dev/zero:/dev/xzero:r"],
        "volumes_from": ["service:b"],
        "tmpfs": {"/tm1": "", "/tm2": "size=1m,mode=1777"},
        "ulimits": {"nofile": {"soft": 100, "hard": 100}, "nproc": {"soft": 10, "hard": 20}},
        "logging": {"driver": "json-file", "options": {"max-size": "1m"}},
        "healthcheck": {
            "test": ["CMD-SHELL", "true"],
            "interval": "1m30s",
            "timeout": "3s",
            "start_period": "1s",
            "retries": 3,
        },
        "memswap_limit": 134217728,
        "cpus": 0.5,
    },
    "joined": {
        "network_mode": "service:c",
        "pid": "service:c",
        "ipc": "service:c",
        "networks": {},
        "entrypoint": ["sleep"],
        "command": ["77"],
        "read_only": True,
    },
    "privileged": {"privileged": True, "security_opt": []},
    "image_defaults": {
        "environment": {"X": None, "Y": "3", "Z": "a=b", "PATH": recorded("scaled")["image"]["Config"]["Env"][0][5:]}
    },
    "secret": {
        "network_mode": "none",
        "networks": {},
        "mounts": [{"type": "bind", "target": "/run/secrets/s1", "source": "/lab/f1", "read_only": True}],
    },
}


@pytest.mark.parametrize("name", sorted(STATES))
def test_recorded_container_in_canonical_form(name: str) -> None:
    _, observed = seen(name)
    assert {field: observed.state[field] for field in STATES[name]} == STATES[name]


def test_mounts_are_told_as_configured_whichever_way_compose_asked_for_them() -> None:
    container = recorded("everything")["container"]
    found = mounts(container["Config"], container["HostConfig"])
    told = {mount["target"]: {key: value for key, value in mount.items() if key != "target"} for mount in found}
    assert told == {
        "/L1": {"type": "bind", "source": "/lab/d1"},
        "/L2": {"type": "bind", "source": "/lab/d1", "read_only": True},
        "/L2b": {"type": "bind", "source": "/lab/d1"},
        "/L3": {"type": "volume", "source": "lab-v1", "nocopy": True},
        "/L4": {"type": "volume", "source": "lab-v1", "read_only": True},
        "/L5": {"type": "volume", "source": "lab-v1"},
        "/anon": {"type": "volume"},
        "/anon2": {"type": "volume"},
        "/d1": {"type": "bind", "source": "/lab/d1"},
        "/d2": {"type": "bind", "source": "/lab/d2", "read_only": True},
        "/d3": {"type": "bind", "source": "/d3"},
        "/f1": {"type": "bind", "source": "/lab/f1", "read_only": True, "selinux": "z"},
        "/t1": {"type": "tmpfs"},
        "/t2": {"type": "tmpfs", "tmpfs_size": 10485760, "tmpfs_mode": 0o755},
        "/v1": {"type": "volume", "source": "lab-v1"},
        "/v1ro": {"type": "volume", "source": "lab-v1", "read_only": True, "nocopy": True},
    }


def test_secret_values_are_digests_and_all_values_are_where_the_secrets_are_unknown() -> None:
    container = recorded("everything")["container"]
    assert container_state(container, secrets=["A"])["environment"] == {"A": f"(secret {digest('b')})", "E": ""}
    hidden = container_state(container, secrets=None)["environment"]
    assert hidden == {"A": f"(secret {digest('b')})", "E": f"(secret {digest('')})"}


def test_a_command_that_the_entrypoint_clears_is_none() -> None:
    assert "command" not in differing("scaled", {"entrypoint": ["sleep", "66"]})
    assert differing("image_defaults", {"entrypoint": ["cat"]})[:2] == ["command", "entrypoint"]


def test_an_empty_command_is_the_images() -> None:
    assert "command" not in differing("image_defaults", {"command": []})


def test_health_check_merges_key_by_key() -> None:
    assert differing("scaled", {"healthcheck": {"retries": 5}, "entrypoint": ["sleep", "66"]}) == []
    assert differing("scaled", {"healthcheck": {"retries": 6}, "entrypoint": ["sleep", "66"]}) == [
        "healthcheck.retries"
    ]


def test_swap_is_twice_the_memory_or_unlimited_where_the_kernel_cannot() -> None:
    limits = {"Memory": 1 << 26, "MemorySwap": -1}
    _, bare = seen("privileged", swap=False, **limits)
    assert bare.defaults["memswap_limit"] == -1
    assert differing("privileged", {"mem_limit": 1 << 26, "privileged": True}, **limits) == ["memswap_limit"]


def test_limits_that_the_engine_left_away_do_not_differ() -> None:
    wanted = {"blkio": {"weight": 300}, "oom_kill_disable": True, "privileged": True}
    assert differing("privileged", wanted) == []


def test_defaults_of_the_daemon_do_not_differ() -> None:
    wanted = {"ulimits": {"nproc": {"soft": 1, "hard": 1}}, "logging": {"options": {"mode": "x"}}, "privileged": True}
    ulimits = [{"Name": "nproc", "Soft": 1, "Hard": 1}, {"Name": "nofile", "Soft": 9, "Hard": 9}]
    log = {"Type": "json-file", "Config": {"mode": "x", "max-size": "1m"}}
    assert differing("privileged", wanted, Ulimits=ulimits, LogConfig=log) == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("debian", "debian:latest"),
        ("docker.io/library/debian:12", "debian:12"),
        ("docker.io/me/app", "me/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("a@sha256:" + "0" * 64, "a@sha256:" + "0" * 64),
    ],
)
def test_image_references_are_told_as_people_write_them(written: str, shown: str) -> None:
    assert familiar(written) == shown


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [(0, "0s"), (90 * 10**9, "1m30s"), (500 * 10**6, "500ms"), (3600 * 10**9, "1h"), (1_500_000_001, "1s500ms1ns")],
)
def test_durations(nanoseconds: int, shown: str) -> None:
    assert canonical.duration(nanoseconds) == shown


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        ("no-new-privileges", "no-new-privileges=true"),
        ("no-new-privileges:true", "no-new-privileges=true"),
        ("apparmor:unconfined", "apparmor=unconfined"),
        ("label:type:svirt", "label=type:svirt"),
        ('seccomp={"a": 1}', f"seccomp=(profile {digest({'a': 1})})"),
        ("seccomp={broken", "seccomp={broken"),
    ],
)
def test_security_options(option: str, shown: str) -> None:
    assert canonical.security_option(option) == shown
