"""Settings of the daemon, and units, that a host has already: written down, applied, and nothing restarts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hostbox import HostBox

pytestmark = pytest.mark.live

DAEMON = '{\n\t"log-opts": {"max-size": "3m"},\n\t"debug" : true\n}\n'
UNIT = """# The shop's own.
[Unit]
Description=shop
After=network.target

[Service]
Environment=A=1
Environment="B=two words"
ExecStart=/bin/sleep \\
    infinity

[Install]
WantedBy=multi-user.target
"""
BEAT = "[Timer]\nOnCalendar=daily\n\n[Install]\nWantedBy=timers.target\n"
PUT = """
cat > /etc/docker/daemon.json
systemctl restart docker
"""
UNITS = ("imp-shop.service", "imp-beat.timer", "imp-beat.service")


@pytest.fixture
def host(lab_host: HostBox) -> Iterator[HostBox]:
    """Return a host that has settings, units and a container, none of them labspec's; afterwards without them."""
    lab_host.out("sh", "-ec", "mkdir -p /etc/docker; " + PUT, text=DAEMON)
    for name, text in zip(UNITS, (UNIT, BEAT, "[Service]\nExecStart=/bin/true\n"), strict=True):
        lab_host.out("sh", "-ec", f"cat > /etc/systemd/system/{name}", text=text)
    lab_host.out("sh", "-ec", "systemctl daemon-reload; systemctl enable --now imp-shop.service imp-beat.timer")
    lab_host.out("docker", "run", "-d", "--name", "imp-box", "debian:latest", "sleep", "infinity")
    yield lab_host
    lab_host.out(
        "sh",
        "-ec",
        "docker rm -f imp-box; systemctl disable --now imp-shop.service imp-beat.timer;"
        " rm -f /etc/systemd/system/imp-* /etc/docker/daemon.json; systemctl daemon-reload; systemctl restart docker",
    )


def running(host: HostBox) -> dict[str, str]:
    """Return what tells whether something was made anew, restarted or written."""
    shown = "--property=Id,MainPID,InvocationID,ActiveEnterTimestampMonotonic,UnitFileState,ActiveState"
    return {
        "daemon": host.out("cat", "/run/docker.pid"),
        "units": host.out("systemctl", "show", shown, "docker.service", *UNITS),
        "container": host.out(
            "docker", "inspect", "--format", "{{.Id}} {{.State.StartedAt}} {{.State.Pid}}", "imp-box"
        ),
        "files": host.out("sh", "-c", "stat -c '%n %i %y %a %U' /etc/systemd/system/imp-* /etc/docker/daemon.json"),
        "content": host.out("sh", "-c", "cat /etc/systemd/system/imp-* /etc/docker/daemon.json"),
    }


def test_a_host_is_adopted_as_it_runs(host: HostBox, tmp_path: Path) -> None:
    before = running(host)
    chosen = ["--daemon", "--container", "imp-box", *(part for unit in UNITS for part in ("--unit", unit))]
    written = host.labspec(tmp_path, "import", "live", *chosen, "--name", "tp", "--strict")
    assert written.returncode == 0, written.stderr
    assert written.stderr == ""
    assert "# The shop's own." in written.stdout
    (tmp_path / "lab.yaml").write_text(written.stdout)
    plan = host.planned(tmp_path)
    assert {change["address"]: change["action"] for change in plan["changes"]} == {"service.imp-box": "adopt"}
    done = host.labspec(tmp_path, "apply", "-y")
    assert done.returncode == 0, done.stderr
    assert running(host) == before
    assert host.planned(tmp_path)["changes"] == []
    again = host.labspec(tmp_path, "apply", "-y")
    assert (again.returncode, running(host)) == (0, before)

    # What was there before the lab stays when it goes, but for what it has adopted.
    gone = host.labspec(tmp_path, "destroy", "-y")
    assert gone.returncode == 0, gone.stderr
    assert host.out("docker", "ps", "-aq") == ""
    host.out("docker", "run", "-d", "--name", "imp-box", "debian:latest", "sleep", "infinity")
    after = running(host)
    assert {key: after[key] for key in after if key != "container"} == {
        key: before[key] for key in before if key != "container"
    }


def test_a_unit_of_a_package_is_left_to_it_but_for_its_dropin(host: HostBox, tmp_path: Path) -> None:
    told = host.labspec(tmp_path, "import", "live", "--unit", "dbus", "--unit", "imp-shop", "--name", "tp")
    assert told.returncode == 0, told.stderr
    assert "--unit dbus: a package brought it" in told.stderr
    assert "dbus.service" not in told.stdout

    identity = ["systemctl", "show", "--property=MainPID,InvocationID", "ssh.service"]
    before = host.out(*identity)
    written = host.labspec(tmp_path, "import", "live", "--unit", "ssh", "--name", "tp", "--strict")
    assert (written.returncode, written.stderr) == (0, "")
    assert "dropin: host-keys" in written.stdout  # every sandbox has this one
    (tmp_path / "lab.yaml").write_text(written.stdout)
    assert host.planned(tmp_path)["changes"] == []
    for command in ("apply", "destroy"):
        assert host.labspec(tmp_path, command, "-y").returncode == 0
        assert host.out(*identity) == before
    assert "ssh-keygen" in host.out("cat", "/etc/systemd/system/ssh.service.d/host-keys.conf")

    missing = host.labspec(tmp_path, "import", "live", "--unit", "getty@tty9")
    assert missing.returncode == 1
    assert "there is no file of a unit getty@tty9.service" in missing.stderr
    assert "an instance has its template's file: getty@.service" in missing.stderr
