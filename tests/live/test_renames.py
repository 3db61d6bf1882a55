"""Networks, volumes and projects under other names or keys, on a real engine: one apply, and nothing is left over."""

from __future__ import annotations

import json
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
SUBNET, OTHER = "10.213.7.0/24", "10.213.8.0/24"


@pytest.fixture
def write(lab_name: str, tmp_path: Path) -> Write:
    """Return what writes the sections of a spec and loads it."""

    def written(**sections: Any) -> Lab:
        (tmp_path / "lab.yaml").write_text(json.dumps({"labspec": 1, "lab": {"name": lab_name}, **sections}))
        return load(tmp_path / "lab.yaml", variables={}, variable_files=[])

    return written


@pytest.fixture
def service(busybox: str) -> Callable[..., dict[str, Any]]:
    """Return what makes the entry of a service."""
    usual = {"image": busybox, "command": ["sleep", "9999"], "stop_grace_period": "0s"}
    return lambda **keys: {**usual, **keys}


def docker(*command: str) -> list[str]:
    """Run a command of docker and return the lines that it prints, sorted."""
    done = subprocess.run(["docker", *command], check=True, capture_output=True, text=True)
    return sorted(done.stdout.split())


def listed(kind: str, lab_name: str) -> list[str]:
    """Return the names of a lab's networks or volumes."""
    return docker(kind, "ls", "--filter", f"label=io.labspec.lab={lab_name}", "--format", "{{.Name}}")


def test_a_name_that_changes(host: Host, write: Write, service: Callable[..., Any], lab_name: str) -> None:
    entry = service(networks=["net"], volumes=["data:/data"])
    for name in ("one", "two"):
        own = {"name": f"{lab_name}-{name}"}
        actions = applied(write(networks={"net": own}, volumes={"data": own}, services={"a": entry}), host)
        assert set(actions.values()) == {Action.CREATE if name == "one" else Action.REPLACE}
        assert listed("network", lab_name) == listed("volume", lab_name) == [own["name"]]


def test_a_key_that_changes_while_the_name_stays(
    host: Host, write: Write, service: Callable[..., Any], lab_name: str
) -> None:
    own = {"name": f"{lab_name}-own"}
    first = write(
        networks={"net": own}, volumes={"data": own}, services={"a": service(networks=["net"], volumes=["data:/data"])}
    )
    applied(first, host)
    docker("exec", f"{lab_name}-a-1", "touch", "/data/kept")
    second = write(
        networks={"web": own}, volumes={"more": own}, services={"a": service(networks=["web"], volumes=["more:/data"])}
    )
    assert applied(second, host) == {}
    assert docker("exec", f"{lab_name}-a-1", "ls", "/data") == ["kept"]
    workflow.apply(second, host, destroy=True)
    assert listed("network", lab_name) == listed("volume", lab_name) == []


def test_the_addresses_of_a_network_that_leaves(
    host: Host, write: Write, service: Callable[..., Any], lab_name: str
) -> None:
    def lab(network: str, key: str) -> Lab:
        entry = service(networks={network: {"ipv4_address": "10.213.7.9"}})
        return write(networks={network: {"subnets": [SUBNET]}}, services={key: entry})

    applied(lab("old", "a"), host)
    assert applied(lab("new", "a"), host) == {
        "network.new": Action.CREATE,
        "service.a": Action.REPLACE,
        "network.old": Action.DELETE,
    }
    applied(lab("newer", "b"), host)
    assert listed("network", lab_name) == [f"{lab_name}_newer"]
    bare = service(network_mode="none")
    applied(write(networks={"newer": {"subnets": [SUBNET]}}, services={"b": bare}), host)
    assert set(applied(write(networks={"last": {"subnets": [SUBNET]}}, services={"b": bare}), host)) == {
        "network.last",
        "network.newer",
    }


def test_networks_that_swap_their_addresses(
    host: Host, write: Write, service: Callable[..., Any], lab_name: str
) -> None:
    entry = service(networks=["one", "two"])
    for first, second in ((SUBNET, OTHER), (OTHER, SUBNET)):
        nets = {"one": {"subnets": [first]}, "two": {"subnets": [second]}}
        applied(write(networks=nets, services={"a": entry}), host)
        format_ = "{{(index .IPAM.Config 0).Subnet}}"
        assert docker("network", "inspect", f"{lab_name}_one", "--format", format_) == [first]


def test_a_stack_that_moves_to_another_project(
    host: Host, write: Write, service: Callable[..., Any], lab_name: str
) -> None:
    for project in ("one", "two"):
        stack = {
            "project": f"{lab_name}-{project}",
            "services": {"a": service(volumes=["data:/data"])},
            "volumes": {"data": {}},
        }
        applied(write(stacks={"blog": stack}), host)
        assert listed("network", lab_name) == [f"{lab_name}-{project}_default"]
        assert listed("volume", lab_name) == [f"{lab_name}-{project}_data"]


def test_addresses_that_another_network_has(host: Host, write: Write, lab_name: str) -> None:
    foreign = f"{lab_name}-foreign"
    docker("network", "create", "--subnet", SUBNET, foreign)
    try:
        lab = write(networks={"a": {"subnets": ["10.213.0.0/16"]}, "b": {"subnets": [OTHER]}})
        said = [problem.message for problem in workflow.make_plan(lab, host).problems]
        assert said == [
            f"network.a: its subnet 10.213.0.0/16 overlaps {SUBNET}, which network {foreign} of this host has",
            f"network.b: its subnet {OTHER} overlaps 10.213.0.0/16, which network.a has",
        ]
    finally:
        docker("network", "rm", foreign)
    applied(write(networks={"b": {"subnets": [OTHER]}}), host)


def test_an_image_and_a_service_of_their_own_name_under_another_key(
    host: Host, write: Write, service: Callable[..., Any], lab_name: str, busybox: str
) -> None:
    tag = f"{lab_name}:1"
    made = {"from": busybox, "tag": tag, "steps": [{"env": {"MADE": "yes"}}]}
    for key in ("one", "two"):
        entry = service(container_name=f"{lab_name}-own", image=key)
        applied(write(images={key: made}, services={key: entry}), host)
        assert docker("image", "ls", "--filter", f"label=io.labspec.lab={lab_name}", "--format", "{{.Tag}}") == ["1"]
        assert docker("inspect", f"{lab_name}-own", "--format", "{{.Config.Image}}") == [tag]
