"""The steps of services on a real engine, alone: what they do, and how they say that they cannot."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from labspec.core.diagnostic import LabError
from labspec.core.resource import ADDRESS_LABEL, LAB_LABEL
from labspec.host.host import Host
from labspec.kinds.service.compose_steps import CreateContainers, PullImage, RecreateContainers, WriteComposeFile
from labspec.kinds.service.steps import (
    READY,
    ConnectNetwork,
    DisconnectNetwork,
    RemoveContainer,
    RenameContainer,
    RestartContainer,
    StartContainer,
    UpdateContainer,
    WaitFor,
)

pytestmark = pytest.mark.live

Make = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def make(host: Host, lab_name: str, busybox: str) -> Make:
    """Return what makes services of a project by the real steps, and returns their containers."""

    def made(anew: bool = False, **services: dict[str, Any]) -> list[dict[str, Any]]:
        usual = {"image": busybox, "command": ["sleep", "9999"], "stop_grace_period": "0s", "network_mode": "none"}
        document = {
            "name": lab_name,
            "services": {
                key: {**usual, **entry, "labels": {LAB_LABEL: lab_name, ADDRESS_LABEL: f"service.{key}"}}
                for key, entry in services.items()
            },
        }
        WriteComposeFile(lab_name, lab_name, json.dumps(document)).run(host)
        step = RecreateContainers if anew else CreateContainers
        steps = [
            step(lab_name, lab_name, key, f"service.{key}", entry.get("scale", 1)) for key, entry in services.items()
        ]
        list(step.run_batch(steps, host))
        return [inspect(host, f"{lab_name}-{key}-1") for key in services]

    return made


def inspect(host: Host, name: str) -> dict[str, Any]:
    """Return what the engine says of a container."""
    answer: dict[str, Any] = host.docker.get(f"/containers/{name}/json")
    return answer


def test_services_of_a_project_are_made_in_one_go_and_recreated_one_by_one(host: Host, make: Make) -> None:
    first, second = make(a={}, b={"command": ["sleep", "8888"]})
    assert first["State"]["Running"]
    assert second["Config"]["Cmd"] == ["sleep", "8888"]
    again, _ = make(a={"hostname": "other"}, b={"command": ["sleep", "8888"]})
    assert again["Id"] == first["Id"], "a container that is there stays as it is"
    (new,) = make(anew=True, a={"hostname": "other"})
    assert new["Id"] != first["Id"]
    assert new["Config"]["Hostname"] == "other"
    assert host.docker.find(f"/containers/{first['Id']}/json") is None


def test_the_users_compose_variables_change_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("COMPOSE_FILE", "/nowhere.yaml"),
        ("COMPOSE_PROJECT_NAME", "strange"),
        ("COMPOSE_PROFILES", "strange"),
        ("COMPOSE_COMPATIBILITY", "true"),
        ("COMPOSE_REMOVE_ORPHANS", "true"),
    ):
        monkeypatch.setenv(name, value)
    first, *_ = make(a={}, b={})
    make(b={})
    assert first["State"]["Running"]


def test_a_stopped_a_paused_and_a_removed_container(host: Host, make: Make) -> None:
    (found,) = make(a={})
    identity, name = found["Id"], found["Name"].lstrip("/")
    host.docker.post(f"/containers/{identity}/stop", query={"t": 0})
    StartContainer(identity, name).run(host)
    assert inspect(host, identity)["State"]["Status"] == "running"
    host.docker.post(f"/containers/{identity}/pause")
    StartContainer(identity, name, paused=True).run(host)
    assert inspect(host, identity)["State"]["Status"] == "running"
    started = inspect(host, identity)["State"]["StartedAt"]
    RestartContainer(identity, name, 0).run(host)
    assert inspect(host, identity)["State"]["StartedAt"] > started
    RemoveContainer(identity, name, 0).run(host)
    RemoveContainer(identity, name, 0).run(host)
    assert host.docker.find(f"/containers/{identity}/json") is None


def test_limits_and_names_change_in_place(host: Host, make: Make) -> None:
    first, _ = make(a={}, b={})
    identity, name = first["Id"], first["Name"].lstrip("/")
    UpdateContainer(identity, name, '{"CpuShares": 77}', ("cpu_shares",)).run(host)
    assert inspect(host, identity)["HostConfig"]["CpuShares"] == 77
    with pytest.raises(LabError, match="refused to change mem_limit"):
        UpdateContainer(identity, name, '{"Memory": 1}', ("mem_limit",)).run(host)
    RenameContainer(identity, name, f"{name}-new").run(host)
    assert inspect(host, identity)["Name"] == f"/{name}-new"
    with pytest.raises(LabError, match="another container has the name"):
        RenameContainer(identity, f"{name}-new", name.replace("-a-", "-b-")).run(host)


def test_networks_are_connected_and_disconnected(host: Host, make: Make) -> None:
    (found,) = make(a={"network_mode": "bridge"})
    identity, name = found["Id"], found["Name"].lstrip("/")
    DisconnectNetwork(identity, name, "bridge").run(host)
    DisconnectNetwork(identity, name, "bridge").run(host)
    assert inspect(host, identity)["NetworkSettings"]["Networks"] == {}
    ConnectNetwork(identity, name, "bridge", "{}").run(host)
    assert list(inspect(host, identity)["NetworkSettings"]["Networks"]) == ["bridge"]
    with pytest.raises(LabError, match="not found"):
        ConnectNetwork(identity, name, "no-such-network", "{}").run(host)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": ["no-such-command"]}, "service.a: its command is not in the image"),
        ({"image": "labspec-test/no-such:1"}, "the image is not on this host"),
        ({"volumes": [{"type": "bind", "source": "/no/such/folder", "target": "/x"}]}, "a folder to mount is missing"),
        ({"cpus": 0.5, "cpu_period": 50000}, "two settings exclude each other"),
    ],
    ids=["command", "image", "mount", "conflict"],
)
def test_what_the_engine_refuses_is_said_in_plain_words(make: Make, entry: dict[str, Any], said: str) -> None:
    with pytest.raises(LabError, match=said) as caught:
        make(a=entry)
    assert "Traceback" not in str(caught.value)


def test_a_port_that_is_taken(make: Make) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(LabError, match=f"is taken.*{port}"):
            make(a={"network_mode": "bridge", "ports": [f"127.0.0.1:{port}:80"]})


def test_waiting_for_health_and_for_the_end(host: Host, lab_name: str, make: Make) -> None:
    check = {"interval": "200ms", "start_period": "0s", "retries": 2}
    make(
        well={"healthcheck": {**check, "test": ["CMD", "true"]}},
        ill={"healthcheck": {**check, "test": ["CMD-SHELL", "echo the words; false"]}},
        plain={},
        done={"command": ["true"]},
        failed={"command": ["false"]},
    )

    def wait(service: str, condition: str) -> None:
        WaitFor(f"service.{service}", lab_name, service, condition, 30).run(host)

    wait("well", "service_healthy")
    wait("plain", READY)
    wait("done", READY)
    wait("done", "service_completed_successfully")
    for service, condition, said in (
        ("ill", READY, "service.ill is unhealthy: the words"),
        ("plain", "service_healthy", "has no health check"),
        ("failed", "service_completed_successfully", "ended with exit code 1"),
        ("none", READY, "has no container"),
    ):
        with pytest.raises(LabError, match=said):
            wait(service, condition)
    with pytest.raises(LabError, match="not done within 0 s"):
        WaitFor("service.plain", lab_name, "plain", "service_completed_successfully", 0).run(host)


def test_an_image_that_is_here_is_not_pulled_and_one_that_is_nowhere_is_refused(host: Host, busybox: str) -> None:
    PullImage(busybox).run(host)
    with pytest.raises(LabError, match=r"image localhost:1/no-such:1 cannot be pulled"):
        PullImage("localhost:1/no-such:1").run(host)
