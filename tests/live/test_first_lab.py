"""The whole life of the first lab on a real engine: planned, applied, looked at, found unchanged, destroyed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.live

LAB = str(Path(__file__).parents[2] / "specs" / "tp1-b3")
LABEL = "io.labspec.lab=tp1-b3"


def labspec(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "labspec", *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, timeout=120).stdout


def page(address: str) -> str:
    """Return a page of a server that may just be starting: its container runs before it listens."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310  the lab's own servers
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"nobody answers at {address}")


def inspect(kind: str, name: str) -> Any:
    return json.loads(docker(kind, "inspect", name))[0]


def labelled() -> dict[str, list[str]]:
    lists = {
        "containers": ("ps", "-aq"),
        "volumes": ("volume", "ls", "-q"),
        "networks": ("network", "ls", "-q"),
        "images": ("images", "-aq"),
    }
    return {what: docker(*command, "--filter", f"label={LABEL}").split() for what, command in lists.items()}


FOREIGN = {
    "container": "tp1-b3-foreign",
    "volume": "tp1-b3_foreign",
    "network": "tp1-b3_foreign",
    "image": "tp1-b3/foreign",
}


def foreign() -> dict[str, Any]:
    """Return what the engine says of objects that are named like the lab's, and are not."""
    found = {kind: inspect(kind, name) for kind, name in FOREIGN.items()}
    found["image"].pop("Metadata", None)
    return found


@pytest.fixture(scope="module")
def neighbours(busybox: str) -> Iterator[dict[str, Any]]:
    """Make objects that somebody else could have made, with data in the volume, and yield what they are like."""
    name = FOREIGN["container"]
    docker("tag", busybox, FOREIGN["image"])
    docker("network", "create", FOREIGN["network"])
    docker("run", "-d", "--name", name, "-v", f"{FOREIGN['volume']}:/data", busybox, "busybox", "sleep", "9000")
    docker("exec", name, "busybox", "touch", "/data/precious")
    yield foreign()
    docker("rm", "-f", name)
    docker("volume", "rm", FOREIGN["volume"])
    docker("network", "rm", FOREIGN["network"])
    docker("rmi", FOREIGN["image"])


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory, neighbours: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Apply the lab beside its neighbours, yield what they were like before, destroy it whatever happened."""
    patch = pytest.MonkeyPatch()
    patch.setenv("LABSPEC_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    labspec("destroy", "-y", LAB)
    plan = json.loads(labspec("plan", "--json", LAB))
    assert {change["action"] for change in plan["changes"]} == {"create"}
    assert {change["reason"] for change in plan["changes"]} == {"not on this host"}
    assert len(plan["changes"]) == plan["summary"]["create"] == 10
    labspec("apply", "-y", LAB, code=1)  # the socket is not given away unasked
    assert not any(labelled().values())
    labspec("apply", "-y", "--allow", "socket", LAB)
    yield neighbours
    labspec("destroy", "-y", LAB)
    patch.undo()


@pytest.mark.usefixtures("applied")
class TestApplied:
    """The lab while it is there."""

    def test_the_web_server_answers(self) -> None:
        assert "test.html" in page("http://127.0.0.1:1010")

    def test_the_build_argument_arrived(self) -> None:
        assert "PORT=9999" in inspect("container", "tp1-b3-web-1")["Config"]["Env"]
        assert inspect("container", "tp1-b3-web-1")["Config"]["User"] == "nagini:nagini"

    def test_the_volume_is_in_memory(self) -> None:
        assert inspect("volume", "tp1-b3_foo")["Options"] == {
            "type": "tmpfs",
            "device": "tmpfs",
            "o": "size=100m,uid=1000",
        }
        mounted = docker("exec", "tp1-b3-devtest-1", "df", "-m", "--output=fstype,size,target", "/app")
        assert mounted.splitlines()[1].split() == ["tmpfs", "100", "/app"]
        assert docker("exec", "tp1-b3-devtest-1", "stat", "-c", "%u", "/app").strip() == "1000"

    def test_portainers_stand_in_sees_the_containers(self) -> None:
        networks = inspect("container", "tp1-b3-portainer-portainer-1")["NetworkSettings"]["Networks"]
        address = networks["tp1-b3-portainer_local"]["IPAddress"]
        assert "tp1-b3-ubuntu-1" in page(f"http://{address}:9000")

    def test_a_second_plan_is_empty(self) -> None:
        assert labspec("plan", "--detailed-exitcode", LAB) == "No changes. The host matches the spec.\n"

    def test_status(self) -> None:
        rows = json.loads(labspec("status", "--json", LAB))
        assert rows["ok"] is True
        assert len(rows["resources"]) == 10

    def test_compose_knows_it(self) -> None:
        assert "tp1-b3-web-1" in docker("compose", "-p", "tp1-b3", "ps")
        assert "GET / HTTP" in docker("compose", "-p", "tp1-b3", "logs", "web")
        assert "sleep" in docker("compose", "-p", "tp1-b3", "exec", "-T", "ubuntu", "cat", "/proc/1/cmdline")

    def test_a_container_stopped_by_hand_is_started(self) -> None:
        docker("stop", "-t", "0", "tp1-b3-ubuntu-1")
        changes = json.loads(labspec("plan", "--json", LAB))["changes"]
        assert [(change["address"], change["action"]) for change in changes] == [("service.ubuntu", "start")]
        labspec("apply", "-y", LAB)
        labspec("plan", "--detailed-exitcode", LAB)

    def test_a_restart_is_no_change(self) -> None:
        docker("restart", "-t", "0", "tp1-b3-devtest-1")
        labspec("plan", "--detailed-exitcode", LAB)

    def test_drift_is_named_and_mended(self) -> None:
        docker("update", "--restart", "always", "tp1-b3-devtest-1")
        changes = json.loads(labspec("plan", "--json", LAB))["changes"]
        assert [(change["address"], change["action"]) for change in changes] == [("service.devtest", "update")]
        assert [(diff["path"], diff["before"], diff["cause"]) for diff in changes[0]["diffs"]] == [
            ("restart", "always", "drift")
        ]
        before = inspect("container", "tp1-b3-devtest-1")["Id"]
        labspec("apply", "-y", LAB)
        labspec("plan", "--detailed-exitcode", LAB)
        assert inspect("container", "tp1-b3-devtest-1")["Id"] == before


def test_destroy_takes_all_of_it_and_nothing_else(applied: dict[str, Any]) -> None:
    labspec("destroy", "-y", LAB)
    assert not any(labelled().values())
    assert foreign() == applied
    assert docker("exec", FOREIGN["container"], "busybox", "ls", "/data") == "precious\n"
    assert labspec("destroy", "-y", LAB) == "Nothing to destroy. The host has nothing of this lab.\n"
