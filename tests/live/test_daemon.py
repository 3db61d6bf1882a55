"""daemon.json on real daemons: candidates tried, settings applied and taken back, and the way back without labspec."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hostbox import HostBox, hostbox

pytestmark = pytest.mark.live

FILE = "/etc/docker/daemon.json"
FOREIGN = b'{\n\t"labels" : ["site=b3"] ,\n\t"max-concurrent-downloads":2\n}'
ENGINES = ("trixie", "distro") if os.environ.get("LABSPEC_ALL_ENGINES") else ("trixie",)
BACK_SECONDS = 30
"""How long Docker may be away after labspec was killed at the worst moment."""


class Sandbox:
    """A sandbox with a lab's folder in it."""

    def __init__(self, container: str) -> None:
        self._container = container

    def run(self, *command: str, stdin: bytes = b"", rc: int | None = 0) -> str:
        """Run a command and return what it printed; `rc` is the exit code it must have, None for any."""
        words = ["docker", "exec", "--interactive", "--workdir", "/lab", self._container, *command]
        done = subprocess.run(words, input=stdin, capture_output=True, timeout=600, check=False)
        said = done.stdout.decode() + done.stderr.decode()
        assert rc is None or done.returncode == rc, said
        return said

    def python(self, code: str, rc: int | None = 0) -> str:
        return self.run("env", "PYTHONPATH=/opt/labspec", "python3", "-", stdin=code.encode(), rc=rc)

    def lab(self, daemon: dict[str, Any], **more: Any) -> None:
        text = json.dumps({"labspec": 1, "lab": {"name": "tp"}, "daemon": daemon, **more})
        self.write("/lab/lab.yaml", text.encode())

    def write(self, path: str, content: bytes) -> None:
        self.run("sh", "-c", 'mkdir -p "${1%/*}" && cat > "$1"', "sh", path, stdin=content)

    def read(self, path: str) -> bytes:
        return self.run("sh", "-c", 'cat "$1" 2>/dev/null || true', "sh", path).encode()

    def docker_is_back(self) -> bool:
        active = self.run("systemctl", "is-active", "docker", rc=None).strip()
        return active == "active" and "Server" in self.run("docker", "version", rc=None)


@pytest.fixture(scope="module", params=ENGINES)
def machine(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if request.param == "trixie":
        box = request.getfixturevalue("lab_host")
        yield _with_lab(box)
        box.out("rm", FILE)
        box.out("systemctl", "restart", "docker.service")
        return
    with hostbox("debian:latest", engine=request.param) as box:
        yield _with_lab(box)


def _with_lab(box: HostBox) -> Sandbox:
    box.out("mkdir", "-p", "/lab")
    return Sandbox(box.container)


@pytest.fixture
def sandbox(machine: Sandbox) -> Iterator[Sandbox]:
    """Return the sandbox, with somebody's daemon.json in force."""
    machine.write(FILE, FOREIGN)
    machine.run("systemctl", "reset-failed", "docker.service", "docker.socket", rc=None)
    machine.run("systemctl", "restart", "docker.service")
    yield machine
    machine.run("labspec", "destroy", "-y", rc=None)


VALID: list[dict[str, Any]] = [
    {},
    {"debug": True},
    {"bip": "172.31.0.1/24"},
    {"bridge": "none"},
    {"builder": {"gc": {"enabled": True}}},
    {"cgroup-parent": "/lab"},
    {"data-root": "/var/lib/docker-lab"},
    {"default-address-pools": [{"base": "10.99.0.0/16", "size": 24}]},
    {"default-cgroupns-mode": "host"},
    {"default-ipc-mode": "shareable"},
    {"default-shm-size": "128M"},
    {"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 2048}}},
    {"dns": ["10.0.0.53"], "dns-search": ["lab"]},
    {"experimental": True},
    {"hosts": ["unix:///run/other.sock"]},
    {"icc": False},
    {"init": True},
    {"insecure-registries": ["registry.lab:5000"]},
    {"iptables": False},
    {"labels": ["a=b"]},
    {"live-restore": True},
    {"log-driver": "local", "log-opts": {"max-size": "5m"}},
    {"log-level": "warn"},
    {"mtu": 1400},
    {"no-new-privileges": True},
    {"registry-mirrors": ["https://mirror.lab"]},
    {"runtimes": {"other": {"path": "/usr/sbin/runc"}}},
    {"seccomp-profile": "/etc/docker/good.json"},
    {"shutdown-timeout": 3},
    {"storage-driver": "vfs"},
    {"userland-proxy": False},
    {"userns-remap": "default"},
]
FATAL: list[dict[str, Any]] = [
    {"bip": "999.0.0.1/24"},
    {"bip": "no address"},
    {"default-address-pools": [{"base": "10.99.0.0/16", "size": 8}]},
    {"default-runtime": "missing"},
    {"default-shm-size": "much"},
    {"default-ulimits": {"nofile": 3}},
    {"dns": ["not an address"]},
    {"debug": "yes"},
    {"exec-opts": ["native.cgroupdriver=nothing"]},
    {"labels": ["nothing"]},
    {"live-restore": True, "default-cgroupns-mode": "none"},
    {"log-driver": "nowhere"},
    {"log-driver": "json-file", "log-opts": {"nonsense": "1"}},
    {"log-level": "chatty"},
    {"max-concurrent-downloads": -1},
    {"mtu": "big"},
    {"no-such-key": 1},
    {"registry-mirrors": ["ftp://mirror.lab"]},
    {"runtimes": {"broken": {"path": "/no/runtime"}}, "default-runtime": "broken"},
    {"seccomp-profile": "/etc/docker/missing.json"},
    {"seccomp-profile": "/etc/docker/bad.json"},
    {"storage-driver": "floppy"},
    {"storage-opts": ["overlay2.nonsense=1"], "storage-driver": "overlay2"},
    {"tlsverify": True, "tlscacert": "/no/ca.pem", "tlscert": "/no/cert.pem", "tlskey": "/no/key.pem"},
    {"userns-remap": "nobodythere"},
    {"userns-remap": "man"},
]

TRY = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from labspec.host.host import Host
from labspec.kinds.daemon.running import find_daemon
from labspec.kinds.daemon.trial import try_daemon
host = Host()
daemon = find_daemon(host)
def tried(values):
    return try_daemon(daemon, json.dumps(values).encode(), {}, host.system)
with ThreadPoolExecutor(4) as pool:
    print(json.dumps(list(pool.map(tried, json.loads(%r)))))
"""


def test_no_fatal_settings_pass_a_trial_and_no_good_ones_are_refused(sandbox: Sandbox) -> None:
    good = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}
    sandbox.write("/etc/docker/good.json", json.dumps(good).encode())
    sandbox.write("/etc/docker/bad.json", b'{"defaultAction": "SCMP_ACT_MAYBE"}')
    before = sandbox.run(
        "sh", "-c", "find /etc /var/lib/docker -maxdepth 1 | sort; cat /etc/passwd /etc/subuid; docker info -f {{.ID}}"
    )
    said = json.loads(sandbox.python(TRY % json.dumps([*VALID, *FATAL])).splitlines()[-1])
    wrong = [f"refused: {values}: {why}" for values, why in zip(VALID, said, strict=False) if why]
    wrong += [f"passed: {values}" for values, why in zip(FATAL, said[len(VALID) :], strict=True) if not why]
    assert wrong == []
    after = sandbox.run(
        "sh", "-c", "find /etc /var/lib/docker -maxdepth 1 | sort; cat /etc/passwd /etc/subuid; docker info -f {{.ID}}"
    )
    assert after == before
    assert sandbox.read(FILE) == FOREIGN
    sandbox.run("rm", "/etc/docker/good.json", "/etc/docker/bad.json")


def test_settings_are_applied_found_unchanged_and_taken_back(sandbox: Sandbox) -> None:
    sandbox.run(
        "docker", "run", "-d", "--name", "mortal", "debian:latest", "sh", "-c", "trap exit TERM; sleep 999 & wait"
    )
    sandbox.lab({"settings": {"debug": True, "log-driver": "local", "max-concurrent-downloads": 5}})
    shown = sandbox.run("labspec", "plan")
    assert "Docker is restarted for log-driver" in shown
    assert "stops these containers, and labspec starts them again: mortal" in shown
    sandbox.run("labspec", "apply", "-y")
    text = sandbox.read(FILE).decode()
    assert text == FOREIGN.decode().replace(":2", ":5").replace("\n}", ',\n\t"debug":true,\n\t"log-driver":"local"\n}')
    assert sandbox.run("docker", "info", "--format", "{{.LoggingDriver}} {{.Debug}}").strip() == "local true"
    assert sandbox.run("docker", "inspect", "--format", "{{.State.Running}}", "mortal").strip() == "true"
    assert "No changes" in sandbox.run("labspec", "plan", "--detailed-exitcode")
    assert "labspec-rollback" not in sandbox.run("systemctl", "list-units", "--all")

    started = sandbox.run("systemctl", "show", "--property=MainPID", "docker")
    sandbox.lab({"settings": {"debug": False, "log-driver": "local", "max-concurrent-downloads": 5}})
    shown = sandbox.run("labspec", "apply", "-y")
    assert "reload its settings (SIGHUP)" in shown
    assert sandbox.run("systemctl", "show", "--property=MainPID", "docker") == started
    assert sandbox.run("docker", "info", "--format", "{{.Debug}}").strip() == "false"

    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.read(FILE) == FOREIGN
    sandbox.run("test", "-e", "/var/lib/labspec", rc=1)
    assert sandbox.run("docker", "inspect", "--format", "{{.State.Running}}", "mortal").strip() == "true"
    sandbox.run("docker", "rm", "--force", "mortal")


def test_what_somebody_adds_meanwhile_survives_a_destroy(sandbox: Sandbox) -> None:
    sandbox.lab({"settings": {"debug": True, "max-concurrent-downloads": 7}})
    sandbox.run("labspec", "apply", "-y")
    sandbox.write(FILE, sandbox.read(FILE).replace(b"{", b'{ "mtu": 1400,', 1))
    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.read(FILE) == FOREIGN.replace(b"{", b'{ "mtu": 1400,', 1)


def test_a_file_that_labspec_made_goes_and_a_profile_with_it(sandbox: Sandbox) -> None:
    sandbox.run("rm", FILE)
    sandbox.write("/lab/strict.json", b'{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": []}')
    sandbox.lab({"settings": {"seccomp-profile": "./strict.json"}})
    sandbox.run("labspec", "apply", "-y")
    assert "/etc/docker/labspec-tp-strict.json" in sandbox.run("docker", "info")
    sandbox.write("/lab/strict.json", b'{"defaultAction": "SCMP_ACT_ALLOW"}')
    assert "Docker is restarted for seccomp-profile" in sandbox.run("labspec", "plan")
    sandbox.run("labspec", "apply", "-y")
    assert "No changes" in sandbox.run("labspec", "plan", "--detailed-exitcode")
    sandbox.run("labspec", "destroy", "-y")
    assert set(sandbox.run("ls", "/etc/docker").split()) <= {"key.json"}


def test_a_remapped_daemon_and_back(sandbox: Sandbox) -> None:
    sandbox.run("useradd", "--no-create-home", "remapper", rc=None)
    sandbox.run("sed", "-i", "/^remapper:/d", "/etc/subuid", "/etc/subgid")
    before = sandbox.read("/etc/subuid"), sandbox.read("/etc/subgid")
    sandbox.run("docker", "volume", "create", "old")
    sandbox.run("docker", "run", "--detach", "--name", "old", "--stop-signal", "KILL", "debian:latest", "sleep", "999")
    made = {"from": "debian:latest", "steps": [{"env": {"MADE": "1"}}]}
    sandbox.lab({"settings": {"userns-remap": "remapper"}}, images={"made": made})
    assert "all images, volumes and containers of before disappear" in sandbox.run("labspec", "plan")
    sandbox.run("labspec", "apply", "-y")
    images = sandbox.run("docker", "images", "--format", "{{.Repository}}").split()
    assert sorted(images) == ["debian", "tp/made"], "the image that it starts from came along, and no other"
    root = sandbox.run("docker", "info", "--format", "{{.DockerRootDir}}").strip()
    assert root.startswith("/var/lib/docker/")
    assert sandbox.run("docker", "volume", "ls", "--quiet").strip() == ""
    assert "No changes" in sandbox.run("labspec", "plan", "--detailed-exitcode")
    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.run("docker", "volume", "ls", "--quiet").split() == ["old"]
    assert sandbox.run("docker", "ps", "--format", "{{.Names}}").split() == ["old"]
    assert (sandbox.read("/etc/subuid"), sandbox.read("/etc/subgid")) == before
    assert sandbox.read(FILE) == FOREIGN
    sandbox.run("test", "-e", root, rc=1)
    sandbox.run("docker", "rm", "--force", "old")
    sandbox.run("docker", "volume", "rm", "old")


def test_settings_that_docker_refuses_never_reach_the_file(sandbox: Sandbox) -> None:
    sandbox.lab({"settings": {"bip": "999.0.0.1/24"}})
    said = sandbox.run("labspec", "apply", "-y", rc=1)
    assert "Docker refuses the new settings" in said
    assert "invalid CIDR address: 999.0.0.1/24" in said
    assert sandbox.read(FILE) == FOREIGN
    assert sandbox.docker_is_back()


BROKEN = {
    b'{"debug": true,': ":1:16",
    b'{\n  "debug" yes\n}\n': ":2:11",
    b"[1]\n": ":1:1",
    b'{"debug": "\xff"}': ":1:12",
}


def test_a_file_that_is_broken_on_arrival_is_told_and_stays(sandbox: Sandbox) -> None:
    sandbox.lab({"settings": {"debug": True}})
    for content, place in BROKEN.items():
        sandbox.write(FILE, content)
        for command in (("plan",), ("apply", "-y")):
            said = sandbox.run("labspec", *command, rc=1)
            assert f"{FILE}{place}" in said
            assert "Traceback" not in said
        assert sandbox.run("sh", "-c", f"od -An -c {FILE}") == sandbox.run("od", "-An", "-c", stdin=content)
    assert sandbox.docker_is_back()
    sandbox.run("test", "-e", "/var/lib/labspec", rc=1)


def test_a_file_that_was_broken_since_stops_a_destroy_until_it_is_mended(sandbox: Sandbox) -> None:
    sandbox.lab({"settings": {"debug": True}})
    sandbox.run("labspec", "apply", "-y")
    good = sandbox.read(FILE)
    sandbox.write(FILE, b"{")
    assert f"{FILE}:1:2" in sandbox.run("labspec", "destroy", "-y", rc=1)
    assert sandbox.read(FILE) == b"{"
    sandbox.write(FILE, good)
    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.read(FILE) == FOREIGN


def test_docker_s_own_user_for_remapping_goes_again(sandbox: Sandbox) -> None:
    look = ("sh", "-c", "cat /etc/passwd /etc/group /etc/subuid /etc/subgid")
    before = sandbox.run(*look)
    sandbox.lab({"settings": {"userns-remap": "default"}})
    sandbox.run("labspec", "apply", "-y")
    assert "dockremap" in sandbox.run(*look)
    assert "No changes" in sandbox.run("labspec", "plan", "--detailed-exitcode")
    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.run(*look) == before


def test_settings_that_are_flags_already_or_not_known_stand_in_the_way(sandbox: Sandbox) -> None:
    sandbox.lab({"settings": {"hosts": ["unix:///run/other.sock"], "firewall-backend": "nftables"}})
    said = sandbox.run("labspec", "apply", "-y", rc=1)
    assert "'hosts' is given as a flag to dockerd already" in said
    assert "does not know the key 'firewall-backend': it needs Docker 29.0 or later" in said
    assert sandbox.read(FILE) == FOREIGN


def test_the_service_is_stopped_and_put_back(sandbox: Sandbox) -> None:
    sandbox.lab({"service": {"state": "stopped", "enabled": False}})
    sandbox.run("labspec", "apply", "-y")
    assert sandbox.run("systemctl", "is-active", "docker.service", "docker.socket", rc=None).split() == ["inactive"] * 2
    assert sandbox.run("systemctl", "is-enabled", "docker.service", rc=None).strip() == "disabled"
    assert "No changes" in sandbox.run("labspec", "plan", "--detailed-exitcode")
    sandbox.run("labspec", "destroy", "-y")
    assert sandbox.docker_is_back()
    assert sandbox.run("systemctl", "is-enabled", "docker.service", "docker.socket").split() == ["enabled"] * 2
    sandbox.run("test", "-e", "/var/lib/labspec", rc=1)


STEPS = """
import json, os, signal
from labspec.core.diagnostic import LabError
from labspec.host.host import Host
from labspec.kinds.daemon.steps import ArmRollback, Edit, RestartDaemon, WriteSettings
host = Host()
edit = Edit("tp", "/etc/docker/daemon.json", json.dumps({"settings": {"bip": "999.0.0.1/24"}}))
ArmRollback(edit, "restart", True).run(host)
WriteSettings(edit, "restart").run(host)
"""


def test_a_restart_that_fails_is_taken_back(sandbox: Sandbox) -> None:
    said = sandbox.python(
        STEPS
        + """
try:
    RestartDaemon(edit, ("bip",)).run(host)
except LabError as error:
    print(error)
"""
    )
    assert "Docker does not start: failed to start daemon" in said
    assert "invalid CIDR address: 999.0.0.1/24" in said
    assert sandbox.read(FILE) == FOREIGN
    assert sandbox.docker_is_back()
    assert "labspec-rollback" not in sandbox.run("systemctl", "list-units", "--all")


@pytest.mark.parametrize("moment", ["written", "restarting"])
def test_docker_is_back_when_labspec_is_killed(sandbox: Sandbox, moment: str) -> None:
    started = "import subprocess\nsubprocess.Popen(['systemctl', 'restart', 'docker'])\n"
    last = started + "import time\ntime.sleep(1)\n" if moment == "restarting" else ""
    sandbox.python(f"{STEPS}{last}\nos.kill(os.getpid(), signal.SIGKILL)\n", rc=137)
    end = time.monotonic() + BACK_SECONDS
    while not (sandbox.read(FILE) == FOREIGN and sandbox.docker_is_back()):
        assert time.monotonic() < end
        time.sleep(0.5)
    assert sandbox.run("docker", "run", "--rm", "debian:latest", "echo", "again").strip() == "again"
