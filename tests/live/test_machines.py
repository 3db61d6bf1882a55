"""Machines of systemd-nspawn in a sandbox: made, run by hand and as units, put right, removed without a trace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hostbox import HostBox

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("sandbox")]

TRACES = "for f in /var/lib/machines /etc/systemd /var/lib/labspec /run/systemd/transient; do"


@pytest.fixture(scope="module")
def box(lab_host: HostBox) -> HostBox:
    """Return a sandbox; it has systemd-nspawn, and busybox's image."""
    return lab_host


def write(folder: Path, **machines: Any) -> None:
    spec = {"labspec": 1, "lab": {"name": "nsp"}, "machines": machines}
    (folder / "lab.yaml").write_text(json.dumps(spec, indent=1))


def apply(box: HostBox, folder: Path) -> None:
    done = box.labspec(folder, "apply", "-y")
    assert done.returncode == 0, done.stderr
    assert box.planned(folder)["empty"], box.planned(folder)


def traces(box: HostBox) -> str:
    return box.out("sh", "-c", f'{TRACES} find "$f" -mindepth 1 2>/dev/null; done | sort')


def test_nspawn_runs_what_the_spec_says(box: HostBox, busybox: str, tmp_path: Path) -> None:
    before = traces(box)
    write(tmp_path, deb={"image": busybox, "network": "private", "tmpfs": ["/scratch"]})
    apply(box, tmp_path)
    script = "hostname; ls /sys/class/net; grep -c ' /scratch tmpfs' /proc/mounts"
    said = box.out("systemd-nspawn", "--quiet", "--pipe", "-M", "nsp-deb", "/bin/sh", "-c", script)
    assert said.split() == ["nsp-deb", "lo", "1"]
    assert box.labspec(tmp_path, "destroy", "-y").returncode == 0
    assert traces(box) == before


def test_a_machine_with_a_command_is_a_unit(box: HostBox, busybox: str, tmp_path: Path) -> None:
    before = traces(box)
    script = 'echo "$GREETING" > /said; exec sleep 999'
    entry = {"image": busybox, "command": ["/bin/sh", "-c", script], "env": {"GREETING": "a $b %n 'c'"}}
    write(tmp_path, one=entry)
    apply(box, tmp_path)
    assert "nsp-one" in box.out("machinectl", "list", "--no-legend")
    assert box.out("cat", "/var/lib/machines/nsp-one/said") == "a $b %n 'c'"

    box.out("systemctl", "stop", "labspec-machine-nsp-one")
    (change,) = box.planned(tmp_path)["changes"]
    assert (change["action"], change["reason"]) == ("start", "it does not run")
    apply(box, tmp_path)

    box.out("sh", "-c", "echo Private=no >> /etc/systemd/nspawn/nsp-one.nspawn")
    (change,) = box.planned(tmp_path)["changes"]
    assert (change["action"], change["reason"]) == ("update", "settings changed on the host")
    apply(box, tmp_path)

    write(tmp_path, one={**entry, "state": "prepared"})
    (change,) = box.planned(tmp_path)["changes"]
    assert (change["action"], change["reason"]) == ("update", "state changed in the spec")
    apply(box, tmp_path)
    assert box.out("machinectl", "list", "--no-legend") == ""

    assert box.labspec(tmp_path, "destroy", "-y").returncode == 0
    assert traces(box) == before


def test_a_machine_of_somebody_else_is_in_the_way(box: HostBox, busybox: str, tmp_path: Path) -> None:
    box.out("mkdir", "-p", "/var/lib/machines/nsp-two")
    write(tmp_path, two={"image": busybox})
    done = box.labspec(tmp_path, "apply", "-y")
    assert done.returncode == 1
    assert "/var/lib/machines/nsp-two is there and is not this lab's" in done.stdout + done.stderr
    assert box.out("ls", "/var/lib/machines/nsp-two") == ""
    box.out("rmdir", "/var/lib/machines/nsp-two")
