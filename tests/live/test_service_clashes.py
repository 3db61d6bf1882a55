"""What stands in the way of services on a real engine, and what of it is not the lab's."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import Lab
from labspec.engine import workflow
from labspec.host.host import Host
from labspec.spec.loader import load

pytestmark = pytest.mark.live

Write = Callable[..., Lab]


@pytest.fixture
def write(lab_name: str, tmp_path: Path, busybox: str) -> Write:
    """Return what writes a spec with services and loads it."""

    def written(**services: dict[str, Any]) -> Lab:
        usual = {"image": busybox, "command": ["sleep", "9999"], "stop_grace_period": "0s"}
        spec = {
            "labspec": 1,
            "lab": {"name": lab_name},
            "services": {key: {**usual, **entry} for key, entry in services.items()},
        }
        (tmp_path / "lab.yaml").write_text(json.dumps(spec))
        return load(tmp_path / "lab.yaml", variables={}, variable_files=[])

    return written


def problems(lab: Lab, host: Host) -> list[str]:
    """Return what stands in the way of a lab."""
    return [problem.message for problem in workflow.make_plan(lab, host).problems]


def run(*command: str) -> str:
    """Run a command of docker and return what it says."""
    return subprocess.run(["docker", *command], check=True, capture_output=True, text=True).stdout.strip()


def test_a_port_on_which_a_program_listens(host: Host, write: Write) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        lab = write(a={"ports": [f"{port}:80"]})
        assert problems(lab, host) == [f"service.a: port {port}/tcp is taken: a program on this host listens on it"]
        with pytest.raises(LabError, match="is taken"):
            workflow.apply(lab, host)
        assert [change.address for change in workflow.make_plan(lab, host).changes] == ["network.default", "service.a"]
        other = write(a={"ports": [f"127.0.0.2:{port}:80"]})
        assert problems(other, host) == []


def test_a_port_for_two_containers_of_the_lab(host: Host, write: Write) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
    lab = write(a={"ports": [f"{port}:80"]}, b={"ports": [f"{port}:80"]})
    assert problems(lab, host) == [f"service.b: it publishes port {port}/tcp, and so does service.a"]
    with pytest.raises(LabError, match="and so does"):
        workflow.apply(lab, host)
    one = write(a={"ports": [f"{port}:80"]})
    workflow.apply(one, host)
    assert workflow.make_plan(one, host).empty
    two = write(a={"ports": [f"{port}:80"], "scale": 2})
    assert problems(two, host) == [f"service.a: its 2 containers cannot all publish port {port}/tcp"]


def test_a_port_and_a_name_that_another_container_has(host: Host, write: Write, lab_name: str, busybox: str) -> None:
    name = f"{lab_name}-a-1"
    run("run", "-d", "--name", name, "--stop-timeout", "0", "-p", "127.0.0.1:0:80", busybox, "sleep", "999")
    try:
        port = run("port", name, "80/tcp").rpartition(":")[2]
        lab = write(a={}, b={"ports": [f"{port}:80"]})
        assert problems(lab, host) == [
            f"service.a: the name {name} is taken by a container that was not made by labspec",
            f"service.b: port {port}/tcp is taken: container {name} publishes it",
        ]
    finally:
        run("rm", "-f", name)
    workflow.apply(lab, host)
    swapped = write(a={"ports": [f"{port}:80"]})
    assert problems(swapped, host) == [], "the one that has the port leaves"
    assert not workflow.apply(swapped, host).failed
    assert workflow.make_plan(swapped, host).empty
    workflow.apply(swapped, host, destroy=True)


def test_an_image_that_may_not_be_pulled(host: Host, write: Write) -> None:
    lab = write(a={"image": "labspec-test/no-such:1", "pull_policy": "never"})
    assert problems(lab, host) == ["service.a: this host has no image labspec-test/no-such:1, and it may not be pulled"]


def test_a_container_of_a_commit_is_nobodys(host: Host, write: Write, lab_name: str) -> None:
    lab = write(a={})
    workflow.apply(lab, host)
    run("commit", f"{lab_name}-a-1", f"{lab_name}:copy")
    run("run", "-d", "--name", f"{lab_name}-copy", f"{lab_name}:copy", "sleep", "999")
    try:
        assert workflow.make_plan(lab, host).empty
        workflow.apply(lab, host, destroy=True)
        assert run("inspect", "-f", "{{.State.Running}}", f"{lab_name}-copy") == "true"
    finally:
        run("rm", "-f", f"{lab_name}-copy")
        run("rmi", f"{lab_name}:copy")


def test_restarts_and_stops_by_hand_leave_nothing_but_a_start_to_do(host: Host, write: Write, lab_name: str) -> None:
    check = {"test": ["CMD", "true"], "interval": "200ms"}
    lab = write(a={"healthcheck": check}, b={"depends_on": {"a": {"condition": "service_healthy"}}})
    assert not workflow.apply(lab, host).failed
    run("restart", "-t", "0", f"{lab_name}-a-1")
    assert workflow.make_plan(lab, host).empty
    run("stop", "-t", "0", f"{lab_name}-b-1")
    assert [change.reason for change in workflow.make_plan(lab, host).changes] == ["stopped (exit code 137)"]
    assert not workflow.apply(lab, host, wait=True).failed
    assert workflow.make_plan(lab, host).empty
    workflow.apply(lab, host, destroy=True)


def test_what_a_container_is_given_must_be_there(
    lab_name: str, busybox: str, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABSPEC_TEST_GIVEN", raising=False)
    outside = tmp_path.parent / f"{lab_name}.key"
    (tmp_path / "lab.yaml").write_text(
        f"labspec: 1\nlab: {{name: {lab_name}}}\n"
        f"secrets:\n  key: {{file: {outside}}}\n  token: {{environment: LABSPEC_TEST_GIVEN}}\n"
        f"configs:\n  conf:\n    file: {outside}.conf\n"
        f"services:\n  a: &a\n    image: {busybox}\n    command: [sleep, '99']\n    stop_grace_period: 0s\n"
        "    secrets: [key, token]\n    configs: [conf]\n  b: *a\n"
    )

    def problems() -> list[str]:
        lab = load(tmp_path / "lab.yaml", variables={}, variable_files=[])
        return sorted(f"{found.at}: {found.message}" for found in workflow.make_plan(lab, host).problems)

    spec = tmp_path / "lab.yaml"
    assert problems() == [
        f"{spec}:4:15: service.a: secret 'key': there is no file {outside} that you may read",
        f"{spec}:5:24: service.a: secret 'token': the environment has no variable LABSPEC_TEST_GIVEN",
        f"{spec}:8:11: service.a: config 'conf': there is no file {outside}.conf that you may read",
    ]
    for file in (outside, Path(f"{outside}.conf")):
        file.write_text("x")
    monkeypatch.setenv("LABSPEC_TEST_GIVEN", "x")
    assert problems() == []
    lab = load(spec, variables={}, variable_files=[])
    assert not workflow.apply(lab, host).failed
    monkeypatch.delenv("LABSPEC_TEST_GIVEN")
    outside.unlink()
    gone = workflow.make_plan(load(spec, variables={}, variable_files=[]), host, destroy=True)
    assert not gone.problems, "what is given is not needed to remove a lab"
