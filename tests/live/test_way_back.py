"""The way back of a host's settings: after a failure, without a confirmation, on a full disk, on a read-only one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hostbox import HostBox, hostbox

pytestmark = pytest.mark.live

FILE = "/etc/labspec-way-back"
IN_THERE = "/root/lab/lab.yaml"


@pytest.fixture(scope="module")
def box() -> Iterator[HostBox]:
    with hostbox() as found:
        found.out("mkdir", "-p", "/root/lab")
        yield found


def spec(text: str, **more: Any) -> str:
    """Return a lab that writes one file."""
    files = {"files": {FILE: {"content": text, "mode": "0640"}}}
    return json.dumps({"labspec": 1, "lab": {"name": "back"}, "host": files, **more})


def apply(box: HostBox, text: str, *options: str, **more: Any) -> Any:
    """Return what an apply in the sandbox did."""
    box.out("sh", "-c", f"cat > {IN_THERE}", text=spec(text, **more))
    return box.run("labspec", "apply", "-y", *options, IN_THERE)


def test_an_apply_that_fails_puts_settings_back(box: HostBox) -> None:
    assert apply(box, "one").returncode == 0
    bad = {"units": {"labspec-bad.service": {"Service": {"ExecStart": "/bin/false"}, "state": "started"}}}
    done = apply(box, "two", **bad)
    assert done.returncode == 1
    assert f"If a step fails, file.{FILE}, unit.labspec-bad.service go back to what they are now." in done.stdout
    assert f"Put back as they were before it: file.{FILE}, unit.labspec-bad.service." in done.stderr
    assert box.out("cat", FILE) == "one"
    assert box.run("ls", "/etc/systemd/system/labspec-bad.service").returncode
    assert apply(box, "one").stdout == "No changes. The host matches the spec.\n"


UNIT = "labspec-way-back.service"


def test_an_apply_that_fails_puts_back_what_a_hand_has_edited(box: HostBox) -> None:
    own = {UNIT: {"Service": {"ExecStart": "/bin/sleep 9000"}, "Install": {"WantedBy": "multi-user.target"}}}
    good = {UNIT: {**own[UNIT], "state": "started", "enabled": True}}
    assert apply(box, "one", units=good).returncode == 0
    edited = f"# by hand\n{box.out('cat', f'/etc/systemd/system/{UNIT}')}\n"
    box.out("sh", "-c", f"cat > /etc/systemd/system/{UNIT}", text=edited)
    box.out("systemctl", "daemon-reload")
    box.out("systemctl", "stop", UNIT)
    box.out("sh", "-c", f"printf 'by \\377 hand' > {FILE}; chmod 0600 {FILE}")
    by_hand = box.out("md5sum", FILE)
    worse = {UNIT: {**good[UNIT], "Unit": {"Description": "new"}}}
    bad = {"labspec-bad.service": {"Service": {"ExecStart": "/bin/false"}, "state": "started"}}
    done = apply(box, "two", units={**worse, **bad})
    assert done.returncode == 1
    assert f"Put back as they were before it: file.{FILE}" in done.stderr
    assert (box.out("md5sum", FILE), box.out("stat", "-c%a", FILE)) == (by_hand, "600")
    assert box.out("cat", f"/etc/systemd/system/{UNIT}") == edited.strip()
    assert box.run("systemctl", "is-active", UNIT).stdout == "inactive\n"
    assert "changed on the host" in box.run("labspec", "plan", IN_THERE).stdout
    box.out("labspec", "destroy", "-y", IN_THERE)
    assert box.run("ls", FILE).returncode
    assert box.out("sh", "-c", "cat /var/lib/labspec/back/kept-* | md5sum").split() == [by_hand.split()[0], "-"]
    box.out("sh", "-c", "rm -r /var/lib/labspec/back")


def test_settings_go_back_unless_they_are_confirmed(box: HostBox) -> None:
    assert apply(box, "one").returncode == 0
    assert "unless 'labspec confirm' is run" in apply(box, "two", "--confirm-within", "60s").stderr
    assert box.out("cat", FILE) == "two"
    assert "are not confirmed yet" in apply(box, "three").stderr
    assert box.out("labspec", "confirm", "--lab", "back").startswith("Confirmed: ")
    assert box.run("systemctl", "is-active", "labspec-confirm-back.timer").stdout == "inactive\n"
    assert box.out("cat", FILE) == "two"
    assert apply(box, "three", "--confirm-within", "3s").returncode == 0
    end = time.monotonic() + 60
    while box.out("cat", FILE) != "two" or box.run("ls", "/var/lib/labspec/back/pending.json").returncode == 0:
        assert time.monotonic() < end, box.run("journalctl", "-u", "labspec-confirm-back").stdout
        time.sleep(0.5)
    assert box.run("labspec", "confirm", "--lab", "back").returncode == 1


@pytest.mark.parametrize(
    ("mounted", "said"),
    [
        ("mount -t tmpfs -o size=8m tmpfs /mnt && cp -a /etc/. /mnt && mount --bind /mnt /etc && "
         "{ dd if=/dev/zero of=/etc/filler bs=4k 2>/dev/null || true; }", "No space left on device"),
        ("mount --bind /etc /etc && mount -o remount,bind,ro /etc", "Read-only file system"),
        ("mkdir -p /var/lib/labspec && mount -t tmpfs -o size=16k tmpfs /var/lib/labspec && "
         "{ dd if=/dev/zero of=/var/lib/labspec/filler bs=4k 2>/dev/null || true; }", "No space left on device"),
    ],
    ids=["etc-full", "etc-read-only", "state-full"],
)  # fmt: skip
def test_a_disk_that_takes_nothing(box: HostBox, mounted: str, said: str) -> None:
    assert apply(box, "one").returncode == 0
    box.out("sh", "-c", f"cat > {IN_THERE}", text=spec("much " * 5000))
    done = box.run("unshare", "--mount", "sh", "-c", f"{mounted} && labspec apply -y {IN_THERE}; echo $?; cat {FILE}")
    assert done.stdout.endswith("1\none")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert box.out("cat", FILE) == "one"
    assert apply(box, "two").returncode == 0


def test_a_broken_journal_and_a_link_in_the_way_change_nothing(box: HostBox) -> None:
    assert apply(box, "one").returncode == 0
    journal = "/var/lib/labspec/back/journal.json"
    box.out("sh", "-c", f"cp {journal} /root/kept; head -c 100 /root/kept > {journal}")
    for command in ("apply", "destroy"):
        done = box.run("labspec", command, "-y", IN_THERE)
        assert (done.returncode, "journal.json cannot be read" in done.stderr) == (1, True)
    assert box.out("cat", FILE) == "one"
    box.out("sh", "-c", f"mv /root/kept {journal}; echo target > /root/target; ln -sf /root/target {FILE}")
    assert apply(box, "two").returncode == 0
    assert (box.out("cat", "/root/target"), box.out("cat", FILE)) == ("target", "two")
    box.out("labspec", "destroy", "-y", IN_THERE)
    assert box.run("ls", FILE, "/var/lib/labspec/back").stdout == ""
