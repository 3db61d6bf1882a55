"""A sandbox on a real engine: a host in every respect that a lab sees, and nothing left of it afterwards."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labspec.core.diagnostic import LabError
from labspec.host.docker import Docker
from labspec.host.sandbox import lifecycle
from labspec.host.sandbox.objects import container_name, volume_name
from labspec.host.sandbox.wish import Wish

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("sandbox")]

LABSPEC = (sys.executable, "-m", "labspec")
UP_SECONDS = 600
"""With the image to build; a few seconds without."""
SPEC = """\
labspec: 1
lab: {name: inner}
volumes: {foo: {}}
services:
  web:
    image: %s
    command: [httpd, -f, -p, "80", -h, /srv]
    ports: ["1010:80"]
    volumes: ["./site:/srv", "foo:/foo"]
    stop_signal: SIGKILL
"""


@dataclass(frozen=True)
class Box:
    """A sandbox that runs."""

    name: str
    ip: str
    port: int
    """On localhost, leading to 1010 in there."""

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return labspec("sandbox", "exec", self.name, "--", *command, text=text)

    def out(self, *command: str) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def labspec(*arguments: str, text: str | None = None, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LABSPEC, *arguments],
        input=text or "",
        capture_output=True,
        text=True,
        timeout=UP_SECONDS,
        check=False,
        cwd=folder,
    )


def traces(docker: Docker, name: str) -> list[str]:
    """Return what an engine has of a sandbox."""
    listed = [
        *docker.get("/containers/json", {"all": "1"}),
        *docker.get("/volumes")["Volumes"],
        *docker.get("/networks"),
    ]
    return [json.dumps(entry) for entry in listed if name in json.dumps(entry)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def name(engine: Docker) -> Iterator[str]:
    """Return a name for a sandbox; whatever a failed test leaves of it is removed."""
    made = f"t{uuid.uuid4().hex[:10]}"
    yield made
    labspec("sandbox", "down", made)
    assert traces(engine, made) == []


@pytest.fixture(scope="module")
def box(engine: Docker, busybox: str) -> Iterator[Box]:
    """Return a sandbox with busybox in it; afterwards it is removed, and nothing may be left."""
    name, port = f"t{uuid.uuid4().hex[:10]}", free_port()
    try:
        done = labspec("sandbox", "up", name, "--image", busybox, "-p", f"{port}:1010", "--json")
        assert done.returncode == 0, done.stderr
        yield Box(name, json.loads(done.stdout)["sandbox"]["ip"], port)
    finally:
        groups = control_groups(engine, name)
        done = labspec("sandbox", "down", name)
    assert (done.returncode, done.stdout) == (0, f"Sandbox {name} is removed.\n")
    assert traces(engine, name) == []
    assert [path for path in groups if path.exists()] == []


def control_groups(docker: Docker, name: str) -> list[Path]:
    """Return the folders of a sandbox in the control groups of this machine."""
    found = docker.find(f"/containers/{container_name(name)}/json")
    return [path for path in Path("/sys/fs/cgroup").rglob(found["Id"]) if path.is_dir()] if found else []


def page(address: str, port: int) -> str:
    """Return the page that a web server gives, as soon as it does."""
    for _ in range(50):
        try:
            with urllib.request.urlopen(f"http://{address}:{port}/", timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"nothing answers at {address}:{port}")


def test_it_is_a_host(box: Box) -> None:
    assert box.out("systemctl", "is-system-running") == "running"
    assert box.out("ps", "-o", "comm=", "1") == "systemd"
    assert box.out("hostname") == box.name
    assert box.out("systemctl", "is-active", "docker", "containerd", "ssh").split() == ["active"] * 3
    assert box.out("systemd-run", "--wait", "--pipe", "--quiet", "cat", "/proc/self/cgroup").endswith(".service")
    assert box.out("docker", "compose", "version", "--short").lstrip("v").startswith("2.")
    assert "github.com/docker/buildx" in box.out("docker", "buildx", "version")


def test_its_engine_is_its_own(box: Box, busybox: str, engine: Docker) -> None:
    ours = {image["Id"] for image in engine.get("/images/json")}
    theirs = box.out("docker", "images", "--quiet", "--no-trunc").split()
    assert len(theirs) == 1
    assert set(theirs) <= ours
    assert box.out("docker", "ps", "--all", "--quiet") == ""
    assert box.out("docker", "run", "--rm", busybox, "echo", "from in there") == "from in there"


def test_images_are_built_in_it(box: Box, busybox: str) -> None:
    dockerfile = f"FROM {busybox}\nRUN echo built > /made\nCMD cat /made\n"
    done = box.run("docker", "build", "--quiet", "--tag", "nested", "-", text=dockerfile)
    assert done.returncode == 0, done.stderr
    assert box.out("docker", "run", "--rm", "nested") == "built"
    box.out("docker", "rmi", "nested")


def test_nobody_can_log_in_without_a_key(box: Box) -> None:
    settings = box.out("sshd", "-T").splitlines()
    assert {"passwordauthentication no", "kbdinteractiveauthentication no"} <= set(settings)
    assert box.run("test", "-e", "/root/.ssh/authorized_keys").returncode == 1


def test_a_command_is_as_if_it_ran_here(box: Box) -> None:
    done = box.run("sh", "-c", "cat; echo to stderr >&2; exit 7", text="through a pipe")
    assert (done.returncode, done.stdout, done.stderr) == (7, "through a pipe", "to stderr\n")
    done = box.run("sh", "-c", 'printf "<%s>" "$@"', "sh", "a b", "$HOME", "--", "-x")
    assert done.stdout == "<a b><$HOME><--><-x>"
    assert box.run("no-such-command").returncode in (126, 127)


def test_it_is_listed(box: Box) -> None:
    (entry,) = (
        entry
        for entry in json.loads(labspec("sandbox", "list", "--json").stdout)["sandboxes"]
        if entry["name"] == box.name
    )
    assert (entry["state"], entry["engine"], entry["ip"]) == ("running", "trixie", box.ip)
    assert entry["ports"] == [{"address": "127.0.0.1", "host": box.port, "sandbox": 1010, "protocol": "tcp"}]
    row = next(line for line in labspec("sandbox", "list").stdout.splitlines() if line.startswith(box.name))
    assert row.split()[1:5] == ["running", "trixie", box.ip, f"127.0.0.1:{box.port}->1010/tcp"]


def test_a_lab_lives_in_it(box: Box, busybox: str, tmp_path: Path, engine: Docker) -> None:
    (tmp_path / "lab.yaml").write_text(SPEC % busybox)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("first")

    def inside(*arguments: str) -> subprocess.CompletedProcess[str]:
        return labspec("--sandbox", box.name, *arguments, folder=tmp_path)

    done = inside("plan", "-o", "lab.plan", "--detailed-exitcode")
    assert done.returncode == 2, done.stderr
    assert "service.web will be created" in done.stdout
    assert f"Next: labspec --sandbox {box.name} apply lab.plan" in done.stderr
    done = inside("apply", "lab.plan", "--allow", "host-mount")
    assert done.returncode == 0, done.stderr
    assert inside("plan", "--detailed-exitcode").returncode == 0

    assert page(box.ip, 1010) == "first"
    assert page("127.0.0.1", box.port) == "first"
    (tmp_path / "site" / "index.html").write_text("second")
    assert inside("validate").returncode == 0
    assert page(box.ip, 1010) == "second"

    assert inside("destroy", "-y").returncode == 0
    assert box.out("docker", "ps", "--all", "--quiet") == ""
    assert traces(engine, "inner_foo") == []


def test_mistakes_are_told_where_they_are_here(box: Box, tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text("labspec: 1\nlab: {name: x}\nservice: {}\n")
    done = labspec("--sandbox", box.name, "validate", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("lab.yaml:3:1: error: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command(box: Box, number: signal.Signals) -> None:
    script = "trap 'echo caught; exit 42' INT TERM; echo ready; while :; do sleep 0.1; done"
    with subprocess.Popen(
        [*LABSPEC, "sandbox", "exec", box.name, "--", "bash", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "caught\n"
        assert process.wait(timeout=30) == 42


def test_a_terminal_is_one_in_there(box: Box) -> None:
    ours, theirs = pty.openpty()
    script = "test -t 0 && test -t 1 && echo ready; sleep 60"
    with subprocess.Popen(
        [*LABSPEC, "sandbox", "exec", box.name, "--", "bash", "-c", script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        late = threading.Timer(60, process.kill)
        late.start()
        said = b""
        while b"ready" not in said:
            said += os.read(ours, 1000)
        os.write(ours, b"\x03")
        assert process.wait(timeout=30) == 130
        late.cancel()
    os.close(ours)
    assert box.run("pgrep", "-x", "sleep").returncode == 1


def test_it_comes_back_as_it_was(box: Box, engine: Docker) -> None:
    box.out("touch", "/root/kept")
    engine.post(f"/containers/{container_name(box.name)}/stop", query={"t": "20"})
    stopped = box.run("true")
    assert stopped.returncode == 1
    assert f"labspec sandbox up {box.name}" in stopped.stderr
    done = labspec("sandbox", "up", box.name, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["made"] is False
    assert box.out("ls", "/root/kept") == "/root/kept"


def test_stopped_halfway_it_leaves_nothing(name: str, engine: Docker) -> None:
    # Where the tests run in the background of a shell, they and what they start ignore Ctrl-C.
    heeding = ["env", "--default-signal=INT", *LABSPEC]
    with subprocess.Popen([*heeding, "sandbox", "up", name], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "Waiting" not in (line := process.stderr.readline()):
            assert line, "it ended before it waited"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert traces(engine, name) == []


def test_what_does_not_start_leaves_nothing(
    name: str, engine: Docker, busybox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "ensure_image", lambda *_: busybox)
    said: list[str] = []
    with pytest.raises(LabError, match="its first process has ended"):
        lifecycle.up(engine, Wish(name), said.append)
    assert said[-1] == "Waiting for systemd and Docker"
    assert traces(engine, name) == []


def test_what_is_not_a_sandbox_is_left_alone(name: str, engine: Docker) -> None:
    volume = volume_name(name)
    engine.post("/volumes/create", {"Name": volume})
    try:
        for command in ("up", "down", "shell"):
            done = labspec("sandbox", command, name)
            assert done.returncode == 1
            assert f"there is a volume '{volume}' that is not a sandbox of labspec's" in done.stderr
        assert engine.find(f"/volumes/{volume}") is not None
    finally:
        engine.delete(f"/volumes/{volume}")


def test_a_taken_port_is_told_and_nothing_is_left(name: str, box: Box, engine: Docker) -> None:
    done = labspec("sandbox", "up", name, "-p", f"{box.port}:80")
    assert done.returncode == 1
    assert f"a port for the sandbox '{name}' is taken: {box.port}:80" in done.stderr
    assert traces(engine, name) == []


def test_an_image_that_is_not_here_is_told_before_anything_is_made(name: str, engine: Docker) -> None:
    done = labspec("sandbox", "up", name, "--image", "no/such:image")
    assert done.returncode == 1
    assert "this Docker engine has no such image" in done.stderr
    assert traces(engine, name) == []
