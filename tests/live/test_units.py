"""Units under a real systemd: applied, found unchanged, restarted only if need be, and the host put back as it was."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from example_labs import EXAMPLES
from hostbox import HostBox

pytestmark = pytest.mark.live

SNAPSHOT = """
cd /etc && find . -path ./mtab -prune -o -printf '%p %y %m %U %G %l\\n' | sort
find . -type f ! -path ./resolv.conf | sort | xargs md5sum
systemctl list-unit-files --no-legend
systemctl list-units --state=active,failed --no-legend --plain --type service,socket,timer,mount,path \
    | awk '!/^(user|session|run-user|systemd-(hostnamed|timedated|localed))/ {print $1, $3}' | sort
find /var/lib/labspec -type f ! -name lock 2>/dev/null || true
"""


class Machine:
    """A sandbox, with a lab in /lab."""

    def __init__(self, container: str) -> None:
        self._container = container

    def run(self, *command: str, stdin: str = "", rc: int | None = 0) -> str:
        """Run a command and return what it printed; `rc` is the exit code it must have, None for any."""
        words = ["docker", "exec", "--interactive", "--workdir", "/lab", self._container, *command]
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300, check=False)
        assert rc is None or done.returncode == rc, done.stdout + done.stderr
        return done.stdout + done.stderr

    def write(self, path: str, content: str) -> None:
        self.run("sh", "-c", 'cat > "$1"', "sh", path, stdin=content)

    def lab(self, units: dict[str, Any]) -> None:
        self.write("/lab/lab.yaml", json.dumps({"labspec": 1, "lab": {"name": "tp"}, "units": units}, indent=1))

    def apply(self, units: dict[str, Any], *options: str, rc: int = 0) -> str:
        self.lab(units)
        return self.run("labspec", "apply", "-y", *options, rc=rc)

    def plan(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("sh", "-c", "labspec plan --json 2>/dev/null", rc=None))
        return found

    def unchanged(self) -> bool:
        return self.plan()["changes"] == []

    def show(self, unit: str, key: str) -> str:
        return self.run("systemctl", "show", "--value", f"--property={key}", unit).strip()

    def snapshot(self) -> list[str]:
        return self.run("sh", "-c", SNAPSHOT).splitlines()


@pytest.fixture(scope="module")
def sandbox(lab_host: HostBox) -> Machine:
    lab_host.out("mkdir", "-p", "/lab")
    return Machine(lab_host.container)


@pytest.fixture
def machine(sandbox: Machine) -> Iterator[Machine]:
    """Return the sandbox; afterwards the lab is destroyed, and the host must be as it was."""
    before = sandbox.snapshot()
    yield sandbox
    sandbox.run("labspec", "destroy", "-y")
    changed = sorted({*before} ^ {*sandbox.snapshot()})
    assert changed == []


WEB: dict[str, Any] = {
    "Unit": {"Description": "web", "After": ["network.target", "docker.service"]},
    "Service": {"ExecStart": "/bin/sleep 9000", "Nice": 3},
    "Install": {"WantedBy": "multi-user.target"},
}


def with_(section: str, **keys: Any) -> dict[str, Any]:
    return {**WEB, section: {**WEB[section], **keys}}


@pytest.mark.parametrize("example", ["unit-service", "unit-timer", "unit-dropin", "unit-stack"])
def test_examples(machine: Machine, example: str) -> None:
    for path in (EXAMPLES / example).iterdir():
        machine.write(f"/lab/{path.name}", path.read_text())
    machine.run("labspec", "apply", "-y")
    assert machine.unchanged()


def test_a_second_daemon_is_for_those_who_have_a_certificate(machine: Machine) -> None:
    for path in (EXAMPLES / "daemon-tcp").iterdir():
        machine.write(f"/lab/{path.name}", path.read_text())
    spec = (EXAMPLES / "daemon-tcp" / "lab.yaml").read_text()
    machine.write("/lab/lab.yaml", spec.replace("--tlsverify ", "--tls "))
    refused = machine.run("labspec", "apply", "-y", rc=1)
    assert "whoever reaches tcp://127.0.0.1:2376 is root on this host" in refused
    assert "add --allow tcp-daemon" in refused
    machine.write("/lab/lab.yaml", spec)
    machine.run("labspec", "apply", "-y")
    assert machine.unchanged()
    client = ["docker", "--tlsverify", "--tlscacert", "ca.pem", "--host", "tcp://127.0.0.1:2376"]
    client = ["env", "--chdir=/run/docker-tcp", *client]
    own = ["--tlscert", "client.pem", "--tlskey", "client-key.pem"]
    assert machine.run(*client, *own, "info", "--format", "{{.DockerRootDir}}").strip() == "/var/lib/docker-tcp"
    assert "certificate required" in machine.run(*client, "info", rc=1)


def test_it_runs_and_comes_back_with_the_host(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB, "lsp-b.timer": {"Timer": {"OnCalendar": "daily"}}, "lsp-b.service": WEB})
    assert machine.unchanged()
    assert machine.show("lsp-a.service", "ActiveState") == "active"
    assert machine.show("lsp-a.service", "UnitFileState") == "enabled"
    assert machine.show("lsp-b.timer", "ActiveState") == "active"
    assert machine.show("lsp-b.service", "ActiveState") == "inactive"
    assert machine.show("lsp-a.service", "Nice") == "3"


def test_only_what_changed_is_done(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB, "lsp-other.service": WEB})
    first, other = machine.show("lsp-a.service", "MainPID"), machine.show("lsp-other.service", "MainPID")
    described = with_("Unit", Description="other")
    machine.apply({"lsp-a.service": described, "lsp-other.service": WEB})
    assert machine.show("lsp-a.service", "Description") == "other"
    installed = {**described, "Install": {"WantedBy": "graphical.target"}}
    machine.apply({"lsp-a.service": installed, "lsp-other.service": WEB})
    links = machine.run("find", "/etc/systemd/system", "-name", "lsp-a.service").split()
    assert sorted(links) == [
        "/etc/systemd/system/graphical.target.wants/lsp-a.service",
        "/etc/systemd/system/lsp-a.service",
    ]
    assert machine.show("lsp-a.service", "MainPID") == first
    niced = {**installed, "Service": {**WEB["Service"], "Nice": 4}}
    machine.apply({"lsp-a.service": niced, "lsp-other.service": WEB})
    assert machine.show("lsp-a.service", "MainPID") != first
    assert machine.show("lsp-other.service", "MainPID") == other
    assert machine.unchanged()


def test_drift_is_found_and_mended(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB})
    machine.run("systemctl", "stop", "lsp-a.service")
    machine.run("systemctl", "disable", "lsp-a.service")
    machine.run("sed", "-i", "s/Nice=3/Nice=5/", "/etc/systemd/system/lsp-a.service")
    (change,) = machine.plan()["changes"]
    assert [(diff["path"], diff["cause"]) for diff in change["diffs"]] == [
        ("sections.Service.Nice", "drift"),
        ("state", "drift"),
        ("enabled", "drift"),
    ]
    machine.run("labspec", "apply", "-y")
    assert machine.unchanged()
    assert machine.show("lsp-a.service", "Nice") == "3"


def test_what_somebody_else_has_there_is_put_back(machine: Machine) -> None:
    own = "/etc/systemd/system/lsp-own.service"
    machine.write(own, "# mine\n[Service]\nExecStart=/bin/sleep 77\n\n[Install]\nWantedBy=graphical.target\n")
    machine.run("chmod", "0640", own)
    machine.run("systemctl", "enable", "--now", "lsp-own.service")
    machine.run("ln", "-s", "/dev/null", "/etc/systemd/system/lsp-masked.service")
    before = machine.snapshot()
    said = machine.apply({"lsp-own.service": WEB, "lsp-masked.service": WEB})
    assert f"replaces {own}; destroy puts it back as it is now" in said
    assert machine.unchanged()
    assert "sleep 9000" in machine.show("lsp-own.service", "ExecStart")
    machine.run("labspec", "destroy", "-y")
    assert machine.snapshot() == before
    assert machine.show("lsp-own.service", "ActiveState") == "active"
    assert "sleep 77" in machine.show("lsp-own.service", "ExecStart")
    machine.run("systemctl", "disable", "--now", "lsp-own.service")
    machine.run("rm", own, "/etc/systemd/system/lsp-masked.service")
    machine.run("systemctl", "daemon-reload")


def test_a_packaged_one_is_only_replaced_if_allowed(machine: Machine) -> None:
    units = {"fstrim.timer": {"Timer": {"OnCalendar": "daily"}, "Install": {"WantedBy": "timers.target"}}}
    assert "unit-takeover" in machine.apply(units, rc=1)
    machine.apply(units, "--allow", "unit-takeover")
    assert machine.unchanged()


def test_what_left_the_spec_goes(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB, "lsp-b.service": WEB})
    machine.apply({"lsp-a.service": WEB})
    assert machine.show("lsp-b.service", "LoadState") == "not-found"
    assert machine.unchanged()


def test_a_socket_is_restarted_though_its_service_runs(machine: Machine) -> None:
    service = {"Service": {"ExecStart": "/bin/sleep 9000"}}
    machine.apply({"lsp-s.socket": {"Socket": {"ListenStream": "/run/lsp-1"}}, "lsp-s.service": service})
    machine.run("systemctl", "start", "lsp-s.service")
    machine.apply({"lsp-s.socket": {"Socket": {"ListenStream": "/run/lsp-2"}}, "lsp-s.service": service})
    assert machine.show("lsp-s.service", "ActiveState") == "active"
    assert "/run/lsp-2" in machine.show("lsp-s.socket", "Listen")
    assert machine.unchanged()


@pytest.mark.parametrize(
    ("entry", "line", "said", "hint"),
    [
        (with_("Service", ExecStat="/bin/true"), '"ExecStat"', "knows no key 'ExecStat' in [Service]", "'ExecStart'"),
        (with_("Service", Restart="alway"), '"Restart"', "Restart: Failed to parse", ""),
        (with_("Service", ExecStart="/bin/no-such"), '"ExecStart"', "is not executable", "whole path"),
        ({"Service": {"Restart": "always"}}, '"lsp-a.service"', "has no ExecStart=", ""),
    ],
)
def test_what_systemd_would_not_take_is_in_the_way(
    machine: Machine, entry: Any, line: str, said: str, hint: str
) -> None:
    told = machine.apply({"lsp-a.service": entry, "lsp-b.service": WEB}, rc=1)
    assert said in told
    assert hint in told
    assert line in told  # the line of the spec
    assert machine.run("sh", "-c", "ls /etc/systemd/system | grep lsp || true") == ""


def test_what_does_not_run_is_told_with_its_log(machine: Machine) -> None:
    entry = {"Service": {"ExecStart": "/bin/sh -c 'echo no luck >&2; exit 3'"}}
    told = machine.apply({"lsp-a.service": entry}, rc=1)
    assert "lsp-a.service was started and does not run: failed" in told
    assert "no luck" in told


@pytest.mark.parametrize(
    "value", ["100% $HOME ${X} \\\\", "#a", ";a", "[Service]", "a = b", "\\x0aUser=nobody", "'\" é漢"]
)
def test_no_value_adds_a_directive(machine: Machine, value: str) -> None:
    value = value.replace("%", "%%")
    service = {"ExecStart": "/bin/sleep 9000", "Environment": f'"A={value.translate({34: None})}"', "Nice": 3}
    machine.apply({"lsp-a.service": {"Unit": {"Description": value, "After": "docker.service"}, "Service": service}})
    assert machine.show("lsp-a.service", "Description") == value.replace("%%", "%")
    assert machine.show("lsp-a.service", "ExecStartPre") == ""
    assert machine.show("lsp-a.service", "User") == ""
    assert machine.show("lsp-a.service", "Nice") == "3"
    assert machine.unchanged()


def test_a_stack_starts_with_the_host(machine: Machine) -> None:
    box = {"image": "debian:latest", "command": ["sleep", "infinity"], "init": True}
    stack = {"services": {"a": {**box, "depends_on": ["b"]}, "b": box}, "systemd": True}
    machine.write("/lab/lab.yaml", json.dumps({"labspec": 1, "lab": {"name": "tp"}, "stacks": {"s": stack}}))
    machine.run("labspec", "apply", "-y")
    assert machine.unchanged()
    assert machine.show("labspec-tp-s.service", "ActiveState") == "active"
    machine.run("systemctl", "stop", "labspec-tp-s.service")
    assert machine.run("docker", "ps", "--quiet") == ""
    machine.run("systemctl", "start", "labspec-tp-s.service")
    assert len(machine.run("docker", "ps", "--quiet").split()) == 2
    assert machine.unchanged()
    without = {**stack, "systemd": False}
    machine.write("/lab/lab.yaml", json.dumps({"labspec": 1, "lab": {"name": "tp"}, "stacks": {"s": without}}))
    assert "the unit that leaves stops it" in machine.run("labspec", "apply", "-y")
    assert len(machine.run("docker", "ps", "--quiet").split()) == 2
    assert machine.unchanged()
    machine.run("labspec", "destroy", "-y")
    assert machine.run("docker", "ps", "--all", "--quiet") == ""


def test_two_labs_do_not_take_from_each_other(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB})
    other = {"labspec": 1, "lab": {"name": "other"}, "units": {"lsp-a.service": WEB}}  # even the very same
    machine.write("/lab/other.yaml", json.dumps(other))
    assert "belongs to lab 'tp'" in machine.run("labspec", "apply", "-y", "other.yaml", rc=1)


def test_a_lost_journal_does_not_lose_the_units(machine: Machine) -> None:
    machine.apply({"lsp-a.service": WEB})
    machine.run("rm", "-r", "/var/lib/labspec/tp")
    assert machine.unchanged()


def test_a_user_who_is_not_root_is_told_so(machine: Machine) -> None:
    machine.lab({"lsp-a.service": WEB})
    machine.run("chmod", "a+rx", "/lab")
    user = ["setpriv", "--reuid=65534", "--clear-groups", "env", "HOME=/tmp", "LABSPEC_STATE_DIR=/tmp/state"]
    told = machine.run(*user, "labspec", "plan", rc=None)
    assert "only root can change the units of this host" in told or "Docker" in told
