"""Networks and volumes that a container no longer has, on a real engine: one apply, and the container starts again."""

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


@pytest.fixture
def write(lab_name: str, tmp_path: Path, busybox: str) -> Write:
    """Return what writes a spec with one service, and loads it."""

    def written(entry: dict[str, Any], **sections: Any) -> Lab:
        usual = {"image": busybox, "command": ["sleep", "9999"], "stop_grace_period": "0s"}
        spec = {"labspec": 1, "lab": {"name": lab_name}, **sections, "services": {"a": {**usual, **entry}}}
        (tmp_path / "lab.yaml").write_text(json.dumps(spec))
        return load(tmp_path / "lab.yaml", variables={}, variable_files=[])

    return written


def action(lab: Lab, host: Host) -> Action | None:
    """Apply a lab, and return what is done to its service."""
    return applied(lab, host).get("service.a")


def docker(*command: str) -> str:
    """Run a command of docker, which must succeed, and return what it prints."""
    return subprocess.run(["docker", *command], check=True, capture_output=True, text=True).stdout.strip()


def test_the_network_that_a_container_was_made_on(host: Host, write: Write, lab_name: str) -> None:
    action(write({"networks": ["one"]}, networks={"one": {}, "two": {}}), host)
    moved = write({"networks": ["two"]}, networks={"one": {}, "two": {}})
    assert action(moved, host) is Action.UPDATE, "it stays, as does the network"
    docker("restart", f"{lab_name}-a-1")
    gone = write({"networks": ["two"]}, networks={"two": {}})
    assert action(gone, host) is Action.REPLACE
    docker("restart", f"{lab_name}-a-1")
    assert action(write({"networks": ["three"]}, networks={"three": {}}), host) is Action.REPLACE
    docker("restart", f"{lab_name}-a-1")
    assert workflow.make_plan(write({"networks": ["three"]}, networks={"three": {}}), host).empty


def test_a_network_that_somebody_else_has_taken_away(host: Host, write: Write, lab_name: str) -> None:
    lab = write({"networks": ["one", "two"]}, networks={"one": {}, "two": {}})
    action(lab, host)
    container = f"{lab_name}-a-1"
    first = docker("inspect", container, "--format", "{{.HostConfig.NetworkMode}}")
    docker("network", "disconnect", first, container)
    docker("network", "rm", first)
    assert action(lab, host) is Action.REPLACE
    docker("restart", container)
    docker("network", "disconnect", f"{lab_name}_two", container)
    assert action(lab, host) is Action.UPDATE


def test_a_named_volume_that_is_none_any_more(host: Host, write: Write, lab_name: str) -> None:
    sections: dict[str, Any] = {"volumes": {"data": {}}}
    action(write({"volumes": ["data:/data"]}, **sections), host)
    docker("exec", f"{lab_name}-a-1", "touch", "/data/kept")
    assert action(write({"volumes": [{"type": "volume", "target": "/data"}]}, **sections), host) is Action.REPLACE
    assert docker("exec", f"{lab_name}-a-1", "ls", "/data") == ""
    assert action(write({"volumes": ["data:/data"]}, **sections), host) is Action.REPLACE
    assert docker("exec", f"{lab_name}-a-1", "ls", "/data") == "kept"
