"""The whole life of the first lab on a host of its own: planned, applied, looked at, drifted, rebooted, destroyed, and
the host as it was before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from costing import PROGRAM, Cost
from hostbox import HostBox

from labspec.host.sandbox.folder import inside

pytestmark = pytest.mark.live

LAB = Path(__file__).parents[2] / "specs" / "tp1-b3"
LABEL = "io.labspec.lab=tp1-b3"
DANGERS = ("docker-group", "host-namespaces", "kernel", "socket")
ALLOW = tuple(f"--allow={name}" for name in DANGERS)
REMAPPED = "/var/lib/docker/100000.100000"
SNAPSHOT = r"""
find /etc /home /srv /var/lib/labspec /var/lib/machines -printf '%p %M %U:%G %l\n' 2>/dev/null
find /etc /home /srv -type f -exec sha256sum {} +
systemctl list-unit-files --no-legend
systemctl list-units --all --no-legend --plain 'docker*' 'labspec*' 'common*' | awk '{print $1, $3}'
docker info --format '{{.DockerRootDir}} {{.SecurityOptions}}'
docker images --all --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'
docker ps --all --format '{{.Names}} {{.State}}'
docker network ls --format '{{.Name}} {{.Driver}}'
docker volume ls --quiet
"""
OWN_BACKUPS = tuple(f"/etc/{name}-" for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid"))
"""Copies that shadow's programs make of the files that they change."""
ENGINES = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
"""Mounted by the engine that the sandbox runs on, which writes them anew when it likes."""


class Host(NamedTuple):
    """The sandbox, and how its host and its Docker were before."""

    box: HostBox
    before: set[str]

    def labspec(self, *arguments: str, code: int = 0) -> str:
        done = self.box.labspec(LAB, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def plan(self, *arguments: str) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = json.loads(self.labspec("plan", "--json", "--allow-missing", *arguments))[
            "changes"
        ]
        return made

    def actions(self) -> list[tuple[str, str]]:
        return [(change["address"], change["action"]) for change in self.plan()]

    def changed(self) -> list[str]:
        """Return what of the host is not as it was before."""
        return sorted(snapshot(self.box) ^ self.before)

    def docker(self, *arguments: str) -> str:
        return self.box.out("docker", *arguments)

    def inspect(self, kind: str, name: str) -> Any:
        return json.loads(self.docker(kind, "inspect", name))[0]

    def page(self, address: str) -> str:
        """Return a page of a server that may just be starting: its container runs before it listens."""
        retried = ("--retry", "20", "--retry-connrefused", "--retry-delay", "1")
        return self.box.out("curl", "--silent", "--show-error", *retried, address)


def snapshot(box: HostBox) -> set[str]:
    lines = box.out("sh", "-c", SNAPSHOT).splitlines()
    return {line for line in lines if not any(name in line.split() for name in (*OWN_BACKUPS, *ENGINES))}


@pytest.fixture(scope="module")
def host(lab_host: HostBox, busybox: str) -> Iterator[Host]:
    """Apply the lab on a host where somebody has a container with data, and destroy it whatever happened."""
    started = ("run", "--detach", "--name", "tp1-b3-foreign", "--stop-signal", "KILL")
    lab_host.out("docker", *started, "--volume", "tp1-b3_old:/data", busybox, "sleep", "9000")
    lab_host.out("docker", "exec", "tp1-b3-foreign", "touch", "/data/precious")
    made = Host(lab_host, snapshot(lab_host))
    plan = made.plan()
    assert {change["action"] for change in plan} == {"create", "update"}
    assert len(plan) == 18
    refused = lab_host.labspec(LAB, "apply", "-y", "--allow-missing")
    assert refused.returncode == 1
    assert all(f"--allow {name}" in refused.stderr for name in DANGERS)
    assert made.changed() == []
    made.labspec("apply", "-y", "--allow-missing", *ALLOW)
    yield made
    made.labspec("destroy", "-y")
    lab_host.out("docker", "rm", "--force", "tp1-b3-foreign")
    lab_host.out("docker", "volume", "rm", "tp1-b3_old")
    lab_host.out("rm", "-rf", REMAPPED)


class TestApplied:
    """The lab while it is there."""

    def test_a_second_plan_is_empty(self, host: Host) -> None:
        said = host.labspec("plan", "--detailed-exitcode", "--allow-missing")
        assert said.splitlines()[0] == "No changes. The host matches the spec."
        assert "left out: rkt.sleeper: rkt is not installed on this host" in said

    def test_an_empty_plan_reads_the_host_in_few_steps(self, host: Host) -> None:
        # On the path that the sandbox gave labspec and the lab.
        start = 'from glob import glob; sys.path[:0] = ["/opt/labspec", *glob("/opt/labspec/venv/lib/*/site-packages")]'
        program = f"import sys; {start}\n{PROGRAM}"
        found = Cost.read(
            host.box.out("python3", "-s", "-c", program, "looks", "plan", "--allow-missing", inside(str(LAB)))
        )
        assert found.code == 0
        assert found.requests <= 12
        started = [arguments.split("'")[1] for event, arguments in found.processes if event == "subprocess.Popen"]
        assert sorted(started) == ["dpkg-query", "runc", "systemctl"]
        assert found.imported("python_on_whales", "docker", "pydantic", "yaml", "rich") == set()

    def test_its_checks_pass(self, host: Host) -> None:
        found = json.loads(host.labspec("check", "--json", "--allow-missing"))["checks"]
        assert len(found) > 20
        assert {check["id"]: check["state"] for check in found if check["state"] != "ok"} == {"rkt": "skip"}

    def test_the_web_server_answers(self, host: Host) -> None:
        assert "test.html" in host.page("http://127.0.0.1:1010")

    def test_the_build_argument_arrived(self, host: Host) -> None:
        config = host.inspect("container", "tp1-b3-web-1")["Config"]
        assert "PORT=9999" in config["Env"]
        assert config["User"] == "nagini:nagini"

    def test_the_volume_is_in_memory(self, host: Host) -> None:
        options = {"type": "tmpfs", "device": "tmpfs", "o": "size=100m,uid=1000"}
        assert host.inspect("volume", "tp1-b3_foo")["Options"] == options
        mounted = host.docker("exec", "tp1-b3-devtest-1", "df", "-m", "--output=fstype,size,target", "/app")
        assert mounted.splitlines()[1].split() == ["tmpfs", "100", "/app"]

    def test_root_in_a_container_is_nobody_on_the_host(self, host: Host) -> None:
        pid = host.inspect("container", "tp1-b3-devtest-1")["State"]["Pid"]
        assert host.box.out("cat", f"/proc/{pid}/uid_map").split() == ["0", "100000", "65536"]
        assert host.box.out("grep", "vagrant", "/etc/subuid", "/etc/subgid").splitlines() == [
            "/etc/subuid:vagrant:100000:65536",
            "/etc/subgid:vagrant:100000:65536",
        ]

    def test_the_seccomp_profile_is_in_force(self, host: Host) -> None:
        assert "profile=/etc/docker/labspec-tp1-b3-seccomp.json" in host.docker(
            "info", "--format", "{{.SecurityOptions}}"
        )
        assert host.docker("exec", "tp1-b3-devtest-1", "unshare", "--help").startswith("Usage:")
        refused = host.box.run("docker", "exec", "tp1-b3-devtest-1", "unshare", "--user", "true")
        assert "Operation not permitted" in refused.stderr

    def test_the_user_may_use_docker(self, host: Host) -> None:
        assert host.box.out("su", "-", "vagrant", "-c", "docker ps --quiet").split()

    def test_portainers_stand_in_sees_the_containers(self, host: Host) -> None:
        networks = host.inspect("container", "tp1-b3-portainer-portainer-1")["NetworkSettings"]["Networks"]
        assert "tp1-b3-ubuntu-1" in host.page(f"http://{networks['tp1-b3-portainer_local']['IPAddress']}:9000")

    def test_the_stack_of_the_unit_runs(self, host: Host) -> None:
        assert host.box.out("systemctl", "is-active", "common_server.service") == "active"
        names = host.docker("ps", "--filter", "label=com.docker.compose.project=common", "--format", "{{.Names}}")
        assert sorted(names.split()) == ["common-mysql-1", "common-nextcloud-1", "common-traefik-1"]

    def test_runc_runs_the_bundle(self, host: Host) -> None:
        script = "cd /var/lib/labspec/tp1-b3/bundles/box && runc run --detach box </dev/null >/dev/null 2>&1"
        host.box.out("sh", "-c", script)
        assert host.box.out("runc", "exec", "box", "hostname") == "box"
        assert host.box.out("runc", "exec", "box", "cat", "/proc/1/cmdline") == "sleep\099\0"
        host.box.out("runc", "delete", "--force", "box")

    def test_status_tells_what_waits_for_the_boot(self, host: Host) -> None:
        rows = {row["address"]: row for row in json.loads(host.labspec("status", "--json"))["resources"]}
        assert len(rows) == 23
        assert [address for address, row in rows.items() if row["state"] != "ok"] == ["rkt.sleeper"]
        assert rows["kernel_arg.user_namespace.enable"]["detail"] == "pending: takes effect at next boot"

    def test_compose_knows_it(self, host: Host) -> None:
        assert "tp1-b3-web-1" in host.docker("compose", "-p", "tp1-b3", "ps")
        host.page("http://127.0.0.1:1010")
        assert "GET / HTTP" in host.docker("compose", "-p", "tp1-b3", "logs", "web")
        assert "sleep" in host.docker("compose", "-p", "tp1-b3", "exec", "-T", "ubuntu", "cat", "/proc/1/cmdline")

    def test_what_is_done_by_hand_is_named_and_mended(self, host: Host) -> None:
        host.docker("kill", "tp1-b3-ubuntu-1")
        host.docker("restart", "-t", "0", "tp1-b3-devtest-1")
        assert host.actions() == [("service.ubuntu", "start")], "a restart is no change"
        host.docker("update", "--restart", "always", "tp1-b3-devtest-1")
        host.box.out("gpasswd", "--delete", "vagrant", "docker")
        host.box.out("sh", "-c", "echo '# by hand' >> /srv/common/docker-compose.yml")
        changes = {change["address"]: change for change in host.plan()}
        assert {address: change["action"] for address, change in changes.items()} == {
            "file./srv/common/docker-compose.yml": "update",
            "group.docker": "update",
            "service.devtest": "update",
            "service.ubuntu": "start",
        }
        assert [(diff["path"], diff["before"], diff["cause"]) for diff in changes["service.devtest"]["diffs"]] == [
            ("restart", "always", "drift")
        ]
        before = host.inspect("container", "tp1-b3-devtest-1")["Id"]
        host.labspec("apply", "-y", "--allow-missing", *ALLOW)
        assert host.actions() == []
        assert host.inspect("container", "tp1-b3-devtest-1")["Id"] == before

    def test_after_a_reboot_only_what_it_stopped_is_to_be_started(self, host: Host) -> None:
        host.docker("kill", *host.docker("ps", "--quiet", "--filter", f"label={LABEL}").split())
        host.box.reboot()
        assert host.actions() == [
            ("service.web", "start"),
            ("service.ubuntu", "start"),
            ("service.devtest", "start"),
            ("stack.portainer.service.portainer", "start"),
        ]
        host.labspec("apply", "-y", "--allow-missing", *ALLOW)
        assert host.actions() == []


def test_destroy_takes_all_of_it_and_nothing_else(host: Host) -> None:
    host.docker("kill", *host.docker("ps", "--quiet", "--filter", f"label={LABEL}").split())
    volume = host.docker("volume", "create", "tp1-b3_foreign")
    host.box.out("touch", f"{REMAPPED}/volumes/{volume}/_data/precious")
    host.labspec("destroy", "-y")
    assert host.changed() == []
    assert host.docker("exec", "tp1-b3-foreign", "ls", "/data") == "precious"
    left = host.box.out("find", f"{REMAPPED}/volumes", f"{REMAPPED}/containers", "-mindepth", "1", "-name", "[pt]*")
    assert left.split() == [f"{REMAPPED}/volumes/{volume}", f"{REMAPPED}/volumes/{volume}/_data/precious"]
    assert host.labspec("destroy", "-y") == "Nothing to destroy. The host has nothing of this lab.\n"
    assert host.changed() == []
