"""Ports and addresses that go from one service to another, on a real engine: one apply, in either direction."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from applying import applied

from labspec.core.change import Action
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.host import Host
from labspec.spec.loader import load

pytestmark = pytest.mark.live

Write = Callable[..., Lab]
FIRST, SECOND = "10.214.7.5", "10.214.7.6"


@pytest.fixture
def write(lab_name: str, tmp_path: Path, busybox: str) -> Write:
    """Return what writes a spec with services on a network with a subnet, and loads it."""

    def written(**services: dict[str, Any]) -> Lab:
        usual = {"image": busybox, "command": ["sleep", "9999"], "stop_grace_period": "0s", "networks": ["net"]}
        spec = {
            "labspec": 1,
            "lab": {"name": lab_name},
            "networks": {"net": {"subnets": ["10.214.7.0/24"]}},
            "services": {key: {**usual, **entry} for key, entry in services.items()},
        }
        (tmp_path / "lab.yaml").write_text(json.dumps(spec))
        return load(tmp_path / "lab.yaml", variables={}, variable_files=[])

    return written


def told(lab_name: str, key: str, what: str) -> str:
    """Return what `docker inspect` says of a service's container."""
    command = ["docker", "inspect", f"{lab_name}-{key}-1", "--format", what]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def address(lab_name: str, key: str) -> str:
    """Return the address of a service's container."""
    networks = json.loads(told(lab_name, key, "{{json .NetworkSettings.Networks}}"))
    return str(networks[f"{lab_name}_net"]["IPAddress"])


def at(place: str) -> dict[str, Any]:
    return {"networks": {"net": {"ipv4_address": place}}}


def ports(*numbers: int) -> dict[str, Any]:
    return {"ports": [f"127.0.0.1:{number}:80" for number in numbers]}


@pytest.fixture
def free() -> tuple[int, int]:
    """Return two ports on which nothing listens."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


def test_ports_that_are_swapped_or_move(host: Host, write: Write, free: tuple[int, int], lab_name: str) -> None:
    one, two = free
    applied(write(a=ports(one), b=ports(two)), host)
    assert set(applied(write(a=ports(two), b=ports(one)), host).values()) == {Action.REPLACE}
    applied(write(a={}, b={}, c=ports(one, two)), host)
    assert told(lab_name, "c", "{{len .NetworkSettings.Ports}}") == "1"
    applied(write(a=ports(one), b=ports(two), c={}), host)
    applied(write(b=ports(one, two), c={}), host)


def test_addresses_that_are_swapped(host: Host, write: Write, lab_name: str) -> None:
    applied(write(a=at(FIRST), b=at(SECOND)), host)
    before = told(lab_name, "a", "{{.Id}}")
    for first, second in ((SECOND, FIRST), (FIRST, SECOND)):
        assert set(applied(write(a=at(first), b=at(second)), host).values()) == {Action.UPDATE}
        assert address(lab_name, "a") == first
    assert told(lab_name, "a", "{{.Id}}") == before


def test_a_network_that_is_listed_without_an_endpoint(host: Host, write: Write, lab_name: str) -> None:
    lab = write(a=at(FIRST), b={"networks": [], "network_mode": "none"})
    applied(lab, host)
    container, network = f"{lab_name}-a-1", f"{lab_name}_net"
    subprocess.run(["docker", "network", "disconnect", network, container], check=True)
    stranger = ["docker", "run", "-d", "--rm", "--stop-timeout=0", f"--net={network}", f"--ip={FIRST}"]
    image = told(lab_name, "a", "{{.Config.Image}}")
    held = subprocess.run([*stranger, image, "sleep", "99"], check=True, capture_output=True, text=True).stdout.strip()
    try:
        refused = subprocess.run(
            ["docker", "network", "connect", f"--ip={FIRST}", network, container], check=False, capture_output=True
        )
        assert refused.returncode != 0
        assert told(lab_name, "a", "{{json .NetworkSettings.Networks}}") != "{}", "the engine lists it all the same"
        (change,) = workflow.make_plan(lab, host).changes
        assert (change.address, change.action) == ("service.a", Action.UPDATE)
    finally:
        subprocess.run(["docker", "rm", "-f", held], check=True, capture_output=True)
    applied(lab, host)
    assert address(lab_name, "a") == FIRST
